"""A partner reads a document's exact revision, sees what changed, and signs or objects: by link, without an account."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import update

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.documents import queries, service
from lifecycle.documents.objections import MAX_REASON
from lifecycle.partnerships import doors
from lifecycle.partnerships.models import contact
from tests.builders import contents, organisation, registered
from tests.obligations.agreements import agreement, move, obligation
from tests.portal.conftest import link

NAMES = ("clinic", "city", "trust")
REASON = "The list has to come on Wednesday."


def put(database: Database, now: datetime, *obligations: dict[str, Any]) -> queries.Revision:
    return service.put(database, "harbour", "agreement", agreement(*obligations), "clinic-primary", now)


def proposed(database: Database, now: datetime) -> str:
    """An agreement in its first revision, put by the clinic; its fingerprint."""
    registered(database, now, stage="setting_up", partners=[organisation(name) for name in NAMES])
    return put(database, now, obligation()).sha256


@pytest.fixture
def sha256(database: Database, now: datetime) -> str:
    return proposed(database, now)


@pytest.fixture
def shown(store: Database, now: datetime) -> str:
    return proposed(store, now)


def to_sign(settings: Settings, now: datetime, who: str = "city-sponsor", revision: int = 1) -> str:
    about = {"kind": "agreement", "subject": "", "revision": revision}
    return link(settings, "sign", "harbour", who, now, about)


def signs(site: TestClient, address: str, sha256: str) -> Response:
    sent = {"sha256": sha256, "/read": "true"}
    answer: Response = site.post(address, data=sent, follow_redirects=False)
    return answer


def objects(site: TestClient, address: str, sha256: str, reason: str = REASON) -> Response:
    sent = {"sha256": sha256, "/reason": reason}
    answer: Response = site.post(f"{address}/objection", data=sent, follow_redirects=False)
    return answer


def signed_by(database: Database) -> list[tuple[str, int]]:
    with database.read() as connection:
        return [(one.contact_id, one.revision) for one in queries.sign_offs(connection, "harbour")]


def raised(database: Database) -> list[tuple[str, str, str]]:
    with database.read() as connection:
        found = queries.objections(connection, "harbour")
    return [(one.contact_id, one.reason, one.state) for one in found]


def words_of(page: Response) -> str:
    """What a reader reads, on one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def may_act(page: Response) -> bool:
    return "<form" in page.text


# What is shown


def test_the_page_shows_the_whole_revision_its_fingerprint_and_who_has_signed(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime
) -> None:
    service.sign(store, "harbour", "agreement", 1, "trust-primary", now)
    page = site.get(to_sign(settings, now))
    words = words_of(page)
    assert page.status_code == 200
    assert "<h1>Agreement, revision 1</h1>" in page.text
    assert f"<code>{shown[:12]}</code>" in page.text
    assert f"<code>{shown}</code>" in page.text
    assert "Clinic Primary ( The Clinic )" in words
    assert "The City : not signed yet" in words
    assert "The Trust : signed by Trust Primary , Monday 2 March 2026, 09:00 (Europe/London)" in words
    assert "This is the first revision." in words
    assert "Hands over the list of planned discharges." in words
    assert "I have read revision 1 and may sign for The City." in words


def test_names_dates_and_rules_stand_in_words(
    site: TestClient, settings: Settings, shown: str, now: datetime
) -> None:
    words = words_of(site.get(to_sign(settings, now)))
    assert "Obligor The Clinic Obligee The City" in words
    assert "Every every month Starting on Tuesday 31 March 2026" in words
    assert "Observer City Deputy" in words
    assert "clinic-primary" not in words


def test_every_part_can_be_linked_to_by_its_json_pointer(
    site: TestClient, settings: Settings, shown: str, now: datetime
) -> None:
    page = site.get(to_sign(settings, now)).text
    ids = re.findall(r'\bid="([^"]+)"', page)
    assert {
        "at",
        "at/term/starts_on",
        "at/obligations",
        "at/obligations/0",
        "at/obligations/0/due/every",
    } <= set(ids)
    assert len(ids) == len(set(ids))


