"""By link a contact chooses language, time zone and digest; mail providers unsubscribe them in one step (RFC 8058)."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.documents.formats import is_time_zone
from lifecycle.languages import LANGUAGES
from lifecycle.partnerships.people import Contact, people_of
from lifecycle.portal.preferring import zones_in
from tests.builders import contents, registered
from tests.portal.conftest import link
from tests.portal.links import main_of, require_dead

CHOSEN = {"/language": "es", "/time_zone": "America/New_York", "/digest": "monthly"}
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


def to(settings: Settings, now: datetime, contact_id: str = "city-primary") -> str:
    return link(settings, "preferences", "harbour", contact_id, now)


def holder(database: Database, contact_id: str = "city-primary") -> Contact:
    with database.read() as connection:
        return people_of(connection, "harbour")["harbour"].get(contact_id)


def test_it_shows_what_is_chosen_now_and_what_time_that_makes_it(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    registered(store, now)
    page = main_of(site.get(to(settings, now)))
    assert 'name="/language" value="en" checked' in page
    assert '<option value="Europe/London" selected>London</option>' in page
    assert re.search(r'name="/digest" value="weekly" checked', page)
    assert "it is now Monday 2 March 2026, 09:00 (Europe/London)" in page
    assert '<span lang="es">Español</span>' in page
    assert "What cannot be switched off" in page


def test_what_is_chosen_is_kept_and_the_page_is_in_that_language_at_once(
    both_sites: TestClient, database: Database, settings: Settings, now: datetime
) -> None:
    registered(database, now)
    page = both_sites.post(to(settings, now), data=CHOSEN)
    assert page.status_code == 200
    assert (page.headers["content-language"], '<html lang="es">' in page.text) == ("es", True)
    assert '<option value="America/New_York" selected>Nueva York</option>' in page.text
    assert "lunes, 2 de marzo de 2026, 04:00 (America/New_York)" in page.text
    found = holder(database)
    assert (found.language, found.time_zone, found.digest) == ("es", "America/New_York", "monthly")
    assert holder(database, "city-deputy").language == "en"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("language", "xx"),
        ("language", ""),
        ("time_zone", "Mars/Base"),
        ("time_zone", "../etc/passwd"),
        ("time_zone", ""),
        ("digest", "hourly"),
        ("digest", ""),
    ],
)
def test_what_there_is_not_is_refused_at_its_field(
    site: TestClient, store: Database, settings: Settings, now: datetime, field: str, value: str
) -> None:
    registered(store, now)
    before = contents(store)
    page = site.post(to(settings, now), data=CHOSEN | {f"/{field}": value})
    assert page.status_code == 422
    assert "<title>Error: " in page.text
    for shown in (f'href="#f-{field}"', f'id="f-{field}"', f'id="f-{field}-fault"'):
        assert shown in page.text
    assert contents(store) == before


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_time_zone_that_is_offered_exists_and_is_offered_once(code: str) -> None:
    offered = [zone for cities in zones_in(code).values() for zone, _ in cities]
    assert len(offered) == len(set(offered)) > 400
    assert all(is_time_zone(zone) for zone in offered)
    assert {"Europe/London", "America/Sao_Paulo", "Pacific/Auckland", "Asia/Kolkata"} <= set(offered)


@pytest.mark.parametrize("zone", ["UTC", "Etc/GMT+5", "US/Eastern"])
def test_a_zone_of_no_place_stays_chosen(
    site: TestClient, store: Database, settings: Settings, now: datetime, zone: str
) -> None:
    registered(store, now, time_zone=zone)
    page = main_of(site.get(to(settings, now)))
    assert page.count(" selected>") == 1
    assert f'<option value="{zone}" selected>' in page


def test_whose_the_digest_is_is_said(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    registered(store, now)
    assert "In this one that is Clinic Primary, so you get none" in site.get(to(settings, now)).text
    own = site.get(to(settings, now, "clinic-primary")).text
    assert "one email on all the partnerships that you look after" in own


def test_the_page_is_small(site: TestClient, store: Database, settings: Settings, now: datetime) -> None:
    registered(store, now)
    assert len(site.get(to(settings, now)).content) < 100_000


@pytest.mark.parametrize("multipart", [False, True])
def test_a_mail_providers_server_unsubscribes_in_one_step(
    both_sites: TestClient, database: Database, settings: Settings, now: datetime, multipart: bool
) -> None:
    registered(database, now)
    path = f"{to(settings, now, 'clinic-primary')}/unsubscribe"
    # RFC 8058, section 3.1: either encoding; no cookies, no headers of a browser.
    how = {"files": {name: (None, value) for name, value in ONE_CLICK.items()}} if multipart else {}
    for _ in range(2):
        answer = both_sites.post(path, follow_redirects=False, **({"data": ONE_CLICK} | how))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/plain")
    found = holder(database, "clinic-primary")
    assert (found.digest, found.language, found.time_zone) == ("never", "en", "Europe/London")


def test_one_click_is_not_taken_from_another_sites_page(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    registered(store, now)
    path = f"{to(settings, now)}/unsubscribe"
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert site.post(path, data=ONE_CLICK, headers=headers).status_code == 403
    assert holder(store).digest == "weekly"


def test_opening_the_address_asks_first_and_the_button_unsubscribes(
    both_sites: TestClient, database: Database, settings: Settings, now: datetime
) -> None:
    registered(database, now)
    path = f"{to(settings, now)}/unsubscribe"
    before = contents(database)
    page = both_sites.get(path)
    assert page.status_code == 200
    assert "Do you want no digest any more?" in page.text
    assert contents(database) == before
    done = both_sites.post(path, data={"confirmed": "yes"})
    assert done.status_code == 200
    assert "You get no digest any more." in done.text
    assert holder(database).digest == "never"
    assert "You get no digest" in main_of(both_sites.get(path))


@pytest.mark.parametrize("sent", [{}, {"List-Unsubscribe": "Maybe"}, {"confirmed": "no"}])
def test_anything_else_unsubscribes_nobody(
    site: TestClient, store: Database, settings: Settings, now: datetime, sent: dict[str, str]
) -> None:
    registered(store, now)
    before = contents(store)
    assert site.post(f"{to(settings, now)}/unsubscribe", data=sent).status_code == 422
    assert contents(store) == before


def test_the_sample_is_in_summer_time_when_it_is(
    site: TestClient,
    store: Database,
    settings: Settings,
    now: datetime,
    travel: Callable[[datetime], None],
) -> None:
    registered(store, now)
    summer = datetime(2026, 5, 1, 12, tzinfo=UTC)
    travel(summer)
    local = summer.astimezone(ZoneInfo("Europe/London"))
    assert f"Friday 1 May 2026, {local:%H:%M} (Europe/London)" in site.get(to(settings, summer)).text


def test_reading_changes_nothing(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    registered(store, now)
    before = contents(store)
    for rest in ("", "/unsubscribe", "?said=saved"):
        assert site.get(to(settings, now) + rest).status_code == 200
    assert contents(store) == before


def test_a_link_that_is_none_opens_nothing(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    registered(store, now)
    require_dead(
        site, store, settings, "preferences", "city-primary", now, {"": CHOSEN, "/unsubscribe": ONE_CLICK}
    )


def test_names_are_text_on_the_page(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    registered(store, now, title="<script>alert(1)</script>")
    sent = CHOSEN | {"/time_zone": "<script>alert(2)</script>"}
    for page in (site.get(to(settings, now)), site.post(to(settings, now), data=sent)):
        assert "<script>" not in page.text
        assert "&lt;script&gt;" in page.text
