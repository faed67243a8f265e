"""The reviews' pages: rounds, results that give nobody away, one's own answer, and corrective actions."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, update

from lifecycle.access.models import account
from lifecycle.db import Database
from lifecycle.reviews import queries, questionnaire, service
from lifecycle.reviews.models import review_round
from lifecycle.reviews.queries import Action
from tests.builders import answer, contents, organisation, registered, reviewed
from tests.portal.conftest import sign_in

CLINIC = "clinic-primary@clinic.example"
CITY = "city-primary@city.example"
HERE = "/partnerships/harbour/reviews"
ACTION = f"{HERE}/actions/1"
Travel = Callable[[datetime], None]


def opened(database: Database, now: datetime, **more: object) -> None:
    """A round is open since `now`, in which both primary contacts are asked."""
    registered(database, now, stage="maintaining")
    reviewed(database, "harbour", now, **more)
    service.sweep_reviews(database, now)


def answered(database: Database, now: datetime) -> None:
    """The clinic is content; the city is not with question three."""
    service.respond(database, "harbour", 1, "clinic-primary", answer(1, 5), now)
    service.respond(database, "harbour", 1, "city-primary", answer(1, 4, q3=1), now)


def closed(database: Database, now: datetime, travel: Travel, **more: object) -> datetime:
    opened(database, now, **more)
    answered(database, now)
    later = now + timedelta(days=40)
    service.sweep_reviews(database, later)
    travel(later)
    return later


def action(database: Database) -> Action:
    with database.read() as connection:
        return queries.actions(connection, "harbour")[0]


@pytest.mark.parametrize("path", ["", "/1", "/1/answer", "/actions/1"])
def test_others_learn_nothing(site: TestClient, store: Database, now: datetime, path: str) -> None:
    opened(store, now)
    answered(store, now)
    who = {"proposed_by": "north", "coordinator": "north-primary"}
    registered(store, now, "other", partners=[organisation("north"), organisation("south")], **who)
    assert site.get(f"{HERE}{path}", follow_redirects=False).status_code == 303
    csrf = sign_in(site, "north-primary@north.example")
    assert site.get(f"{HERE}{path}", follow_redirects=False).status_code == 404
    assert site.post(f"{ACTION}/verify", data={"csrf": csrf}).status_code == 404


def test_an_open_round_says_who_has_answered_and_not_what(
    site: TestClient, store: Database, now: datetime
) -> None:
    opened(store, now)
    service.respond(store, "harbour", 1, "clinic-primary", answer(1, 5), now)
    sign_in(site, CITY)
    before = contents(store)
    shown = site.get(HERE).text
    assert "1 of 2 people asked have answered." in shown
    assert "<bdi>Clinic Primary</bdi> (<bdi>The Clinic</bdi>): has answered" in shown
    assert "<bdi>City Primary</bdi> (<bdi>The City</bdi>): has not answered" in shown
    one = site.get(f"{HERE}/1").text
    assert "What it says is shown once it is closed" in one
    assert "By section" not in one
    assert contents(store) == before


def test_a_closed_round_says_what_was_said_and_how_far_partners_differ(
    site: TestClient, store: Database, now: datetime, travel: Travel
) -> None:
    closed(store, now, travel)
    sign_in(site, CLINIC)
    shown = site.get(f"{HERE}/1").text
    assert "By section" in shown
    assert "<bdi>The City</bdi> 1, <bdi>The Clinic</bdi> 5" in shown


def test_an_anonymous_round_gives_nobody_away(
    site: TestClient, store: Database, now: datetime, travel: Travel
) -> None:
    anonymous = questionnaire.reference({"anonymous": True})
    opened(store, now)
    with store.write() as connection:
        connection.execute(update(review_round).values(questionnaire=anonymous))
    answered(store, now)
    sign_in(site, CLINIC)
    before = site.get(HERE).text
    assert "2 of 2 people asked have answered." in before
    assert "Answers are anonymous" in before
    assert "City Primary" not in before
    assert "The City" not in site.get(ACTION).text.partition("<form")[0]
    later = now + timedelta(days=40)
    service.sweep_reviews(store, later)
    travel(later)
    sign_in(site, CLINIC)
    shown = site.get(f"{HERE}/1").text
    assert "nobody is to be found out" in shown
    assert "The City" not in shown
    assert "City Primary" not in shown


def test_whoever_is_asked_is_led_to_their_own_form(site: TestClient, store: Database, now: datetime) -> None:
    opened(store, now)
    sign_in(site, CITY)
    assert f'href="{HERE}/1/answer"' in site.get(HERE).text
    leads = site.get(f"{HERE}/1/answer", follow_redirects=False)
    assert leads.status_code == 303
    assert leads.headers["location"].startswith("/review/")
    form = site.get(leads.headers["location"])
    assert form.status_code == 200
    assert "City Primary" in form.text


def test_nobody_else_is_led_to_a_form(site: TestClient, store: Database, now: datetime) -> None:
    opened(store, now)
    sign_in(site, "city-sponsor@city.example")
    assert f'href="{HERE}/1/answer"' not in site.get(HERE).text
    assert site.get(f"{HERE}/1/answer", follow_redirects=False).status_code == 409


def test_who_only_looks_is_led_to_no_form_and_has_none(
    site: TestClient, store: Database, now: datetime
) -> None:
    opened(store, now)
    answered(store, now)
    with store.write() as connection:
        row = {"email": "owner@main.example", "portfolio": "main", "created_at": now}
        connection.execute(insert(account), row)
    csrf = sign_in(site, "owner@main.example")
    assert site.get(f"{HERE}/1/answer", follow_redirects=False).status_code == 403
    shown = site.get(ACTION)
    assert shown.status_code == 200
    assert f'action="{ACTION}' not in shown.text
    for act in ("plan", "verify"):
        assert site.post(f"{ACTION}/{act}", data={"csrf": csrf}).status_code == 403


def test_a_negative_answer_is_planned_and_then_verified_by_the_other_side(
    both_sites: TestClient, database: Database, now: datetime
) -> None:
    opened(database, now)
    answered(database, now)
    csrf = sign_in(both_sites, CLINIC)
    assert "no plan yet" in both_sites.get(HERE).text
    plan = {"csrf": csrf, "/what": "Meet weekly.", "/owner": "clinic-deputy", "/due_on": "2026-03-20"}
    done = both_sites.post(f"{ACTION}/plan", data=plan, follow_redirects=False)
    assert done.headers["location"] == f"{ACTION}?said=planned"
    shown = both_sites.get(done.headers["location"]).text
    assert "The plan is recorded." in shown
    assert "Meet weekly." in shown
    assert (action(database).owner, str(action(database).due_on)) == ("clinic-deputy", "2026-03-20")
    assert "Confirm that it was carried out" not in shown
    own = both_sites.post(f"{ACTION}/verify", data={"csrf": csrf})
    assert own.status_code == 409
    assert "Another partner verifies it" in own.text
    csrf = sign_in(both_sites, CITY)
    assert "Confirm that it was carried out" in both_sites.get(ACTION).text
    both_sites.post(f"{ACTION}/verify", data={"csrf": csrf})
    assert action(database).verified_by == "city-primary"
    assert "carried out" in both_sites.get(HERE).text


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"/what": ""}, "f-what"),
        ({"/what": "x" * 2001}, "f-what"),
        ({"/what": "null \x00"}, "f-what"),
        ({"/owner": "nobody"}, "f-owner"),
        ({"/due_on": "soon"}, "f-due_on"),
        ({"/due_on": "2026-03-01"}, "f-due_on"),
    ],
)
def test_a_plan_that_cannot_be_is_told_at_its_field(
    both_sites: TestClient, database: Database, now: datetime, wrong: dict[str, str], field: str
) -> None:
    opened(database, now)
    answered(database, now)
    csrf = sign_in(both_sites, CLINIC)
    plan = {"csrf": csrf, "/what": "Meet weekly.", "/owner": "clinic-deputy", "/due_on": "2026-03-20"} | wrong
    page = both_sites.post(f"{ACTION}/plan", data=plan)
    assert page.status_code == 422
    assert "<title>Error: " in page.text
    assert f'href="#{field}"' in page.text
    assert f'id="{field}"' in page.text
    assert action(database).owner is None


def test_all_that_is_missing_is_told_at_once(site: TestClient, store: Database, now: datetime) -> None:
    opened(store, now)
    answered(store, now)
    csrf = sign_in(site, CLINIC)
    page = site.post(f"{ACTION}/plan", data={"csrf": csrf}).text
    for field in ("f-what", "f-owner", "f-due_on"):
        assert f'href="#{field}"' in page


def test_a_form_of_somewhere_else_changes_nothing(site: TestClient, store: Database, now: datetime) -> None:
    opened(store, now)
    answered(store, now)
    sign_in(site, CLINIC)
    before = contents(store)
    plan = {"csrf": "0", "/what": "x", "/owner": "clinic-deputy", "/due_on": "2026-03-20"}
    for act in ("plan", "verify"):
        assert site.post(f"{ACTION}/{act}", data=plan).status_code == 403
    assert contents(store) == before


def test_there_is_no_other_round_or_action(site: TestClient, store: Database, now: datetime) -> None:
    opened(store, now)
    sign_in(site, CLINIC)
    for path in ("/7", "/x", "/7/answer", "/actions/7", "/actions/x", f"/{'9' * 30}"):
        assert site.get(f"{HERE}{path}").status_code == 404


def test_words_of_others_do_nothing(site: TestClient, store: Database, now: datetime, travel: Travel) -> None:
    opened(store, now)
    said = answer(1, 4, q3=1)
    said["answers"][0]["comment"] = "<script>alert(1)</script>"
    service.respond(store, "harbour", 1, "city-primary", said, now)
    service.respond(store, "harbour", 1, "clinic-primary", answer(1), now)
    later = now + timedelta(days=40)
    service.sweep_reviews(store, later)
    travel(later)
    sign_in(site, CLINIC)
    shown = site.get(f"{HERE}/1").text
    assert "<script>alert" not in shown
    assert "&lt;script&gt;" in shown


def test_before_the_first_round_there_is_nothing(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    sign_in(site, CLINIC)
    assert "There has been no review yet" in site.get(HERE).text
