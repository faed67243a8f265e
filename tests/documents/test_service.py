"""Documents are immutable revisions; a sign-off is bound to one exact revision (design, promise 6)."""

import copy
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lifecycle.db import Database
from lifecycle.documents import queries, rules, service
from lifecycle.errors import Conflict, Invalid, NotAllowed, NotFound
from lifecycle.notices.models import notice
from lifecycle.partnerships.escalations import sweep_escalations
from lifecycle.partnerships.models import contact
from lifecycle.partnerships.people import people_of
from tests.builders import contents, registered

CONVENING: dict[str, Any] = {
    "meetings": [
        {
            "on": "2026-03-01",
            "where": "Harbour Clinic",
            "attendees": [
                {"organisation": "clinic", "person": "clinic-primary"},
                {"organisation": "city", "person": "city-primary"},
            ],
            "topics": ["why we are here"],
            "outcome": "We go on.",
        }
    ],
    "purpose_agreed": "Fewer falls among older people in the harbour quarter.",
}


def changed() -> dict[str, Any]:
    content = copy.deepcopy(CONVENING)
    content["meetings"][0]["outcome"] = "We go on, and meet monthly."
    return content


@pytest.fixture
def starting(database: Database, now: datetime) -> Database:
    registered(database, now, stage="starting")
    return database


def told(database: Database, template: str) -> list[tuple[str, Any]]:
    with database.read() as connection:
        rows = connection.execute(
            select(notice.c.contact_id, notice.c.facts, notice.c.state).where(notice.c.template == template)
        )
        return sorted((r.contact_id, r.facts.get("supersedes")) for r in rows if r.state != "withdrawn")


def missing(database: Database) -> list[str]:
    with database.read() as connection:
        people = people_of(connection, "harbour")["harbour"]
        return service.missing(
            connection, "harbour", people, queries.find(connection, "harbour", "convening")
        )


def test_each_put_is_a_new_revision_and_the_old_one_stays(starting: Database, now: datetime) -> None:
    first = service.put(starting, "harbour", "convening", CONVENING, "clinic-primary", now)
    second = service.put(starting, "harbour", "convening", changed(), "city-primary", now)
    assert (first.revision, second.revision) == (1, 2)
    with starting.read() as connection:
        kept = queries.find(connection, "harbour", "convening", revision=1)
    assert kept.content == CONVENING
    assert kept.sha256 == rules.sha256(CONVENING) == first.sha256
    assert kept.schema_version == 1


def test_who_edits_part_by_part_asks_once_and_loses_nothing_of_what_they_would_have_been_told(
    starting: Database, now: datetime
) -> None:
    quiet, minute = timedelta(minutes=15), timedelta(minutes=1)
    service.put(starting, "harbour", "convening", CONVENING, "clinic-primary", now)
    service.sign(starting, "harbour", "convening", 1, "city-deputy", now)
    with starting.write() as connection:
        connection.execute(update(notice).values(state="sent"))
    service.put(starting, "harbour", "convening", changed(), "clinic-primary", now + minute, quiet=quiet)
    last = now + 2 * minute
    service.put(
        starting,
        "harbour",
        "convening",
        changed() | {"purpose_agreed": "Fewer."},
        "clinic-primary",
        last,
        quiet=quiet,
    )
    with starting.read() as connection:
        rows = connection.execute(
            select(notice.c.contact_id, notice.c.facts, notice.c.next_attempt_at).where(
                notice.c.state == "pending"
            )
        ).all()
    assert sorted((row.contact_id, row.facts["revision"], row.facts["supersedes"]) for row in rows) == [
        ("city-deputy", 3, 1), ("city-primary", 3, None), ("clinic-primary", 3, None),
    ]  # fmt: skip
    assert {row.next_attempt_at for row in rows} == {last + quiet}


def test_an_observer_cannot_void_what_partners_have_signed(starting: Database, now: datetime) -> None:
    with starting.write() as connection:
        connection.execute(update(contact).where(contact.c.id == "city-deputy").values(role="observer"))
    before = contents(starting)
    with pytest.raises(NotAllowed, match="observer of city and cannot put a convening"):
        service.put(starting, "harbour", "convening", CONVENING, "city-deputy", now)
    assert contents(starting) == before


def test_the_same_content_again_changes_nothing(starting: Database, now: datetime) -> None:
    service.put(starting, "harbour", "convening", CONVENING, "clinic-primary", now)
    before = contents(starting)
    again = service.put(starting, "harbour", "convening", copy.deepcopy(CONVENING), "city-primary", now)
    assert again.revision == 1
    assert contents(starting) == before


