"""Putting an agreement's obligations into force."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from lifecycle.obligations import queries, record, schedule
from lifecycle.obligations.queries import Performance
from lifecycle.obligations.terms import Terms
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.timers import service as timers

_DAY = timedelta(days=1)


def follow(connection: Connection, change: Change, agreement: Mapping[str, Any], revision: int) -> None:
    """Put an agreement's obligations into force: the next performance of each is scheduled.

    What older terms would have asked for later is superseded; what is due or was said already stays as it is.

    Args:
        agreement: the content in force, with the term that counts.
        revision: its revision, which the performances are measured by.
    """
    now, today = change.now, change.partnership.calendar.local_date(change.now)
    after = dict[str, date]()
    for one in queries.performances(connection, change.partnership.id):
        if one.is_remedy:
            # It was agreed by itself, and stays whatever the new terms are.
            continue
        if one.state == "due" and one.due_at > now:
            _supersede(connection, change, one)
        elif one.state != "superseded":
            after[one.obligation] = change.partnership.calendar.local_date(one.due_at)
    for obligation in agreement.get("obligations", ()):
        if not {"obligor", "obligee"} <= obligation.keys():
            # Possible where the sponsors waived C1: what nobody owes to anybody cannot fall due.
            continue
        since = max(today - _DAY, after.get(obligation["id"], date.min))
        schedule_next(connection, change, Terms(agreement, obligation, revision), since)


def _supersede(connection: Connection, change: Change, one: Performance) -> None:
    record.move(connection, change, one, "supersede", changes.SYSTEM, closed_at=change.now)
    for matter in (record.DUE, record.REPORT_OVERDUE):
        timers.stop(connection, change.partnership.id, change.now, matter, one.name)


def schedule_next(connection: Connection, change: Change, agreed: Terms, after: date) -> None:
    """Schedule the first performance that is due later than the local day `after`, if there is one."""
    day = schedule.next_due(agreed.agreement, agreed.obligation, after)
    if day is not None:
        record.add(connection, change, agreed, change.partnership.calendar.end_of_day(day))
