"""Working days and local times: published calendars, both clock changes, and what always holds."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.errors import Invalid
from lifecycle.timers.calendars import MAX_WORKING_DAYS, Calendar

SCOTLAND = Calendar("Europe/London", "GB-SCT")
NETHERLANDS = Calendar("Europe/Amsterdam", "NL")
COLORADO = Calendar("America/Denver", "US-CO")
WEEKDAYS = Calendar("UTC", "")
NUUK = Calendar("America/Nuuk", "")
SANTIAGO = Calendar("America/Santiago", "")

calendars = st.sampled_from([SCOTLAND, NETHERLANDS, COLORADO, WEEKDAYS, NUUK, SANTIAGO])
days = st.dates(date(2024, 1, 1), date(2032, 12, 31))
counts = st.integers(-600, 600)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("calendar", "holiday"),
    [
        (SCOTLAND, date(2026, 1, 2)),
        (SCOTLAND, date(2027, 1, 4)),  # 2 January 2027 is a Saturday
        (SCOTLAND, date(2026, 11, 30)),  # St Andrew's Day
        (NETHERLANDS, date(2026, 4, 27)),  # King's Day
        (NETHERLANDS, date(2026, 5, 14)),  # Ascension Day
        (COLORADO, date(2026, 10, 5)),  # Frances Xavier Cabrini Day, in Colorado only
        (COLORADO, date(2026, 7, 3)),  # 4 July 2026 is a Saturday
        (
            COLORADO,
            date(2027, 12, 31),
        ),  # New Year's Day 2028, a Saturday: the holiday falls in the year before
    ],
)
def test_a_published_holiday_is_no_working_day(calendar: Calendar, holiday: date) -> None:
    assert not calendar.is_working_day(holiday)
    assert WEEKDAYS.is_working_day(holiday)


def test_a_holiday_of_one_place_is_a_working_day_elsewhere() -> None:
    assert Calendar("Europe/London", "GB-ENG").is_working_day(date(2026, 1, 2))
    assert SCOTLAND.is_working_day(date(2026, 4, 6))  # Easter Monday
    assert not Calendar("Europe/London", "GB-ENG").is_working_day(date(2026, 4, 6))


def test_working_days_skip_weekends_holidays_and_the_turn_of_the_year() -> None:
    assert SCOTLAND.add_working_days(date(2026, 12, 24), 1) == date(2026, 12, 29)
    assert SCOTLAND.add_working_days(date(2026, 12, 31), 1) == date(2027, 1, 5)
    assert SCOTLAND.add_working_days(date(2027, 1, 5), -1) == date(2026, 12, 31)
    assert SCOTLAND.add_working_days(date(2026, 1, 1), 0) == date(2026, 1, 5)


def test_from_a_weekend_the_first_working_day_is_monday_and_the_one_before_is_friday() -> None:
    saturday = date(2026, 3, 7)
    assert [WEEKDAYS.add_working_days(saturday, n).day for n in (-1, 0, 1, 2)] == [6, 9, 9, 10]


def test_a_country_with_another_weekend_works_on_sunday() -> None:
    saudi = Calendar("Asia/Riyadh", "SA")
    assert saudi.is_working_day(date(2026, 11, 22))
    assert not saudi.is_working_day(date(2026, 11, 20))


@given(calendars, days, counts)
def test_counting_back_returns_to_the_same_working_day(calendar: Calendar, day: date, n: int) -> None:
    start = calendar.add_working_days(day, 0)
    assert calendar.add_working_days(calendar.add_working_days(start, n), -n) == start


@given(calendars, days, counts)
def test_a_count_ends_on_a_working_day_and_grows_with_n(calendar: Calendar, day: date, n: int) -> None:
    end = calendar.add_working_days(day, n)
    assert calendar.is_working_day(end)
    assert end <= calendar.add_working_days(day, n + 1)
    assert end <= calendar.add_working_days(day + timedelta(days=1), n)


@given(calendars, days, st.integers(1, 60))
def test_a_count_agrees_with_walking_day_by_day(calendar: Calendar, day: date, n: int) -> None:
    walked, left = day, n
    while left:
        walked += timedelta(days=1)
        left -= calendar.is_working_day(walked)
    assert calendar.add_working_days(day, n) == walked


@given(calendars, days, counts.filter(bool))
def test_the_days_between_are_those_that_were_added(calendar: Calendar, day: date, n: int) -> None:
    assert calendar.working_days_between(day, calendar.add_working_days(day, n)) == n
    assert calendar.working_days_between(day, day) == 0


@given(calendars, days)
def test_the_last_second_of_a_day_is_followed_by_the_next_day(calendar: Calendar, day: date) -> None:
    end = calendar.end_of_day(day)
    assert calendar.local_date(end) == day
    assert calendar.local_date(end + timedelta(seconds=1)) == day + timedelta(days=1)


@given(calendars, days)
def test_work_starts_at_nine_on_a_working_day(calendar: Calendar, day: date) -> None:
    local = calendar.local(calendar.start_of_working_day(day))
    assert (local.hour, local.minute) == (9, 0)
    assert local.date() == calendar.add_working_days(day, 0)


@pytest.mark.parametrize(
    ("calendar", "day", "starts", "ends"),
    [
        (SCOTLAND, date(2026, 3, 27), utc(2026, 3, 27, 9), utc(2026, 3, 27, 23, 59, 59)),
        (SCOTLAND, date(2026, 3, 29), utc(2026, 3, 30, 8), utc(2026, 3, 29, 22, 59, 59)),
        (SCOTLAND, date(2026, 10, 23), utc(2026, 10, 23, 8), utc(2026, 10, 23, 22, 59, 59)),
        (SCOTLAND, date(2026, 10, 25), utc(2026, 10, 26, 9), utc(2026, 10, 25, 23, 59, 59)),
        (COLORADO, date(2026, 3, 6), utc(2026, 3, 6, 16), utc(2026, 3, 7, 6, 59, 59)),
        (COLORADO, date(2026, 3, 8), utc(2026, 3, 9, 15), utc(2026, 3, 9, 5, 59, 59)),
        (COLORADO, date(2026, 10, 30), utc(2026, 10, 30, 15), utc(2026, 10, 31, 5, 59, 59)),
        (COLORADO, date(2026, 11, 1), utc(2026, 11, 2, 16), utc(2026, 11, 2, 6, 59, 59)),
    ],
)
def test_local_hours_hold_across_both_clock_changes(
    calendar: Calendar, day: date, starts: datetime, ends: datetime
) -> None:
    assert calendar.start_of_working_day(day) == starts
    assert calendar.end_of_day(day) == ends


def test_a_day_whose_last_hour_is_skipped_ends_before_it() -> None:
    assert NUUK.end_of_day(date(2026, 3, 28)) == utc(2026, 3, 29, 0, 59, 59)


def test_a_wall_time_that_is_skipped_or_repeated_is_one_instant() -> None:
    from datetime import time

    assert SCOTLAND.at(date(2026, 3, 29), time(1, 30)) == utc(2026, 3, 29, 1, 30)
    assert SCOTLAND.at(date(2026, 10, 25), time(1, 30)) == utc(2026, 10, 25, 0, 30)


def test_a_deadline_in_working_days_is_five_in_the_afternoon_there() -> None:
    friday_evening = utc(2026, 3, 27, 20)
    assert SCOTLAND.working_days_after(friday_evening, 1) == utc(2026, 3, 30, 16)
    assert COLORADO.working_days_after(utc(2026, 3, 6, 3), 2) == utc(
        2026, 3, 9, 23
    )  # still 5 March in Denver


def test_unknown_names_are_refused_together_with_their_mends() -> None:
    with pytest.raises(Invalid) as refused:
        Calendar("Europe/Londn", "GB-XXX")
    zone, holidays = refused.value.faults
    assert (zone.pointer, holidays.pointer) == ("/time_zone", "/holidays")
    assert "Europe/London" in zone.mend
    assert "SCT" in holidays.mend


@pytest.mark.parametrize("name", ["", "Europe", "../etc/passwd", "/etc/passwd", "europe\0", "é", "x" * 5000])
def test_a_name_that_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        Calendar(name, "")


@pytest.mark.parametrize("code", ["XX", "gb-sct", "NYSE", "GB-", "GBR", " ", "GB-SCT\n", "x" * 5000])
def test_a_code_that_is_no_holiday_calendar_is_refused(code: str) -> None:
    with pytest.raises(Invalid):
        Calendar("UTC", code)


@pytest.mark.parametrize(
    ("day", "n"), [(date(2026, 1, 1), MAX_WORKING_DAYS + 1), (date(9999, 12, 31), 1), (date(1900, 1, 5), -9)]
)
def test_a_count_without_an_end_is_refused(day: date, n: int) -> None:
    with pytest.raises(Invalid):
        WEEKDAYS.add_working_days(day, n)


def test_a_day_beyond_all_calendars_is_refused() -> None:
    with pytest.raises(Invalid):
        WEEKDAYS.end_of_day(date.max)


def test_calendars_of_the_same_names_are_equal_and_can_be_keys() -> None:
    assert {Calendar("Europe/London", "GB-SCT"): 1}[SCOTLAND] == 1
