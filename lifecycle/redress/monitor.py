"""What happens to complaints by itself: an acknowledgement is missing, a level's time is over, silence closes."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from lifecycle.db import Database
from lifecycle.obligations import queries as obligations
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import people_of
from lifecycle.partnerships.sweeps import sweep
from lifecycle.redress import record, steps
from lifecycle.redress.record import Hearing
from lifecycle.redress.states import IN_DISCUSSION
from lifecycle.timers.service import Fired

MATTERS = (record.ACKNOWLEDGE, record.RESOLVE, record.CLOSING)


def sweep_complaints(database: Database, as_of: datetime) -> dict[str, int]:
    """Let happen what is due at `as_of`; returns how often, by `unacknowledged`, `climbed`, `decided`, `closed`."""
    counts: dict[str, int] = {}
    for happened in sweep(database, MATTERS, as_of, _all):
        counts[happened] = counts.get(happened, 0) + 1
    return counts


def _all(connection: Connection, locked: Mapping[str, Change], fired: Sequence[Fired]) -> Iterator[str]:
    everybody = people_of(connection, *locked)
    for clock in fired:
        number, _, level = clock.subject.partition("/")
        people = everybody[clock.partnership_id]
        # Heard anew for each clock: what another one of the case set in motion has moved it.
        at = record.hear(connection, locked[clock.partnership_id], people, int(number))
        happened = _happen(at, clock.matter) if at.complaint.level == int(level) else None
        if happened is not None:
            yield happened


def _happen(at: Hearing, matter: str) -> str | None:
    state = at.complaint.state
    if matter == record.ACKNOWLEDGE:
        return _unacknowledged(at) if state in {"lodged", "escalated"} else None
    if matter == record.RESOLVE:
        return _time_over(at) if state in IN_DISCUSSION else None
    return _silence(at) if state in {"resolved", "remedied"} else None


def _unacknowledged(at: Hearing) -> str:
    """The procedure has missed a limit of its own: both sides hear it, and the sponsors of the one that is silent."""
    _miss(at, "acknowledge")
    sponsors = [c.id for c in at.people.reachable(at.complaint.respondent, "sponsor", "deputy", "primary")]
    record.tell(at, "complaint_late", "miss", changes.SYSTEM, {"step": "acknowledge"}, also=sponsors)
    return "unacknowledged"


def _time_over(at: Hearing) -> str:
    """The level's time is over: what the agreement says of that happens."""
    _miss(at, "resolve")
    agreed = obligations.remedies(at.connection, at.change.partnership.id, at.complaint.number)
    smallest = at.procedure.smallest([one.remedy for one in agreed])
    if at.level.default_decision and smallest is not None:
        content = {"settlement": "remedy", "remedy": smallest.id, "act": smallest.text}
        steps.settle(at, content, changes.SYSTEM)
        return "decided"
    steps.escalate(at, changes.SYSTEM, f"The time of level {at.complaint.level} is over.")
    return "climbed"


def _miss(at: Hearing, step: str) -> None:
    record.enter(at, "miss", changes.SYSTEM, {"step": step})
    one = at.complaint
    at.change.log("redress_limit_missed", changes.SYSTEM, complaint=one.number, level=one.level, step=step)


def _silence(at: Hearing) -> str:
    """The side that complained has not said otherwise: the complaint is closed."""
    steps.close(at, changes.SYSTEM)
    return "closed"