def test_what_has_changed_since_the_partner_signed_last_stands_before_the_document(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime
) -> None:
    service.sign(store, "harbour", "agreement", 1, "city-primary", now)
    put(store, now, obligation(weight=5))
    put(store, now, obligation("checks", act="Checks homes."), obligation(act="Hands over the long list."))
    for who, since, whose in (
        ("city-sponsor", 1, "That is the one that The City signed last."),
        ("trust-sponsor", 2, "That is the one before; The Trust has signed none of them."),
    ):
        page = site.get(to_sign(settings, now, who, 3))
        words = words_of(page)
        assert f"What has changed since revision {since} {whose}" in words
        assert words.index("What has changed") < words.index("The whole of revision 3")
    assert "Added: Obligations › checks" in words
    assert "Changed: Obligations › lists › Act Before: Hands over the list" in words
    assert "Changed: Obligations › lists › Weight Before: 5 Now: 2" in words
    assert "<del> of planned discharges</del>" in page.text
    assert "<ins><strong>long </strong></ins>list" in page.text
    assert '<a href="#at/obligations/1/act">' in page.text


def test_what_was_taken_out_says_so_in_words(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime
) -> None:
    put(store, now, obligation("checks", act="Checks homes."))
    words = words_of(site.get(to_sign(settings, now, revision=2)))
    assert "Taken out: Obligations › lists" in words


def test_a_superseded_revision_says_which_is_newest_what_changed_and_cannot_be_signed(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime
) -> None:
    put(store, now, obligation(weight=5))
    page = site.get(to_sign(settings, now))
    words = words_of(page)
    assert "Revision 1 cannot be signed any more: revision 2 has taken its place." in words
    assert "use the link in your newest email" in words
    assert "What has changed from revision 1 to revision 2" in words
    assert "Weight Before: 2 Now: 5" in words
    assert not may_act(page)
    # The newer revision stands on another page.
    assert 'href="#at/obligations/0/weight"' not in page.text


def test_who_cannot_sign_reads_who_can(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime
) -> None:
    with store.write() as connection:
        connection.execute(update(contact).where(contact.c.id == "city-deputy").values(role="observer"))
    page = site.get(to_sign(settings, now, "city-deputy"))
    assert "you cannot sign it for The City" in words_of(page)
    assert "<li><bdi>City Primary</bdi></li><li><bdi>City Sponsor</bdi></li>" in page.text
    assert not may_act(page)


def test_a_partnership_that_has_ended_is_read_only(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime
) -> None:
    move(store, "harbour", "withdrawn")
    page = site.get(to_sign(settings, now))
    assert "nothing can be signed any more" in words_of(page)
    assert not may_act(page)
    before = contents(store)
    assert signs(site, to_sign(settings, now), shown).status_code == 409
    assert objects(site, to_sign(settings, now), shown).status_code == 409
    assert contents(store) == before


