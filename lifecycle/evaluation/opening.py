"""When an evaluation begins by itself: some time before the term ends, asked for again until the gate lets it."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from lifecycle.partnerships.changes import Change
from lifecycle.timers import ladders
from lifecycle.timers import service as timers

BEGINS, DUE = "evaluation_begins", "evaluation_due"
"""The clock at which the engine asks for `begin_evaluation`, and the ladder that says so before and after."""

DAYS_BEFORE_END = 90
AGAIN = "FREQ=WEEKLY;INTERVAL=2"
"""How often it is asked for again while its gate is shut; evidence that arrives in between is looked at at once."""


def begins_on(term: Mapping[str, Any]) -> date:
    """The day on which the evaluation of a term begins: as agreed, else 90 days before the term's last day.

    Of a term so short that this would be its first half, its middle.
    """
    ends_on = date.fromisoformat(term["ends_on"])
    if "evaluate_days_before_end" in term:
        return ends_on - timedelta(days=term["evaluate_days_before_end"])
    usual = ends_on - timedelta(days=DAYS_BEFORE_END)
    if "starts_on" not in term:
        return usual
    starts_on = date.fromisoformat(term["starts_on"])
    return max(usual, starts_on + (ends_on - starts_on) / 2)


def follow_term(change: Change, term: Mapping[str, Any]) -> None:
    """Start the clocks of a term that has a last day."""
    if "ends_on" not in term:
        return
    opens_on, ends_on = begins_on(term), date.fromisoformat(term["ends_on"])
    schedule = {"every": AGAIN, "first_on": opens_on.isoformat()}
    ladder = ladders.evaluation_due((ends_on - opens_on).days)
    change.arm(BEGINS, term["ends_on"], change.now, schedule)
    change.arm(DUE, term["ends_on"], change.partnership.calendar.end_of_day(ends_on), ladder)


def stop(connection: Connection, change: Change) -> None:
    """Stop them: the evaluation has begun, or other terms come into force first."""
    for matter in (BEGINS, DUE):
        timers.stop(connection, change.partnership.id, change.now, matter)


def time_has_come(connection: Connection, partnership_id: str) -> bool:
    """Whether the engine has asked for this term's evaluation already, and did not get it."""
    return timers.has_fired(connection, partnership_id, BEGINS)
