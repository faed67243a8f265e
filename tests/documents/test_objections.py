"""A partner that does not sign says why: once, to everybody who has to answer, and bound by nothing."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lifecycle.audit.models import audit_event
from lifecycle.db import Database
from lifecycle.documents import queries, service
from lifecycle.documents.objections import MAX_REASON, object_to
from lifecycle.errors import Conflict, Invalid, NotAllowed, NotFound
from lifecycle.notices.models import notice
from lifecycle.obligations.queries import performances
from lifecycle.partnerships.models import contact
from tests.builders import contents, organisation, registered
from tests.obligations.agreements import agreement, move, obligation

REASON = "The list has to come on Wednesday, not on Thursday."


def put(database: Database, now: datetime, author: str = "clinic-primary", **more: Any) -> queries.Revision:
    return service.put(database, "harbour", "agreement", agreement(obligation(**more)), author, now)


@pytest.fixture
def proposed(database: Database, now: datetime) -> Database:
    """An agreement of three partners in its first revision, put by the clinic."""
    registered(
        database,
        now,
        stage="setting_up",
        partners=[organisation(name) for name in ("clinic", "city", "trust")],
        coordinator="trust-deputy",
    )
    put(database, now)
    return database


def told(database: Database) -> list[tuple[str, str]]:
    with database.read() as connection:
        rows = connection.execute(select(notice).where(notice.c.template == "objection_raised"))
        return sorted((row.contact_id, row.facts["reason"]) for row in rows)


def raised(database: Database) -> list[queries.Objection]:
    with database.read() as connection:
        return queries.objections(connection, "harbour")


def logged(database: Database) -> list[dict[str, Any]]:
    with database.read() as connection:
        rows = connection.execute(select(audit_event.c.payload).where(audit_event.c.type == "objected"))
        return [json.loads(payload) for (payload,) in rows]


def test_the_author_the_coordinator_and_the_other_partners_are_told_in_the_objectors_words(
    proposed: Database, now: datetime
) -> None:
    object_to(proposed, "harbour", "agreement", 1, "city-sponsor", REASON, now)
    assert told(proposed) == [(who, REASON) for who in ("clinic-primary", "trust-deputy", "trust-primary")]
    assert [(one.contact_id, one.partner_id, one.reason, one.state) for one in raised(proposed)] == [
        ("city-sponsor", "city", REASON, "open")
    ]


def test_the_trail_says_who_objected_to_which_content_and_no_word_of_the_reason(
    proposed: Database, now: datetime
) -> None:
    object_to(proposed, "harbour", "agreement", 1, "city-primary", REASON, now)
    with proposed.read() as connection:
        sha256 = queries.find(connection, "harbour", "agreement").sha256
    assert logged(proposed) == [
        {"kind": "agreement", "partner": "city", "revision": 1, "sha256": sha256, "subject": ""}
    ]


def test_whoever_objects_is_not_told_of_it(proposed: Database, now: datetime) -> None:
    object_to(proposed, "harbour", "agreement", 1, "trust-deputy", REASON, now)
    assert [who for who, _ in told(proposed)] == ["city-primary", "clinic-primary"]


def test_each_partner_can_object_the_one_that_put_it_too(proposed: Database, now: datetime) -> None:
    for name in ("clinic", "city", "trust"):
        object_to(proposed, "harbour", "agreement", 1, f"{name}-sponsor", REASON, now)
    assert sorted((one.partner_id, one.state) for one in raised(proposed)) == [
        ("city", "open"),
        ("clinic", "open"),
        ("trust", "open"),
    ]


def test_the_same_objection_again_changes_nothing(proposed: Database, now: datetime) -> None:
    first = object_to(proposed, "harbour", "agreement", 1, "city-primary", REASON, now)
    before = contents(proposed)
    again = object_to(
        proposed, "harbour", "agreement", 1, "city-primary", f" {REASON}\n", now + timedelta(days=1)
    )
    assert again == first
    assert contents(proposed) == before


def test_another_reason_takes_the_place_of_the_one_before_and_is_told(
    proposed: Database, now: datetime
) -> None:
    later = now + timedelta(days=1)
    object_to(proposed, "harbour", "agreement", 1, "city-primary", REASON, now)
    object_to(proposed, "harbour", "agreement", 1, "city-primary", "It costs too much.", later)
    assert [(one.reason, one.objected_at) for one in raised(proposed)] == [("It costs too much.", later)]
    assert [reason for who, reason in told(proposed) if who == "clinic-primary"] == [
        "It costs too much.",
        REASON,
    ]
    assert len(logged(proposed)) == 2


def test_colleagues_of_one_partner_object_each_in_their_own_words(proposed: Database, now: datetime) -> None:
    object_to(proposed, "harbour", "agreement", 1, "city-primary", REASON, now)
    object_to(proposed, "harbour", "agreement", 1, "city-sponsor", "It costs too much.", now)
    assert [one.contact_id for one in raised(proposed)] == ["city-primary", "city-sponsor"]


def test_who_objected_can_sign_later_and_the_objection_is_settled(proposed: Database, now: datetime) -> None:
    object_to(proposed, "harbour", "agreement", 1, "city-primary", REASON, now)
    object_to(proposed, "harbour", "agreement", 1, "trust-primary", REASON, now)
    service.sign(proposed, "harbour", "agreement", 1, "city-sponsor", now + timedelta(days=1))
    assert {one.partner_id: one.state for one in raised(proposed)} == {"city": "signed", "trust": "open"}


def test_a_newer_revision_answers_it(proposed: Database, now: datetime) -> None:
    object_to(proposed, "harbour", "agreement", 1, "city-primary", REASON, now)
    put(proposed, now + timedelta(days=1), weight=3)
    assert [one.state for one in raised(proposed)] == ["answered"]


def test_an_objection_to_a_superseded_revision_is_refused(proposed: Database, now: datetime) -> None:
    put(proposed, now, weight=3)
    before = contents(proposed)
    with pytest.raises(Conflict, match="revision 2 is the latest"):
        object_to(proposed, "harbour", "agreement", 1, "city-primary", REASON, now)
    assert contents(proposed) == before


def test_what_a_partner_has_signed_it_does_not_take_back(proposed: Database, now: datetime) -> None:
    service.sign(proposed, "harbour", "agreement", 1, "city-sponsor", now)
    before = contents(proposed)
    with pytest.raises(Conflict, match="city-sponsor has signed revision 1 of the agreement for city"):
        object_to(proposed, "harbour", "agreement", 1, "city-primary", REASON, now)
    assert contents(proposed) == before


@pytest.mark.parametrize(
    ("reason", "rule"),
    [("", "required"), (" \n ", "required"), ("x" * (MAX_REASON + 1), "maxLength"), ("a\x00b", "characters")],
)
def test_a_reason_is_needed_and_is_plain_text(
    proposed: Database, now: datetime, reason: str, rule: str
) -> None:
    before = contents(proposed)
    with pytest.raises(Invalid) as refused:
        object_to(proposed, "harbour", "agreement", 1, "city-primary", reason, now)
    assert [(fault.pointer, fault.rule) for fault in refused.value.faults] == [("/reason", rule)]
    assert contents(proposed) == before


def test_the_longest_reason_is_kept_whole(proposed: Database, now: datetime) -> None:
    object_to(proposed, "harbour", "agreement", 1, "city-primary", "é" * MAX_REASON, now)
    assert raised(proposed)[0].reason == "é" * MAX_REASON


def test_only_who_could_sign_can_object(proposed: Database, now: datetime) -> None:
    with proposed.write() as connection:
        connection.execute(update(contact).where(contact.c.id == "city-deputy").values(role="observer"))
    before = contents(proposed)
    with pytest.raises(NotAllowed, match="observer of city and cannot object to the agreement"):
        object_to(proposed, "harbour", "agreement", 1, "city-deputy", REASON, now)
    with pytest.raises(NotFound):
        object_to(proposed, "harbour", "agreement", 1, "nobody", REASON, now)
    with pytest.raises(NotAllowed, match="is not signed"):
        object_to(proposed, "harbour", "exit_plan", 1, "city-primary", REASON, now)
    assert contents(proposed) == before


@pytest.mark.parametrize("stage", ["closed", "declined", "terminated", "withdrawn"])
def test_nothing_is_objected_to_in_a_partnership_that_has_ended(
    proposed: Database, now: datetime, stage: str
) -> None:
    move(proposed, "harbour", stage)
    before = contents(proposed)
    with pytest.raises(NotAllowed, match="read-only"):
        object_to(proposed, "harbour", "agreement", 1, "city-primary", REASON, now)
    assert contents(proposed) == before


def test_an_author_who_is_no_contact_any_more_is_not_written_to(proposed: Database, now: datetime) -> None:
    with proposed.write() as connection:
        connection.execute(update(contact).where(contact.c.id == "clinic-primary").values(id="clinic-other"))
    object_to(proposed, "harbour", "agreement", 1, "city-primary", REASON, now)
    assert [who for who, _ in told(proposed)] == ["clinic-other", "trust-deputy", "trust-primary"]


def test_what_a_partner_signed_last_is_known(proposed: Database, now: datetime) -> None:
    service.sign(proposed, "harbour", "agreement", 1, "city-sponsor", now)
    put(proposed, now, weight=3)
    newest = put(proposed, now, weight=4)
    with proposed.read() as connection:
        assert queries.last_signed(connection, "harbour", "city", newest) == 1
        assert queries.last_signed(connection, "harbour", "trust", newest) is None
        assert not performances(connection, "harbour")
