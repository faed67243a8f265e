"""The pictures' pages: each picture with a table that says the same, only for those who reach the partnership."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from lifecycle.db import Database
from lifecycle.obligations import service
from tests.builders import organisation, registered
from tests.obligations.agreements import in_force, monitor
from tests.portal.conftest import sign_in

LATER = datetime(2026, 4, 2, 9, tzinfo=UTC)
PAGE = "/partnerships/harbour/pictures"
DRAWN = (f"{PAGE}/promises.svg", f"{PAGE}/balance.svg", "/pictures/stages.svg")


@pytest.fixture
def kept(store: Database, now: datetime, travel: Callable[[datetime], None]) -> None:
    """A promise of March that was kept, with a name that would be markup if it could."""
    in_force(store, now, title="Falls & <script>alert(1)</script>")
    monitor(store, LATER)
    service.report(store, "harbour", "lists/1", {"outcome": "kept"}, "clinic-primary", LATER)
    service.accept(store, "harbour", "lists/1", "city-primary", LATER)
    travel(LATER)


def test_the_page_says_in_tables_what_its_pictures_show(site: TestClient, kept: None) -> None:
    sign_in(site, "city-primary@city.example")
    shown = site.get(PAGE).text
    assert "What The Clinic owed The City, by quarter" in shown
    assert "The Clinic gives The City more than it gets: balance 1.00 of 1." in shown
    assert "No review has a result yet." in shown


@pytest.mark.parametrize("address", DRAWN)
def test_each_picture_is_one_and_runs_nothing(site: TestClient, kept: None, address: str) -> None:
    sign_in(site, "city-primary@city.example")
    answer = site.get(address)
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert "<script>" not in answer.text


def test_before_anything_was_promised_the_page_says_so(
    site: TestClient, store: Database, now: datetime
) -> None:
    registered(store, now)
    sign_in(site, "city-primary@city.example")
    assert "Nothing has fallen due yet." in site.get(PAGE).text
    assert site.get(f"{PAGE}/balance.svg").status_code == 404
    assert site.get(f"{PAGE}/review.svg").status_code == 404


def test_the_portfolio_over_time_counts_what_its_reader_reaches(
    site: TestClient, store: Database, now: datetime
) -> None:
    registered(store, now)
    registered(store, now, "other", partners=[_elsewhere()], proposed_by="port", coordinator="port-primary")
    sign_in(site, "city-primary@city.example")
    assert '<td class="figure">1</td>' in site.get("/pictures").text
    assert '<td class="figure">2</td>' not in site.get("/pictures").text


def _elsewhere() -> dict[str, object]:
    return organisation("port")


@pytest.mark.parametrize("address", [PAGE, *DRAWN[:2]])
def test_others_learn_nothing(
    site: TestClient, store: Database, kept: None, now: datetime, address: str
) -> None:
    assert site.get(address, follow_redirects=False).status_code == 303
    registered(store, LATER, "other", partners=[_elsewhere()], proposed_by="port", coordinator="port-primary")
    sign_in(site, "port-primary@port.example")
    assert site.get(address).status_code == 404