def test_every_partner_is_asked_to_sign(starting: Database, now: datetime) -> None:
    service.put(starting, "harbour", "convening", CONVENING, "clinic-primary", now)
    assert told(starting, "signoff_asked") == [("city-primary", None), ("clinic-primary", None)]
    assert missing(starting) == ["city", "clinic"]


def test_a_sign_off_by_one_contact_of_each_partner_is_enough_and_stops_the_asking(
    starting: Database, now: datetime
) -> None:
    service.put(starting, "harbour", "convening", CONVENING, "clinic-primary", now)
    service.sign(starting, "harbour", "convening", 1, "clinic-primary", now)
    assert missing(starting) == ["city"]
    service.sign(starting, "harbour", "convening", 1, "city-sponsor", now)
    assert missing(starting) == []
    assert sweep_escalations(starting, now + timedelta(days=60)) == {}


def test_a_newer_revision_voids_sign_offs_and_asks_again(starting: Database, now: datetime) -> None:
    service.put(starting, "harbour", "convening", CONVENING, "clinic-primary", now)
    for contact_id in ("clinic-primary", "city-sponsor"):
        service.sign(starting, "harbour", "convening", 1, contact_id, now)
    service.put(starting, "harbour", "convening", changed(), "city-primary", now)
    assert missing(starting) == ["city", "clinic"]
    assert told(starting, "signoff_asked") == [
        ("city-primary", None),
        ("city-sponsor", 1),
        ("clinic-primary", 1),
    ]


def test_who_does_not_sign_is_reminded_then_sponsor_and_coordinator_hear(
    starting: Database, now: datetime
) -> None:
    service.put(starting, "harbour", "convening", CONVENING, "clinic-primary", now)
    service.sign(starting, "harbour", "convening", 1, "clinic-primary", now)
    for day in range(30):
        sweep_escalations(starting, now + timedelta(days=day))
    assert [who for who, _ in told(starting, "signoff_reminder")] == ["city-primary", "city-primary"]
    assert [who for who, _ in told(starting, "signoff_escalated")] == ["city-sponsor", "clinic-primary"]


def test_signing_twice_is_signing_once(starting: Database, now: datetime) -> None:
    service.put(starting, "harbour", "convening", CONVENING, "clinic-primary", now)
    service.sign(starting, "harbour", "convening", 1, "clinic-primary", now)
    before = contents(starting)
    service.sign(starting, "harbour", "convening", 1, "clinic-primary", now)
    assert contents(starting) == before


def test_wrong_sign_offs_are_refused_and_change_nothing(starting: Database, now: datetime) -> None:
    service.put(starting, "harbour", "convening", CONVENING, "clinic-primary", now)
    service.put(starting, "harbour", "convening", changed(), "clinic-primary", now)
    before = contents(starting)
    with pytest.raises(Conflict, match="revision 2 is the latest"):
        service.sign(starting, "harbour", "convening", 1, "city-primary", now)
    with pytest.raises(NotFound, match="not a contact"):
        service.sign(starting, "harbour", "convening", 2, "stranger", now)
    with pytest.raises(NotFound, match="no revision 3"):
        service.sign(starting, "harbour", "convening", 3, "city-primary", now)
    with pytest.raises(NotAllowed, match="not signed"):
        service.sign(starting, "harbour", "need_assessment", 1, "city-primary", now)
    assert contents(starting) == before


def test_wrong_documents_are_refused_and_change_nothing(starting: Database, now: datetime) -> None:
    before = contents(starting)

    def refused(
        error: type[Exception], match: str, kind: str, content: Any, author: str = "clinic-primary"
    ) -> None:
        with pytest.raises(error, match=match):
            service.put(starting, "harbour", kind, content, author, now)

    refused(Invalid, "/purpose_agred", "convening", {"purpose_agred": "x"})
    refused(NotFound, "no kind of document", "covenant", {})
    refused(NotFound, "not a contact", "convening", CONVENING, "stranger")
    refused(NotAllowed, "need_definition", "need_assessment", {"title": "Falls", "purpose": "Fewer falls."})
    refused(NotAllowed, "lifecycle respond", "review_response", {"round": 1, "answers": []})
    assert contents(starting) == before


def test_a_document_cannot_name_people_or_partners_who_are_not_registered(
    starting: Database, now: datetime
) -> None:
    content = changed()
    content["meetings"][0]["attendees"] += [{"organisation": "museum", "person": "nobody-known"}]
    before = contents(starting)
    with pytest.raises(Invalid) as refusal:
        service.put(starting, "harbour", "convening", content, "clinic-primary", now)
    pointers = {fault.pointer for fault in refusal.value.faults}
    assert pointers == {"/meetings/0/attendees/2/organisation", "/meetings/0/attendees/2/person"}
    assert contents(starting) == before
