"""What recurs: rules as RFC 5545 writes them (RRULE), counted from an anchor. Pure, dates only.

The n-th occurrence is anchor + n × period, clamped to the month's end and never drifting: monthly from 31 January
gives 28 February and then 31 March. Rules that select days (BYDAY, BYMONTHDAY, …) are left to python-dateutil;
their occurrence 0 is the first selected day on or after the anchor.
"""

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, time, timedelta
from functools import lru_cache
from itertools import count, islice

from dateutil.rrule import rrule, rruleset, rrulestr

from lifecycle.errors import Fault, Invalid

HORIZON = timedelta(days=50 * 366)
"""How far after its anchor a rule that selects days is followed; bounds the search for rules that hardly ever match."""

GAP_WINDOW = timedelta(days=5 * 366)
"""The stretch that `longest_gap_days` looks at."""

MAX_RULE_LENGTH = 200
_EXAMPLE = "Write it like FREQ=MONTHLY;INTERVAL=3 or FREQ=WEEKLY;BYDAY=MO."
_PERIODS = {"DAILY": (1, 0), "WEEKLY": (7, 0), "MONTHLY": (0, 1), "YEARLY": (0, 12)}
"""The length of one period as (days, months)."""

_NUMBER = r"[1-9]\d{0,3}"
_DAY = r"(MO|TU|WE|TH|FR|SA|SU)"
_PARTS = {
    "FREQ": "DAILY|WEEKLY|MONTHLY|YEARLY",
    "INTERVAL": _NUMBER,
    "COUNT": _NUMBER,
    "UNTIL": r"\d{8}(T\d{6}Z?)?",
    "WKST": _DAY,
    "BYDAY": rf"([+-]?[1-9]\d?)?{_DAY}",
    "BYMONTH": r"[1-9]|1[0-2]",
    "BYMONTHDAY": r"[+-]?([1-9]|[12]\d|3[01])",
    "BYYEARDAY": r"[+-]?([1-9]\d?|[12]\d\d|3[0-5]\d|36[0-6])",
    "BYWEEKNO": r"[+-]?([1-9]|[1-4]\d|5[0-3])",
    "BYSETPOS": r"[+-]?([1-9]\d?|[12]\d\d|3[0-5]\d|36[0-6])",
}
_LIMITS = {"COUNT", "UNTIL"}
_SELECTORS = {
    "DAILY": {"BYDAY"},
    "WEEKLY": {"BYDAY"},
    "MONTHLY": {"BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS"},
    "YEARLY": {name for name in _PARTS if name.startswith("BY")},
}
"""What selects days in which frequency: what RFC 5545 allows and can be searched quickly."""

_LAST_ANCHOR = date(2200, 12, 31)
_SOME_ANCHOR = date(2000, 1, 1)
"""A leap year and a month of 31 days, from which most rules fall."""


@dataclass(frozen=True)
class _Rule:
    """A rule that was read: its period, its end, and the parts that select days (empty for a simple rule)."""

    days: int
    months: int
    count: int | None
    until: date | None
    selecting: str


def validate_rule(rule: str, anchor: date = _SOME_ANCHOR) -> None:
    """Accept a recurrence rule that the engine can keep. Give the anchor where it is known: some rules depend on it.

    Raises:
        Invalid: it is not an RRULE, recurs more often than daily, or never falls on any day.
    """
    if _parse(rule).selecting and next(_selected(rule, anchor), None) is None:
        raise _invalid("never falls on any day", _EXAMPLE)


def occurrence(rule: str, anchor: date, n: int) -> date | None:
    """The n-th occurrence, counted from 0; None when the rule ends before it.

    Raises:
        Invalid: the rule cannot be read.
    """
    read = _parse(rule)
    if n < 0 or (read.count is not None and n >= read.count):
        return None
    day = _nth_selected(rule, anchor, n) if read.selecting else _nth(read, anchor, n)
    return None if day is None or (read.until is not None and day > read.until) else day


def next_after(rule: str, anchor: date, after: date) -> tuple[int, date] | None:
    """The first occurrence later than `after`, with its number; None when the rule has ended by then.

    Costs microseconds whatever lies between anchor and `after`, unless the rule selects days.

    Raises:
        Invalid: the rule cannot be read.
    """
    read = _parse(rule)
    if read.selecting:
        return next(((n, day) for n, day in enumerate(_occurrences(rule, anchor)) if day > after), None)
    n = _periods_between(read, anchor, after)
    day = occurrence(rule, anchor, n)
    if day is not None and day <= after:
        n += 1
        day = occurrence(rule, anchor, n)
    return None if day is None else (n, day)


@lru_cache(maxsize=4096)
def longest_gap_days(rule: str, anchor: date) -> int:
    """The most days between two consecutive occurrences, over five years from the first; 0 when there is only one.

    The first two occurrences count however far apart they are.
    """
    longest, previous, end = 0, None, date.max
    for day in _occurrences(rule, anchor):
        if previous is None:
            end = day + min(GAP_WINDOW, date.max - day)
        else:
            longest = max(longest, (day - previous).days)
        previous = day
        if day > end:
            break
    return longest


