"""Gate readiness: when the last missing piece arrives, the coordinator hears that the next stage is open.

An evaluation waits for nobody's request: when its time has come, the engine asks for it by itself.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from lifecycle import stages
from lifecycle.db import Database
from lifecycle.evaluation import lessons, opening
from lifecycle.gates import criteria
from lifecycle.gates.facts import RequestFact
from lifecycle.gates.report import GateReport
from lifecycle.notices.owed import Owed
from lifecycle.partnerships import changes, effects, service
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.facts import collect
from lifecycle.partnerships.people import People, people_of
from lifecycle.partnerships.sweeps import sweep
from lifecycle.timers import ladders
from lifecycle.timers import service as timers
from lifecycle.timers.service import Fired

BEGIN = "begin_evaluation"
REASON = "The agreed term ends, and nothing is prolonged by silence: the evaluation begins before."


@dataclass(frozen=True)
class Looked:
    """A partnership whose next gate was looked at, and whether the engine took it through."""

    partnership_id: str
    event: str
    open: bool
    taken: bool
    blocked_by: tuple[str, ...]


def sweep_readiness(database: Database, as_of: datetime) -> list[Looked]:
    """Check the next gate of every partnership whose evidence changed, or whose evaluation is to begin.

    An open gate is told to the coordinator at once, and again weekly while it is not used, three times. An evaluation
    begins as soon as its gate is open from its day on; while it is shut, the coordinator hears every two weeks why.
    """
    return sweep(database, ["gate_readiness", opening.BEGINS], as_of, _look)


def _look(connection: Connection, locked: Mapping[str, Change], fired: Sequence[Fired]) -> Iterator[Looked]:
    everybody = people_of(connection, *locked)
    # Clocks that ask come first: what they take, the others find taken.
    for one in sorted(fired, key=lambda one: one.matter != opening.BEGINS):
        change, people = locked[one.partnership_id], everybody[one.partnership_id]
        if change.partnership.stage == "maintaining":
            asks = one.matter == opening.BEGINS
            found = _begin(connection, change, people, asks)
        else:
            found = _announce(connection, change, people)
        if found is not None:
            yield found


def _begin(connection: Connection, change: Change, people: People, asks: bool) -> Looked | None:
    """Begin the evaluation whose time has come. Where its gate is shut, only a clock that `asks` is told why."""
    if not asks and not opening.time_has_come(connection, change.partnership.id):
        return None
    report = _report(connection, change, people, BEGIN)
    if asks or report.open:
        service.ask_by_schedule(connection, change, people, BEGIN, REASON)
    return _looked(report, taken=report.open)


def _report(connection: Connection, change: Change, people: People, event: str) -> GateReport:
    facts = collect(connection, change.partnership, people, event, RequestFact(None, None), change.now)
    return criteria.check(event, facts)


def _looked(report: GateReport, taken: bool) -> Looked:
    codes = tuple(finding.code for finding in report.blocking)
    return Looked(report.partnership_id, report.event, report.open, taken, codes)


def _announce(connection: Connection, change: Change, people: People) -> Looked | None:
    """The next gate of a stage that a partnership leaves when somebody asks."""
    record = change.partnership
    event = effects.PROGRESS.get(record.stage)
    if event is None:
        return None
    report = _report(connection, change, people, event)
    target = stages.next_stage(record.stage, event)
    if not report.open:
        timers.stop(connection, record.id, change.now, "gate_ready")
        return _looked(report, taken=False)
    if not timers.is_open(connection, record.id, "gate_ready"):
        change.log("gate_ready", changes.SYSTEM, event=event)
        change.arm("gate_ready", f"{event}/{target}", change.now, ladders.GATE_READY_UNUSED)
        told = {"event": event, "target": target, "lessons": lessons.for_gate(connection, record.id, event)}
        change.owe([Owed(record.coordinator, "gate_ready", f"gate/{event}/{record.version}", told)])
    return _looked(report, taken=False)
