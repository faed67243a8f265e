"""Complaints as pages show them: how each stands, what it is about in words, its clocks, and what can be done."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from lifecycle import stages
from lifecycle.documents import queries as documents
from lifecycle.documents.rules import load_schema
from lifecycle.obligations import queries as obligations
from lifecycle.obligations import record as performing
from lifecycle.obligations import terms
from lifecycle.obligations.queries import REMEDY, Performance, Remedy
from lifecycle.partnerships.changes import Change, Partnership
from lifecycle.partnerships.people import Contact, People
from lifecycle.redress import queries, record
from lifecycle.redress.openings import Openings
from lifecycle.redress.procedure import Level
from lifecycle.redress.queries import Complaint, Entry
from lifecycle.redress.record import Hearing
from lifecycle.timers import queries as timers

CLOCKS = (record.ACKNOWLEDGE, record.RESOLVE, record.CLOSING)
"""What a complaint's readers wait for; its warnings are only emails."""

OF_REMEDY = (performing.DUE, performing.ANSWER, performing.DECISION)
"""What they wait for while a remedy is carried out."""


@dataclass(frozen=True)
class Subject:
    """What a complaint is about, in words: `kind` is performance, obligation or term."""

    kind: str
    words: str
    due_at: datetime | None = None
    outcome: str | None = None


@dataclass(frozen=True)
class Clock:
    """What happens by itself, when; `due_at` is None while it stands still."""

    matter: str
    due_at: datetime | None
    working_days: int | None
    """Those left, today not counted; none any more is 0."""


class Record:
    """What is read of one partnership to show its complaints."""

    def __init__(self, connection: Connection, partnership: Partnership, people: People, now: datetime):
        """`now` is the reader's instant, UTC."""
        self.connection, self.partnership, self.people, self.now = connection, partnership, people, now

    @property
    def today(self) -> date:
        """The local day in the partnership."""
        return self.partnership.calendar.local_date(self.now)

    @cached_property
    def complaints(self) -> Mapping[int, Complaint]:
        """All by their numbers, oldest first."""
        return {one.number: one for one in queries.complaints(self.connection, self.partnership.id)}

    @cached_property
    def performances(self) -> Mapping[str, Performance]:
        """All by their names, in the order in which they were due."""
        found = obligations.performances(self.connection, self.partnership.id)
        return {one.name: one for one in found}

    @cached_property
    def _clocks(self) -> Sequence[timers.OpenTimer]:
        return timers.open_timers(self.connection, self.partnership.id)

    @cached_property
    def _agreements(self) -> dict[int, Mapping[str, Any]]:
        return {}

    def agreement(self, revision: int) -> Mapping[str, Any]:
        """The content of one revision of the agreement."""
        if revision not in self._agreements:
            found = documents.find(self.connection, self.partnership.id, "agreement", "", revision)
            self._agreements[revision] = found.content
        return self._agreements[revision]

    def subject(self, one: Complaint) -> Subject:
        """What a complaint is about."""
        (kind, name), *_ = one.about.items()
        if kind == "term":
            return Subject(kind, term_title(name))
        if kind == "obligation":
            return Subject(kind, self.act(one.agreement_revision, name))
        owed = self.performances[name]
        return Subject(kind, self.act_of(owed), owed.due_at, owed.outcome)

    def act(self, revision: int, obligation: str) -> str:
        """What an obligation of a revision asks for; its id where that does not say."""
        found = {one["id"]: one for one in self.agreement(revision).get("obligations", ())}
        return str(found.get(obligation, {}).get("act") or obligation)

    def act_of(self, owed: Performance) -> str:
        """What a performance consists of."""
        if not owed.is_remedy:
            return self.act(owed.agreement_revision, owed.obligation)
        return str(terms.of(self.connection, self.partnership.id, owed).obligation["act"])

    def clocks(self, one: Complaint) -> list[Clock]:
        """What happens by itself to a complaint, next first; for a remedy that is owed, when it is due."""
        remedy = f"{REMEDY}{one.number}"
        return [
            Clock(clock.matter, clock.due_at, self._left(clock.due_at))
            for clock in self._clocks
            if (clock.matter in CLOCKS and clock.subject == one.step)
            or (clock.matter in OF_REMEDY and clock.subject.partition("/")[0] == remedy)
        ]

    def _left(self, due_at: datetime | None) -> int | None:
        if due_at is None:
            return None
        calendar = self.partnership.calendar
        return max(0, calendar.working_days_between(self.today, calendar.local_date(due_at)))

    def days_open(self, one: Complaint) -> int:
        """Calendar days since it was lodged, until it ended."""
        calendar = self.partnership.calendar
        until = self.today if one.closed_at is None else calendar.local_date(one.closed_at)
        return (until - calendar.local_date(one.lodged_at)).days


