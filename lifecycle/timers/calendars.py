"""Working days and local times of one partnership: a time zone and a calendar of public holidays. Pure, no clock."""

import difflib
import re
import zoneinfo
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING

from lifecycle.errors import Fault, Invalid

if TYPE_CHECKING:
    from holidays import HolidayBase

START_OF_WORK = time(9)
END_OF_WORK = time(17)
FIRST_YEAR, LAST_YEAR = 1900, 2200
MAX_WORKING_DAYS = 10_000
"""The longest count of working days, about forty years: what is longer is a mistake in a document."""

_CODE = re.compile(r"[A-Z]{2}(-\S{1,13})?")
_ONE_DAY = timedelta(days=1)
_ONE_SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Calendar:
    """A time zone (IANA name) and a holiday calendar (`GB-SCT`, `NL`, `US-CO`; empty: weekends only).

    Days are local dates, instants are UTC. Days before 1900 or after 2200 are refused as `Invalid`.

    Raises:
        Invalid: the zone or the holiday calendar is unknown; both are named at once.
    """

    time_zone: str
    holidays: str

    def __post_init__(self) -> None:
        """Refuse names that nobody knows."""
        faults = _faults(self.time_zone, self.holidays)
        if faults:
            raise Invalid(faults, "The calendar")

    def is_working_day(self, day: date) -> bool:
        """Whether people work on this day: neither weekend nor public holiday there."""
        days = _working_days(self.holidays, day.year)
        index = bisect_left(days, day.toordinal())
        return index < len(days) and days[index] == day.toordinal()

    def add_working_days(self, day: date, n: int) -> date:
        """The n-th working day after `day`; before it for a negative n; for 0 the day itself or the next working day.

        Raises:
            Invalid: n is beyond `MAX_WORKING_DAYS`, or the result beyond the years that calendars are known for.
        """
        if abs(n) > MAX_WORKING_DAYS:
            raise _invalid(
                "/working_days", f"{n} working days is too long", "Give at most 10,000 working days."
            )
        year, days = day.year, _working_days(self.holidays, day.year)
        index = bisect_right(days, day.toordinal()) - 1 if n > 0 else bisect_left(days, day.toordinal())
        index += n
        while index >= len(days):
            index -= len(days)
            year += 1
            days = _working_days(self.holidays, year)
        while index < 0:
            year -= 1
            days = _working_days(self.holidays, year)
            index += len(days)
        return date.fromordinal(days[index])

    def working_days_between(self, start: date, end: date) -> int:
        """How many working days lie after `start` up to and including `end`.

        Negative when `end` is earlier: then those before `start`, down to and including `end`. So
        `working_days_between(day, add_working_days(day, n)) == n` for every n but 0.
        """
        if end < start:
            return -self.working_days_between(end - _ONE_DAY, start - _ONE_DAY)
        whole_years = sum(len(_working_days(self.holidays, year)) for year in range(start.year, end.year))
        before_start = bisect_right(_working_days(self.holidays, start.year), start.toordinal())
        return (
            whole_years + bisect_right(_working_days(self.holidays, end.year), end.toordinal()) - before_start
        )

    def working_days_after(self, instant: datetime, n: int) -> datetime:
        """The deadline `n` working days from an instant: 17:00 local on the n-th working day after its local date."""
        return self.at(self.add_working_days(self.local_date(instant), n), END_OF_WORK)

    def start_of_working_day(self, day: date) -> datetime:
        """09:00 local on this day, or on the next working day when nobody works on it; UTC."""
        return self.at(self.add_working_days(day, 0), START_OF_WORK)

    def end_of_day(self, day: date) -> datetime:
        """The last second of a local day (23:59:59 where the clocks do not change just then); UTC."""
        _require_known_year(day.year)
        return self.at(day + _ONE_DAY, time.min) - _ONE_SECOND

    def at(self, day: date, clock: time) -> datetime:
        """A local wall time as an instant, UTC.

        A time that happens twice (clocks go back) means the first; one that is skipped (clocks go forward) means as
        long after the change as it would have been.
        """
        return datetime.combine(day, clock, tzinfo=zoneinfo.ZoneInfo(self.time_zone)).astimezone(UTC)

    def local(self, instant: datetime) -> datetime:
        """An instant as people there read it off the wall."""
        return instant.astimezone(zoneinfo.ZoneInfo(self.time_zone))

    def local_date(self, instant: datetime) -> date:
        """The day on which an instant falls there."""
        return self.local(instant).date()


def _invalid(pointer: str, rule: str, mend: str) -> Invalid:
    return Invalid([Fault(pointer, rule, mend)], "The calendar")


def _require_known_year(year: int) -> None:
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise _invalid(
            "/day", f"the year {year} is outside {FIRST_YEAR}–{LAST_YEAR}", "Give a day within these years."
        )


@lru_cache(maxsize=1024)
def _faults(time_zone: str, holidays: str) -> tuple[Fault, ...]:
    found = (_zone_fault(time_zone), _holidays_fault(holidays))
    return tuple(fault for fault in found if fault is not None)


def _zone_fault(name: str) -> Fault | None:
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        close = difflib.get_close_matches(name[:60], zoneinfo.available_timezones(), n=1)
        example = close[0] if close else "Europe/London"
        return Fault(
            "/time_zone", "unknown time zone", f"Use a name of the IANA database, such as {example}."
        )
    return None


def _holidays_fault(code: str) -> Fault | None:
    if not code:
        return None
    mend = "Use a country or country-subdivision code such as NL, GB-SCT or US-CO; leave it empty for weekends only."
    if not _CODE.fullmatch(code):
        return Fault("/holidays", "unknown holiday calendar", mend)
    try:
        _country(code, FIRST_YEAR)
    except NotImplementedError:
        return Fault("/holidays", "unknown holiday calendar", mend + _subdivisions(code[:2]))
    return None


def _subdivisions(country: str) -> str:
    import holidays

    known = holidays.list_supported_countries().get(country)
    return f" Known for {country}: {', '.join(known)}." if known else ""


def _country(code: str, year: int) -> "HolidayBase":
    import holidays  # half a second, all countries at once: only who counts by holidays pays for it

    country, _, subdivision = code.partition("-")
    return holidays.country_holidays(country, subdiv=subdivision or None, years=year, expand=False)


@lru_cache(maxsize=4096)
def _working_days(code: str, year: int) -> tuple[int, ...]:
    """The ordinals of a year's working days, ascending: every count is then a binary search."""
    _require_known_year(year)
    first = date(year, 1, 1).toordinal()
    days = [date.fromordinal(ordinal) for ordinal in range(first, date(year, 12, 31).toordinal() + 1)]
    if not code:
        return tuple(day.toordinal() for day in days if day.weekday() < 5)
    country = _country(code, year)
    return tuple(day.toordinal() for day in days if country.is_working_day(day))
