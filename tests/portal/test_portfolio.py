"""The portfolio: who sees which partnerships, what waits for whom, filters, pages and files."""

import csv
import io
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, update

from lifecycle.access.models import account
from lifecycle.db import Database
from lifecycle.documents import service as documents
from lifecycle.partnerships import queries, waiting
from lifecycle.partnerships.models import partnership
from lifecycle.portal.portfolio import ON_A_PAGE, cell_of
from lifecycle.reviews.service import sweep_reviews
from tests.builders import contents, organisation, registered, reviewed
from tests.obligations import agreements
from tests.portal.conftest import sign_in
from tests.redress import cases

CLINIC = "clinic-primary@clinic.example"
CITY = "city-primary@city.example"
Travel = Callable[[datetime], None]


def waits_for(database: Database, email: str, now: datetime) -> list[tuple[str, str]]:
    with database.read() as connection:
        return [(one.what, one.name) for one in waiting.for_reader(connection, email, now)]


def of_others(database: Database, now: datetime, portfolio: str = "main") -> None:
    partners = [organisation("north"), organisation("south")]
    registered(
        database,
        now,
        "elsewhere",
        title="Of Others",
        partners=partners,
        proposed_by="north",
        coordinator="north-primary",
    )
    with database.write() as connection:
        connection.execute(
            update(partnership).values(portfolio=portfolio).where(partnership.c.id == "elsewhere")
        )


def test_nobody_sees_it_without_signing_in(site: TestClient) -> None:
    for path in ("/", "/portfolio.csv", "/portfolio.json"):
        answer = site.get(path, follow_redirects=False)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=")


def test_a_contact_sees_their_partnerships_and_no_others(
    both_sites: TestClient, database: Database, now: datetime
) -> None:
    registered(database, now)
    of_others(database, now)
    sign_in(both_sites, CLINIC.upper())
    shown = both_sites.get("/").text
    assert "Harbour Falls Prevention" in shown
    assert "Of Others" not in shown
    assert [one["id"] for one in both_sites.get("/portfolio.json").json()] == ["harbour"]


def test_an_account_sees_its_portfolio_and_no_other(
    both_sites: TestClient, database: Database, now: datetime
) -> None:
    registered(database, now)
    of_others(database, now, portfolio="north")
    with database.write() as connection:
        row = {"email": "owner@north.example", "portfolio": "north", "created_at": now}
        connection.execute(insert(account), row)
    sign_in(both_sites, "owner@north.example")
    shown = both_sites.get("/").text
    assert "Of Others" in shown
    assert "Harbour" not in shown


def test_looking_changes_nothing(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    sign_in(site, CLINIC)
    before = contents(store)
    for path in ("/", "/?stage=starting&health=watch&due=14&text=x", "/portfolio.csv", "/portfolio.json"):
        assert site.get(path).status_code == 200
    assert contents(store) == before


def test_names_are_shown_as_they_are_and_do_nothing(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now, title="<script>alert(1)</script>")
    sign_in(site, CLINIC)
    shown = site.get("/").text
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(1)" in shown


def test_health_has_a_word_and_its_reasons(site: TestClient, store: Database, travel: Travel) -> None:
    cases.broken(store)
    cases.lodged(store)
    travel(cases.BROKEN)
    sign_in(site, CITY)
    agreements.monitor(store, cases.BROKEN + timedelta(days=40))
    shown = site.get("/").text
    assert "Worth watching" in shown or "At risk" in shown
    assert "overdue." in shown


def test_each_stage_is_counted(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    registered(store, now, "second", "starting")
    registered(store, now, "third", "starting")
    of_others(store, now)
    with store.read() as connection:
        assert queries.stage_counts(connection, CLINIC) == {"need_definition": 1, "starting": 2}
    sign_in(site, CLINIC)
    assert 'href="/?stage=starting">starting <strong>2</strong>' in site.get("/").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("stage=starting", ["second"]),
        ("health=good", ["harbour", "second"]),
        ("health=critical", []),
        ("text=FALLS", ["harbour"]),
        ("text=second", ["second"]),
        ("text=the+city", ["harbour", "second"]),
        ("text=100%25", []),
        ("due=30", []),
        ("stage=&health=&due=&text=", ["harbour", "second"]),
    ],
)
def test_filters_choose(
    both_sites: TestClient, database: Database, now: datetime, query: str, found: list[str]
) -> None:
    registered(database, now)
    registered(database, now, "second", "starting", title="Another")
    sign_in(both_sites, CLINIC)
    assert [one["id"] for one in both_sites.get(f"/portfolio.json?{query}").json()] == found
    page = both_sites.get(f"/?{query}")
    assert page.status_code == 200
    assert ("No partnership is like that" in page.text) == (not found)


def test_what_is_due_soon_is_found(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now, stage="maintaining")
    reviewed(store, "harbour", now, first_on="2026-03-20")
    registered(store, now, "second")
    sign_in(site, CLINIC)
    assert [one["id"] for one in site.get("/portfolio.json?due=30").json()] == ["harbour"]
    assert site.get("/portfolio.json?due=7").json() == []
    assert "Next, on 20 Mar 2026: review opens" in site.get("/?due=30").text


@pytest.mark.parametrize("query", ["stage=nowhere", "health=purple", "due=soon", "due=0", "due=-1", "due=²"])
def test_a_filter_that_cannot_be_is_told(
    site: TestClient, store: Database, now: datetime, query: str
) -> None:
    registered(store, now)
    sign_in(site, CLINIC)
    page = site.get(f"/?{query}")
    assert page.status_code == 422
    assert "<title>Error: " in page.text
    assert "Please mend this first" in page.text
    assert site.get(f"/portfolio.csv?{query}").status_code == 422