def term_title(pointer: str) -> str:
    """What a term of the agreement is called; of a pointer deeper into it, the term that it lies in."""
    name = pointer[1:].partition("/")[0]
    return str(load_schema("agreement")["properties"].get(name, {}).get("title", name))


@dataclass(frozen=True)
class Line:
    """One complaint in a list."""

    one: Complaint
    subject: Subject
    clocks: Sequence[Clock]
    days_open: int


def lines(of: Record) -> list[Line]:
    """All complaints of a partnership: the open ones first, the newest of each first."""
    found = [Line(one, of.subject(one), of.clocks(one), of.days_open(one)) for one in of.complaints.values()]
    return sorted(found, key=lambda line: (not line.one.open, -line.one.number))


@dataclass(frozen=True)
class Case:
    """One complaint with everything that its page shows."""

    record: Record
    at: Hearing
    openings: Openings
    line: Line

    @property
    def one(self) -> Complaint:
        """The complaint."""
        return self.at.complaint

    @property
    def level(self) -> Level:
        """The level that it is at."""
        return self.at.level

    @property
    def next_level(self) -> Level | None:
        """The level above."""
        return None if self.level.last else self.at.procedure.level(self.level.number + 1)

    @property
    def ended(self) -> bool:
        """Whether the partnership has ended."""
        return self.record.partnership.stage in stages.FINAL_STAGES

    @property
    def linked(self) -> list[Line]:
        """The others of the same case."""
        same = [one for one in self.record.complaints.values() if one.case == self.one.case]
        return [
            line for line in lines(self.record) if line.one in same and line.one.number != self.one.number
        ]

    @property
    def in_charge(self) -> list[tuple[str, list[Contact]]]:
        """For each side, who deals with it at its level."""
        return [(side, self.level.handlers(side, self.at.people)) for side in self.at.sides]

    @cached_property
    def remedies(self) -> Sequence[Remedy]:
        """What was agreed or decided, oldest first."""
        return obligations.remedies(self.record.connection, self.record.partnership.id, self.one.number)

    @property
    def by_default(self) -> str | None:
        """The remedy that is owed by itself when the level's time is over; None where the complaint climbs."""
        smallest = self.at.procedure.smallest([one.remedy for one in self.remedies])
        return smallest.text if self.level.default_decision and smallest is not None else None

    @property
    def remedy_choices(self) -> list[tuple[str, str]]:
        """The remedies of the agreement, as id and words, from the smallest."""
        return [(one.id, one.text) for one in self.at.procedure.remedies]

    @cached_property
    def withholdable(self) -> list[tuple[str, str]]:
        """The promises of the complaining side to the other, as id and words: what a remedy may let them withhold."""
        found = terms.agreement_in_force(self.record.connection, self.record.partnership.id)
        return [
            (one["id"], str(one.get("act") or one["id"]))
            for one in found.content.get("obligations", ())
            if (one.get("obligor"), one.get("obligee")) == self.at.sides
        ]

    @property
    def can_withhold(self) -> bool:
        """Whether the agreement lists a remedy that lets a promise be withheld."""
        return any(one.kind == "withholding" for one in self.at.procedure.remedies)

    def act_named(self, obligation: str) -> str:
        """The words of a promise that a settlement names."""
        return dict(self.withholdable).get(obligation) or self.record.act(
            self.one.agreement_revision, obligation
        )

    def who(self, entry: Entry) -> Contact | None:
        """Who said it; None for the procedure, and for somebody who is registered no more."""
        return self.at.people.contacts.get(entry.by)


def case_of(of: Record, number: int) -> Case:
    """One complaint.

    Raises:
        NotFound: there is no such complaint.
    """
    at = record.hear(of.connection, Change(of.partnership, of.now), of.people, number)
    one = at.complaint
    line = Line(one, of.subject(one), of.clocks(one), of.days_open(one))
    return Case(of, at, Openings(at), line)
