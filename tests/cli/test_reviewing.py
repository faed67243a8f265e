"""`review …` and late answers, from the command line."""

from datetime import UTC, datetime, timedelta

import pytest

from lifecycle.db import Database
from lifecycle.reviews import service as reviews
from tests.builders import answer, registered, reviewed
from tests.cli.command import Command

AS_CITY, AS_CLINIC = ("--as", "city-primary"), ("--as", "clinic-primary")


@pytest.fixture
def harbour(empty: Command) -> Command:
    """A review round is open."""
    database = Database(f"sqlite:///{empty.database}")
    # A week ago at the earliest: the first working day after that has begun, and the round is open still.
    now = datetime.now(UTC) - timedelta(minutes=1)
    week_ago = now - timedelta(days=7)
    registered(database, week_ago, stage="maintaining")
    reviewed(database, "harbour", week_ago)
    reviews.sweep_reviews(database, now)
    database.close()
    return empty


def test_a_round_is_passed_on_answered_and_read(harbour: Command) -> None:
    said = harbour.done("review", "pass", "harbour", "1", "--to", "city-deputy", *AS_CITY).out
    assert said == "Round 1 of harbour is asked of city-deputy instead of city-primary.\n"
    answers = harbour.file("a.json", answer(1, 4, q8=1))
    assert "is not asked" in harbour.refused(1, "respond", "harbour", "1", answers, *AS_CITY)
    harbour.done("respond", "harbour", "1", answers, "--as", "city-deputy")
    harbour.done("review", "decline", "harbour", "1", "--reason", "I have just begun.", *AS_CLINIC)
    shown = harbour.done("review", "results", "harbour", "1").out
    assert "Round 1 (guide-step-four): 1 of 2 answered, 1 declined" in shown
    assert "PURPOSE" in shown
    found = harbour.done("review", "results", "harbour", "1", "--json").json
    assert next(one["mean"] for one in found["questions"] if one["id"] == "q8") == 1
    assert harbour.done("review", "results", "harbour", "1", "-o", "r.svg").out == "Wrote r.svg.\n"
    assert "Review round 1" in (harbour.folder / "r.svg").read_text()


def test_a_late_answer_is_told_so(harbour: Command) -> None:
    harbour.sql("UPDATE review_round SET closed_at = opened_at, quorate = 0")
    ran = harbour.done("respond", "harbour", "1", harbour.file("a.json", answer(1)), *AS_CITY)
    assert "kept as late and changes no result" in ran.out
    assert "too late to count" in harbour.done("review", "results", "harbour", "1").out


def test_each_refusal_has_its_mend(harbour: Command) -> None:
    refused = harbour.refused(1, "review", "pass", "harbour", "1", "--to", "clinic-deputy", *AS_CITY)
    assert "Name somebody else of city." in refused
    assert "no review round 7" in harbour.refused(3, "review", "results", "harbour", "7")
    other = harbour.file("a.json", {"round": 1, "answers": [{"question": "q99", "score": 1}]})
    assert "it asks q1, q2" in harbour.refused(1, "respond", "harbour", "1", other, *AS_CITY)
