"""Whoever is asked can pass a round on, or decline with a reason."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from lifecycle.db import Database
from lifecycle.errors import Invalid, NotAllowed, NotFound
from lifecycle.notices.models import notice
from lifecycle.reviews import invitations, queries
from lifecycle.reviews import service as reviews
from tests.builders import answer, contents, registered, reviewed

SOON = timedelta(days=1)


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
        (Invalid, "control characters", lambda: invitations.decline(opened, "harbour", 1, "city-primary", "No\x00", now)),
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


def test_whoever_passed_it_on_can_see_who_answers_in_the_end(opened: Database, now: datetime) -> None:
    invitations.pass_on(opened, "harbour", 1, "city-primary", "city-deputy", now)
    invitations.pass_on(opened, "harbour", 1, "city-deputy", "city-sponsor", now)
    with opened.read() as connection:
        instead = [
            queries.answering_instead(connection, "harbour", 1, one)
            for one in ("city-primary", "city-deputy", "city-sponsor", "clinic-primary", "eve")
        ]
    assert instead == ["city-sponsor", "city-sponsor", None, None, None]
