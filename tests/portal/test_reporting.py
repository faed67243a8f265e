"""A contact of the side that owes says by link whether a promise was kept, and sees what becomes of it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.obligations import queries, service
from lifecycle.obligations.queries import Entry
from tests.builders import contents
from tests.obligations.agreements import agreement, enforce, in_force, monitor, move, obligation, performances
from tests.portal.conftest import link
from tests.portal.links import PROMISE, main_of, require_dead

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
AT = datetime(2026, 4, 1, 9, tzinfo=UTC)
KEPT = {"seen": "0", "/outcome": "kept", "/note": "All came.", "/evidence/reference": "Shared folder"}


@pytest.fixture(autouse=True)
def _on_the_day_after_it_was_due(travel: Callable[[datetime], None]) -> None:
    travel(AT)


def running(database: Database, **more: Any) -> None:
    in_force(database, START, agreement(obligation(**more)))
    monitor(database, AT)


def to_report(settings: Settings, contact: str = "clinic-primary") -> str:
    return link(settings, "report", "harbour", contact, AT, PROMISE)


def said(database: Database) -> list[Entry]:
    with database.read() as connection:
        return queries.entries(connection, "harbour", queries.find(connection, "harbour", "lists/1"))


def test_it_shows_what_was_promised_and_what_happens_next(
    site: TestClient, store: Database, settings: Settings
) -> None:
    running(store, tolerance="Two may be missing.")
    page = main_of(site.get(to_report(settings)))
    for shown in (
        "Hands over the list of planned discharges.",
        "Lists on time: 100 percent",
        "Tuesday 31 March 2026",
        "The Clinic",
        "The City",
        "Two may be missing.",
        "list, shared folder",
        "has 5 working days to accept or dispute it",
        "Silence counts as accepted",
        "Wednesday 1 April 2026 by Clinic Primary",
    ):
        assert shown in page, shown


def test_silence_that_counts_as_disputed_is_said_so(
    site: TestClient, store: Database, settings: Settings
) -> None:
    in_force(store, START, agreement(on_silence="disputed"))
    assert "Silence counts as disputed" in main_of(site.get(to_report(settings)))


def test_a_report_is_recorded_and_the_link_then_shows_it(
    both_sites: TestClient, database: Database, settings: Settings
) -> None:
    running(database)
    page = both_sites.post(to_report(settings), data=KEPT)
    assert (page.status_code, page.url.query) == (200, b"said=reported")
    (entry,) = said(database)
    assert (entry.by, entry.outcome, entry.note, entry.evidence) == (
        "clinic-primary",
        "kept",
        "All came.",
        "Shared folder",
    )
    shown = main_of(page)
    assert "Your report is recorded" in shown
    assert "<bdi>Clinic Primary</bdi> (<bdi>The Clinic</bdi>) reported" in shown
    assert "All came." in shown
    assert "Shared folder" in shown
    replayed = main_of(both_sites.get(to_report(settings)))
    assert "Your report is recorded" not in replayed
    assert "<bdi>Clinic Primary</bdi> (<bdi>The Clinic</bdi>) reported" in replayed


def test_note_and_evidence_are_optional(site: TestClient, store: Database, settings: Settings) -> None:
    running(store)
    site.post(to_report(settings), data={"seen": "0", "/outcome": "not_kept", "/note": " "})
    (entry,) = said(store)
    assert (entry.outcome, entry.note, entry.evidence) == ("not_kept", None, None)


def test_a_form_that_is_sent_twice_reports_once(
    both_sites: TestClient, database: Database, settings: Settings
) -> None:
    running(database)
    both_sites.post(to_report(settings), data=KEPT)
    before = contents(database)
    again = both_sites.post(to_report(settings), data=KEPT)
    assert again.status_code == 409
    assert "Something was recorded since you opened this page" in again.text
    assert contents(database) == before


def test_a_corrected_report_takes_the_place_of_the_last(
    site: TestClient, store: Database, settings: Settings
) -> None:
    running(store)
    site.post(to_report(settings), data=KEPT)
    assert "Correct the report" in main_of(site.get(to_report(settings)))
    site.post(to_report(settings), data=KEPT | {"seen": "1", "/outcome": "partly_kept"})
    assert [entry.outcome for entry in said(store)] == ["kept", "partly_kept"]
    assert performances(store)["lists/1"].outcome == "partly_kept"


@pytest.mark.parametrize(
    ("sent", "field", "mend"),
    [
        ({"/outcome": ""}, "/outcome", "Choose one of the four answers."),
        ({"/outcome": "perhaps"}, "/outcome", "Choose one of the four answers."),
        ({"/note": "n" * 2001}, "/note", "2000"),
        ({"/note": "a\x00b"}, "/note", "Remove the control characters"),
        ({"/evidence/reference": "e" * 501}, "/evidence/reference", "500"),
    ],
)
def test_a_wrong_input_is_refused_at_its_field_and_what_was_typed_stays(
    site: TestClient, store: Database, settings: Settings, sent: dict[str, str], field: str, mend: str
) -> None:
    running(store)
    before = contents(store)
    page = site.post(to_report(settings), data=KEPT | sent)
    assert page.status_code == 422
    id_ = "f" + field.replace("/", "-")
    assert "<title>Error: " in page.text
    for shown in (f'href="#{id_}"', f'id="{id_}"', f'id="{id_}-fault"'):
        assert shown in page.text
    assert mend in page.text
    for name in ("/note", "/evidence/reference"):
        assert (KEPT | sent)[name] in page.text, "everything that was typed stays"
    assert contents(store) == before


@pytest.mark.parametrize("contact", ["city-primary", "city-sponsor"])
def test_who_is_not_to_report_is_told_who_is_and_is_refused(
    site: TestClient, store: Database, settings: Settings, contact: str
) -> None:
    running(store)
    page = main_of(site.get(to_report(settings, contact)))
    assert "You cannot report this promise." in page
    assert "<bdi>Clinic Deputy</bdi> (<bdi>The Clinic</bdi>), deputy contact" in page
    assert 'name="/outcome"' not in page
    before = contents(store)
    refused = site.post(to_report(settings, contact), data=KEPT)
    assert refused.status_code == 409
    assert "lists/1 is reported by clinic" in refused.text
    assert contents(store) == before


def test_what_is_answered_cannot_be_reported_and_the_page_says_how_it_stands(
    site: TestClient, store: Database, settings: Settings
) -> None:
    running(store)
    site.post(to_report(settings), data=KEPT)
    service.accept(store, "harbour", "lists/1", "city-primary", AT)
    page = main_of(site.get(to_report(settings)))
    assert "It is settled as <strong>kept</strong>" in page
    assert "<bdi>City Primary</bdi> (<bdi>The City</bdi>) accepted the report" in page
    assert 'name="/outcome"' not in page
    refused = site.post(to_report(settings), data=KEPT | {"seen": "2"})
    assert refused.status_code == 409
    assert "Performance lists/1 is settled: it cannot “report”." in refused.text


def test_in_a_partnership_that_has_ended_nothing_is_asked(
    site: TestClient, store: Database, settings: Settings
) -> None:
    running(store)
    move(store, "harbour", "closed")
    page = site.get(to_report(settings))
    assert page.status_code == 200
    assert "Partnership harbour is closed: its record is read-only." in page.text
    assert "<form" not in main_of(page)
    assert site.post(to_report(settings), data=KEPT).status_code == 409


def test_an_early_word_goes_to_both_sides_and_is_shown(
    both_sites: TestClient, database: Database, settings: Settings
) -> None:
    running(database)
    page = both_sites.post(f"{to_report(settings)}/signal", data={"/signal": "It may be late."})
    assert page.status_code == 200
    assert "Your early word has been sent to both sides." in page.text
    assert "It may be late." in main_of(page)
    with database.read() as connection:
        (only,) = queries.signals(connection, "harbour")
    assert (only.by, only.obligation, only.note) == ("clinic-primary", "lists", "It may be late.")


@pytest.mark.parametrize("word", ["", "w" * 281, "a\nb", "a\x07b"])
def test_an_early_word_is_one_line_or_is_refused_at_its_field(
    site: TestClient, store: Database, settings: Settings, word: str
) -> None:
    running(store)
    before = contents(store)
    page = site.post(f"{to_report(settings)}/signal", data={"/signal": word})
    assert page.status_code == 422
    assert 'id="f-signal-fault"' in page.text
    assert contents(store) == before


def test_an_early_word_on_what_is_not_agreed_any_more_is_refused_in_words(
    site: TestClient, store: Database, settings: Settings
) -> None:
    running(store)
    service.waive(store, "harbour", "lists/1", "Not needed.", "city-primary", AT)
    enforce(store, AT, agreement(obligation("other")))
    page = site.post(f"{to_report(settings)}/signal", data={"/signal": "Late."})
    assert page.status_code == 404
    assert "The agreement has no obligation “lists”." in page.text


def test_reading_changes_nothing(site: TestClient, store: Database, settings: Settings) -> None:
    running(store)
    before = contents(store)
    for _ in range(2):
        assert site.get(to_report(settings)).status_code == 200
        assert site.head(to_report(settings)).status_code in {200, 405}
    assert contents(store) == before


def test_a_link_that_is_none_opens_nothing(site: TestClient, store: Database, settings: Settings) -> None:
    running(store)
    posts = {"": KEPT, "/signal": {"/signal": "Late."}}
    require_dead(site, store, settings, "report", "clinic-primary", AT, posts)


def test_another_site_cannot_make_a_browser_report(
    site: TestClient, store: Database, settings: Settings
) -> None:
    running(store)
    before = contents(store)
    refused = site.post(to_report(settings), data=KEPT, headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert contents(store) == before


def test_the_page_is_confined_and_names_no_referrer(
    site: TestClient, store: Database, settings: Settings
) -> None:
    running(store)
    headers = site.get(to_report(settings)).headers
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]


@examples(max_examples=25)
@given(text=st.text(st.characters(codec="utf-8"), max_size=300))
def test_whatever_is_written_is_shown_as_it_is_or_refused(
    site: TestClient, store: Database, settings: Settings, text: str
) -> None:
    if not contents(store)["partnership"]:
        running(store, act="<script>alert('act')</script>")
    seen = str(len(said(store)))
    sent = {"seen": seen, "/outcome": "kept", "/note": text, "/evidence/reference": f"<img src=x>{text}"}
    page = site.post(to_report(settings), data=sent)
    assert page.status_code in {200, 422}
    main = main_of(page)
    assert "<script" not in main
    assert "<img" not in main
    assert "style=" not in main.replace(text, "")
