"""What somebody has begun to answer is theirs alone, changes nothing of the record, and goes with the answer."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from lifecycle import export
from lifecycle.db import Database
from lifecycle.errors import Invalid, NotAllowed, NotFound, Stale
from lifecycle.partnerships import changes
from lifecycle.reviews import drafts, invitations, questionnaire, rules
from lifecycle.reviews import service as reviews
from lifecycle.reviews.drafts import Draft
from lifecycle.reviews.models import review_draft
from tests.builders import answer, contents, count, registered, reviewed

ME = ("harbour", 1, "city-primary")
DAY = timedelta(days=1)


@pytest.fixture
def opened(database: Database, now: datetime) -> Database:
    """A partnership whose first review round has just opened."""
    registered(database, now, stage="maintaining")
    reviewed(database, "harbour", now)
    reviews.sweep_reviews(database, now)
    return database


def begun(*answers: dict[str, Any], number: int = 1) -> dict[str, Any]:
    """A response with as few answers as there are yet."""
    return {"round": number, "answers": list(answers)}


ONE = begun({"question": "q1", "score": 4, "comment": "So far."})


def found(database: Database, contact: str = "city-primary") -> Draft | None:
    with database.read() as connection:
        return drafts.find(connection, "harbour", 1, contact)


def test_what_was_begun_is_found_again_by_its_writer_alone(opened: Database, now: datetime) -> None:
    assert drafts.keep(opened, *ME, ONE, now) == ()
    assert found(opened) == Draft(ONE, now)
    assert found(opened, "clinic-primary") is None
    assert found(opened, "city-deputy") is None


def test_it_replaces_what_was_kept_before(opened: Database, now: datetime) -> None:
    drafts.keep(opened, *ME, ONE, now)
    later = begun({"question": "q2", "score": None, "cannot_say": True})
    drafts.keep(opened, *ME, later, now + DAY)
    assert found(opened) == Draft(later, now + DAY)
    assert count(opened, review_draft) == 1


def test_it_changes_nothing_of_the_record_and_is_in_no_export(opened: Database, now: datetime) -> None:
    before = contents(opened)
    drafts.keep(opened, *ME, ONE, now)
    after = contents(opened)
    assert {table for table in before if before[table] != after[table]} == {"review_draft"}
    with opened.read() as connection:
        whole = export.everything(connection, "harbour")
    assert "review_draft" not in whole
    assert "So far." not in repr(whole)


def test_it_goes_when_the_answer_is_given_and_only_the_writers(opened: Database, now: datetime) -> None:
    drafts.keep(opened, *ME, ONE, now)
    drafts.keep(opened, "harbour", 1, "clinic-primary", ONE, now)
    reviews.respond(opened, *ME, answer(1), now)
    assert found(opened) is None
    assert found(opened, "clinic-primary") == Draft(ONE, now)


def test_it_goes_even_when_the_same_answer_is_given_again(opened: Database, now: datetime) -> None:
    reviews.respond(opened, *ME, answer(1), now)
    drafts.keep(opened, *ME, ONE, now, answered=1)
    assert reviews.respond(opened, *ME, answer(1), now).revision == 1
    assert found(opened) is None


def test_a_refused_answer_leaves_it(opened: Database, now: datetime) -> None:
    drafts.keep(opened, *ME, ONE, now)
    with pytest.raises(Invalid):
        reviews.respond(opened, *ME, begun({"question": "q1", "score": 9}), now)
    assert found(opened) == Draft(ONE, now)


def test_a_form_left_open_elsewhere_does_not_bring_back_what_was_sent(
    opened: Database, now: datetime
) -> None:
    reviews.respond(opened, *ME, answer(1), now)
    before = contents(opened)
    for seen in (0, 2, -1):
        with pytest.raises(Stale, match="has been sent meanwhile"):
            drafts.keep(opened, *ME, ONE, now, answered=seen)
        assert contents(opened) == before
    drafts.keep(opened, *ME, ONE, now, answered=1)
    assert found(opened) == Draft(ONE, now)


def test_comments_that_cannot_be_kept_are_left_out_and_the_rest_is_kept(
    opened: Database, now: datetime
) -> None:
    content = begun(
        {"question": "q1", "score": 4, "comment": "x" * 2001},
        {"question": "q2", "score": 5, "comment": "Fine."},
        {"question": "q3", "comment": "\x00"},
    )
    faults = drafts.keep(opened, *ME, content, now)
    assert {(fault.pointer, fault.rule) for fault in faults} == {
        ("/answers/0/comment", "maxLength"),
        ("/answers/2/comment", "characters"),
    }
    kept = found(opened)
    assert kept is not None
    assert kept.content == begun(
        {"question": "q1", "score": 4}, {"question": "q2", "score": 5, "comment": "Fine."}, {"question": "q3"}
    )


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (begun({"question": "q99", "score": 3}), "/answers/0/question"),
        (begun({"question": "q1", "score": 6}), "/answers/0/score"),
        (begun({"question": "q1", "score": "4"}), "/answers/0/score"),
        (begun({"question": "q1", "score": 4, "cannot_say": True}), "/answers/0/cannot_say"),
        (begun({"question": "q1"}, {"question": "q1"}), "/answers/1/question"),
        (begun({"question": "q1", "also": 1}), "/answers/0/also"),
        (begun({"question": "q1", "comment": "x" * 2001, "score": 11}), "/answers/0/score"),
        (begun(number=2), "/round"),
        ({"round": 1}, "/answers"),
        ({"round": 1, "answers": ["q1"]}, "/answers/0"),
        ({"round": 1, "answers": [{"question": "q1"}] * 51}, "/answers"),
    ],
)
def test_what_no_form_of_ours_sends_is_not_kept_at_all(
    opened: Database, now: datetime, content: dict[str, Any], pointer: str
) -> None:
    drafts.keep(opened, *ME, ONE, now)
    before = contents(opened)
    with pytest.raises(Invalid) as refused:
        drafts.keep(opened, *ME, content, now + DAY)
    assert pointer in {fault.pointer for fault in refused.value.faults}
    assert contents(opened) == before


def test_only_whoever_is_asked_keeps_one(opened: Database, now: datetime) -> None:
    invitations.pass_on(opened, *ME, "city-deputy", now)
    before = contents(opened)
    for refusal, key in (
        (NotAllowed, ME),
        (NotAllowed, ("harbour", 1, "eve")),
        (NotFound, ("harbour", 7, "city-deputy")),
        (NotFound, ("nowhere", 1, "city-deputy")),
    ):
        with pytest.raises(refusal):
            drafts.keep(opened, *key, ONE | {"round": key[1]}, now)
        assert contents(opened) == before


def test_after_the_round_closed_it_can_be_kept_and_sent(opened: Database, now: datetime) -> None:
    drafts.keep(opened, *ME, ONE, now)
    for day in (20, 40):
        reviews.sweep_reviews(opened, now + day * DAY)
    late = now + 41 * DAY
    drafts.keep(opened, *ME, ONE, late)
    assert found(opened) == Draft(ONE, late)
    reviews.respond(opened, *ME, dict(ONE), late)
    assert found(opened) is None


def test_when_the_partnership_ends_nothing_begun_stays(opened: Database, now: datetime) -> None:
    drafts.keep(opened, *ME, ONE, now)
    with opened.write() as connection:
        change = changes.begin(connection, "harbour", now)
        reviews.cancel_open_rounds(connection, change)
        changes.write(connection, change)
    with opened.read() as connection:
        assert connection.execute(select(review_draft)).all() == []


def test_a_follow_up_may_be_begun_before_it_is_asked(database: Database, now: datetime) -> None:
    registered(database, now, stage="maintaining")
    reviewed(database, "harbour", now, questionnaire="health-check")
    reviews.sweep_reviews(database, now)
    content = begun({"question": "trust", "score": 3}, {"question": "trust-mended", "score": 2})
    assert drafts.keep(database, *ME, content, now) == ()
    kept = found(database)
    assert kept is not None
    assert kept.content == content


HEALTH = questionnaire.load("health-check")


@given(
    st.dictionaries(
        st.sampled_from([one.id for one in HEALTH.questions]), st.sampled_from([None, 1, 2, 3]), max_size=11
    )
)
@settings(max_examples=60)
def test_what_is_not_asked_is_left_out_and_all_else_stays(scores: dict[str, int | None]) -> None:
    content = begun(*({"question": one, "score": score} for one, score in scores.items()))
    sent = rules.without_unasked(content, HEALTH)
    assert not list(rules.faults_of(sent, HEALTH))
    left_out = [one for one in content["answers"] if one not in sent["answers"]]
    assert [one["question"] for one in left_out] == (
        ["trust-mended"] if "trust-mended" in scores and scores.get("trust") != 1 else []
    )
