"""Ladders: when rungs are due, what pauses do to them, and which of several missed ones send."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.errors import Invalid
from lifecycle.timers import ladders
from lifecycle.timers.calendars import Calendar
from lifecycle.timers.due import rungs_due
from lifecycle.timers.ladders import Pause, Rung, collapse, due_at

SCOTLAND = Calendar("Europe/London", "GB-SCT")
DENVER = Calendar("America/Denver", "US-CO")
NAMED = {
    "review": ladders.REVIEW_UNANSWERED,
    "sign-off": ladders.SIGN_OFF_MISSING,
    "action": ladders.ACTION_OVERDUE,
    "contact": ladders.CONTACT_UNDELIVERABLE,
    "gate": ladders.GATE_READY_UNUSED,
    "evaluation": ladders.evaluation_due(90),
}


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


calendars = st.sampled_from([SCOTLAND, DENVER])
units = st.sampled_from(["working_days", "days"])
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))
later = st.timedeltas(timedelta(days=-30), timedelta(days=60))
lengths = st.timedeltas(timedelta(minutes=1), timedelta(days=30))


@st.composite
def cases(draw: st.DrawFn) -> tuple[datetime, list[Rung], list[Pause]]:
    """An anchor, an ascending ladder of one unit and ended pauses around the anchor."""
    anchor, unit = draw(instants), draw(units)
    offsets = sorted(draw(st.sets(st.integers(-10, 20), min_size=1, max_size=6)))
    starts = [anchor + one for one in draw(st.lists(later, max_size=4))]
    return anchor, [Rung(n, unit) for n in offsets], [Pause(one, one + draw(lengths)) for one in starts]


def due_times(anchor: datetime, rungs: list[Rung], calendar: Calendar, pauses: list[Pause]) -> list[datetime]:
    found = [due_at(anchor, rung, calendar, pauses) for rung in rungs]
    return [one for one in found if one is not None]


@given(cases(), calendars)
def test_later_rungs_are_never_due_earlier(case: tuple, calendar: Calendar) -> None:
    anchor, rungs, pauses = case
    times = due_times(anchor, rungs, calendar, pauses)
    assert len(times) == len(rungs)
    assert all(one <= following for one, following in pairwise(times))


@given(cases(), calendars)
def test_pausing_never_makes_a_rung_earlier_nor_due_within_the_pause(case: tuple, calendar: Calendar) -> None:
    anchor, rungs, pauses = case
    for number in range(len(pauses)):
        before = due_times(anchor, rungs, calendar, pauses[:number])
        after = due_times(anchor, rungs, calendar, pauses[: number + 1])
        assert all(one <= moved for one, moved in zip(before, after, strict=True))
    for due in due_times(anchor, rungs, calendar, pauses):
        assert not any(pause.started_at <= due < pause.ended_at for pause in pauses)


@given(cases(), calendars, instants)
def test_while_a_pause_is_open_nothing_is_due(case: tuple, calendar: Calendar, opened: datetime) -> None:
    anchor, rungs, pauses = case
    paused = [*pauses, Pause(opened)]
    assert rungs_due(ladders.to_json(rungs), 0, anchor, calendar, paused, as_of=utc(2100, 1, 1)) == ([], None)


@given(cases(), calendars)
def test_a_pause_in_two_halves_is_one_pause(case: tuple, calendar: Calendar) -> None:
    anchor, rungs, pauses = case
    halves = []
    for pause in pauses:
        middle = pause.started_at + (pause.ended_at - pause.started_at) / 2
        halves += [Pause(middle, pause.ended_at), Pause(pause.started_at, middle)]
    assert due_times(anchor, rungs, calendar, halves) == due_times(anchor, rungs, calendar, pauses)


@given(cases(), calendars, st.lists(instants, max_size=6))
def test_catching_up_at_once_fires_what_one_by_one_would_have(
    case: tuple, calendar: Calendar, sweeps: list[datetime]
) -> None:
    anchor, rungs, pauses = case
    fired: list[tuple[int, datetime]] = []
    for as_of in sorted(sweeps):
        fired += rungs_due(ladders.to_json(rungs), len(fired), anchor, calendar, pauses, as_of=as_of)[0]
    last = max(sweeps, default=utc(2000, 1, 1))
    assert fired == rungs_due(ladders.to_json(rungs), 0, anchor, calendar, pauses, as_of=last)[0]


def test_a_week_down_returns_every_missed_rung_and_sends_one_to_each_audience() -> None:
    rungs = ladders.from_json(ladders.REVIEW_UNANSWERED)
    closes_at = SCOTLAND.working_days_after(utc(2026, 3, 2, 9), 10)
    due = rungs_due(ladders.to_json(rungs), 0, closes_at, SCOTLAND, [], as_of=utc(2026, 3, 19, 12))[0]
    assert due == [
        (0, utc(2026, 3, 9, 9)),
        (1, utc(2026, 3, 12, 9)),
        (2, utc(2026, 3, 16, 17)),
        (3, utc(2026, 3, 18, 9)),
    ]
    sent = collapse([(number, rungs[number]) for number, _ in due])
    assert [(number, rung.whom) for number, rung in sent] == [(1, "contact"), (2, "deputy"), (3, "sponsor")]


def test_collapse_does_not_depend_on_the_order_it_is_given() -> None:
    rungs = list(enumerate(ladders.from_json(ladders.GATE_READY_UNUSED)))
    assert collapse(rungs[::-1]) == rungs[-1:]
    assert collapse([]) == []


def test_an_offset_of_nought_is_the_anchor_even_on_a_holiday() -> None:
    new_year = utc(2026, 1, 1, 3, 4, 5)
    assert due_at(new_year, Rung(0), SCOTLAND, []) == new_year


def test_rungs_keep_to_nine_in_the_morning_across_the_clock_changes() -> None:
    assert due_at(utc(2026, 3, 27, 15), Rung(1), SCOTLAND, []) == utc(2026, 3, 30, 8)
    assert due_at(utc(2026, 10, 23, 15), Rung(1), SCOTLAND, []) == utc(2026, 10, 26, 9)
    assert due_at(utc(2026, 3, 6, 15), Rung(2, "days"), DENVER, []) == utc(2026, 3, 8, 15)
    assert due_at(utc(2026, 10, 31, 15), Rung(1, "days"), DENVER, []) == utc(2026, 11, 1, 16)


def test_a_pause_moves_a_deadline_by_the_working_days_it_covered() -> None:
    closes_at = utc(2026, 3, 16, 17)
    friday_to_wednesday = Pause(utc(2026, 3, 6, 12), utc(2026, 3, 11, 12))
    assert due_at(closes_at, Rung(0), SCOTLAND, [friday_to_wednesday]) == utc(2026, 3, 19, 17)
    assert due_at(closes_at, Rung(0, "days"), SCOTLAND, [friday_to_wednesday]) == utc(2026, 3, 21, 17)


def test_a_weekend_s_pause_costs_no_working_time() -> None:
    weekend = Pause(utc(2026, 3, 6, 18), utc(2026, 3, 9, 8))
    assert due_at(utc(2026, 3, 16, 17), Rung(0), SCOTLAND, [weekend]) == utc(2026, 3, 16, 17)


def test_a_pause_after_a_rung_was_due_does_not_move_it() -> None:
    overdue = utc(2026, 3, 2, 17)
    assert due_at(overdue, Rung(0), SCOTLAND, [Pause(utc(2026, 3, 3, 9), utc(2026, 4, 3, 9))]) == overdue


def test_a_rung_due_in_a_short_pause_is_due_when_the_pause_ends() -> None:
    short = Pause(utc(2026, 3, 3, 8), utc(2026, 3, 3, 10))
    assert due_at(utc(2026, 3, 2, 12), Rung(1), SCOTLAND, [short]) == utc(2026, 3, 3, 10)


def test_a_pause_that_begins_with_the_end_of_work_covers_that_day() -> None:
    closes_at = utc(2026, 3, 16, 17)
    assert due_at(closes_at, Rung(0), SCOTLAND, [Pause(closes_at, utc(2026, 3, 17, 12))]) == utc(
        2026, 3, 17, 17
    )


def test_a_pause_keeps_the_order_of_rungs_around_an_anchor_on_a_day_off() -> None:
    saturday_night, pause = utc(2026, 3, 7, 3), Pause(utc(2026, 3, 5, 10), utc(2026, 3, 6, 8))
    reminder, deadline = due_times(saturday_night, [Rung(-1), Rung(0)], SCOTLAND, [pause])
    assert (reminder, deadline) == (utc(2026, 3, 9, 9), utc(2026, 3, 9, 23, 59, 59))


def test_a_rung_is_due_at_its_very_instant() -> None:
    noon = utc(2026, 3, 2, 12)
    assert rungs_due(ladders.to_json([Rung(0), Rung(1)]), 0, noon, SCOTLAND, [], as_of=noon)[0] == [(0, noon)]
    assert rungs_due(
        ladders.to_json([Rung(0)]), 0, noon, SCOTLAND, [], as_of=noon - timedelta(seconds=1)
    ) == ([], noon)


@pytest.mark.parametrize("name", NAMED)
def test_a_named_ladder_survives_being_stored(name: str) -> None:
    stored = json.loads(json.dumps(NAMED[name]))
    assert stored == NAMED[name]
    assert ladders.to_json(ladders.from_json(stored)) == stored
    assert all(rung.whom and rung.notice for rung in ladders.from_json(stored))


def test_a_pause_survives_being_stored() -> None:
    for pause in (Pause(utc(2026, 3, 2)), Pause(utc(2026, 3, 2), utc(2026, 3, 4, 5, 6))):
        assert Pause.from_json(json.loads(json.dumps(pause.to_json()))) == pause


@pytest.mark.parametrize(
    ("ladder", "offsets"),
    [
        ("review", [-5, -2, 0, 2, 5]),
        ("sign-off", [3, 7, 10, 15]),
        ("contact", [0, 1, 3]),
        ("gate", [7, 14, 21]),
    ],
)
def test_the_default_ladders_are_those_of_the_domain_reference(ladder: str, offsets: list[int]) -> None:
    assert [rung.offset for rung in ladders.from_json(NAMED[ladder])] == offsets


def test_a_ladder_whose_rungs_could_overtake_each_other_is_refused() -> None:
    for rungs in ([Rung(2), Rung(1)], [Rung(1), Rung(1)], [Rung(1), Rung(2, "days")]):
        with pytest.raises(Invalid):
            ladders.to_json(rungs)


@pytest.mark.parametrize("wrong", [{"unit": "hours"}, {"whom": "everybody"}])
def test_a_rung_that_reaches_nobody_or_never_comes_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(Invalid):
        Rung.from_json(Rung(1, whom="contact", notice="review_reminder").to_json() | wrong)
