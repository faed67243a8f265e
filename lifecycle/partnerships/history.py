"""How many partnerships were in each stage, month by month, read off the trail."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from sqlalchemy import ColumnElement, Connection, select

from lifecycle import stages
from lifecycle.audit.models import audit_event
from lifecycle.partnerships.models import partnership

FIRST_STAGE = stages.STAGES[0]


def stages_by_month(
    connection: Connection, within: ColumnElement[bool], months: int, now: datetime, zone: tzinfo = UTC
) -> list[tuple[date, Counter[str]]]:
    """The counts at the end of each of the last months, oldest first; the last is today's. Before there were any: left out.

    Args:
        within: which partnerships count, as a condition on their row.
        zone: whose months are meant.
    """
    # A partnership that was imported in a later stage has no change to it on record: it counts from the first one there.
    history: dict[str, list[tuple[datetime, str]]] = {}
    begun = select(partnership.c.id, partnership.c.created_at).where(within)
    for partnership_id, created_at in connection.execute(begun):
        history[partnership_id] = [(created_at, FIRST_STAGE)]
    moved = (
        select(audit_event.c.partnership_id, audit_event.c.at, audit_event.c.payload)
        .join(partnership, partnership.c.id == audit_event.c.partnership_id)
        .where(audit_event.c.type == "stage_changed", within)
        .order_by(audit_event.c.partnership_id, audit_event.c.seq)
    )
    for partnership_id, at, payload in connection.execute(moved):
        history[partnership_id].append((at, json.loads(payload)["target"]))
    counted = [
        (day, Counter(filter(None, (_stage_at(steps, end) for steps in history.values()))))
        for day, end in _ends(months, now, zone)
    ]
    return counted[next((place for place, (_, counts) in enumerate(counted) if counts), len(counted)) :]


def _stage_at(steps: Sequence[tuple[datetime, str]], end: datetime) -> str | None:
    return next((stage for at, stage in reversed(steps) if at < end), None)


def _ends(months: int, now: datetime, zone: tzinfo) -> list[tuple[date, datetime]]:
    """The last day of each month, and the instant at which it is over; at last today, and now."""
    today = now.astimezone(zone).date()
    found = [(today, now + timedelta(microseconds=1))]
    first = today.replace(day=1)
    while len(found) < months:
        found.append(
            (first - timedelta(days=1), datetime.combine(first, time.min, tzinfo=zone).astimezone(UTC))
        )
        first = (first - timedelta(days=1)).replace(day=1)
    return found[::-1]
