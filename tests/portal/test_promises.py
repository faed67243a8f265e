"""The promises' pages: each direction with its measures, one performance with its history, and what its sides do."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from lifecycle.access.models import account
from lifecycle.db import Database
from lifecycle.documents import service as documents
from lifecycle.obligations import queries, service
from lifecycle.obligations.queries import Performance
from lifecycle.obligations.states import STATES
from lifecycle.partnerships import changes
from lifecycle.portal.promises import SHOWN, days_late
from lifecycle.timers.calendars import Calendar
from tests.builders import contents, organisation, registered
from tests.obligations import agreements
from tests.portal.conftest import sign_in
from tests.portal.sending import form_of, pairs_of
from tests.redress import cases

CLINIC = "clinic-primary@clinic.example"
CITY = "city-primary@city.example"
DECIDER = "city-sponsor@city.example"
HERE = "/partnerships/harbour/promises"
LISTS = f"{HERE}/lists/1"
DUE = datetime(2026, 3, 31, 9, tzinfo=UTC)
Travel = Callable[[datetime], None]


@pytest.fixture
def promised(database: Database, now: datetime, travel: Travel) -> Database:
    """The clinic owes the city its lists every month; it is the day on which the first is due."""
    agreements.in_force(database, now)
    travel(DUE)
    return database


def send(site: TestClient, csrf: str, act: str, path: str = LISTS, **fields: str) -> Response:
    seen = re.search(r'name="seen" value="(\d+)"', site.get(path).text)
    sent = {"csrf": csrf, "seen": seen[1] if seen else "0"}
    sent |= {f"/{name}": value for name, value in fields.items()}
    return site.post(f"{path}/{act}", data=sent, follow_redirects=False)


def state_of(database: Database) -> tuple[str, str | None]:
    one = agreements.performances(database)["lists/1"]
    return one.state, one.outcome


def reported(database: Database, outcome: str = "kept") -> None:
    service.report(database, "harbour", "lists/1", {"outcome": outcome}, "clinic-primary", DUE)


@pytest.mark.parametrize("path", [HERE, LISTS])
def test_others_learn_nothing(site: TestClient, store: Database, now: datetime, path: str) -> None:
    agreements.in_force(store, now)
    who = {"proposed_by": "north", "coordinator": "north-primary"}
    registered(store, now, "other", partners=[organisation("north"), organisation("south")], **who)
    assert site.get(path, follow_redirects=False).status_code == 303
    csrf = sign_in(site, "north-primary@north.example")
    assert site.get(path).status_code == 404
    assert site.post(f"{LISTS}/report", data={"csrf": csrf}).status_code == 404


def test_each_direction_has_its_promises_and_how_they_were_kept(
    site: TestClient, store: Database, travel: Travel
) -> None:
    cases.broken(store)
    travel(cases.BROKEN)
    sign_in(site, CLINIC)
    before = contents(store)
    shown = site.get(HERE).text
    assert contents(store) == before
    assert "<bdi>The Clinic</bdi> owes <bdi>The City</bdi>" in shown
    assert "<bdi>The City</bdi> owes <bdi>The Clinic</bdi>" in shown
    assert "One is settled: 1 kept, 0 partly kept, 0 not kept, 0 cannot be told." in shown
    assert "One is settled: 0 kept, 0 partly kept, 1 not kept, 0 cannot be told." in shown
    assert "Kept: 0%" in shown


def test_before_an_agreement_nothing_is_promised(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    sign_in(site, CLINIC)
    assert "Nothing is promised yet" in site.get(HERE).text


def test_what_is_agreed_stands_there_before_anything_is_due(
    site: TestClient, store: Database, now: datetime
) -> None:
    registered(store, now, stage="setting_up")
    documents.put(store, "harbour", "agreement", agreements.agreement(), "clinic-primary", now)
    sign_in(site, CLINIC)
    shown = site.get(HERE).text
    assert "Hands over the list of planned discharges." in shown
    assert "Nothing has fallen due yet." in shown


def test_a_long_history_is_shown_in_part_and_whole_when_asked(
    site: TestClient, store: Database, now: datetime, travel: Travel
) -> None:
    weekly = {"every": "FREQ=WEEKLY", "starting_on": "2026-03-06"}
    agreements.in_force(store, now, agreements.agreement(agreements.obligation(due=weekly)))
    travel(datetime(2026, 7, 1, 9, tzinfo=UTC))
    agreements.monitor(store, datetime(2026, 7, 1, 9, tzinfo=UTC))
    sign_in(site, CLINIC)
    count = len(agreements.performances(store))
    assert count > SHOWN
    links = re.compile(r'href="/partnerships/harbour/promises/lists/(\d+)"')
    part = site.get(HERE).text
    assert len(links.findall(part)) == SHOWN
    assert f"Show all {count}" in part
    assert len(links.findall(site.get(f"{HERE}?obligation=lists").text)) == count


def test_a_report_is_answered_and_settled(both_sites: TestClient, promised: Database) -> None:
    csrf = sign_in(both_sites, CLINIC)
    answer = send(both_sites, csrf, "report", outcome="kept", note="All forty.")
    assert answer.headers["location"] == f"{LISTS}?said=reported"
    assert "Your report is recorded" in both_sites.get(answer.headers["location"]).text
    csrf = sign_in(both_sites, CITY)
    assert "All forty." in both_sites.get(LISTS).text
    send(both_sites, csrf, "accept")
    assert state_of(promised) == ("settled", "kept")


def test_a_dispute_goes_to_the_decider_and_a_breach_can_be_put_right(
    both_sites: TestClient, promised: Database
) -> None:
    reported(promised)
    csrf = sign_in(both_sites, CITY)
    send(both_sites, csrf, "dispute", reason="Half of it was missing.")
    assert state_of(promised)[0] == "disputed"
    csrf = sign_in(both_sites, DECIDER)
    assert "Half of it was missing." in both_sites.get(LISTS).text
    send(both_sites, csrf, "decide", outcome="partly_kept", reason="Twenty of forty.")
    assert state_of(promised) == ("settled", "partly_kept")
    csrf = sign_in(both_sites, CITY)
    send(both_sites, csrf, "restored", reason="The rest came.")
    assert state_of(promised)[0] == "restored"
    shown = both_sites.get(LISTS).text
    for said in ("Half of it was missing.", "Twenty of forty.", "The rest came."):
        assert said in shown


def test_whoever_is_owed_waives_and_nobody_else(both_sites: TestClient, promised: Database) -> None:
    csrf = sign_in(both_sites, CLINIC)
    assert "Waive it for good" not in both_sites.get(LISTS).text
    refused = send(both_sites, csrf, "waive", reason="We would rather not.")
    assert refused.status_code == 409
    assert "only city can waive it" in refused.text
    csrf = sign_in(both_sites, CITY)
    answer = send(both_sites, csrf, "waive", reason="Not needed this month.")
    assert "It is waived." in both_sites.get(answer.headers["location"]).text
    assert state_of(promised)[0] == "waived"


def test_an_early_word_reaches_the_list(both_sites: TestClient, promised: Database) -> None:
    csrf = sign_in(both_sites, CITY)
    answer = send(both_sites, csrf, "signal", signal="Two lists came late.")
    assert answer.status_code == 303
    assert "Two lists came late." in both_sites.get(HERE).text
    with promised.read() as connection:
        assert [one.note for one in queries.signals(connection, "harbour")] == ["Two lists came late."]
    too_long = send(both_sites, csrf, "signal", signal="x" * 281)
    assert too_long.status_code == 422
    assert 'href="#f-signal"' in too_long.text


def test_what_is_owed_on_request_is_asked_for_by_who_is_owed(
    both_sites: TestClient, database: Database, now: datetime
) -> None:
    on_request = agreements.obligation("data", due={"on_request_within_days": 5})
    agreements.in_force(database, now, agreements.agreement(agreements.obligation(), on_request))
    csrf = sign_in(both_sites, CLINIC)
    assert "Ask for it now" not in both_sites.get(HERE).text
    refused = both_sites.post(f"{HERE}/data/demands", data={"csrf": csrf, "seen": "0"})
    assert refused.status_code == 409
    csrf = sign_in(both_sites, CITY)
    asked = pairs_of(form_of(both_sites.get(HERE).text, "/demands"))
    answer = both_sites.post(f"{HERE}/data/demands", data=dict(asked), follow_redirects=False)
    assert answer.headers["location"] == f"{HERE}/data/1?said=demanded"
    assert "You have asked for it" in both_sites.get(answer.headers["location"]).text
    again = both_sites.post(f"{HERE}/data/demands", data=dict(asked))
    assert (again.status_code, "data/2" in again.text) == (409, False)
    asked = pairs_of(form_of(both_sites.get(HERE).text, "/demands"))
    assert both_sites.post(f"{HERE}/data/demands", data=dict(asked)).url.path == f"{HERE}/data/2"


def test_an_early_word_that_is_sent_twice_is_said_once(
    both_sites: TestClient, database: Database, now: datetime
) -> None:
    agreements.in_force(database, now)
    sign_in(both_sites, CLINIC)
    for said in (1, 2):
        form = dict(pairs_of(form_of(both_sites.get(LISTS).text, "/signal"))) | {"/signal": "It is late."}
        answers = [both_sites.post(f"{LISTS}/signal", data=form) for _ in range(2)]
        assert [one.status_code for one in answers] == [200, 200]
        with database.read() as connection:
            assert len(queries.signals(connection, "harbour")) == said


@pytest.mark.parametrize(
    ("act", "email", "fields", "field"),
    [
        ("report", CLINIC, {}, "f-outcome"),
        ("report", CLINIC, {"outcome": "splendid"}, "f-outcome"),
        ("waive", CITY, {"reason": " "}, "f-reason"),
        ("waive", CITY, {"reason": "x" * 2001}, "f-reason"),
        ("waive", CITY, {"reason": "null \x00"}, "f-reason"),
    ],
)
def test_what_is_missing_is_told_at_its_field_and_nothing_is_lost(
    both_sites: TestClient, promised: Database, act: str, email: str, fields: dict[str, str], field: str
) -> None:
    csrf = sign_in(both_sites, email)
    before = state_of(promised)
    page = send(both_sites, csrf, act, **fields)
    assert page.status_code == 422
    assert "<title>Error: " in page.text
    assert f'href="#{field}"' in page.text
    assert f'id="{field}"' in page.text
    assert 'aria-invalid="true"' in page.text
    assert state_of(promised) == before


def test_the_same_form_sent_twice_acts_once(both_sites: TestClient, promised: Database) -> None:
    csrf = sign_in(both_sites, CLINIC)
    sent = {"csrf": csrf, "seen": "0", "/outcome": "kept"}
    assert both_sites.post(f"{LISTS}/report", data=sent, follow_redirects=False).status_code == 303
    again = both_sites.post(f"{LISTS}/report", data=sent, follow_redirects=False)
    assert again.status_code == 409
    assert "Something was recorded since you opened this page" in again.text


def test_a_form_of_somewhere_else_changes_nothing(site: TestClient, store: Database, now: datetime) -> None:
    agreements.in_force(store, now)
    sign_in(site, CLINIC)
    before = contents(store)
    acts = ("report", "accept", "dispute", "decide", "waive", "restored", "signal")
    for path in (*(f"{LISTS}/{act}" for act in acts), f"{HERE}/lists/demands"):
        page = site.post(path, data={"csrf": "forged", "seen": "0", "/outcome": "kept", "/reason": "x"})
        assert page.status_code == 403
    assert contents(store) == before


def test_who_only_looks_has_no_forms(site: TestClient, store: Database, now: datetime) -> None:
    agreements.in_force(store, now)
    with store.write() as connection:
        row = {"email": "owner@main.example", "portfolio": "main", "created_at": now}
        connection.execute(insert(account), row)
    csrf = sign_in(site, "owner@main.example")
    shown = site.get(LISTS)
    assert shown.status_code == 200
    assert 'name="seen"' not in shown.text
    for act in ("report", "signal"):
        refused = site.post(f"{LISTS}/{act}", data={"csrf": csrf, "seen": "0", "/outcome": "kept"})
        assert refused.status_code == 403


def test_there_is_no_other_performance(site: TestClient, store: Database, now: datetime) -> None:
    agreements.in_force(store, now)
    sign_in(site, CLINIC)
    for name in ("lists/99", "lists/x", "nothing/1", "lists/99999999999999"):
        assert site.get(f"{HERE}/{name}").status_code == 404


def test_words_of_others_do_nothing(site: TestClient, store: Database, now: datetime, travel: Travel) -> None:
    agreements.in_force(store, now)
    travel(DUE)
    csrf = sign_in(site, CLINIC)
    send(site, csrf, "report", outcome="kept", note="<script>alert(1)</script>")
    send(site, csrf, "signal", signal="<img src=x onerror=alert(1)>")
    for path in (HERE, LISTS):
        shown = site.get(path).text
        assert "<script>alert" not in shown
        assert "<img src=x" not in shown


@given(
    st.sampled_from(STATES),
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1), timezones=st.just(UTC)),
    st.one_of(st.none(), st.timedeltas(timedelta(days=-30), timedelta(days=30))),
)
def test_lateness_is_never_negative_and_only_of_what_was_or_is_awaited(
    state: str, due_at: datetime, lag: timedelta | None
) -> None:
    calendar, now = Calendar("Europe/London", "GB-SCT"), due_at + timedelta(days=10)
    reported_at = None if lag is None else due_at + lag
    one = Performance("lists", 1, 1, "clinic", "city", 1, due_at, state, None, reported_at, None, None, None)
    found = days_late(one, calendar, now)
    assert found >= 0
    if lag is not None and lag <= timedelta(0):
        assert found == 0
    if lag is None:
        assert (found > 0) == (state == "overdue")


def test_what_has_ended_is_read_only(site: TestClient, store: Database, now: datetime) -> None:
    agreements.in_force(store, now)
    agreements.move(store, "harbour", "terminated")
    with store.read() as connection:
        assert changes.find(connection, "harbour").stage == "terminated"
    csrf = sign_in(site, CLINIC)
    assert 'name="/outcome"' not in site.get(LISTS).text
    assert send(site, csrf, "report", outcome="kept").status_code == 409
