"""Review rounds open by themselves, remind, escalate, close; negative answers ask for action."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lifecycle.audit.queries import trail
from lifecycle.db import Database
from lifecycle.errors import Invalid, NotAllowed, NotFound, Unavailable
from lifecycle.notices.models import notice
from lifecycle.partnerships import service as transitions
from lifecycle.partnerships.escalations import sweep_escalations
from lifecycle.partnerships.models import partnership
from lifecycle.reviews import actions, queries, rules
from lifecycle.reviews import service as reviews
from lifecycle.reviews.models import review_round
from tests.builders import answer, contents, count, registered, reviewed


@pytest.fixture
def opened(database: Database, now: datetime) -> Database:
    """A partnership whose first review round has just opened (Monday 2 March 2026, 09:00 in London)."""
    registered(database, now, stage="maintaining")
    reviewed(database, "harbour", now)
    assert reviews.sweep_reviews(database, now) == (1, 0)
    return database


def told(database: Database, template: str) -> list[str]:
    with database.read() as connection:
        rows = connection.execute(select(notice.c.contact_id).where(notice.c.template == template))
        return sorted(rows.scalars())


def test_a_due_review_opens_once_and_writes_to_every_respondent(opened: Database, now: datetime) -> None:
    assert told(opened, "review_opened") == ["city-primary", "clinic-primary"]
    assert reviews.sweep_reviews(opened, now) == (0, 0)
    with opened.read() as connection:
        one = queries.find_round(connection, "harbour", 1)
    assert one.asked == ("city-primary", "clinic-primary")
    assert one.closes_at == datetime(2026, 3, 16, 17, 0, tzinfo=UTC)


def test_the_schedule_goes_on_from_its_anchor(opened: Database) -> None:
    assert reviews.sweep_reviews(opened, datetime(2026, 6, 2, 7, 59, tzinfo=UTC))[0] == 0
    assert reviews.sweep_reviews(opened, datetime(2026, 6, 2, 8, 0, tzinfo=UTC))[0] == 1


def test_after_a_year_down_one_round_opens_and_the_trail_names_what_was_missed(
    database: Database, now: datetime
) -> None:
    registered(database, now, stage="maintaining")
    reviewed(database, "harbour", now)
    assert reviews.sweep_reviews(database, now + timedelta(days=366)) == (1, 0)
    assert count(database, review_round) == 1
    assert told(database, "review_opened") == ["city-primary", "clinic-primary"]


def test_who_does_not_answer_is_reminded_then_the_deputy_the_sponsor_and_the_lead_hear(
    opened: Database,
) -> None:
    reviews.respond(opened, "harbour", 1, "clinic-primary", answer(1), datetime(2026, 3, 3, 9, tzinfo=UTC))
    for day in range(3, 25):
        at = datetime(2026, 3, day, 18, tzinfo=UTC)
        reviews.sweep_reviews(opened, at)
        sweep_escalations(opened, at)
    assert told(opened, "review_reminder") == ["city-primary", "city-primary"]
    assert told(opened, "review_escalated") == ["city-deputy", "city-sponsor", "clinic-primary"]
    assert told(opened, "review_extended") == ["city-sponsor"]


def test_after_a_week_down_each_audience_gets_one_notice_not_five(opened: Database) -> None:
    sweep_escalations(opened, datetime(2026, 3, 31, 9, tzinfo=UTC))
    assert told(opened, "review_reminder") == ["city-primary", "clinic-primary"]
    assert told(opened, "review_escalated") == [
        "city-deputy", "city-sponsor", "clinic-deputy", "clinic-primary", "clinic-sponsor",
    ]  # fmt: skip
    assert sweep_escalations(opened, datetime(2026, 4, 30, 9, tzinfo=UTC)) == {}


def test_once_everybody_answered_nobody_is_reminded(opened: Database, now: datetime) -> None:
    for contact_id in ("clinic-primary", "city-primary"):
        reviews.respond(opened, "harbour", 1, contact_id, answer(1), now)
    sweep_escalations(opened, now + timedelta(days=60))
    assert told(opened, "review_reminder") == []


def test_a_quorate_round_closes_and_its_result_is_told(opened: Database, now: datetime) -> None:
    for contact_id in ("clinic-primary", "city-primary"):
        reviews.respond(opened, "harbour", 1, contact_id, answer(1, q3=2), now)
    reviews.sweep_reviews(opened, datetime(2026, 3, 16, 17, tzinfo=UTC))
    with opened.read() as connection:
        one = queries.find_round(connection, "harbour", 1)
    assert (one.quorate, one.extended) == (True, False)
    assert told(opened, "review_closed") == ["city-primary", "clinic-primary"]


def test_below_quorum_a_round_is_extended_once_then_closed_as_no_quorum(
    opened: Database, now: datetime
) -> None:
    reviews.respond(opened, "harbour", 1, "clinic-primary", answer(1), now)
    reviews.sweep_reviews(opened, datetime(2026, 3, 16, 17, tzinfo=UTC))
    with opened.read() as connection:
        one = queries.find_round(connection, "harbour", 1)
    assert (one.closed_at, one.extended, one.closes_at) == (None, True, datetime(2026, 3, 23, 17, tzinfo=UTC))
    reviews.sweep_reviews(opened, datetime(2026, 3, 23, 17, tzinfo=UTC))
    with opened.read() as connection:
        assert queries.find_round(connection, "harbour", 1).quorate is False


def test_a_negative_answer_asks_for_a_corrective_action_once_per_question_and_partner(
    opened: Database, now: datetime
) -> None:
    reviews.respond(opened, "harbour", 1, "city-primary", answer(1, q3=1, q8=2), now)
    reviews.respond(opened, "harbour", 1, "city-primary", answer(1, q3=2, q9=1), now)
    with opened.read() as connection:
        actions = queries.actions(connection, "harbour")
    assert [(a.number, a.question, a.asked_by) for a in actions] == [
        (1, "q3", "city"),
        (2, "q8", "city"),
        (3, "q9", "city"),
    ]
    assert told(opened, "action_asked") == ["clinic-primary", "clinic-primary"]


def test_answering_twice_keeps_both_and_the_newest_counts(opened: Database, now: datetime) -> None:
    reviews.respond(opened, "harbour", 1, "city-primary", answer(1, 5), now)
    assert reviews.respond(opened, "harbour", 1, "city-primary", answer(1, 3), now).revision == 2
    assert reviews.respond(opened, "harbour", 1, "city-primary", answer(1, 3), now).revision == 2
    with opened.read() as connection:
        newest = queries.responses(connection, "harbour", 1)["city-primary"]
    assert {a["score"] for a in newest["answers"]} == {3}


def test_an_action_is_planned_reminded_and_verified_by_another_partner(
    opened: Database, now: datetime
) -> None:
    reviews.respond(opened, "harbour", 1, "city-primary", answer(1, q3=1), now)
    due = date(2026, 3, 20)
    actions.plan_action(
        opened, "harbour", 1, "Publish the mandate.", "clinic-deputy", due, "clinic-primary", now
    )
    sweep_escalations(opened, datetime(2026, 3, 21, 9, tzinfo=UTC))
    assert told(opened, "action_reminder") == ["clinic-deputy"]
    sweep_escalations(opened, datetime(2026, 3, 31, 9, tzinfo=UTC))
    assert told(opened, "action_escalated") == ["clinic-sponsor"]
    with pytest.raises(NotAllowed, match="Another partner verifies"):
        actions.verify_action(opened, "harbour", 1, "clinic-sponsor", now + timedelta(days=30))
    actions.verify_action(opened, "harbour", 1, "city-primary", now + timedelta(days=30))
    sweep_escalations(opened, now + timedelta(days=90))
    assert told(opened, "action_escalated") == ["clinic-sponsor"]


def test_while_suspended_no_round_opens_and_nothing_escalates(opened: Database, now: datetime) -> None:
    transitions.transition(opened, "harbour", "suspend", "city-primary", now, "The budget is frozen.")
    later = now + timedelta(days=200)
    assert reviews.sweep_reviews(opened, later) == (0, 0)
    assert sweep_escalations(opened, later) == {}


def test_bad_answers_are_refused_and_change_nothing(opened: Database, now: datetime) -> None:
    before = contents(opened)

    def refused(error: type[Exception], match: str, number: int, who: str, content: Any) -> None:
        with pytest.raises(error, match=match):
            reviews.respond(opened, "harbour", number, who, content, now)

    refused(NotAllowed, "is not asked", 1, "city-sponsor", answer(1))
    refused(NotFound, "not a contact", 1, "stranger", answer(1))
    refused(NotFound, "no review round 7", 7, "city-primary", answer(7))
    refused(Invalid, "/round", 1, "city-primary", answer(2))
    refused(
        Invalid,
        "/answers/0/score",
        1,
        "city-primary",
        {"round": 1, "answers": [{"question": "q1", "score": 9}]},
    )
    assert contents(opened) == before


def test_a_late_answer_is_kept_and_marked_and_changes_no_result(opened: Database) -> None:
    reviews.respond(opened, "harbour", 1, "city-primary", answer(1, 5), datetime(2026, 3, 4, tzinfo=UTC))
    for day in (16, 23):
        reviews.sweep_reviews(opened, datetime(2026, 3, day, 17, tzinfo=UTC))
    after = datetime(2026, 3, 24, tzinfo=UTC)
    for contact in ("city-primary", "clinic-primary"):
        reviews.respond(opened, "harbour", 1, contact, answer(1, 1), after)
    with opened.read() as connection:
        counted = queries.responses(connection, "harbour", 1)
        assert queries.late(connection, "harbour", 1) == ["city-primary", "clinic-primary"]
        assert queries.actions(connection, "harbour") == []
        assert [e.type for e in trail(connection, "harbour")][-1] == "review_answered_late"
    assert {contact: content["answers"][0]["score"] for contact, content in counted.items()} == {
        "city-primary": 5
    }


@pytest.mark.parametrize(
    ("answered", "expected"),
    [
        ({"a1", "b1"}, True),
        ({"a1", "a2"}, False),
        ({"a1"}, False),
        ({"a1", "b1", "a2"}, True),
        (set(), False),
    ],
)
def test_a_quorum_is_an_answer_of_each_partner_and_half_of_those_asked(
    answered: set[str], expected: bool
) -> None:
    assert rules.quorate({"a1": "a", "a2": "a", "b1": "b", "b2": "b"}, answered) is expected


def test_a_round_that_was_suspended_closes_later_and_says_so(opened: Database, now: datetime) -> None:
    transitions.transition(opened, "harbour", "suspend", "city-primary", now, "The budget is frozen.")
    back = now + timedelta(days=60)
    transitions.transition(opened, "harbour", "resume", "city-primary", back, "It was released.")
    with opened.read() as connection:
        closes_at = queries.find_round(connection, "harbour", 1).closes_at
    assert closes_at > back + timedelta(days=9)
    sweep_escalations(opened, closes_at - timedelta(days=3))
    with opened.read() as connection:
        rows = connection.execute(select(notice.c.due_at).where(notice.c.template == "review_reminder"))
        assert set(rows.scalars()) == {closes_at}
    assert reviews.sweep_reviews(opened, closes_at - timedelta(seconds=1)) == (0, 0)
    assert reviews.sweep_reviews(opened, closes_at) == (0, 1)


def test_after_a_time_down_the_extension_is_given_whole(opened: Database) -> None:
    late = datetime(2026, 3, 30, 9, tzinfo=UTC)
    assert reviews.sweep_reviews(opened, late) == (0, 1)
    with opened.read() as connection:
        one = queries.find_round(connection, "harbour", 1)
    assert (one.extended, one.closed_at) == (True, None)
    assert one.closes_at > late + timedelta(days=6)


def test_one_round_that_cannot_be_closed_keeps_no_other_from_opening(
    opened: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(opened, now, id_="other", stage="maintaining")
    reviewed(opened, "other", now)

    def fail(*_: Any) -> None:
        raise KeyError("a fact that is not there")

    monkeypatch.setattr(reviews, "_close_or_extend", fail)
    with pytest.raises(Unavailable, match="harbour: KeyError"):
        reviews.sweep_reviews(opened, datetime(2026, 3, 17, tzinfo=UTC))
    with opened.read() as connection:
        assert len(queries.rounds(connection, "other")) == 1


def test_silence_in_a_round_with_a_quorum_climbs_no_further(database: Database, now: datetime) -> None:
    registered(database, now, stage="maintaining")
    reviewed(database, "harbour", now, respondents=["clinic-primary", "city-primary", "city-deputy"])
    reviews.sweep_reviews(database, now)
    for who in ("clinic-primary", "city-primary"):
        reviews.respond(database, "harbour", 1, who, answer(1), now + timedelta(days=1))
    for day in range(3, 31):
        at = datetime(2026, 3, day, 18, tzinfo=UTC)
        reviews.sweep_reviews(database, at)
        sweep_escalations(database, at)
    assert told(database, "review_reminder") == ["city-deputy", "city-deputy"]
    assert told(database, "review_escalated") == []


def test_a_new_plan_is_reminded_of_anew(opened: Database, now: datetime) -> None:
    reviews.respond(opened, "harbour", 1, "city-primary", answer(1, q3=1), now)
    for due in (date(2026, 3, 20), date(2026, 4, 20)):
        plan = ("Publish the mandate.", "clinic-deputy", due, "clinic-primary")
        actions.plan_action(opened, "harbour", 1, *plan, datetime(due.year, due.month, 2, 10, tzinfo=UTC))
        sweep_escalations(opened, datetime(due.year, due.month, 21, 9, tzinfo=UTC))
    assert told(opened, "action_reminder") == ["clinic-deputy", "clinic-deputy"]


def test_a_plan_made_while_suspended_waits_with_everything_else(opened: Database, now: datetime) -> None:
    reviews.respond(opened, "harbour", 1, "city-primary", answer(1, q3=1), now)
    transitions.transition(opened, "harbour", "suspend", "city-primary", now, "The budget is frozen.")
    plan = ("Publish the mandate.", "clinic-deputy", date(2026, 3, 20), "clinic-primary")
    actions.plan_action(opened, "harbour", 1, *plan, now + timedelta(days=1))
    assert sweep_escalations(opened, now + timedelta(days=90)) == {}
    transitions.transition(
        opened, "harbour", "resume", "city-primary", now + timedelta(days=91), "It was released."
    )
    assert sweep_escalations(opened, now + timedelta(days=130))["action_overdue"] >= 1


def test_a_closed_record_takes_no_answers_and_no_plans(opened: Database, now: datetime) -> None:
    reviews.respond(opened, "harbour", 1, "city-primary", answer(1, q3=1), now)
    with opened.write() as connection:
        connection.execute(update(partnership).values(stage="terminated"))
    before = contents(opened)
    with pytest.raises(NotAllowed, match="read-only"):
        reviews.respond(opened, "harbour", 1, "clinic-primary", answer(1), now)
    with pytest.raises(NotAllowed, match="read-only"):
        actions.plan_action(
            opened, "harbour", 1, "Do it.", "city-deputy", date(2026, 3, 20), "city-primary", now
        )
    assert contents(opened) == before
