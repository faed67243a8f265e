"""A partnership's overview: where it stands, what each way on needs, what to do next, who is who; and who sees it."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import insert, update

from lifecycle import stages
from lifecycle.access.models import account
from lifecycle.db import Database
from lifecycle.notices.words import STAGES
from lifecycle.partnerships.models import contact, partnership
from lifecycle.reviews import questionnaire
from lifecycle.reviews import service as reviews
from lifecycle.reviews.models import review_round
from tests.builders import contents, registered, reviewed
from tests.obligations import agreements
from tests.portal.conftest import sign_in
from tests.redress import cases

CLINIC = "clinic-primary@clinic.example"
CITY = "city-primary@city.example"
PATHS = ("", "/dossier")
Travel = Callable[[datetime], None]


@pytest.mark.parametrize("path", PATHS)
def test_nobody_sees_it_without_signing_in(
    site: TestClient, store: Database, now: datetime, path: str
) -> None:
    registered(store, now)
    answer = site.get(f"/partnerships/harbour{path}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"/sign-in?next=/partnerships/harbour{path}",
    )


@pytest.mark.parametrize("path", PATHS)
def test_others_learn_not_even_that_there_is_one(
    site: TestClient, store: Database, now: datetime, path: str
) -> None:
    registered(store, now)
    with store.write() as connection:
        row = {"email": "owner@north.example", "portfolio": "north", "created_at": now}
        connection.execute(insert(account), row)
    sign_in(site, "owner@north.example")
    theirs, nobodys = site.get(f"/partnerships/harbour{path}"), site.get(f"/partnerships/nowhere{path}")
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.text.replace("harbour", "nowhere") == nobodys.text


@pytest.mark.parametrize("path", PATHS)
def test_looking_changes_nothing(site: TestClient, store: Database, now: datetime, path: str) -> None:
    registered(store, now)
    sign_in(site, CLINIC)
    before = contents(store)
    assert site.get(f"/partnerships/harbour{path}").status_code == 200
    assert contents(store) == before


@pytest.mark.parametrize("stage", stages.STAGES)
def test_each_stage_shows_where_it_is_and_each_way_on(
    site: TestClient, store: Database, now: datetime, stage: str
) -> None:
    registered(store, now, stage=stage)
    if stage == "suspended":
        with store.write() as connection:
            connection.execute(update(partnership).values(suspended_from="evaluating"))
    sign_in(site, CLINIC)
    shown = site.get("/partnerships/harbour").text
    assert STAGES[stage].meaning[:40] in shown
    assert f"The present stage is: {STAGES[stage].name}." in shown
    ways = re.findall(r'href="/partnerships/harbour/gates/([a-z_]+)"', shown)
    assert ways == list(stages.events_allowed(stage))
    assert ("This stage is final" in shown) == (stage in stages.FINAL_STAGES)


def test_a_way_on_says_how_much_of_it_is_there(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    sign_in(site, CLINIC)
    shown = site.get("/partnerships/harbour").text
    assert re.search(r"\d+ of \d+ criteria met", shown)
    assert 'class="badge unmet">shut' in shown


def test_the_pages_style_is_its_sheet_alone(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    sign_in(site, CLINIC)
    page = site.get("/partnerships/harbour")
    assert "<style" not in page.text
    assert "style=" not in page.text
    assert "style-src 'self'" in page.headers["content-security-policy"]


def test_hints_lead_to_where_it_is_done_and_name_no_commands(
    site: TestClient, store: Database, travel: Travel
) -> None:
    cases.broken(store)
    cases.lodged(store)
    late = cases.BROKEN + timedelta(days=40)
    agreements.monitor(store, late)
    travel(late)
    sign_in(site, CITY)
    shown = site.get("/partnerships/harbour").text
    assert "`" not in shown
    assert "lifecycle complaint show" not in shown
    assert 'href="/partnerships/harbour/complaints/1"' in shown
    assert 'href="/partnerships/harbour/promises/lists/2"' in shown


@pytest.mark.parametrize(("anonymous", "named"), [(False, True), (True, False)])
def test_whose_answer_is_missing_is_told_unless_answers_are_anonymous(
    site: TestClient, store: Database, now: datetime, anonymous: bool, named: bool
) -> None:
    registered(store, now, stage="maintaining")
    reviewed(store, "harbour", now)
    reviews.sweep_reviews(store, now)
    asked = questionnaire.reference({"anonymous": anonymous})
    with store.write() as connection:
        connection.execute(update(review_round).values(questionnaire=asked))
    sign_in(site, "clinic-sponsor@clinic.example")
    shown = site.get("/partnerships/harbour").text
    said = shown[shown.index("Review round 1 closes on") :].partition("</li>")[0]
    assert ("City Primary" in said) == named
    assert 'href="/partnerships/harbour/reviews/1"' in said


def test_who_is_away_and_who_stands_in_is_shown(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    away = {"deputy_id": "city-deputy", "absent_until": (now + timedelta(days=3)).date()}
    with store.write() as connection:
        connection.execute(update(contact).where(contact.c.id == "city-primary").values(**away))
        broken = contact.c.id == "city-sponsor"
        connection.execute(update(contact).where(broken).values(undeliverable_since=now))
    sign_in(site, CLINIC)
    shown = site.get("/partnerships/harbour").text
    assert "Away until Thursday 5 March 2026" in shown
    assert "City Deputy" in shown
    assert "Emails to this address do not arrive" in shown


def test_addresses_are_for_their_own_organisation_and_the_coordinator(
    site: TestClient, store: Database, now: datetime
) -> None:
    registered(store, now)
    sign_in(site, CITY)
    theirs = site.get("/partnerships/harbour").text
    assert "city-sponsor@city.example" in theirs
    assert "clinic-sponsor@clinic.example" not in theirs
    sign_in(site, CLINIC)
    assert "city-sponsor@city.example" in site.get("/partnerships/harbour").text


def test_names_of_users_do_nothing(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now, title="</title><script>alert(1)</script>")
    with store.write() as connection:
        connection.execute(update(contact).values(name="<img src=x onerror=alert(1)>"))
    sign_in(site, CLINIC)
    shown = site.get("/partnerships/harbour").text
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown


def test_the_dossier_stands_alone_under_its_own_policy(site: TestClient, store: Database) -> None:
    cases.broken(store)
    sign_in(site, CLINIC)
    page = site.get("/partnerships/harbour/dossier")
    assert page.status_code == 200
    assert "Evaluation dossier" in page.text
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert "frame-ancestors 'none'" in policy
    assert page.headers["x-content-type-options"] == "nosniff"