def _occurrences(rule: str, anchor: date) -> Iterator[date]:
    read = _parse(rule)
    numbered = (_nth(read, anchor, n) for n in count())
    days = _selected(rule, anchor) if read.selecting else numbered
    for day in islice(days, read.count):
        if day is None or (read.until is not None and day > read.until):
            return
        yield day


def _nth(read: _Rule, anchor: date, n: int) -> date | None:
    if read.days:
        days = anchor.toordinal() + n * read.days
        return date.fromordinal(days) if days <= date.max.toordinal() else None
    year, month = divmod(anchor.year * 12 + anchor.month - 1 + n * read.months, 12)
    if year > MAXYEAR:
        return None
    return date(
        year, month + 1, anchor.day if anchor.day <= 28 else min(anchor.day, monthrange(year, month + 1)[1])
    )


def _periods_between(read: _Rule, anchor: date, after: date) -> int:
    """The number of the last occurrence that can lie on or before `after`; 0 when `after` precedes the anchor."""
    if after <= anchor:
        return 0
    if read.days:
        return (after - anchor).days // read.days
    return ((after.year - anchor.year) * 12 + after.month - anchor.month) // read.months


def _nth_selected(rule: str, anchor: date, n: int) -> date | None:
    return next(islice(_selected(rule, anchor), n, None), None)


def _selected(rule: str, anchor: date) -> Iterator[date]:
    return (moment.date() for moment in _selection(rule, anchor))


@lru_cache(maxsize=1024)
def _selection(rule: str, anchor: date) -> rrule | rruleset:
    """Dateutil's iteration, which remembers what it has found. The ends are ours to apply (`occurrence`)."""
    if anchor > _LAST_ANCHOR:
        raise Invalid([Fault("/first_on", f"later than {_LAST_ANCHOR}", "Start earlier.")], "The recurrence")
    end = anchor + HORIZON
    text = f"{_parse(rule).selecting};UNTIL={end.isoformat().replace('-', '')}"
    try:
        return rrulestr(text, dtstart=datetime.combine(anchor, time.min), cache=True)
    except ValueError as error:
        raise _invalid("RRULE of RFC 5545", _EXAMPLE) from error


@lru_cache(maxsize=4096)
def _parse(rule: str) -> _Rule:
    parts = _read_parts(rule)
    days, months = _PERIODS[parts["FREQ"]]
    interval = int(parts.get("INTERVAL", "1"))
    limits = parts.keys() & _LIMITS
    if limits == _LIMITS:
        raise _invalid("COUNT and UNTIL exclude each other", "Keep one of them.")
    selects = any(name.startswith("BY") for name in parts)
    selecting = ";".join(f"{name}={value}" for name, value in parts.items() if name not in _LIMITS)
    return _Rule(
        days * interval,
        months * interval,
        int(parts["COUNT"]) if "COUNT" in parts else None,
        _until(parts["UNTIL"]) if "UNTIL" in parts else None,
        selecting if selects else "",
    )


def _read_parts(rule: str) -> dict[str, str]:
    if len(rule) > MAX_RULE_LENGTH:
        raise _invalid(f"at most {MAX_RULE_LENGTH} characters", _EXAMPLE)
    pairs = [part.partition("=")[::2] for part in rule.upper().split(";")]
    parts = dict(pairs)
    if parts.get("FREQ") in {"SECONDLY", "MINUTELY", "HOURLY"}:
        raise _invalid("recurs more often than daily", "Use DAILY, WEEKLY, MONTHLY or YEARLY.")
    if len(parts) < len(pairs) or "FREQ" not in parts:
        raise _invalid("FREQ is named once, and every part at most once", _EXAMPLE)
    for name, value in parts.items():
        _check_part(name, value)
    _check_together(parts)
    return parts


def _check_together(parts: dict[str, str]) -> None:
    frequency = parts["FREQ"]
    selectors = {name for name in parts if name.startswith("BY")}
    for name in sorted(selectors - _SELECTORS[frequency]):
        raise _invalid(f"{name} in a {frequency} rule", "Write it with FREQ=MONTHLY or FREQ=YEARLY.")
    if selectors == {"BYSETPOS"}:
        raise _invalid(
            "BYSETPOS picks from the days of another BY part", "Add one, such as BYDAY=MO,TU,WE,TH,FR."
        )
    if frequency in {"DAILY", "WEEKLY"} and re.search(r"\d", parts.get("BYDAY", "")):
        raise _invalid("a numbered BYDAY needs a month or a year", "Use FREQ=MONTHLY, or drop the number.")


def _check_part(name: str, value: str) -> None:
    known = _PARTS.get(name)
    if known is None:
        raise _invalid(f"unknown part {name[:20]}", f"Use only {', '.join(_PARTS)}. {_EXAMPLE}")
    values = value.split(",") if name.startswith("BY") else [value]
    if not all(re.fullmatch(known, one) for one in values):
        raise _invalid(f"{name}={value[:20]} has no meaning", _EXAMPLE)


def _until(text: str) -> date:
    try:
        return date.fromisoformat(f"{text[:4]}-{text[4:6]}-{text[6:8]}")
    except ValueError:
        raise _invalid(f"UNTIL={text} is no day", "Write it like UNTIL=20271231.") from None


def _invalid(rule: str, mend: str) -> Invalid:
    return Invalid([Fault("/every", rule, mend)], "The recurrence rule")
