"""A review behind a link is handed on or declined; whoever is not asked, and whatever is no good link, changes nothing."""

from datetime import datetime

import pytest
from fastapi.testclient import TestClient
from lxml import html
from sqlalchemy import update

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.partnerships import doors
from lifecycle.partnerships.models import contact
from lifecycle.reviews import queries
from tests.builders import contents
from tests.portal.conftest import link
from tests.portal.reviewing import ALL, DAY, EVIL, Travel, answered, at, form, opened, said


def test_a_round_is_handed_to_a_colleague_who_is_not_asked(
    both_sites: TestClient, database: Database, settings: Settings, now: datetime
) -> None:
    opened(database, now)
    mine = link(settings, "review", "harbour", "city-primary", now, {"round": 1})
    page = both_sites.get(f"{mine}/pass-on")
    names = html.fromstring(page.text).xpath("//input[@type='radio']/@value")
    assert names == ["city-deputy", "city-sponsor"]
    page = both_sites.post(f"{mine}/pass-on", data={"/to": "city-deputy"})
    words = said(page)
    assert "An email with a link of its own is on its way." in words
    assert "Now it is answered by: City Deputy." in words
    with database.read() as connection:
        assert queries.find_round(connection, "harbour", 1).asked == ("city-deputy", "clinic-primary")
    before = contents(database)
    assert "City Deputy" in said(both_sites.post(mine, data=ALL))
    assert both_sites.post(f"{mine}/draft", data=ALL | {"answered": "0"}).status_code == 409
    assert contents(database) == before
    theirs = link(settings, "review", "harbour", "city-deputy", now, {"round": 1})
    both_sites.post(theirs, data=ALL)
    assert answered(database, "city-deputy") is not None


def test_only_colleagues_whom_email_reaches_are_offered(
    site: TestClient, store: Database, now: datetime, mine: str
) -> None:
    with store.write() as connection:
        gone = update(contact).where(contact.c.id == "city-sponsor")
        connection.execute(gone.values(undeliverable_since=now))
        away = update(contact).where(contact.c.id == "city-deputy")
        connection.execute(away.values(absent_until=(now + 3 * DAY).date()))
    page = site.get(f"{mine}/pass-on")
    assert html.fromstring(page.text).xpath("//input[@type='radio']/@value") == ["city-deputy"]
    assert "away until Thursday 5 March 2026" in said(page)


@pytest.mark.parametrize("to", ["", "clinic-deputy", "city-primary", "eve", EVIL])
def test_it_is_handed_to_nobody_else(site: TestClient, store: Database, mine: str, to: str) -> None:
    before = contents(store)
    page = site.post(f"{mine}/pass-on", data={"/to": to})
    assert page.status_code == 422
    assert "Choose the colleague who is to answer." in at(page, "/to")
    assert contents(store) == before


def test_without_a_colleague_the_page_says_what_to_do(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    opened(store, now, respondents=["clinic-primary", "city-primary", "city-deputy", "city-sponsor"])
    mine = link(settings, "review", "harbour", "city-primary", now, {"round": 1})
    assert "Nobody else of your organisation is registered" in said(site.get(f"{mine}/pass-on"))


def test_a_round_is_declined_with_a_reason_and_can_be_answered_all_the_same(
    site: TestClient, store: Database, mine: str
) -> None:
    page = site.post(f"{mine}/decline", data={"/reason": "I have just begun."})
    assert "You declined to answer review round 1" in said(page)
    with store.read() as connection:
        assert queries.find_round(connection, "harbour", 1).declined == ("city-primary",)
    assert "An answer is welcome all the same." in said(site.get(f"{mine}?again=1"))
    site.post(mine, data=ALL)
    assert answered(store) is not None


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001, "No\x00"])
def test_a_reason_is_needed_and_what_was_typed_stays(
    site: TestClient, store: Database, mine: str, reason: str
) -> None:
    before = contents(store)
    page = site.post(f"{mine}/decline", data={"/reason": reason})
    assert page.status_code == 422
    assert at(page, "/reason")
    assert contents(store) == before
    if reason.strip() and "\x00" not in reason:
        assert form(page)["/reason"] == reason


def test_whoever_has_answered_neither_hands_it_on_nor_declines(
    site: TestClient, store: Database, mine: str
) -> None:
    site.post(mine, data=ALL)
    assert "/pass-on" not in site.get(f"{mine}?again=1").text
    before = contents(store)
    for path, sent in (("/pass-on", {"/to": "city-deputy"}), ("/decline", {"/reason": "No."})):
        assert "Thank you" in said(site.get(mine + path))
        assert "Thank you" in said(site.post(mine + path, data=sent))
    assert contents(store) == before


def test_somebody_who_is_not_asked_sees_who_is_and_what_can_be_done(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    opened(store, now)
    deputys = link(settings, "review", "harbour", "city-deputy", now, {"round": 1})
    words = said(site.get(deputys))
    assert "You are not asked in review round 1" in words
    assert "City Primary, The City" in words
    assert "they can hand the round to you" in words
    assert "write to the coordinator: Clinic Primary" in words
    before = contents(store)
    for path, sent in (("", ALL), ("/pass-on", {"/to": "city-sponsor"}), ("/decline", {"/reason": "No."})):
        assert "You are not asked" in said(site.post(deputys + path, data=sent))
    assert site.post(f"{deputys}/draft", data=ALL | {"answered": "0"}).status_code == 409
    assert contents(store) == before


def test_a_link_that_is_not_good_opens_nothing_and_changes_nothing(
    site: TestClient, store: Database, settings: Settings, now: datetime, mine: str, travel: Travel
) -> None:
    foreign = Settings(_env_file=None, secret_key="x" * 48)
    expired = link(settings, "review", "harbour", "city-primary", now - 91 * DAY, {"round": 1})
    sign = link(settings, "sign", "harbour", "city-primary", now, {"round": 1})
    bad = [
        mine[:-3],
        mine[:-3] + "AAA",
        sign.replace("/sign/", "/review/"),
        link(foreign, "review", "harbour", "city-primary", now, {"round": 1}),
        link(settings, "review", "harbour", "eve", now, {"round": 1}),
        expired,
        "/review/x",
    ]
    before = contents(store)
    for one in bad:
        for path in ("", "/pass-on", "/decline"):
            assert site.get(one + path).status_code == 409
            assert (
                site.post(one + path, data=ALL | {"/to": "city-deputy", "/reason": "No."}).status_code == 409
            )
        assert site.post(f"{one}/draft", data=ALL).status_code == 409
    assert contents(store) == before
    doors.revoke(store, "harbour", "city-primary", "city-primary", now)
    revoked = contents(store)
    travel(now + DAY)
    assert site.get(mine).status_code == site.post(mine, data=ALL).status_code == 409
    assert contents(store) == revoked


def test_what_another_site_makes_a_browser_send_is_refused(
    site: TestClient, store: Database, mine: str
) -> None:
    before = contents(store)
    for path in ("", "/draft", "/pass-on", "/decline"):
        sent = ALL | {"/to": "city-deputy", "/reason": "No."}
        assert site.post(mine + path, data=sent, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert contents(store) == before
