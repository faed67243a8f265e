"""Recurrence: anchor + n × period, never drifting; and rules that select days."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.errors import Invalid
from lifecycle.timers.recurrence import longest_gap_days, next_after, occurrence, validate_rule

PERIODS = {
    "DAILY": lambda n: relativedelta(days=n),
    "WEEKLY": lambda n: relativedelta(weeks=n),
    "MONTHLY": lambda n: relativedelta(months=n),
    "YEARLY": lambda n: relativedelta(years=n),
}
SELECTING = ["FREQ=MONTHLY;BYDAY=1MO", "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,TH", "FREQ=MONTHLY;BYMONTHDAY=-1"]
anchors = st.dates(date(2024, 1, 1), date(2032, 12, 31))
frequencies = st.sampled_from(sorted(PERIODS))
intervals = st.integers(1, 14)
endings = st.sampled_from(["", ";COUNT=5", ";UNTIL=20301231"])
simple_rules = st.builds("FREQ={};INTERVAL={}{}".format, frequencies, intervals, endings)
rules = simple_rules | st.sampled_from(SELECTING)


def first(rule: str, anchor: date, many: int) -> list[date]:
    return [day for n in range(many) if (day := occurrence(rule, anchor, n)) is not None]


def test_monthly_from_the_31st_gives_the_31st_again() -> None:
    days = first("FREQ=MONTHLY", date(2026, 1, 31), 5)
    assert days == [
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
        date(2026, 5, 31),
    ]


def test_yearly_from_a_leap_day_keeps_to_the_end_of_february() -> None:
    days = first("FREQ=YEARLY", date(2024, 2, 29), 5)
    assert days == [date(2024, 2, 29), *(date(year, 2, 28) for year in (2025, 2026, 2027)), date(2028, 2, 29)]


def test_an_end_does_not_change_the_days_before_it() -> None:
    anchor = date(2026, 1, 31)
    assert first("FREQ=MONTHLY;COUNT=3", anchor, 9) == first("FREQ=MONTHLY", anchor, 3)
    assert first("FREQ=MONTHLY;UNTIL=20260331", anchor, 9) == first("FREQ=MONTHLY", anchor, 3)


def test_a_rule_that_selects_days_starts_with_the_first_of_them() -> None:
    days = first("FREQ=MONTHLY;BYDAY=1MO;COUNT=3", date(2026, 3, 3), 9)
    assert days == [date(2026, 4, 6), date(2026, 5, 4), date(2026, 6, 1)]


@given(frequencies, intervals, anchors, st.integers(0, 300))
def test_the_nth_occurrence_is_the_anchor_plus_n_periods(
    name: str, interval: int, anchor: date, n: int
) -> None:
    assert occurrence(f"FREQ={name};INTERVAL={interval}", anchor, n) == anchor + PERIODS[name](n * interval)


@given(rules, anchors)
def test_occurrences_strictly_increase(rule: str, anchor: date) -> None:
    assert all(one < later for one, later in pairwise(first(rule, anchor, 40)))


@given(rules, anchors, st.integers(-40, 900))
def test_the_next_one_agrees_with_looking_at_all_of_them(rule: str, anchor: date, days_on: int) -> None:
    after = anchor + timedelta(days=days_on)
    expected, n = None, 0
    while (day := occurrence(rule, anchor, n)) is not None and expected is None:
        expected = (n, day) if day > after else None
        n += 1
    assert next_after(rule, anchor, after) == expected


def test_a_rule_that_falls_only_from_some_anchors_is_checked_from_its_own() -> None:
    validate_rule("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", date(2026, 1, 1))
    with pytest.raises(Invalid):
        validate_rule("FREQ=MONTHLY;INTERVAL=12;BYMONTHDAY=31", date(2026, 2, 1))


def test_an_anchor_beyond_all_calendars_is_refused() -> None:
    with pytest.raises(Invalid):
        occurrence("FREQ=MONTHLY;BYDAY=1MO", date(9999, 12, 30), 3)


def test_after_the_end_there_is_no_next_one() -> None:
    assert next_after("FREQ=MONTHLY;COUNT=2", date(2026, 1, 1), date(2026, 2, 1)) is None
    assert next_after("FREQ=YEARLY", date(9999, 1, 1), date(9999, 6, 1)) is None
    assert occurrence("FREQ=MONTHLY", date(2026, 1, 1), -1) is None


@pytest.mark.parametrize(
    ("rule", "gap"),
    [
        ("FREQ=DAILY", 1),
        ("FREQ=WEEKLY;INTERVAL=2", 14),
        ("FREQ=MONTHLY", 31),
        ("FREQ=MONTHLY;INTERVAL=3", 92),
        ("FREQ=YEARLY", 366),
        ("FREQ=YEARLY;INTERVAL=7", 2557),
        ("FREQ=WEEKLY;BYDAY=MO,FR", 4),
        ("FREQ=YEARLY;BYMONTH=1,3", 306),
        ("FREQ=MONTHLY;COUNT=1", 0),
    ],
)
def test_the_longest_gap_is_what_a_breach_could_hide_in(rule: str, gap: int) -> None:
    assert longest_gap_days(rule, date(2026, 1, 15)) == gap


@pytest.mark.parametrize(
    "rule", ["FREQ=MONTHLY", "freq=weekly;interval=2", "FREQ=MONTHLY;BYDAY=-1FR;COUNT=12", *SELECTING]
)
def test_a_rule_that_can_be_kept_is_accepted(rule: str) -> None:
    validate_rule(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "",
        "monthly",
        "every quarter",
        "RRULE:FREQ=MONTHLY",
        "FREQ=HOURLY",
        "FREQ=MINUTELY;INTERVAL=5",
        "FREQ=SECONDLY",
        "FREQ=DAILY;BYHOUR=9",
        "FREQ=MONTHLY;INTERVAL=0",
        "FREQ=MONTHLY;INTERVAL=-1",
        "FREQ=MONTHLY;FREQ=DAILY",
        "FREQ=MONTHLY;COUNT=2;UNTIL=20270101",
        "FREQ=MONTHLY;UNTIL=20270231",
        "FREQ=MONTHLY;BYMONTH=13",
        "FREQ=MONTHLY;BYMONTHDAY=0",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=28",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYDAY=XX",
        "FREQ=MONTHLY;BYSETPOS=1",
        "FREQ=WEEKLY;BYDAY=2MO",
        "FREQ=MONTHLY;" + "BYMONTHDAY=1," * 100,
        "FREQ=WEEKLY\nDTSTART:20200101",
    ],
)
def test_a_rule_that_cannot_be_kept_is_refused_with_a_mend(rule: str) -> None:
    with pytest.raises(Invalid) as refused:
        validate_rule(rule)
    assert all(fault.mend for fault in refused.value.faults)
