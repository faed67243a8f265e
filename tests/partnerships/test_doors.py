"""A link opens one thing for one person until it is over; any other token opens nothing, and changes nothing."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import delete

from lifecycle import links
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import NotAllowed, NotFound, Usage
from lifecycle.notices import words
from lifecycle.partnerships import doors, registration
from lifecycle.partnerships.doors import Door, Purpose
from lifecycle.partnerships.models import contact
from tests.builders import contents, organisation, registered

SOON = timedelta(days=1)
KEYED = Settings(_env_file=None, secret_key=SecretStr("k" * 48))
FOREIGN = Settings(_env_file=None, secret_key=SecretStr("x" * 48))


@pytest.fixture
def harbour(database: Database, now: datetime) -> Database:
    """A registered partnership."""
    registered(database, now)
    return database


def token(
    now: datetime,
    purpose: Purpose = "review",
    settings: Settings = KEYED,
    who: str = "city-primary",
    **more: Any,
) -> str:
    """What stands behind the last slash of a link."""
    address = doors.address(settings, purpose, "harbour", who, now, {"round": 1}, **more)
    return address.rpartition("/")[2]


def entered(database: Database, given: str, now: datetime, purpose: Purpose = "review") -> Door:
    with database.read() as connection:
        return doors.enter(connection, KEYED, purpose, given, now)


def test_a_link_says_what_it_opens_and_for_whom(harbour: Database, now: datetime) -> None:
    door = entered(harbour, token(now), now + SOON)
    assert door == Door("review", "harbour", "city-primary", {"round": 1}, now + timedelta(days=90))


def test_its_address_names_its_purpose_and_carries_no_name_in_clear(now: datetime) -> None:
    address = doors.address(KEYED, "sign", "harbour", "city-primary", now)
    assert address.startswith(f"{KEYED.public_url.rstrip('/')}/sign/")
    assert "city-primary" not in address


@pytest.mark.parametrize("purpose", doors.PURPOSES)
def test_a_link_of_one_purpose_is_none_for_another(
    harbour: Database, now: datetime, purpose: Purpose
) -> None:
    given = token(now, purpose)
    assert entered(harbour, given, now, purpose).purpose == purpose
    for other in doors.PURPOSES:
        if other != purpose:
            with pytest.raises(NotAllowed, match="made for something else"):
                entered(harbour, given, now, other)


def test_a_link_that_was_changed_or_signed_elsewhere_is_refused(harbour: Database, now: datetime) -> None:
    given = token(now)
    body, _, signature = given.rpartition(".")
    another = token(now, who="clinic-primary").rpartition(".")[0]
    before = contents(harbour)
    for bad in (
        *(given[:-2], given[1:], "", "…", ".", "a.b", given.replace(".", ".."), f"{given}x", body),
        *(f"{another}.{signature}", token(now, settings=FOREIGN)),
    ):
        with pytest.raises(NotAllowed, match="not whole"):
            entered(harbour, bad, now)
    assert contents(harbour) == before


def test_no_single_character_of_it_can_be_changed(harbour: Database, now: datetime) -> None:
    given = token(now)
    for place, char in enumerate(given[:-1]):
        changed = given[:place] + ("A" if char != "A" else "B") + given[place + 1 :]
        with pytest.raises(NotAllowed):
            entered(harbour, changed, now)


def test_it_is_good_until_ninety_days_after_what_it_is_about_is_due(harbour: Database, now: datetime) -> None:
    given = token(now, due_at=now + timedelta(days=30))
    last = now + timedelta(days=120)
    assert entered(harbour, given, last - timedelta(seconds=1)).expires_at == last
    with pytest.raises(NotAllowed, match="was good until"):
        entered(harbour, given, last)


def test_what_was_due_long_ago_still_opens_for_a_while(harbour: Database, now: datetime) -> None:
    given = token(now, due_at=now - timedelta(days=300))
    assert entered(harbour, given, now + timedelta(days=89)).contact_id == "city-primary"


def test_somebody_who_is_not_registered_any_more_opens_nothing(harbour: Database, now: datetime) -> None:
    given = token(now, who="city-sponsor")
    assert entered(harbour, given, now).contact_id == "city-sponsor"
    with harbour.write() as connection:
        connection.execute(delete(contact).where(contact.c.id == "city-sponsor"))
    with pytest.raises(NotAllowed, match="good for nothing"):
        entered(harbour, given, now)


@pytest.mark.parametrize("by", ["city-primary", "city-deputy", "city-sponsor"])
def test_revoked_links_open_nothing_and_later_ones_do(harbour: Database, now: datetime, by: str) -> None:
    given, theirs = token(now), token(now, who="clinic-primary")
    doors.revoke(harbour, "harbour", "city-primary", by, now)
    with pytest.raises(NotAllowed, match="good for nothing"):
        entered(harbour, given, now + SOON)
    assert entered(harbour, theirs, now + SOON).contact_id == "clinic-primary"
    later = token(now + timedelta(seconds=1))
    assert entered(harbour, later, now + SOON).contact_id == "city-primary"


def test_links_that_went_to_an_old_address_open_nothing(harbour: Database, now: datetime) -> None:
    def of(who: str, at: datetime) -> Door:
        return entered(harbour, token(at, who=who), now + SOON)

    entry = organisation("city")
    registration.put_partner(harbour, "harbour", entry, "city-sponsor", now + SOON / 2)
    assert of("city-primary", now).contact_id == "city-primary"
    entry["contacts"][0]["email"] = "somebody-else@city.example"
    registration.put_partner(harbour, "harbour", entry, "city-sponsor", now + SOON / 2)
    with pytest.raises(NotAllowed, match="good for nothing"):
        of("city-primary", now)
    assert of("city-primary", now + SOON / 2).contact_id == "city-primary"
    assert of("city-deputy", now).contact_id == "city-deputy"


def test_links_are_revoked_by_oneself_or_ones_own_organisation(harbour: Database, now: datetime) -> None:
    before = contents(harbour)
    for refusal, whose, by in (
        (NotAllowed, "city-primary", "clinic-primary"),
        (NotFound, "city-primary", "eve"),
        (NotFound, "eve", "city-primary"),
    ):
        with pytest.raises(refusal):
            doors.revoke(harbour, "harbour", whose, by, now)
        assert contents(harbour) == before


def test_reading_a_link_changes_nothing(harbour: Database, now: datetime) -> None:
    before = contents(harbour)
    given = token(now)
    for _ in range(3):
        entered(harbour, given, now)
    assert contents(harbour) == before


def test_without_a_secret_no_link_is_signed_or_read(harbour: Database, now: datetime) -> None:
    given = token(now)
    for settings in (
        Settings(_env_file=None),
        Settings(_env_file=None, secret_key=SecretStr("s" * (links.MIN_SECRET - 1))),
    ):
        assert (
            doors.of_notice(settings, "review_opened", {"round": 1}, "harbour", "city-primary", now, None)
            == {}
        )
        with pytest.raises(Usage, match="LIFECYCLE_SECRET_KEY"):
            doors.address(settings, "review", "harbour", "city-primary", now)
        with harbour.read() as connection, pytest.raises(Usage, match="LIFECYCLE_SECRET_KEY"):
            doors.enter(connection, settings, "review", given, now)


def test_an_emails_button_opens_what_the_email_is_about(harbour: Database, now: datetime) -> None:
    given = doors.of_notice(KEYED, "review_opened", {"round": 3}, "harbour", "city-primary", now, now + SOON)
    assert set(given) == {"act", "hand_over", "preferences", "complain"}
    door = entered(harbour, given["act"].rpartition("/")[2], now)
    assert (door.subject, door.expires_at) == ({"round": 3}, now + SOON + doors.GOOD_AFTER)


def test_every_email_that_opens_something_is_one_that_is_sent() -> None:
    assert set(doors.OPENED_BY) <= set(words.TEMPLATES)
    assert {purpose for purpose, _ in doors.OPENED_BY.values()} <= set(doors.PURPOSES)


def test_an_email_about_nothing_of_its_own_opens_the_partnerships_page(now: datetime) -> None:
    given = doors.of_notice(KEYED, "stage_changed", {}, "harbour", "city-primary", now, None)
    assert given["act"] == doors.page(KEYED, "harbour")
