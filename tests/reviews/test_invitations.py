"""Whoever is asked can pass a round on, or decline with a reason; a link answers without an account."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import Invalid, NotAllowed, NotFound, Usage
from lifecycle.notices.models import notice
from lifecycle.reviews import by_link, invitations, queries
from lifecycle.reviews import service as reviews
from tests.builders import answer, contents, registered, reviewed

SOON = timedelta(days=1)
KEYED = Settings(_env_file=None, secret_key=SecretStr("k" * 48))


@pytest.fixture
def opened(database: Database, now: datetime) -> Database:
    """A partnership whose first review round has just opened."""
    registered(database, now, stage="maintaining")
    reviewed(database, "harbour", now)
    reviews.sweep_reviews(database, now)
    return database


def told(database: Database, template: str, state: str = "pending") -> list[str]:
    with database.read() as connection:
        where = (notice.c.template == template, notice.c.state == state)
        return sorted(connection.execute(select(notice.c.contact_id).where(*where)).scalars())


def test_a_round_that_is_passed_on_is_asked_of_the_other_and_of_nobody_else(
    opened: Database, now: datetime
) -> None:
    one = invitations.pass_on(opened, "harbour", 1, "city-primary", "city-deputy", now + SOON)
    assert one.asked == ("city-deputy", "clinic-primary")
    assert told(opened, "review_opened") == ["city-deputy", "clinic-primary"]
    assert told(opened, "review_opened", "withdrawn") == ["city-primary"]
    with pytest.raises(NotAllowed, match="is not asked"):
        reviews.respond(opened, "harbour", 1, "city-primary", answer(1), now + SOON)
    reviews.respond(opened, "harbour", 1, "city-deputy", answer(1), now + SOON)
    reviews.respond(opened, "harbour", 1, "clinic-primary", answer(1), now + SOON)
    reviews.sweep_reviews(opened, now + timedelta(days=20))
    with opened.read() as connection:
        assert queries.find_round(connection, "harbour", 1).quorate is True


def test_it_can_be_passed_back(opened: Database, now: datetime) -> None:
    invitations.pass_on(opened, "harbour", 1, "city-primary", "city-deputy", now)
    one = invitations.pass_on(opened, "harbour", 1, "city-deputy", "city-primary", now)
    assert one.asked == ("city-primary", "clinic-primary")


def test_whoever_declines_says_why_and_is_not_reminded(opened: Database, now: datetime) -> None:
    one = invitations.decline(opened, "harbour", 1, "city-primary", "I have just begun.", now)
    assert (one.asked, one.declined) == (("city-primary", "clinic-primary"), ("city-primary",))
    with opened.read() as connection:
        assert reviews.unanswered(connection, "harbour", 1) == ["clinic-primary"]
    reviews.respond(opened, "harbour", 1, "clinic-primary", answer(1), now)
    for day in (20, 40):
        reviews.sweep_reviews(opened, now + timedelta(days=day))
    with opened.read() as connection:
        assert queries.find_round(connection, "harbour", 1).quorate is False, "the city was not heard"


def test_what_cannot_be_is_refused_and_changes_nothing(opened: Database, now: datetime) -> None:
    reviews.respond(opened, "harbour", 1, "clinic-primary", answer(1), now)
    before = contents(opened)
    for refusal, words, attempt in (
        (NotAllowed, "belongs to clinic", lambda: invitations.pass_on(opened, "harbour", 1, "city-primary", "clinic-deputy", now)),
        (NotAllowed, "is not asked", lambda: invitations.pass_on(opened, "harbour", 1, "city-deputy", "city-sponsor", now)),
        (NotAllowed, "has answered", lambda: invitations.pass_on(opened, "harbour", 1, "clinic-primary", "clinic-deputy", now)),
        (NotFound, "not a contact", lambda: invitations.pass_on(opened, "harbour", 1, "city-primary", "eve", now)),
        (NotAllowed, "is asked in round 1 already", lambda: invitations.pass_on(opened, "harbour", 1, "city-primary", "city-primary", now)),
        (Invalid, "/reason", lambda: invitations.decline(opened, "harbour", 1, "city-primary", " ", now)),
        (NotFound, "no review round 9", lambda: invitations.decline(opened, "harbour", 9, "city-primary", "No.", now)),
    ):  # fmt: skip
        with pytest.raises(refusal, match=words):
            attempt()
        assert contents(opened) == before


def test_after_it_closed_it_is_neither_passed_on_nor_declined(opened: Database, now: datetime) -> None:
    for day in (20, 40):
        reviews.sweep_reviews(opened, now + timedelta(days=day))
    with pytest.raises(NotAllowed, match="closed on"):
        invitations.decline(opened, "harbour", 1, "city-primary", "Too late.", now + timedelta(days=41))


def test_a_link_answers_for_its_own_reader_in_its_own_round(opened: Database, now: datetime) -> None:
    token = by_link.invite(opened, KEYED, "harbour", 1, "city-primary")
    by_link.respond(opened, KEYED, token, answer(1), now + SOON)
    with opened.read() as connection:
        assert list(queries.responses(connection, "harbour", 1)) == ["city-primary"]


def test_a_link_says_what_it_is_for(opened: Database, now: datetime) -> None:
    token = by_link.invite(opened, KEYED, "harbour", 1, "city-primary")
    found = by_link.read(KEYED, token, now)
    assert (found.partnership_id, found.round, found.contact_id) == ("harbour", 1, "city-primary")


def test_a_link_that_was_changed_expired_or_made_for_something_else_is_refused(
    opened: Database, now: datetime
) -> None:
    from lifecycle import links

    token = by_link.invite(opened, KEYED, "harbour", 1, "city-primary")
    other = links.issue(
        KEYED, "sign", {"partnership": "harbour", "round": 1, "contact": "city-primary"}, now + SOON
    )
    foreign = Settings(_env_file=None, secret_key=SecretStr("x" * 48))
    strange = by_link.invite(opened, foreign, "harbour", 1, "city-primary")
    before = contents(opened)
    for bad in (token[:-2], token[1:], "", "…", other, strange, token.replace(".", "..")):
        with pytest.raises(NotAllowed, match="not whole"):
            by_link.respond(opened, KEYED, bad, answer(1), now)
    with pytest.raises(NotAllowed, match="was good until"):
        by_link.respond(opened, KEYED, token, answer(1), datetime(2027, 3, 2, tzinfo=UTC))
    assert contents(opened) == before


def test_without_a_secret_no_link_is_signed(opened: Database) -> None:
    for settings in (Settings(_env_file=None), Settings(_env_file=None, secret_key=SecretStr("short"))):
        with pytest.raises(Usage, match="LIFECYCLE_SECRET_KEY"):
            by_link.invite(opened, settings, "harbour", 1, "city-primary")
