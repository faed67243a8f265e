"""Reading complaints and what was said about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, select

from lifecycle.errors import NotFound
from lifecycle.redress.models import complaint, complaint_entry
from lifecycle.redress.states import CLOSED, IN_DISCUSSION
from lifecycle.timers.calendars import Calendar


@dataclass(frozen=True)
class Complaint:
    """A grievance of one partner against another. Instants are UTC."""

    number: int
    case: int
    complainant: str
    respondent: str
    lodged_by: str
    agreement_revision: int
    about: Mapping[str, str]
    state: str
    level: int
    level_at: datetime
    lodged_at: datetime
    closed_at: datetime | None
    paused_at: datetime | None
    exhausted_at: datetime | None

    @property
    def fact(self) -> str:
        """How notices name it."""
        return f"complaint/{self.number}"

    @property
    def warning(self) -> str:
        """How warnings name what they warn of: that its level's time, or the time to confirm its end, runs out."""
        return f"{self.fact}/{self.level}/{'settle' if self.state in IN_DISCUSSION else 'close'}"

    @property
    def step(self) -> str:
        """What the clocks of its present level are about."""
        return f"{self.number}/{self.level}"

    @property
    def open(self) -> bool:
        """Whether something is still to come."""
        return self.state not in CLOSED

    def side_of(self, partner_id: str) -> bool:
        """Whether a partner is one of its two sides."""
        return partner_id in {self.complainant, self.respondent}

    def other_side(self, partner_id: str) -> str:
        """The side that this partner is not."""
        return self.respondent if partner_id == self.complainant else self.complainant


@dataclass(frozen=True)
class Entry:
    """Something said or done about a complaint; `by` is a contact, or the engine where the procedure acted."""

    complaint: int
    seq: int
    at: datetime
    kind: str
    by: str
    level: int
    content: Mapping[str, Any]


_COMPLAINT = [complaint.c[name] for name in Complaint.__dataclass_fields__]
_ENTRY = [complaint_entry.c[name] for name in Entry.__dataclass_fields__]
_ALL = select(*_COMPLAINT).where(complaint.c.partnership_id == bindparam("id")).order_by(complaint.c.number)
_ENTRIES = (
    select(*_ENTRY)
    .where(complaint_entry.c.partnership_id == bindparam("id"))
    .order_by(complaint_entry.c.complaint, complaint_entry.c.seq)
)


def complaints(connection: Connection, partnership_id: str) -> list[Complaint]:
    """All complaints of a partnership, oldest first."""
    return [Complaint(*row) for row in connection.execute(_ALL, {"id": partnership_id})]


def find(connection: Connection, partnership_id: str, number: int) -> Complaint:
    """One complaint by its number.

    Raises:
        NotFound: this partnership has no such complaint.
    """
    row = connection.execute(_ALL.where(complaint.c.number == number), {"id": partnership_id}).one_or_none()
    if row is None:
        raise NotFound(
            f"Partnership {partnership_id} has no complaint {number}.",
            mend="`lifecycle show ID` lists those there are.",
        )
    return Complaint(*row)


def entries(connection: Connection, partnership_id: str, number: int | None = None) -> list[Entry]:
    """What was said and done about one complaint, or about all of a partnership, oldest first."""
    statement = _ENTRIES if number is None else _ENTRIES.where(complaint_entry.c.complaint == number)
    return [Entry(*row) for row in connection.execute(statement, {"id": partnership_id})]


def exhausted_on(connection: Connection, partnership_id: str, calendar: Calendar) -> date | None:
    """The local day on which the ladder of a complaint that is still open was used up; the earliest of several."""
    ended = [
        one.exhausted_at
        for one in complaints(connection, partnership_id)
        if one.exhausted_at is not None and one.open
    ]
    return calendar.local_date(min(ended)) if ended else None
