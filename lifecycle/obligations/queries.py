"""Reading performances, what was said about them, and early signals."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from lifecycle.errors import NotFound
from lifecycle.obligations.models import performance, performance_entry, remedy, signal
from lifecycle.obligations.states import OPEN


@dataclass(frozen=True)
class Performance:
    """One due instance of an obligation. Instants are UTC."""

    obligation: str
    number: int
    agreement_revision: int
    obligor: str
    obligee: str
    weight: int
    due_at: datetime
    state: str
    outcome: str | None
    reported_at: datetime | None
    seen_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None

    @property
    def name(self) -> str:
        """How commands, clocks and notices name it: `breakfast/3`."""
        return f"{self.obligation}/{self.number}"

    @property
    def is_remedy(self) -> bool:
        """Whether it carries out what a complaint ended in."""
        return self.obligation.startswith(REMEDY)


@dataclass(frozen=True)
class Entry:
    """What somebody said about a performance; `by` is a contact, or the engine where silence spoke."""

    seq: int
    at: datetime
    kind: str
    by: str
    outcome: str | None
    note: str | None
    evidence: str | None
    evidence_sha256: str | None


@dataclass(frozen=True)
class Signal:
    """An early, informal note that something is off with an obligation. It has no clock."""

    number: int
    obligation: str
    by: str
    at: datetime
    note: str


REMEDY = "remedy:"
"""What the obligations of remedies begin with, before their complaint's number; no id of an agreement has a colon."""


@dataclass(frozen=True)
class Remedy:
    """What a complaint ended in. `kind` is act, withholding or ending."""

    complaint: int
    number: int
    remedy: str
    kind: str
    terms: Mapping[str, Any]
    agreed_at: datetime


_REMEDY = [remedy.c[name] for name in Remedy.__dataclass_fields__]
_PERFORMANCE = [performance.c[name] for name in Performance.__dataclass_fields__]
_ENTRY = [performance_entry.c[name] for name in Entry.__dataclass_fields__]
_SIGNAL = [signal.c[name] for name in Signal.__dataclass_fields__]
_ALL = (
    select(*_PERFORMANCE)
    .where(performance.c.partnership_id == bindparam("id"))
    .order_by(performance.c.due_at, performance.c.obligation, performance.c.number)
)


def performances(connection: Connection, partnership_id: str) -> list[Performance]:
    """All performances of a partnership in the order in which they are or were due."""
    return [Performance(*row) for row in connection.execute(_ALL, {"id": partnership_id})]


def find(connection: Connection, partnership_id: str, name: str) -> Performance:
    """One performance by its name, such as `breakfast/3`.

    Raises:
        NotFound: this partnership has no such performance.
    """
    obligation, _, number = name.partition("/")
    if number.isdecimal() and len(number) < 10:
        where = (performance.c.obligation == obligation, performance.c.number == int(number))
        row = connection.execute(_ALL.where(*where), {"id": partnership_id}).one_or_none()
        if row is not None:
            return Performance(*row)
    raise NotFound(
        f"Partnership {partnership_id} has no performance “{name[:80]}”.",
        mend="`lifecycle show ID` lists those there are, as OBLIGATION/NUMBER.",
    )


def entries(connection: Connection, partnership_id: str, one: Performance) -> list[Entry]:
    """What was said about a performance, oldest first."""
    rows = connection.execute(
        select(*_ENTRY)
        .where(
            performance_entry.c.partnership_id == partnership_id,
            performance_entry.c.obligation == one.obligation,
            performance_entry.c.number == one.number,
        )
        .order_by(performance_entry.c.seq)
    )
    return [Entry(*row) for row in rows]


def signals(connection: Connection, partnership_id: str) -> list[Signal]:
    """All early signals of a partnership, oldest first."""
    statement = select(*_SIGNAL).where(signal.c.partnership_id == partnership_id).order_by(signal.c.number)
    return [Signal(*row) for row in connection.execute(statement)]


def remedies(connection: Connection, partnership_id: str, complaint: int | None = None) -> list[Remedy]:
    """The remedies of one complaint, or of all of a partnership, in the order in which they were agreed."""
    statement = select(*_REMEDY).where(remedy.c.partnership_id == partnership_id)
    if complaint is not None:
        statement = statement.where(remedy.c.complaint == complaint)
    rows = connection.execute(statement.order_by(remedy.c.agreed_at, remedy.c.complaint, remedy.c.number))
    return [Remedy(*row) for row in rows]


def last_numbers(connection: Connection, partnership_id: str) -> dict[str, int]:
    """The number of each obligation's last performance; obligations without one are absent."""
    rows = connection.execute(
        select(performance.c.obligation, func.max(performance.c.number))
        .where(performance.c.partnership_id == partnership_id)
        .group_by(performance.c.obligation)
    )
    return {row[0]: row[1] for row in rows}


def unsettled(
    connection: Connection, partnership_id: str, now: datetime, obligations: Collection[str] | None = None
) -> list[Performance]:
    """Performances that have fallen due by `now` and are neither settled nor waived, of some obligations or of all."""
    return [
        one
        for one in performances(connection, partnership_id)
        if one.state in OPEN
        and (one.due_at <= now or one.state != "due")
        and (obligations is None or one.obligation in obligations)
    ]
