"""By link somebody says that they are away and who reads their emails, comes back, and makes lost links good for nothing."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.partnerships import absences
from lifecycle.partnerships.models import contact
from lifecycle.partnerships.people import Contact, people_of
from tests.builders import contents, organisation, person, registered
from tests.portal.conftest import link
from tests.portal.links import main_of, require_dead

AWAY = {"/until": "2026-03-20", "/deputy": "city-deputy"}


def to(settings: Settings, now: datetime, contact_id: str = "city-primary") -> str:
    return link(settings, "hand-over", "harbour", contact_id, now)


def holder(database: Database, contact_id: str = "city-primary") -> Contact:
    with database.read() as connection:
        return people_of(connection, "harbour")["harbour"].get(contact_id)


def unreachable(database: Database, *contacts: str) -> None:
    with database.write() as connection:
        which = update(contact).where(contact.c.id.in_(contacts))
        connection.execute(which.values(undeliverable_since=datetime(2026, 3, 1, tzinfo=UTC)))


def test_it_offers_colleagues_and_nobody_else(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    registered(store, now)
    unreachable(store, "city-sponsor")
    page = main_of(site.get(to(settings, now)))
    assert "Emails for you go to you." in page
    assert '<option value="city-deputy">City Deputy, deputy contact</option>' in page
    assert "city-sponsor" not in page, "their own address fails"
    assert "clinic-deputy" not in page
    assert 'value="city-primary"' not in page


def test_a_colleague_stands_in_until_the_day_that_was_said(
    both_sites: TestClient,
    database: Database,
    settings: Settings,
    now: datetime,
    travel: Callable[[datetime], None],
) -> None:
    registered(database, now)
    page = both_sites.post(to(settings, now), data=AWAY)
    assert page.status_code == 200
    assert (holder(database).deputy_id, holder(database).absent_until) == ("city-deputy", date(2026, 3, 20))
    shown = main_of(page)
    assert "It is arranged." in shown
    assert "You are away up to and including Friday 20 March 2026. City Deputy stands in for you." in shown
    travel(datetime(2026, 3, 21, 9, tzinfo=UTC))
    later = main_of(both_sites.get(to(settings, now)))
    assert "Emails for you go to you." in later
    assert "I am back" not in later


def test_coming_back_early_ends_it_and_a_second_time_is_refused_in_words(
    both_sites: TestClient, database: Database, settings: Settings, now: datetime
) -> None:
    registered(database, now)
    both_sites.post(to(settings, now), data=AWAY)
    page = both_sites.post(f"{to(settings, now)}/end")
    assert "Welcome back." in page.text
    assert holder(database).absent_until is None
    before = contents(database)
    again = both_sites.post(f"{to(settings, now)}/end")
    assert again.status_code == 409
    assert "City Primary is not away." in again.text
    assert contents(database) == before


@pytest.mark.parametrize(
    ("sent", "fields"),
    [
        ({"/until": "2026-03-01"}, ["until"]),
        ({"/until": ""}, ["until"]),
        ({"/until": "tomorrow"}, ["until"]),
        ({"/until": "2026-02-30"}, ["until"]),
        ({"/deputy": ""}, ["deputy"]),
        ({"/deputy": "city-primary"}, ["deputy"]),
        ({"/until": "", "/deputy": ""}, ["until", "deputy"]),
    ],
)
def test_a_wrong_day_or_deputy_is_refused_at_its_field(
    site: TestClient,
    store: Database,
    settings: Settings,
    now: datetime,
    sent: dict[str, str],
    fields: list[str],
) -> None:
    registered(store, now)
    before = contents(store)
    page = site.post(to(settings, now), data=AWAY | sent)
    assert page.status_code == 422
    assert "<title>Error: " in page.text
    for field in fields:
        assert f'href="#f-{field}"' in page.text
        assert f'id="f-{field}-fault"' in page.text
    assert f'value="{(AWAY | sent)["/until"]}"' in page.text
    assert contents(store) == before


@pytest.mark.parametrize(("deputy", "status"), [("clinic-deputy", 409), ("nobody", 404)])
def test_nobody_of_elsewhere_stands_in(
    site: TestClient, store: Database, settings: Settings, now: datetime, deputy: str, status: int
) -> None:
    registered(store, now)
    before = contents(store)
    page = site.post(to(settings, now), data=AWAY | {"/deputy": deputy})
    assert page.status_code == status
    assert contents(store) == before


def test_a_circle_is_refused_in_the_words_of_the_service(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    registered(store, now)
    until = date(2026, 3, 20)
    absences.set_absence(store, "harbour", "city-deputy", "city-primary", until, "city-deputy", now)
    before = contents(store)
    page = site.post(to(settings, now), data=AWAY)
    assert page.status_code == 409
    assert "Nobody would be left to read the emails" in page.text
    assert "end the absence of City Deputy first" in page.text
    assert 'value="2026-03-20"' in page.text, "what was typed stays"
    assert contents(store) == before


def test_whose_address_fails_sees_who_reads_instead(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    registered(store, now)
    unreachable(store, "city-primary")
    page = main_of(site.get(to(settings, now)))
    assert "Emails cannot be delivered to your address, so City Deputy reads them." in page


def test_when_the_deputy_cannot_be_reached_either_it_says_who_reads(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    registered(store, now)
    site.post(to(settings, now), data=AWAY)
    unreachable(store, "city-deputy")
    page = main_of(site.get(to(settings, now)))
    assert "They cannot be reached at present, so City Sponsor reads your emails." in page


def test_alone_in_an_organisation_one_is_told_what_to_do(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    small = {"id": "charity", "name": "Charity", "contacts": [person("ana", "primary", "charity")]}
    registered(store, now, partners=[organisation("clinic"), small])
    page = main_of(site.get(to(settings, now, "ana")))
    assert "Nobody else of Charity is registered" in page
    assert "<select" not in page


def test_an_observer_hands_over_like_anybody(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    entry = organisation("city")
    entry["contacts"].append(person("city-observer", "observer", "city"))
    registered(store, now, partners=[organisation("clinic"), entry])
    assert site.post(to(settings, now, "city-observer"), data=AWAY).status_code == 200
    assert holder(store, "city-observer").deputy_id == "city-deputy"


def test_links_that_went_astray_are_made_good_for_nothing_this_one_too(
    both_sites: TestClient, database: Database, settings: Settings, now: datetime
) -> None:
    registered(database, now)
    mine, others = to(settings, now), to(settings, now, "city-deputy")
    asked = both_sites.get(f"{mine}/revoke")
    assert "Make all your links good for nothing?" in asked.text
    assert holder(database).links_since is None, "reading it revokes nothing"
    done = both_sites.post(f"{mine}/revoke")
    assert done.status_code == 200
    assert "New emails bring new links." in done.text
    assert "It is good until" not in done.text
    before = contents(database)
    for path in (mine, f"{mine}/revoke", link(settings, "preferences", "harbour", "city-primary", now)):
        assert both_sites.get(path).status_code == 409
    assert both_sites.post(mine, data=AWAY).status_code == 409
    assert both_sites.post(f"{mine}/revoke").status_code == 409
    assert contents(database) == before
    assert both_sites.get(others).status_code == 200, "another's links still open"


def test_a_link_that_came_later_opens_again(
    site: TestClient, store: Database, settings: Settings, now: datetime, travel: Callable[[datetime], None]
) -> None:
    registered(store, now)
    site.post(f"{to(settings, now)}/revoke")
    later = now + timedelta(minutes=1)
    travel(later)
    assert site.get(to(settings, later)).status_code == 200


def test_reading_changes_nothing(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    registered(store, now)
    before = contents(store)
    for rest, status in (("", 200), ("/revoke", 200), ("/end", 405)):
        assert site.get(to(settings, now) + rest).status_code in {status, 404}
    assert contents(store) == before


def test_a_link_that_is_none_opens_nothing(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    registered(store, now)
    posts: dict[str, dict[str, str]] = {"": AWAY, "/end": {}, "/revoke": {}}
    require_dead(site, store, settings, "hand-over", "city-primary", now, posts)


def test_names_are_text_on_the_page(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    hostile = "<script>alert(1)</script>"
    entry = organisation("city") | {"name": hostile}
    for one in entry["contacts"]:
        one["name"] = hostile
    registered(store, now, title=hostile, partners=[organisation("clinic"), entry])
    site.post(to(settings, now), data=AWAY)
    for rest in ("", "/revoke"):
        page = site.get(to(settings, now) + rest).text
        assert "<script>" not in page
        assert "&lt;script&gt;" in page
