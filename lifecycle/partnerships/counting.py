"""Counts of the whole record, for those who operate it. No ids."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, func, select

from lifecycle.notices import queries as notices
from lifecycle.partnerships.models import partnership, transition_request
from lifecycle.timers.models import timer

Count = tuple[str, str, Mapping[str, float]]
"""What it counts; what the counts are told apart by, if by anything; the counts."""


def of(connection: Connection, now: datetime) -> dict[str, Count]:
    """Every count by its name, as of `now` (UTC)."""
    stages = select(partnership.c.stage, func.count()).group_by(partnership.c.stage)
    undecided = select(func.count()).where(transition_request.c.state == "pending")
    late = select(func.count()).where(timer.c.done_at.is_(None), timer.c.due_at < now)
    oldest = notices.oldest_pending(connection)
    waits = 0.0 if oldest is None else max(0.0, (now - oldest).total_seconds())
    by_stage = {stage: float(count) for stage, count in connection.execute(stages)}
    by_state = {state: float(count) for state, count in notices.in_state(connection).items()}
    return {
        "partnerships": ("Partnerships by stage.", "stage", by_stage),
        "notices": ("Emails in the outbox by state.", "state", by_state),
        "oldest_notice_seconds": ("How long the oldest email that is due waits.", "", {"": waits}),
        "undecided_transitions": (
            "Transitions that nobody has decided yet.", "", {"": float(connection.execute(undecided).scalar_one())},
        ),
        "clocks_due": (
            "Clocks that are due and have not fired.", "", {"": float(connection.execute(late).scalar_one())},
        ),
    }  # fmt: skip
