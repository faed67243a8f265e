"""The timeline: what happened in words, every email with what became of it, and whether the record is whole."""

import re
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from lifecycle.audit import queries
from lifecycle.audit.models import audit_event
from lifecycle.db import Database
from lifecycle.notices.models import notice
from lifecycle.notices.words import TEMPLATES
from lifecycle.portal import pages
from lifecycle.portal.timeline import ON_A_PAGE
from lifecycle.reviews import questionnaire, service
from lifecycle.reviews.models import review_round
from lifecycle.subscriptions import words
from tests.builders import answer, contents, organisation, registered, reviewed
from tests.portal.conftest import sign_in
from tests.redress import cases

CLINIC = "clinic-primary@clinic.example"
HERE = "/partnerships/harbour/timeline"
LINE = re.compile(r"entry (\d+), [0-9a-f]{8}")
Travel = Callable[[datetime], None]


def test_others_learn_nothing(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    who = {"proposed_by": "north", "coordinator": "north-primary"}
    registered(store, now, "other", partners=[organisation("north"), organisation("south")], **who)
    assert site.get(HERE, follow_redirects=False).status_code == 303
    sign_in(site, "north-primary@north.example")
    assert site.get(HERE).status_code == 404


def test_it_says_what_happened_who_did_it_and_when(
    both_sites: TestClient, database: Database, travel: Travel
) -> None:
    cases.broken(database)
    cases.lodged(database)
    travel(cases.BROKEN)
    sign_in(both_sites, CLINIC)
    before = contents(database)
    shown = both_sites.get(HERE).text
    assert contents(database) == before
    assert "<bdi>The City</bdi> lodged" in shown
    assert "City Primary" in shown
    assert "Wednesday 1 April 2026, 00:00 (Europe/London)" in shown
    assert "the record is whole" in shown
    assert "Email: a complaint" in shown


def test_a_page_follows_the_other_and_leaves_nothing_out(
    site: TestClient, store: Database, travel: Travel
) -> None:
    cases.broken(store)
    cases.lodged(store)
    later = cases.BROKEN + timedelta(days=200)
    cases.monitor(store, later)
    travel(later)
    sign_in(site, CLINIC)
    address, seen, emails, pages_read = HERE, [], 0, 0
    while True:
        shown = site.get(address).text
        pages_read += 1
        seen += [int(one) for one in LINE.findall(shown)]
        emails += shown.count('<li class="email">')
        more = re.search(r'href="([^"]+before=[^"]+)"', shown)
        if more is None:
            break
        address = more[1].replace("&amp;", "&")
    with store.read() as connection:
        events = len(queries.trail(connection, "harbour"))
        kept = len(contents(store)["notice"])
    assert pages_read > 1
    assert seen == list(range(events, 0, -1))
    assert emails == kept
    assert events + kept > ON_A_PAGE


def test_events_and_emails_can_be_read_by_themselves(
    site: TestClient, store: Database, travel: Travel
) -> None:
    cases.broken(store)
    travel(cases.BROKEN)
    sign_in(site, CLINIC)
    assert '<li class="email">' not in site.get(f"{HERE}?show=events").text
    assert LINE.search(site.get(f"{HERE}?show=emails").text) is None
    assert site.get(f"{HERE}?show=nonsense&before=x.y.z").status_code == 200
    assert site.get(f"{HERE}?before={'9' * 18}.{'9' * 18}").status_code == 200


def test_a_record_that_was_changed_is_told(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    sign_in(site, CLINIC)
    with store.write() as connection:
        connection.execute(update(audit_event).values(actor="somebody-else"))
    shown = site.get(HERE).text
    assert "The record is broken at entry 1" in shown
    assert "the record is whole" not in shown


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"state": "pending"}, "waits to be sent"),
        ({"state": "sent"}, "sent</span>"),
        ({"state": "sent", "delivery": "delivered"}, "delivered</span>"),
        ({"state": "sent", "delivery": "bounce"}, "did not arrive"),
        ({"state": "unknown"}, "may or may not have left"),
        ({"state": "withdrawn"}, "not needed any more"),
        ({"state": "sent", "reader_id": "clinic-deputy"}, "(read by"),
    ],
)
def test_each_email_says_what_became_of_it(
    site: TestClient, store: Database, travel: Travel, values: dict[str, str], said: str
) -> None:
    cases.broken(store)
    travel(cases.BROKEN)
    with store.write() as connection:
        connection.execute(update(notice).values(**values))
    sign_in(site, CLINIC)
    assert said in site.get(f"{HERE}?show=emails").text


def test_who_has_answered_an_anonymous_review_is_not_told(
    site: TestClient, store: Database, now: datetime
) -> None:
    registered(store, now, stage="maintaining")
    reviewed(store, "harbour", now)
    service.sweep_reviews(store, now)
    with store.write() as connection:
        connection.execute(
            update(review_round).values(questionnaire=questionnaire.reference({"anonymous": True}))
        )
    service.respond(store, "harbour", 1, "city-primary", answer(1, 4, q3=1), now)
    with store.write() as connection:
        connection.execute(update(notice).values(template="review_reminder"))
    sign_in(site, CLINIC)
    events = site.get(f"{HERE}?show=events").text
    assert "An answer to" in events
    assert "asks for a corrective action" in events
    assert "City Primary" not in events
    assert "The City" not in events
    emails = site.get(f"{HERE}?show=emails").text
    assert "to somebody who was asked" in emails
    assert "City Primary" not in emails


def test_every_event_and_every_email_has_words() -> None:
    source = (pages.HERE / "templates" / "timeline_words.html").read_text(encoding="utf-8")
    named = set(re.findall(r'type == "([a-z_]+)"', source))
    public = {name.removeprefix("partnership.") for name in words.TYPES}
    public -= {name.removeprefix("partnership.") for name in words.TRANSITIONS.values()} | {"registered"}
    assert public | {"partnership_created", "stage_changed", "links_revoked", "preferences_set"} <= named
    assert all(TEMPLATES.values())


def test_names_of_others_do_nothing(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now, title="<script>alert(1)</script>")
    sign_in(site, CLINIC)
    assert "<script>alert" not in site.get(HERE).text