def test_what_people_wrote_is_shown_as_text(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    evil = "<script>alert(1)</script>"
    registered(store, now, stage="setting_up", title=evil, partners=[organisation(name) for name in NAMES])
    put(store, now, obligation(act=f"{evil} at noon."))
    second = put(store, now, obligation(act=f"{evil} at night."), obligation("more", act=evil))
    address = to_sign(settings, now, revision=2)
    assert objects(site, address, second.sha256, evil).status_code == 303
    page = site.get(f"{address}?said={evil}")
    assert "<script>" not in page.text
    assert page.text.count("&lt;script&gt;") > 5


def test_a_text_of_lines_keeps_them(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    registered(store, now, stage="setting_up")
    put(store, now, obligation(act="Hands over:\nthe list"))
    assert "Hands over:<br>the list" in site.get(to_sign(settings, now)).text


class _Outline(HTMLParser):
    """Headings, labels and what they name."""

    def __init__(self) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.inputs: list[str] = []
        self.labelled: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag in {"input", "textarea"} and of.get("type") != "hidden":
            self.inputs.append(of.get("id") or "")
        if tag == "label":
            self.labelled.append(of.get("for") or "")


def test_headings_are_in_order_and_fields_have_labels(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime
) -> None:
    put(store, now, obligation(weight=5), obligation("checks"))
    outline = _Outline()
    outline.feed(site.get(to_sign(settings, now, revision=2)).text)
    assert outline.headings[0] == 1
    assert all(
        after <= before + 1 for before, after in zip(outline.headings, outline.headings[1:], strict=False)
    )
    assert outline.headings.count(1) == 1
    assert set(outline.labelled) - {""} <= set(outline.inputs) == {"f-read", "f-reason"}


def test_looking_changes_nothing(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime
) -> None:
    before = contents(store)
    address = to_sign(settings, now)
    for path in (address, f"{address}?said=signed", f"{address}/objection"):
        site.get(path)
        site.head(path)
    assert contents(store) == before


# Signing


def test_signing_signs_the_revision_that_was_read_and_says_so(
    both_sites: TestClient, database: Database, settings: Settings, sha256: str, now: datetime
) -> None:
    address = to_sign(settings, now)
    answer = signs(both_sites, address, sha256)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{address}?said=signed")
    assert signed_by(database) == [("city-sponsor", 1)]
    words = words_of(both_sites.get(answer.headers["location"]))
    assert "You have signed revision 1. Thank you." in words


def test_a_link_that_is_used_again_shows_who_signed_when_and_signs_nothing_twice(
    both_sites: TestClient, database: Database, settings: Settings, sha256: str, now: datetime
) -> None:
    address = to_sign(settings, now)
    signs(both_sites, address, sha256)
    before = contents(database)
    assert signs(both_sites, address, sha256).status_code == 303
    assert contents(database) == before
    page = both_sites.get(address)
    assert "City Sponsor signed revision 1 for The City , Monday 2 March 2026, 09:00" in words_of(page)
    assert not may_act(page)


def test_nothing_is_signed_without_the_tick(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime
) -> None:
    before = contents(store)
    page = site.post(to_sign(settings, now), data={"sha256": shown})
    assert page.status_code == 422
    assert "<title>Error: " in page.text
    assert 'href="#f-read"' in page.text
    assert 'aria-invalid="true"' in page.text
    assert contents(store) == before


@pytest.mark.parametrize("given", ["", "0" * 64, "other"])
def test_a_form_that_was_shown_with_another_content_is_refused(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime, given: str
) -> None:
    other = put(store, now, obligation(weight=5)).sha256
    address = to_sign(settings, now, revision=2)
    before = contents(store)
    fingerprint = shown if given == "other" else given
    assert fingerprint != other
    for answer in (signs(site, address, fingerprint), objects(site, address, fingerprint)):
        assert answer.status_code == 409
        assert "shown with another document" in words_of(answer)
    assert contents(store) == before


def test_a_revision_that_was_superseded_while_it_was_read_is_not_signed(
    both_sites: TestClient, database: Database, settings: Settings, sha256: str, now: datetime
) -> None:
    address = to_sign(settings, now)
    put(database, now, obligation(weight=5))
    before = contents(database)
    for answer in (signs(both_sites, address, sha256), objects(both_sites, address, sha256)):
        assert answer.status_code == 409
        assert "revision 2 is the latest" in words_of(answer)
        assert "What has changed from revision 1 to revision 2" in words_of(answer)
    assert contents(database) == before


def test_who_cannot_sign_cannot_by_sending_the_form_either(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime
) -> None:
    with store.write() as connection:
        connection.execute(update(contact).where(contact.c.id == "city-deputy").values(role="member"))
    before = contents(store)
    address = to_sign(settings, now, "city-deputy")
    assert signs(site, address, shown).status_code == 409
    assert objects(site, address, shown).status_code == 409
    assert contents(store) == before


def test_another_site_cannot_make_a_reader_sign(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime
) -> None:
    before = contents(store)
    sent = {"sha256": shown, "/read": "true"}
    answer = site.post(to_sign(settings, now), data=sent, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert contents(store) == before


# Objecting


def test_an_objection_is_recorded_and_everybody_reads_it(
    both_sites: TestClient, database: Database, settings: Settings, sha256: str, now: datetime
) -> None:
    address = to_sign(settings, now)
    answer = objects(both_sites, address, sha256)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{address}?said=objected")
    assert raised(database) == [("city-sponsor", REASON, "open")]
    assert "Your objection is on record." in words_of(both_sites.get(answer.headers["location"]))
    other = words_of(both_sites.get(to_sign(settings, now, "clinic-sponsor")))
    assert "Open City Sponsor ( The City ) does not agree to revision 1, Monday 2 March 2026, 09:00" in other
    assert REASON in other
    assert not signed_by(database)


def test_sending_the_same_objection_twice_records_it_once(
    both_sites: TestClient, database: Database, settings: Settings, sha256: str, now: datetime
) -> None:
    address = to_sign(settings, now)
    objects(both_sites, address, sha256)
    before = contents(database)
    assert objects(both_sites, address, sha256).status_code == 303
    assert contents(database) == before


def test_who_objected_can_change_the_reason_and_can_sign_later(
    both_sites: TestClient, database: Database, settings: Settings, sha256: str, now: datetime
) -> None:
    address = to_sign(settings, now)
    objects(both_sites, address, sha256)
    page = both_sites.get(address)
    assert f"{REASON}</textarea>" in page.text
    objects(both_sites, address, sha256, "It costs too much.")
    assert raised(database) == [("city-sponsor", "It costs too much.", "open")]
    assert signs(both_sites, address, sha256).status_code == 303
    assert "Settled: signed since" in words_of(both_sites.get(address))


@pytest.mark.parametrize("reason", ["", "  ", "x" * (MAX_REASON + 1)])
def test_a_refused_objection_keeps_what_was_written_and_marks_its_field(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime, reason: str
) -> None:
    before = contents(store)
    answer = objects(site, to_sign(settings, now), shown, reason)
    assert answer.status_code == 422
    assert 'href="#f-reason"' in answer.text
    assert "<details open>" in answer.text
    assert f"{reason.strip()}</textarea>" in answer.text
    assert contents(store) == before


# Links


def test_links_that_do_not_open_this_page_show_nothing_of_it(
    site: TestClient,
    store: Database,
    settings: Settings,
    shown: str,
    now: datetime,
    travel: Callable[[datetime], None],
) -> None:
    address = to_sign(settings, now)
    doors.revoke(store, "harbour", "trust-primary", "trust-primary", now)
    foreign = link(settings, "review", "harbour", "city-sponsor", now, {"round": 1}).replace(
        "/review/", "/sign/"
    )
    middle = len(address) // 2
    forged = address[:middle] + ("A" if address[middle] != "A" else "B") + address[middle + 1 :]
    before = contents(store)
    for path in (forged, foreign, to_sign(settings, now, "trust-primary"), f"{address}x"):
        for answer in (site.get(path), signs(site, path, shown), objects(site, path, shown)):
            assert answer.status_code == 409
            assert "discharges" not in answer.text
    travel(now + timedelta(days=91))
    assert site.get(address).status_code == 409
    assert signs(site, address, shown).status_code == 409
    assert contents(store) == before


def test_a_revision_that_there_is_not_is_not_found(
    site: TestClient, settings: Settings, shown: str, now: datetime
) -> None:
    assert site.get(to_sign(settings, now, revision=7)).status_code == 404


def test_each_partner_sees_and_can_do_the_same(
    site: TestClient, store: Database, settings: Settings, shown: str, now: datetime
) -> None:
    """Promise 0: who put the revision has no other page than who is asked to sign it."""
    pages = []
    for name in NAMES:
        page = site.get(to_sign(settings, now, f"{name}-sponsor"))
        form = page.text[page.text.index('id="sign"') :]
        pages.append(
            re.sub(r"/sign/[\w.-]+", "", form).replace(f"The {name.title()}", "X").replace(name.title(), "Y")
        )
    assert pages[0] == pages[1] == pages[2]
