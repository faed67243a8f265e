"""Signing in: links that are good once, sessions that end, and who may be whom."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update

from lifecycle.access import accounts, sessions
from lifecycle.access.models import session, sign_in_link
from lifecycle.access.roles import Unauthorised
from lifecycle.db import Database
from lifecycle.errors import Conflict, Invalid, LifecycleError, NotAllowed, NotFound
from lifecycle.partnerships.models import contact
from tests.builders import contents, count, registered

EMAIL = "clinic-primary@clinic.example"


def link_for(database: Database, now: datetime, email: str = EMAIL) -> str:
    secret = sessions.make_link(database, email, now)
    assert secret is not None
    return secret


def whose(database: Database, secret: str, now: datetime) -> sessions.Session:
    with database.read() as connection:
        return sessions.find(connection, secret, now)


def test_a_link_signs_in_the_person_whose_address_it_is(database: Database, now: datetime) -> None:
    registered(database, now)
    begun = sessions.use_link(database, link_for(database, now, f" {EMAIL.upper()} "), now)
    assert whose(database, begun, now) == sessions.Session(EMAIL, "en", now + sessions.SESSION_GOOD_FOR)


def test_a_link_is_good_once_also_for_two_at_once(database: Database, now: datetime) -> None:
    registered(database, now)
    secret = link_for(database, now)

    def use(_: int) -> str | None:
        try:
            return sessions.use_link(database, secret, now)
        except NotAllowed:
            return None

    with ThreadPoolExecutor(4) as pool:
        begun = [one for one in pool.map(use, range(4)) if one is not None]
    assert len(begun) == count(database, session) == 1


def test_looking_at_a_link_uses_nothing_up(database: Database, now: datetime) -> None:
    registered(database, now)
    secret = link_for(database, now)
    before = contents(database)
    with database.read() as connection:
        assert sessions.look_at_link(connection, secret, now) == EMAIL
    assert contents(database) == before


def test_a_link_is_good_for_twenty_minutes(database: Database, now: datetime) -> None:
    registered(database, now)
    secret = link_for(database, now)
    with pytest.raises(NotAllowed, match="time is over"):
        sessions.use_link(database, secret, now + timedelta(minutes=20))
    assert sessions.use_link(database, secret, now + timedelta(minutes=19, seconds=59))


def test_nobody_gets_a_link_who_is_not_registered(database: Database, now: datetime) -> None:
    registered(database, now)
    before = contents(database)
    assert sessions.make_link(database, "stranger@elsewhere.example", now) is None
    assert contents(database) == before
    with database.write() as connection, pytest.raises(NotAllowed, match="Nobody is registered"):
        sessions.begin(connection, "stranger@elsewhere.example", now)


def test_letters_that_only_look_alike_are_another_address(database: Database, now: datetime) -> None:
    registered(database, now)
    with database.write() as connection:
        mine = contact.c.email == EMAIL
        connection.execute(update(contact).where(mine).values(email="kim@clinic.example"))
    assert sessions.make_link(database, "\N{KELVIN SIGN}im@clinic.example", now) is None
    assert sessions.make_link(database, "KIM@clinic.example", now) is not None


def test_only_hashes_are_kept(database: Database, now: datetime) -> None:
    registered(database, now)
    secret = link_for(database, now)
    begun = sessions.use_link(database, secret, now)
    kept = repr(contents(database))
    assert secret not in kept
    assert begun not in kept


def test_whose_address_was_changed_meanwhile_cannot_use_the_link(database: Database, now: datetime) -> None:
    registered(database, now)
    secret = link_for(database, now)
    with database.write() as connection:
        mine = contact.c.email == EMAIL
        connection.execute(update(contact).where(mine).values(email="new@clinic.example"))
    before = contents(database)
    with pytest.raises(NotAllowed, match="Nobody is registered"):
        sessions.use_link(database, secret, now)
    assert contents(database) == before


def test_a_session_ends_by_itself_or_at_once_or_everywhere(database: Database, now: datetime) -> None:
    registered(database, now)
    first, second, third = (sessions.use_link(database, link_for(database, now), now) for _ in range(3))
    other = sessions.use_link(database, link_for(database, now, "city-primary@city.example"), now)
    with pytest.raises(Unauthorised):
        whose(database, first, now + sessions.SESSION_GOOD_FOR)
    sessions.end(database, first)
    with pytest.raises(Unauthorised):
        whose(database, first, now)
    assert whose(database, second, now).email == EMAIL
    sessions.end(database, second, everywhere=True)
    with pytest.raises(Unauthorised):
        whose(database, third, now)
    assert whose(database, other, now).email == "city-primary@city.example"


def test_ending_what_is_no_session_ends_nobodys(database: Database, now: datetime) -> None:
    registered(database, now)
    begun = sessions.use_link(database, link_for(database, now), now)
    sessions.end(database, "no-session", everywhere=True)
    assert whose(database, begun, now).email == EMAIL


def test_a_session_is_in_the_language_of_its_person_else_in_that_of_the_browser(
    database: Database, now: datetime
) -> None:
    registered(database, now)
    accounts.add(database, "owner@clinic.example", "main", now)
    with database.write() as connection:
        connection.execute(update(contact).where(contact.c.email == EMAIL).values(language="es"))
    mine = sessions.use_link(database, link_for(database, now), now, "en")
    owner = sessions.use_link(database, link_for(database, now, "owner@clinic.example"), now, "es")
    assert [whose(database, one, now).language for one in (mine, owner)] == ["es", "es"]
    sessions.choose_language(database, mine, "en")
    assert [whose(database, one, now).language for one in (mine, owner)] == ["en", "es"]


def test_old_links_and_sessions_are_cleared_away(database: Database, now: datetime) -> None:
    registered(database, now)
    sessions.use_link(database, link_for(database, now), now)
    later = now + timedelta(days=1)
    sessions.use_link(database, link_for(database, later), later)
    assert (count(database, sign_in_link), count(database, session)) == (1, 1)


def test_what_an_address_opens(database: Database, now: datetime) -> None:
    registered(database, now)
    registered(database, now, "pier")
    accounts.add(database, EMAIL, "main", now)
    with database.read() as connection:
        mine = sessions.reach(connection, EMAIL)
        nobody = sessions.reach(connection, "stranger@elsewhere.example")
    assert mine.contacts == {"harbour": "clinic-primary", "pier": "clinic-primary"}
    assert mine.portfolios == {"main"}
    assert (nobody.contacts, nobody.portfolios) == ({}, frozenset())


@pytest.mark.parametrize(
    ("email", "portfolio", "error"),
    [
        ("no address", "main", Invalid),
        ("owner@clinic.example", "Main!", Invalid),
        ("owner@clinic.example", "elsewhere", NotFound),
        ("OWNER@clinic.example", "main", Conflict),
    ],
)
def test_an_account_that_cannot_be_is_refused(
    database: Database, now: datetime, email: str, portfolio: str, error: type[LifecycleError]
) -> None:
    accounts.add(database, "owner@clinic.example", "main", now)
    before = contents(database)
    with pytest.raises(error):
        accounts.add(database, email, portfolio, now)
    assert contents(database) == before


def test_an_account_is_taken_away_at_once(database: Database, now: datetime) -> None:
    accounts.add(database, "owner@clinic.example", "main", now)
    accounts.add(database, "other@clinic.example", "main", now)
    gone = accounts.remove(database, "Owner@clinic.example")
    assert [(one.email, one.portfolio) for one in gone] == [("owner@clinic.example", "main")]
    with database.read() as connection:
        assert not sessions.is_known(connection, "owner@clinic.example")
        assert [one.email for one in accounts.overview(connection)] == ["other@clinic.example"]
    with pytest.raises(NotFound):
        accounts.remove(database, "owner@clinic.example")


def test_a_used_link_says_when(database: Database, now: datetime) -> None:
    registered(database, now)
    sessions.use_link(database, link_for(database, now), now + timedelta(minutes=1))
    with database.read() as connection:
        assert connection.execute(select(sign_in_link.c.used_at)).scalar_one() == now + timedelta(minutes=1)
