"""A promise as whoever is asked about it sees it: its terms, what was said of it, what is awaited and from whom."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from lifecycle.audit import queries as audit
from lifecycle.obligations import queries, record, terms
from lifecycle.obligations.queries import Entry, Performance
from lifecycle.obligations.service import ANSWERING_ROLES
from lifecycle.obligations.states import BREACHES, TRANSITIONS
from lifecycle.obligations.terms import Terms
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Partnership
from lifecycle.partnerships.people import BINDING_ROLES, Contact, People
from lifecycle.timers import service as timers

_BY_ITSELF = frozenset({"accept_by_silence", "dispute_by_silence", "leave_undetermined"})
"""What a clock brings about, so that nobody has said it."""


@dataclass(frozen=True)
class Promise:
    """One performance, whole."""

    performance: Performance
    terms: Terms
    said: tuple[Entry, ...]
    """What was said, oldest first; append-only."""
    history: tuple[Entry, ...]
    """The same with what silence has brought about, which the engine has put on record."""
    due_on: date
    answer_by: datetime | None
    """When the open window to answer closes; None without one, or while its clock stands still."""
    decide_by: datetime | None

    @property
    def report(self) -> Entry | None:
        """The report that counts: the newest."""
        return next((entry for entry in reversed(self.said) if entry.kind == "report"), None)

    @property
    def dispute(self) -> Entry | None:
        """Who disputed the report, and why; None where nobody did, or silence counted as it."""
        return next((entry for entry in self.said if entry.kind == "dispute"), None)

    @property
    def obligation(self) -> Mapping[str, Any]:
        """What the agreement, or the remedy, says of it."""
        return self.terms.obligation

    def is_late(self, now: datetime) -> bool:
        """Whether the window to answer is over, and silence has not been put on record yet."""
        return self.answer_by is not None and now >= self.answer_by

    def able(self, people: People, event: str, now: datetime) -> list[Contact]:
        """Who can report, accept, dispute, decide or restore it now; nobody where its state or its window says no.

        The services decide; this says beforehand what they would.
        """
        if (self.performance.state, event) not in TRANSITIONS:
            return []
        if event in {"accept", "dispute"}:
            return [] if self.is_late(now) else self._answerers(people)
        if event == "decide":
            decider = people.contacts.get(self.obligation.get("decider", ""))
            return [] if decider is None else [decider]
        if event == "restore":
            broken = self.performance.outcome in BREACHES
            return people.of(self.performance.obligee, BINDING_ROLES) if broken else []
        reporters = self.terms.reporters()
        return [c for _, c in sorted(people.contacts.items()) if c.partner_id in reporters]

    def _answerers(self, people: People) -> list[Contact]:
        assert self.report is not None, "what is reported has a report"
        side = record.other_side(self.performance, people.get(self.report.by).partner_id)
        return people.of(side, ANSWERING_ROLES)


def read(connection: Connection, partnership: Partnership, name: str) -> Promise:
    """One promise by its performance's name, such as `breakfast/3`.

    Raises:
        NotFound: this partnership has no such performance.
    """
    one = queries.find(connection, partnership.id, name)
    said = tuple(queries.entries(connection, partnership.id, one))
    return Promise(
        performance=one,
        terms=terms.of(connection, partnership.id, one),
        said=said,
        history=tuple(
            sorted([*said, *_by_itself(connection, partnership.id, one, said)], key=lambda e: e.at)
        ),
        due_on=partnership.calendar.local_date(one.due_at),
        answer_by=timers.due_of(connection, partnership.id, record.ANSWER, one.name),
        decide_by=timers.due_of(connection, partnership.id, record.DECISION, one.name),
    )


def _by_itself(
    connection: Connection, partnership_id: str, one: Performance, said: tuple[Entry, ...]
) -> list[Entry]:
    """What silence has brought about, as the trail has it."""
    if not said:
        return []
    found = []
    for event in audit.since(connection, partnership_id, said[0].at):
        if event.type == "performance_moved" and event.actor == changes.SYSTEM:
            moved = json.loads(event.payload)
            if moved["performance"] == one.name and moved["event"] in _BY_ITSELF:
                outcome = moved["outcome"]
                found.append(Entry(0, event.at, moved["event"], event.actor, outcome, None, None, None))
    return found
