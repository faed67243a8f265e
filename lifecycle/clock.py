"""The only place that reads the time. Everything else takes `now` or `as_of` as an argument."""

from datetime import UTC, datetime

from lifecycle.errors import Usage


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


def instant(text: str) -> datetime:
    """Read an ISO 8601 instant such as `2026-03-31T09:00:00Z` and return it in UTC.

    Raises:
        Usage: the text is not an instant, or it names no time zone.
    """
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Usage(
            f"“{text[:60]}” is not an instant with a time zone.",
            mend="Write it like 2026-03-31T09:00:00Z or 2026-03-31T11:00:00+02:00.",
        )
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise Usage(
            f"“{text[:60]}” lies outside the calendar.", mend="Give a year between 1 and 9999."
        ) from None
