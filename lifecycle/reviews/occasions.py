"""Rounds that open by occasion: at half-time, after an upheld complaint, when a sponsor changes."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from lifecycle.db import Database
from lifecycle.errors import NotFound
from lifecycle.obligations import terms
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.sweeps import sweep
from lifecycle.reviews import queries, questionnaire, rules
from lifecycle.reviews.service import REVIEW_DUE, Opening, open_rounds
from lifecycle.timers import ladders
from lifecycle.timers import service as timers
from lifecycle.timers.service import Fired

HALF_TIME = "half_time"

_STAGES = frozenset({"maintaining"})
"""An evaluation opens a round of its own; before and after, there is nothing in force to look back on."""


def follow_term(change: Change, term: Mapping[str, Any]) -> None:
    """Start the clock of half-time, in the middle between the term's first and last day, if it is still ahead."""
    if not {"starts_on", "ends_on"} <= term.keys():
        return
    first, last = date.fromisoformat(term["starts_on"]), date.fromisoformat(term["ends_on"])
    calendar = change.partnership.calendar
    middle = calendar.start_of_working_day(first + (last - first) / 2)
    if middle > change.now:
        change.arm(HALF_TIME, "", middle, ladders.AT_ANCHOR)


def sweep_half_times(database: Database, as_of: datetime) -> int:
    """Open the rounds of those partnerships that are at half-time; returns how many."""
    return sum(sweep(database, [HALF_TIME], as_of, _at_half_time))


def _at_half_time(connection: Connection, locked: Mapping[str, Change], fired: Sequence[Fired]) -> list[bool]:
    return [open_for(connection, locked[one.partnership_id], HALF_TIME) for one in fired]


def open_for(connection: Connection, change: Change, occasion: str) -> bool:
    """Open a round for an occasion, as the agreement in force says whom to ask; returns whether one opened.

    A round within six weeks serves the occasion too: then none is opened, and the trail says so.
    """
    reviews = _agreed(connection, change)
    if change.partnership.stage not in _STAGES or "respondents" not in reviews:
        return False
    if _covered(connection, change):
        change.log("review_occasion_covered", "engine", occasion=occasion)
        return False
    days = reviews.get("open_working_days", rules.OPEN_WORKING_DAYS)
    respondents = sorted(reviews["respondents"])
    opening = Opening(change, occasion, respondents, days, questionnaire.reference(reviews))
    open_rounds(connection, [opening])
    return True


def _agreed(connection: Connection, change: Change) -> Mapping[str, Any]:
    try:
        found: Mapping[str, Any] = terms.agreement_in_force(connection, change.partnership.id).content.get(
            "reviews", {}
        )
    except NotFound:
        return {}
    return found


def _covered(connection: Connection, change: Change) -> bool:
    near = timedelta(days=rules.COVERED_DAYS)
    next_at = timers.due_of(connection, change.partnership.id, REVIEW_DUE, "")
    rounds = queries.rounds(connection, change.partnership.id)
    return (next_at is not None and next_at <= change.now + near) or any(
        one.closed_at is None or one.opened_at >= change.now - near for one in rounds
    )
