"""When a clock is due: the one place where a due time comes from. Pure."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from lifecycle.timers import ladders, recurrence
from lifecycle.timers.calendars import Calendar


def due_at(
    schedule: Mapping[str, Any],
    rung: int,
    anchor_at: datetime,
    calendar: Calendar,
    pauses: Sequence[ladders.Pause],
) -> datetime | None:
    """When the given rung or occurrence is due, UTC; None when there is no such rung, or while the clock is paused.

    `schedule` is a ladder (`{"rungs": […]}`) or a recurrence (`{"every": RRULE, "first_on": DATE}`).
    """
    if any(pause.ended_at is None for pause in pauses):
        return None
    if "every" in schedule:
        day = recurrence.occurrence(schedule["every"], date.fromisoformat(schedule["first_on"]), rung)
        return None if day is None else calendar.start_of_working_day(day)
    rungs = schedule["rungs"]
    if rung >= len(rungs):
        return None
    return ladders.due_at(anchor_at, ladders.Rung.from_json(rungs[rung]), calendar, pauses)


def rungs_due(
    schedule: Mapping[str, Any],
    rung: int,
    anchor_at: datetime,
    calendar: Calendar,
    pauses: Sequence[ladders.Pause],
    as_of: datetime,
) -> tuple[list[tuple[int, datetime]], datetime | None]:
    """What is due at `as_of`, and when the one after it is.

    Returns:
        The rungs or occurrences from `rung` on that are due, each with its scheduled instant, oldest first: several
        after a time down, none is skipped; `ladders.collapse` says which of them send. Then the instant of the next
        one, None where there is none.
    """
    due = []
    while (at := due_at(schedule, rung, anchor_at, calendar, pauses)) is not None and at <= as_of:
        due.append((rung, at))
        rung += 1
    return due, at
