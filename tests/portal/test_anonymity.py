"""Two histories that differ in nothing but who gave which answer look alike, on every page, to everybody else."""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from lifecycle.db import Database
from lifecycle.portal import app
from lifecycle.reviews import invitations
from lifecycle.reviews import service as reviews
from tests.api.clients import settings_of
from tests.builders import answer, organisation, registered, reviewed
from tests.obligations.agreements import move
from tests.portal.conftest import sign_in
from tests.portal.reviewing import Travel
from tests.portal.routes import MEMBERS, OF_ONESELF, PLACES

HASH = re.compile(r"[0-9a-f]{8,64}")
HOUR = timedelta(hours=1)
History = Callable[[Database, datetime, str, str], None]
PAGES = [
    re.sub(r"{(\w+)}", lambda found: PLACES[found[1]], name.removeprefix("GET "))
    for name in [*MEMBERS, *OF_ONESELF]
    if name.startswith("GET") and "{obligation}" not in name
] + [f"/partnerships/harbour/{more}" for more in ("gates/renew", "gates/close", "timeline?show=emails")]


def one_is_unhappy(database: Database, now: datetime, first: str, second: str) -> None:
    """Both answer, the unhappy one first; then the round closes, and the partnership is evaluated."""
    reviews.respond(database, "harbour", 1, first, answer(1, q3=1), now + HOUR)
    reviews.respond(database, "harbour", 1, second, answer(1), now + 2 * HOUR)
    for day in (20, 40):
        reviews.sweep_reviews(database, now + timedelta(days=day))
    move(database, "harbour", "evaluating")


def one_is_silent(database: Database, now: datetime, first: str, second: str) -> None:
    """One answers, the other is reminded."""
    reviews.respond(database, "harbour", 1, first, answer(1), now + HOUR)
    for day in (4, 8, 12):
        reviews.sweep_reviews(database, now + timedelta(days=day))


def one_declines(database: Database, now: datetime, first: str, second: str) -> None:
    invitations.decline(database, "harbour", 1, first, "New in the post.", now + HOUR)
    reviews.respond(database, "harbour", 1, second, answer(1), now + 2 * HOUR)


def seen(database: Database) -> Iterator[tuple[str, str]]:
    """Each page as a third organisation sees it."""
    with TestClient(app.create(settings_of("sqlite://"), database), follow_redirects=False) as browser:
        sign_in(browser, "charity-deputy@charity.example")
        for page in PAGES:
            yield page, HASH.sub("#", browser.get(page).text)


@pytest.mark.parametrize("history", [one_is_unhappy, one_is_silent, one_declines])
def test_who_gave_which_answer_is_on_no_page(
    history: History, tmp_path: Path, sqlite_template: Path, now: datetime, travel: Travel
) -> None:
    looks = []
    for first, second in (("city-primary", "clinic-primary"), ("clinic-primary", "city-primary")):
        path = tmp_path / f"{first}.db"
        path.write_bytes(sqlite_template.read_bytes())
        database = Database(f"sqlite:///{path}")
        partners = [organisation(one) for one in ("clinic", "city", "charity")]
        registered(database, now, stage="maintaining", partners=partners, coordinator="charity-primary")
        respondents = ["clinic-primary", "city-primary", "charity-primary"]
        reviewed(database, "harbour", now, anonymous=True, respondents=respondents)
        reviews.sweep_reviews(database, now)
        reviews.respond(database, "harbour", 1, "charity-primary", answer(1), now)
        history(database, now, first, second)
        travel(now + timedelta(days=13 if history is one_is_silent else 41))
        looks.append(dict(seen(database)))
        database.close()
    assert {page for page in looks[0] if looks[0][page] != looks[1][page]} == set()
