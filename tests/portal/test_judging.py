"""By link the side that is owed accepts or disputes a report, the decider decides, and a repair is confirmed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.obligations import queries, service
from lifecycle.obligations.queries import Entry
from lifecycle.partnerships.doors import Purpose
from lifecycle.partnerships.models import contact
from lifecycle.redress import service as redress
from tests.builders import contents
from tests.obligations.agreements import agreement, in_force, monitor, move, obligation, performances, states
from tests.portal.conftest import link
from tests.portal.links import PROMISE, main_of, require_dead
from tests.redress import cases

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
AT = datetime(2026, 4, 1, 9, tzinfo=UTC)
REPORT = {"outcome": "kept", "note": "All came.", "evidence": {"reference": "Shared folder"}}


@pytest.fixture(autouse=True)
def _on_the_day_after_it_was_due(travel: Callable[[datetime], None]) -> None:
    travel(AT)


def to(settings: Settings, purpose: Purpose = "verdict", contact: str = "city-primary") -> str:
    return link(settings, purpose, "harbour", contact, AT, PROMISE)


def reported(database: Database, **report: Any) -> None:
    in_force(database, START)
    monitor(database, AT)
    service.report(database, "harbour", "lists/1", REPORT | report, "clinic-primary", AT)


def disputed(database: Database) -> None:
    reported(database)
    service.dispute(database, "harbour", "lists/1", "Two are missing.", "city-primary", AT)


def broken(database: Database) -> None:
    reported(database, outcome="not_kept")
    service.accept(database, "harbour", "lists/1", "city-primary", AT)


def last(database: Database) -> Entry:
    with database.read() as connection:
        return queries.entries(connection, "harbour", queries.find(connection, "harbour", "lists/1"))[-1]


def test_it_shows_the_report_the_standard_until_when_and_what_silence_means(
    site: TestClient, store: Database, settings: Settings
) -> None:
    reported(store)
    page = main_of(site.get(to(settings)))
    for shown in (
        "<bdi>Clinic Primary</bdi> (<bdi>The Clinic</bdi>) reported: <strong>kept</strong>",
        "All came.",
        "Shared folder",
        "Lists on time: 100 percent",
        "The time to answer ends on Thursday 9 April 2026",
        "Silence counts as accepted",
        "<bdi>City Sponsor</bdi> (<bdi>The City</bdi>) is then asked to decide",
    ):
        assert shown in page, shown


def test_a_web_address_is_text_to_copy_and_a_link_that_tells_nothing_of_us(
    site: TestClient, store: Database, settings: Settings
) -> None:
    address = "https://files.example/a.csv?x=1&y=2"
    reported(store, evidence={"reference": address})
    page = site.get(to(settings))
    shown = address.replace("&", "&amp;")
    assert f"<bdi>{shown}</bdi>" in page.text
    assert f'<a href="{shown}" rel="noreferrer noopener">' in page.text
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize(
    "evidence", ["javascript:alert(1)", "data:text/html,x", "//evil.example", 'https://x"onclick="a']
)
def test_what_is_no_web_address_is_no_link(
    site: TestClient, store: Database, settings: Settings, evidence: str
) -> None:
    reported(store, evidence={"reference": evidence})
    page = main_of(site.get(to(settings)))
    assert "Open this address" not in page
    assert f'href="{evidence[:6]}' not in page


def test_accepting_settles_it_and_the_link_then_shows_that(
    both_sites: TestClient, database: Database, settings: Settings
) -> None:
    reported(database)
    page = both_sites.post(f"{to(settings)}/accept", data={"seen": "1"})
    assert page.status_code == 200
    assert "You have accepted the report." in page.text
    assert states(database)["lists/1"] == "settled"
    assert (last(database).kind, last(database).by) == ("accept", "city-primary")
    replayed = main_of(both_sites.get(to(settings)))
    assert "It is settled as <strong>kept</strong>" in replayed
    assert "<bdi>City Primary</bdi> (<bdi>The City</bdi>) accepted the report" in replayed
    before = contents(database)
    again = both_sites.post(f"{to(settings)}/accept", data={"seen": "2"})
    assert again.status_code == 409
    assert "Performance lists/1 is settled: it cannot “accept”." in again.text
    assert contents(database) == before


def test_disputing_asks_the_decider_and_keeps_the_reason(
    both_sites: TestClient, database: Database, settings: Settings
) -> None:
    reported(database)
    page = both_sites.post(f"{to(settings)}/dispute", data={"seen": "1", "/reason": "Two are missing."})
    assert page.status_code == 200
    assert states(database)["lists/1"] == "disputed"
    assert last(database).note == "Two are missing."
    shown = main_of(page)
    assert "Your dispute is recorded" in shown
    assert "Two are missing." in shown
    assert "waits for a decision" in shown


@pytest.mark.parametrize("reason", ["", "  \n ", "r" * 2001, "a\x00b"])
@pytest.mark.parametrize("action", ["dispute", "restored"])
def test_without_a_fit_reason_it_is_refused_at_its_field(
    site: TestClient, store: Database, settings: Settings, action: str, reason: str
) -> None:
    reported(store) if action == "dispute" else broken(store)
    before = contents(store)
    seen = "1" if action == "dispute" else "2"
    page = site.post(f"{to(settings)}/{action}", data={"seen": seen, "/reason": reason})
    assert page.status_code == 422
    assert "<title>Error: " in page.text
    for shown in ('href="#f-reason"', 'id="f-reason-fault"', 'aria-invalid="true"', reason.strip()):
        assert shown in page.text
    assert contents(store) == before


def test_what_was_corrected_meanwhile_is_not_accepted_unseen(
    both_sites: TestClient, database: Database, settings: Settings
) -> None:
    reported(database)
    service.report(database, "harbour", "lists/1", {"outcome": "not_kept"}, "clinic-primary", AT)
    before = contents(database)
    page = both_sites.post(f"{to(settings)}/accept", data={"seen": "1"})
    assert page.status_code == 409
    assert "Something was recorded since you opened this page" in page.text
    assert "reported: <strong>not kept</strong>" in page.text
    assert contents(database) == before
    both_sites.post(f"{to(settings)}/accept", data={"seen": "2"})
    assert performances(database)["lists/1"].outcome == "not_kept"


@pytest.mark.parametrize("who", ["clinic-primary", "clinic-sponsor"])
@pytest.mark.parametrize("action", ["accept", "dispute"])
def test_the_side_that_reported_is_told_who_answers_and_is_refused(
    site: TestClient, store: Database, settings: Settings, who: str, action: str
) -> None:
    reported(store)
    page = main_of(site.get(to(settings, contact=who)))
    assert "You cannot answer this report." in page
    assert "<bdi>City Deputy</bdi> (<bdi>The City</bdi>), deputy contact" in page
    assert "Accept the report" not in page
    before = contents(store)
    refused = site.post(f"{to(settings, contact=who)}/{action}", data={"seen": "1", "/reason": "No."})
    assert refused.status_code == 409
    assert contents(store) == before


def test_a_role_that_binds_nobody_is_told_so(site: TestClient, store: Database, settings: Settings) -> None:
    reported(store)
    with store.write() as connection:
        connection.execute(update(contact).where(contact.c.id == "city-deputy").values(role="member"))
    path = to(settings, contact="city-deputy")
    assert "You cannot answer this report." in main_of(site.get(path))
    refused = site.post(f"{path}/accept", data={"seen": "1"})
    assert refused.status_code == 409
    assert "cannot answer this report on its behalf" in refused.text


def test_when_the_window_is_over_it_says_so_and_takes_nothing(
    site: TestClient, store: Database, settings: Settings, travel: Callable[[datetime], None]
) -> None:
    reported(store)
    travel(AT + timedelta(days=20))
    page = main_of(site.get(to(settings)))
    assert "The time to answer was over on Thursday 9 April 2026" in page
    assert "Accept the report" not in page
    refused = site.post(f"{to(settings)}/accept", data={"seen": "1"})
    assert refused.status_code == 409
    assert "silence counts as accepted" in refused.text
    monitor(store, AT + timedelta(days=20))
    page = main_of(site.get(to(settings)))
    assert "It is settled as <strong>kept</strong>" in page
    assert "nobody answered in time, so the report stands as agreed" in page


def test_before_a_report_there_is_nothing_to_answer(
    site: TestClient, store: Database, settings: Settings
) -> None:
    in_force(store, START)
    page = main_of(site.get(to(settings)))
    assert "Nothing has been reported yet." in page
    assert "Accept the report" not in page
    refused = site.post(f"{to(settings)}/accept", data={"seen": "0"})
    assert "Performance lists/1 is due: it cannot “accept”." in refused.text


def test_that_it_was_put_right_is_confirmed_where_it_was_broken(
    both_sites: TestClient, database: Database, settings: Settings
) -> None:
    broken(database)
    assert "Has it been put right since?" in main_of(both_sites.get(to(settings)))
    page = both_sites.post(f"{to(settings)}/restored", data={"seen": "2", "/reason": "It came on the 3rd."})
    assert page.status_code == 200
    assert states(database)["lists/1"] == "restored"
    assert "confirmed that it was put right" in main_of(page)
    assert "It came on the 3rd." in main_of(page)


def test_what_was_kept_need_not_be_put_right(site: TestClient, store: Database, settings: Settings) -> None:
    reported(store)
    service.accept(store, "harbour", "lists/1", "city-primary", AT)
    assert "put right" not in main_of(site.get(to(settings)))
    refused = site.post(f"{to(settings)}/restored", data={"seen": "2", "/reason": "It came."})
    assert refused.status_code == 409
    assert "Performance lists/1 is no breach." in refused.text


def test_the_side_that_broke_it_does_not_confirm_the_repair(
    site: TestClient, store: Database, settings: Settings
) -> None:
    broken(store)
    path = to(settings, contact="clinic-primary")
    page = main_of(site.get(path))
    assert "If it is put right, these people can confirm it:" in page
    assert "<bdi>City Primary</bdi>" in page
    assert site.post(f"{path}/restored", data={"seen": "2", "/reason": "It came."}).status_code == 409
    assert states(store)["lists/1"] == "settled"


def test_an_early_word_can_be_sent_from_here_too(
    site: TestClient, store: Database, settings: Settings
) -> None:
    reported(store)
    page = site.post(f"{to(settings)}/signal", data={"/signal": "The second list looks thin."})
    assert "The second list looks thin." in main_of(page)
    with store.read() as connection:
        assert queries.signals(connection, "harbour")[0].by == "city-primary"


def test_the_decider_reads_both_sides_and_decides(
    both_sites: TestClient, database: Database, settings: Settings
) -> None:
    disputed(database)
    path = to(settings, "decision", "city-sponsor")
    page = main_of(both_sites.get(path))
    for shown in ("All came.", "Two are missing.", "The time to decide ends on", "Without a decision"):
        assert shown in page, shown
    done = both_sites.post(
        path, data={"seen": "2", "/outcome": "partly_kept", "/reason": "Two of 46 were missing."}
    )
    assert done.status_code == 200
    one = performances(database)["lists/1"]
    assert (one.state, one.outcome) == ("settled", "partly_kept")
    shown = main_of(done)
    assert "Your decision is recorded" in shown
    assert "<bdi>City Sponsor</bdi> (<bdi>The City</bdi>) decided: <strong>partly kept</strong>" in shown
    assert 'name="/outcome"' not in shown
    assert both_sites.post(path, data={"seen": "3", "/outcome": "kept", "/reason": "No."}).status_code == 409
    assert performances(database)["lists/1"].outcome == "partly_kept"


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"/outcome": "", "/reason": "So."}, "outcome"),
        ({"/outcome": "perhaps", "/reason": "So."}, "outcome"),
        ({"/outcome": "kept", "/reason": ""}, "reason"),
    ],
)
def test_a_decision_needs_an_outcome_and_a_reason(
    site: TestClient, store: Database, settings: Settings, sent: dict[str, str], field: str
) -> None:
    disputed(store)
    before = contents(store)
    page = site.post(to(settings, "decision", "city-sponsor"), data={"seen": "2"} | sent)
    assert page.status_code == 422
    assert f'id="f-{field}-fault"' in page.text
    assert contents(store) == before


@pytest.mark.parametrize("who", ["city-primary", "clinic-sponsor"])
def test_who_was_not_named_does_not_decide(
    site: TestClient, store: Database, settings: Settings, who: str
) -> None:
    disputed(store)
    path = to(settings, "decision", who)
    page = main_of(site.get(path))
    assert "You cannot decide on this promise." in page
    assert "<bdi>City Sponsor</bdi>" in page
    refused = site.post(path, data={"seen": "2", "/outcome": "kept", "/reason": "So."})
    assert refused.status_code == 409
    assert "does not decide on lists/1" in refused.text
    assert states(store)["lists/1"] == "disputed"


def test_without_a_decider_the_page_says_what_becomes_of_it(
    site: TestClient, store: Database, settings: Settings
) -> None:
    terms = obligation()
    del terms["decider"]
    in_force(store, START, agreement(terms))
    service.report(store, "harbour", "lists/1", REPORT, "clinic-primary", AT)
    assert "Both sides then hear your reason." in main_of(site.get(to(settings)))
    service.dispute(store, "harbour", "lists/1", "No.", "city-primary", AT)
    page = main_of(site.get(to(settings, "decision", "city-sponsor")))
    assert "Without a decision it is closed as “cannot tell”" in page
    assert "<form" not in page


@pytest.mark.parametrize("purpose", ["verdict", "decision"])
def test_after_the_end_the_record_is_shown_and_nothing_is_asked(
    site: TestClient, store: Database, settings: Settings, purpose: Purpose
) -> None:
    disputed(store)
    move(store, "harbour", "terminated")
    page = site.get(to(settings, purpose, "city-sponsor"))
    assert page.status_code == 200
    assert "its record is read-only" in page.text
    assert "All came." in page.text
    assert "<form" not in main_of(page)


@pytest.mark.parametrize("purpose", ["verdict", "decision"])
def test_reading_changes_nothing(
    site: TestClient, store: Database, settings: Settings, purpose: Purpose
) -> None:
    disputed(store)
    before = contents(store)
    assert site.get(to(settings, purpose, "city-sponsor")).status_code == 200
    for rest in ("/accept", "/dispute", "/restored", "/signal"):
        assert site.get(to(settings, purpose, "city-sponsor") + rest).status_code in {404, 405}
    assert contents(store) == before


@pytest.mark.parametrize(
    ("purpose", "rests"),
    [("verdict", ["/accept", "/dispute", "/restored", "/signal"]), ("decision", [""])],
)
def test_a_link_that_is_none_opens_nothing(
    site: TestClient, store: Database, settings: Settings, purpose: Purpose, rests: list[str]
) -> None:
    reported(store)
    sent = {"seen": "1", "/reason": "No.", "/signal": "Late.", "/outcome": "kept"}
    require_dead(site, store, settings, purpose, "city-primary", AT, dict.fromkeys(rests, sent))


def test_what_people_wrote_is_text_on_these_pages(
    site: TestClient, store: Database, settings: Settings
) -> None:
    hostile = "<script>alert(1)</script>"
    in_force(store, START, agreement(obligation(act=hostile)), title=hostile)
    service.report(
        store,
        "harbour",
        "lists/1",
        {"outcome": "kept", "note": hostile, "evidence": {"reference": hostile}},
        "clinic-primary",
        AT,
    )
    service.dispute(store, "harbour", "lists/1", hostile, "city-primary", AT)
    service.send_signal(store, "harbour", "lists", hostile, "city-primary", AT)
    for path in (to(settings), to(settings, "decision", "city-sponsor")):
        page = site.get(path).text
        assert "<script>" not in page
        assert page.count("&lt;script&gt;") >= 5


def test_what_a_complaint_ended_in_is_reported_and_answered_like_a_promise(
    site: TestClient, store: Database, settings: Settings, travel: Callable[[datetime], None]
) -> None:
    cases.broken(store)
    cases.lodged(store)
    offer = cases.remedy(act="Sends the missing list.")
    redress.propose(store, "harbour", 1, offer, "clinic-primary", cases.days(2))
    redress.agree(store, "harbour", 1, "city-primary", cases.days(3))
    at = cases.days(4)
    travel(at)
    name = {"performance": "remedy:1/1"}
    page = site.post(
        link(settings, "report", "harbour", "clinic-primary", at, name),
        data={"seen": "0", "/outcome": "kept"},
    )
    assert "Sends the missing list." in main_of(page)
    assert "An early word" not in main_of(page), "nothing of the agreement bears this name"
    verdict = link(settings, "verdict", "harbour", "city-primary", at, name)
    assert site.post(f"{verdict}/accept", data={"seen": "1"}).status_code == 200
    assert states(store)["remedy:1/1"] == "settled"
