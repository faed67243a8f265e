"""Reading clocks: what a partnership waits for."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, select

from lifecycle.timers.models import timer, timer_firing

INTERNAL = frozenset(
    {"gate_readiness", "answer_missing", "decision_missing", "report_overdue", "complaint_warning"}
)
"""Matters that only the engine waits for, and ladders beside a clock that is shown."""


@dataclass(frozen=True)
class OpenTimer:
    """A clock that runs, or is paused (`due_at` is None)."""

    matter: str
    subject: str
    rung: int
    anchor_at: datetime
    due_at: datetime | None


_OPEN = [timer.c[name] for name in OpenTimer.__dataclass_fields__]


def open_timers(connection: Connection, partnership_id: str) -> list[OpenTimer]:
    """The open clocks of one partnership, next due first, paused ones last."""
    statement = select(*_OPEN).where(timer.c.partnership_id == partnership_id, timer.c.done_at.is_(None))
    found = [OpenTimer(*row) for row in connection.execute(statement)]
    return sorted(found, key=lambda one: (one.due_at is None, one.due_at or one.anchor_at, one.matter))


def kept(connection: Connection, partnership_id: str, matters: Sequence[str]) -> tuple[int, int]:
    """How many clocks of some matters were stopped before they fired, and how many were stopped or have fired."""
    fired = select(timer_firing.c.timer_id).where(timer_firing.c.timer_id == timer.c.id).exists()
    statement = select(fired).where(
        timer.c.partnership_id == partnership_id, timer.c.matter.in_(matters), timer.c.done_at.is_not(None)
    )
    found = connection.execute(statement).scalars().all()
    return sum(not late for late in found), len(found)


def due_in(before: datetime) -> Select[tuple[str]]:
    """The partnerships in which something that people wait for is due before an instant, as a subquery."""
    return select(timer.c.partnership_id).where(
        timer.c.matter.not_in(INTERNAL),
        timer.c.done_at.is_(None),
        timer.c.due_at.is_not(None),
        timer.c.due_at < before,
    )


def next_due(connection: Connection, partnership_ids: Sequence[str]) -> dict[str, OpenTimer]:
    """The clock that is due next in each of these partnerships, leaving out what only the engine waits for."""
    statement = (
        select(timer.c.partnership_id, *_OPEN)
        .where(
            timer.c.partnership_id.in_(partnership_ids),
            timer.c.matter.not_in(INTERNAL),
            timer.c.done_at.is_(None),
            timer.c.due_at.is_not(None),
        )
        .order_by(timer.c.due_at.desc())
    )
    return {row[0]: OpenTimer(*row[1:]) for row in connection.execute(statement)}