def test_a_nul_in_a_filter_is_no_fault_of_ours(
    both_sites: TestClient, database: Database, now: datetime
) -> None:
    registered(database, now)
    sign_in(both_sites, CLINIC)
    assert both_sites.get("/?text=%00").status_code == 422


def test_a_long_list_has_pages_that_leave_nothing_out(
    site: TestClient, store: Database, now: datetime
) -> None:
    for number in range(ON_A_PAGE + 3):
        registered(store, now, f"p{number:03}", title=f"Title {number:03}")
    sign_in(site, CLINIC)
    first = site.get("/")
    assert len(first.content) < 100_000
    assert f"/?after=p{ON_A_PAGE - 1:03}" in first.text
    assert "Title 050" not in first.text
    second = site.get(f"/?after=p{ON_A_PAGE - 1:03}").text
    assert [name in second for name in ("Title 049", "Title 050", "Title 052")] == [False, True, True]
    assert "Next page" not in second
    assert len(site.get("/portfolio.json").json()) == ON_A_PAGE + 3


def test_who_has_nothing_is_told_so(site: TestClient, store: Database, now: datetime) -> None:
    with store.write() as connection:
        row = {"email": "new@owner.example", "portfolio": "empty", "created_at": now}
        connection.execute(insert(account), row)
    sign_in(site, "new@owner.example")
    assert "There is no partnership here that you reach yet" in site.get("/").text
    assert site.get("/portfolio.json").json() == []


def test_the_spreadsheet_has_every_row_and_no_formula(
    site: TestClient, store: Database, now: datetime
) -> None:
    registered(store, now, title='=HYPERLINK("http://evil.example")')
    sign_in(site, CLINIC)
    answer = site.get("/portfolio.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert "attachment" in answer.headers["content-disposition"]
    header, row = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    found = dict(zip(header, row, strict=True))
    assert found["title"] == """'=HYPERLINK("http://evil.example")"""
    assert (found["id"], found["stage"], found["health"]) == ("harbour", "need_definition", "good")
    assert found["partners"] == "The City | The Clinic"


@given(st.text())
def test_no_cell_begins_a_formula(text: str) -> None:
    assert not cell_of(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell_of(text).endswith(text)


def test_a_report_waits_for_the_side_that_owes_and_then_a_verdict_for_the_other(
    database: Database, now: datetime
) -> None:
    agreements.in_force(database, now)
    soon = datetime(2026, 3, 25, 9, tzinfo=now.tzinfo)
    assert waits_for(database, CLINIC, now) == []
    assert waits_for(database, CLINIC, soon) == [("report", "lists/1")]
    assert waits_for(database, CITY, soon) == []
    cases.promises.report(database, "harbour", "lists/1", {"outcome": "kept"}, "clinic-primary", soon)
    assert waits_for(database, CLINIC, soon) == []
    assert waits_for(database, CITY, soon) == [("verdict", "lists/1")]
    cases.promises.dispute(database, "harbour", "lists/1", "It was not.", "city-primary", soon)
    assert waits_for(database, CITY, soon) == []
    assert waits_for(database, "city-sponsor@city.example", soon) == [("decision", "lists/1")]


def test_a_review_waits_until_it_is_answered(database: Database, now: datetime) -> None:
    registered(database, now, stage="maintaining")
    reviewed(database, "harbour", now)
    sweep_reviews(database, now + timedelta(days=1))
    assert waits_for(database, CLINIC, now) == [("review", "1")]
    assert waits_for(database, "clinic-sponsor@clinic.example", now) == []


def test_a_document_waits_for_the_partner_that_has_not_signed(database: Database, now: datetime) -> None:
    registered(database, now, stage="setting_up")
    documents.put(database, "harbour", "agreement", agreements.agreement(), "clinic-primary", now)
    assert waits_for(database, CITY, now) == [("sign", "agreement")]
    documents.sign(database, "harbour", "agreement", 1, "city-deputy", now)
    assert waits_for(database, CITY, now) == []
    assert waits_for(database, CLINIC, now) == [("sign", "agreement")]


def test_a_complaint_waits_for_the_side_complained_of(database: Database) -> None:
    cases.broken(database)
    cases.lodged(database)
    assert ("complaint", "1") in waits_for(database, CLINIC, cases.BROKEN)
    assert ("complaint", "1") not in waits_for(database, CITY, cases.BROKEN)
    assert ("complaint", "1") not in waits_for(database, "clinic-deputy@clinic.example", cases.BROKEN)


def test_what_waits_is_a_link_to_where_it_is_done(site: TestClient, store: Database, travel: Travel) -> None:
    agreements.in_force(store, cases.START)
    travel(datetime(2026, 3, 25, 9, tzinfo=cases.START.tzinfo))
    sign_in(site, CLINIC)
    shown = site.get("/").text
    assert "One thing waits for you" in shown
    assert 'href="/partnerships/harbour/promises/lists/1"' in shown
    assert "by Tuesday 31 March 2026" in shown


def test_what_has_ended_asks_nobody(database: Database, now: datetime) -> None:
    registered(database, now, stage="setting_up")
    documents.put(database, "harbour", "agreement", agreements.agreement(), "clinic-primary", now)
    agreements.move(database, "harbour", "withdrawn")
    assert waits_for(database, CITY, now) == []
