"""Gate readiness: when the last missing piece arrives, the coordinator hears that the next stage is open."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from lifecycle import stages
from lifecycle.db import Database
from lifecycle.gates import criteria
from lifecycle.gates.facts import RequestFact
from lifecycle.gates.report import GateReport
from lifecycle.notices.owed import Owed
from lifecycle.partnerships import changes, effects
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.facts import collect
from lifecycle.partnerships.people import People, people_of
from lifecycle.partnerships.sweeps import sweep
from lifecycle.timers import ladders
from lifecycle.timers import service as timers
from lifecycle.timers.service import Fired


def sweep_readiness(database: Database, as_of: datetime) -> list[GateReport]:
    """Check the next gate of every partnership whose evidence changed; returns the reports.

    An open gate is told to the coordinator at once, and again weekly while it is not used, three times.
    """
    return sweep(database, ["gate_readiness"], as_of, _look)


def _look(
    connection: Connection, locked: Mapping[str, Change], fired: Sequence[Fired]
) -> Iterator[GateReport]:
    everybody = people_of(connection, *locked)
    for one in fired:
        report = _check(connection, locked[one.partnership_id], everybody[one.partnership_id])
        if report is not None:
            yield report


def _check(connection: Connection, change: Change, people: People) -> GateReport | None:
    record = change.partnership
    event = effects.PROGRESS.get(record.stage)
    if event is None:
        return None
    facts = collect(connection, record, people, event, RequestFact(None, None), change.now)
    report = criteria.check(event, facts)
    target = stages.next_stage(record.stage, event)
    if not report.open:
        timers.stop(connection, record.id, change.now, "gate_ready")
        return report
    if not timers.is_open(connection, record.id, "gate_ready"):
        change.log("gate_ready", changes.SYSTEM, event=event)
        change.arm("gate_ready", f"{event}/{target}", change.now, ladders.GATE_READY_UNUSED)
        told = {"event": event, "target": target}
        change.owe([Owed(record.coordinator, "gate_ready", f"gate/{event}/{record.version}", told)])
    return report
