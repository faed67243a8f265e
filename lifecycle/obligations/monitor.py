"""What happens to performances by itself: the next falls due, a report is missing, a window closes in silence."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from lifecycle.db import Database
from lifecycle.notices.owed import Owed
from lifecycle.obligations import following, queries, record, terms
from lifecycle.obligations.queries import Performance
from lifecycle.obligations.terms import Terms
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import BINDING_ROLES, People, people_of
from lifecycle.partnerships.sweeps import sweep
from lifecycle.redress import steps
from lifecycle.timers import service as timers
from lifecycle.timers.service import Fired

Happening = Callable[[Connection, Change, People, Performance, Terms], str | None]
"""Something that a clock sets in motion; says what it was, or nothing where it has been settled meanwhile."""


def sweep_obligations(database: Database, as_of: datetime) -> dict[str, int]:
    """Let happen what is due at `as_of`; returns how often, by `scheduled`, `overdue`, `silence`, `undetermined`."""
    counts: dict[str, int] = {}
    for happened in sweep(database, [record.DUE, record.ANSWER, record.DECISION], as_of, _all):
        counts[happened] = counts.get(happened, 0) + 1
    return counts


def _all(connection: Connection, locked: Mapping[str, Change], fired: Sequence[Fired]) -> Iterator[str]:
    everybody = people_of(connection, *locked)
    for one in fired:
        change, people = locked[one.partnership_id], everybody[one.partnership_id]
        for happening in _happenings(one):
            found = queries.find(connection, one.partnership_id, one.subject)
            agreed = terms.of(connection, one.partnership_id, found)
            if one.matter == record.DUE:
                agreed = agreed.until(one.schedule["ends_on"])
            happened = happening(connection, change, people, found, agreed)
            if happened is not None:
                yield happened


def _happenings(fired: Fired) -> Sequence[Happening]:
    if fired.matter == record.DUE:
        return [_fall_due if rung == 0 else _fall_overdue for rung, _ in fired.due]
    return [_silence if fired.matter == record.ANSWER else _no_decision]


def _fall_due(
    connection: Connection, change: Change, people: People, one: Performance, agreed: Terms
) -> str | None:
    """The obligation's next performance is scheduled as soon as this one is due."""
    following.schedule_next(connection, change, agreed, change.partnership.calendar.local_date(one.due_at))
    if one.state != "due":
        timers.stop(connection, change.partnership.id, change.now, record.DUE, one.name)
    return "scheduled"


def _fall_overdue(
    connection: Connection, change: Change, people: People, one: Performance, agreed: Terms
) -> str | None:
    """No report has come in the agreed time: both sides hear it, which is when the breach is seen."""
    if one.state != "due":
        return None
    overdue = record.move(connection, change, one, "fall_overdue", changes.SYSTEM, seen_at=change.now)
    owing = {c.id for c in people.reachable(one.obligor, "deputy", *BINDING_ROLES)}
    owed = record.answerers(people, one, agreed, one.obligor)
    facts = record.facts_of(change.partnership.calendar, one, agreed) | {"missing": sorted(owing)}
    change.owe(
        Owed(contact_id, "performance_overdue", f"performance/{one.name}", facts, one.due_at)
        for contact_id in sorted(owing | set(owed))
    )
    steps.follow_remedy(connection, change, people, overdue)
    return "overdue"


def _silence(
    connection: Connection, change: Change, people: People, one: Performance, agreed: Terms
) -> str | None:
    """The window to answer a report is over: what the agreement says of silence holds."""
    if one.state != "reported":
        return None
    if agreed.on_silence == "disputed":
        record.ask_decider(
            connection, change, people, one, agreed, "dispute_by_silence", changes.SYSTEM, None
        )
    else:
        settled = record.settle(
            connection, change, people, one, agreed, "accept_by_silence", changes.SYSTEM, one.outcome
        )
        steps.follow_remedy(connection, change, people, settled)
    return "silence"


def _no_decision(
    connection: Connection, change: Change, people: People, one: Performance, agreed: Terms
) -> str | None:
    """Nobody decided in time: the performance is closed as undetermined, and counts as a defect of the terms."""
    if one.state != "disputed":
        return None
    settled = record.settle(
        connection, change, people, one, agreed, "leave_undetermined", changes.SYSTEM, "cannot_tell"
    )
    steps.follow_remedy(connection, change, people, settled)
    return "undetermined"
