"""The formats that schemas name, each with what it accepts and how a wrong value is mended. Pure.

Libraries that are slow to import are imported when the first value of their format is checked.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlsplit

from lifecycle.errors import Invalid

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DATE_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
)


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
    """A rule that the engine's clocks can keep."""
    from lifecycle.timers.recurrence import validate_rule

    return _passes(lambda: validate_rule(text))


def is_time_zone(text: str) -> bool:
    """A zone that the engine's calendars can count in."""
    from lifecycle.timers.calendars import Calendar

    return _passes(lambda: Calendar(text, ""))


def is_holiday_calendar(text: str) -> bool:
    """A holiday calendar that the engine's calendars know; empty for weekends only."""
    from lifecycle.timers.calendars import Calendar

    return _passes(lambda: Calendar("UTC", text))


def _passes(check: Callable[[], object]) -> bool:
    try:
        check()
    except Invalid:
        return False
    return True


@dataclass(frozen=True)
class Format:
    """One format: which texts it accepts, and what to write instead of a wrong one."""

    accepts: Callable[[str], bool]
    mend: str


FORMATS: Mapping[str, Format] = {
    "contact-id": Format(is_slug, "Write the id of a registered contact, such as amira-haddad."),
    "partner-id": Format(is_slug, "Write the id of a registered partner, such as harbour-clinic."),
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
