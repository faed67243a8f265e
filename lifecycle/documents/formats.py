"""The formats that schemas name, each with what it accepts and how a wrong value is mended. Pure.

Libraries that are slow to import are imported when the first value of their format is checked.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from urllib.parse import urlsplit

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)
_ZONE = re.compile(r"[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*")
_RULE = re.compile(r"FREQ=(DAILY|WEEKLY|MONTHLY|YEARLY)(;[A-Z]+=[A-Z0-9,+-]+)*")
_ZERO_INTERVAL = re.compile(r";INTERVAL=0*(;|$)")
_TIME_OF_DAY = re.compile(r";BY(HOUR|MINUTE|SECOND)=")
_HOLIDAYS = re.compile(r"([A-Z]{2,4}(-[A-Z0-9]{1,6})?)?")
_FIRST_DAY = datetime(2024, 1, 1)  # noqa: DTZ001 - a recurrence rule of days has no time zone
_RECURS_WITHIN = timedelta(days=8 * 366)


def is_slug(text: str) -> bool:
    """Lower-case letters and digits in words joined by single hyphens."""
    return len(text) <= 64 and _SLUG.fullmatch(text) is not None


def is_sha256(text: str) -> bool:
    """64 lower-case hexadecimal digits."""
    return _SHA256.fullmatch(text) is not None


def is_date(text: str) -> bool:
    """A full date of RFC 3339."""
    if not _DATE.fullmatch(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_date_time(text: str) -> bool:
    """An instant of RFC 3339, with its offset."""
    if not _DATE_TIME.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def is_email(text: str) -> bool:
    """An address that mail can be sent to without the SMTPUTF8 extension; nobody is asked whether it exists."""
    from email_validator import EmailNotValidError, validate_email

    try:
        return validate_email(text, check_deliverability=False).ascii_email is not None
    except EmailNotValidError:
        return False


def is_web_address(text: str) -> bool:
    """An absolute http or https address; other schemes must not become links on a page."""
    if not text.isascii() or not text.isprintable() or any(c in text for c in ' <>"\\^`{|}'):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def is_recurrence_rule(text: str) -> bool:
    """One iCalendar RRULE (RFC 5545) that counts days or longer and recurs within eight years."""
    if not _RULE.fullmatch(text) or _ZERO_INTERVAL.search(text) or _TIME_OF_DAY.search(text):
        return False
    from dateutil.rrule import rrule, rrulestr

    try:
        rule = rrulestr(text, dtstart=_FIRST_DAY)
        if not isinstance(rule, rrule):
            return False
        # Bounded, because a rule such as 30 February is searched to the year 9999.
        return next(iter(rule.replace(until=_FIRST_DAY + _RECURS_WITHIN, count=None)), None) is not None
    except (ValueError, TypeError, OverflowError):
        return False


def is_time_zone(text: str) -> bool:
    """A zone of the IANA time zone database."""
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    if not _ZONE.fullmatch(text):
        return False
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def is_holiday_calendar(text: str) -> bool:
    """A country, or a country and its part, as the `holidays` library names them; empty for weekends only."""
    if not _HOLIDAYS.fullmatch(text):
        return False
    if not text:
        return True
    from holidays import country_holidays

    country, _, part = text.partition("-")
    try:
        country_holidays(country, subdiv=part or None)
    except (NotImplementedError, KeyError, AttributeError, ValueError):
        return False
    return True


@dataclass(frozen=True)
class Format:
    """One format: which texts it accepts, and what to write instead of a wrong one."""

    accepts: Callable[[str], bool]
    mend: str


FORMATS: Mapping[str, Format] = {
    "date": Format(is_date, "Write a date that exists as year-month-day, such as 2027-03-31."),
    "date-time": Format(is_date_time, "Write date, time and offset, such as 2027-03-31T09:00:00Z."),
    "email": Format(is_email, "Write one address of plain letters, such as office@harbour-clinic.example."),
    "holidays": Format(
        is_holiday_calendar,
        "Write a country or part of it, such as GB-SCT or NL, or an empty text for weekends only.",
    ),
    "rrule": Format(
        is_recurrence_rule,
        "Write a recurrence rule of days, weeks, months or years, such as FREQ=MONTHLY;INTERVAL=3.",
    ),
    "sha256": Format(is_sha256, "Write the SHA-256 as 64 lower-case hexadecimal digits."),
    "slug": Format(
        is_slug,
        "Write an id of lower-case letters and digits with single hyphens between, such as harbour-clinic.",
    ),
    "time-zone": Format(is_time_zone, "Write a zone of the IANA database, such as Europe/London."),
    "uri": Format(is_web_address, "Write a whole web address, such as https://harbour-clinic.example/plan."),
}
"""Every format that a schema may name."""
