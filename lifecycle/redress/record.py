"""Changing one complaint: its row, what was said about it, its clocks, and who is told."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from lifecycle import machines
from lifecycle.documents import queries as documents
from lifecycle.documents import rules as document_rules
from lifecycle.notices import outbox
from lifecycle.notices.owed import Owed
from lifecycle.obligations import queries as obligations
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import People
from lifecycle.redress import queries
from lifecycle.redress.models import complaint, complaint_entry
from lifecycle.redress.procedure import Level, Procedure
from lifecycle.redress.queries import Complaint, Entry
from lifecycle.redress.states import TRANSITIONS
from lifecycle.timers import ladders
from lifecycle.timers import service as timers
from lifecycle.timers.calendars import Calendar
from lifecycle.timers.ladders import Rung

ACKNOWLEDGE = "complaint_acknowledge"
RESOLVE = "complaint_resolve"
CLOSING = "complaint_closing"
WARNING = "complaint_warning"
"""The matters of a complaint's clocks; their subject is `COMPLAINT/LEVEL`."""

CLOCKS = (ACKNOWLEDGE, RESOLVE, CLOSING, WARNING)
STEPS = (ACKNOWLEDGE, RESOLVE)
"""The clocks of the procedure itself: whether it kept its own time limits."""

SAID = ("note", "reason", "settlement", "act", "due_on", "obligation", "until")
"""What notices repeat of what was said."""

TOLD_OF_PAST = 6
"""So many of the latest entries are told to those who take a complaint over."""


@dataclass(frozen=True)
class Hearing:
    """A complaint in a transaction, with what every act on it needs."""

    connection: Connection
    change: Change
    people: People
    procedure: Procedure
    complaint: Complaint

    @property
    def level(self) -> Level:
        """The level that it is at."""
        return self.procedure.level(self.complaint.level)

    @property
    def sides(self) -> tuple[str, str]:
        """Who complains, and of whom."""
        return self.complaint.complainant, self.complaint.respondent

    @property
    def past(self) -> list[Entry]:
        """What was said and done so far."""
        return queries.entries(self.connection, self.change.partnership.id, self.complaint.number)

    def of(self, other: Complaint) -> "Hearing":
        """Another complaint of the same case, in the same transaction."""
        return replace(self, complaint=other)


def procedure_of(connection: Connection, partnership_id: str, one: Complaint) -> Procedure:
    """The procedure that a complaint follows: that of its own revision of the agreement."""
    agreement = documents.find(connection, partnership_id, "agreement", "", one.agreement_revision)
    return Procedure(agreement.content)


def hear(connection: Connection, change: Change, people: People, number: int) -> Hearing:
    """Take up a complaint of a locked partnership.

    Raises:
        NotFound: it has no such complaint.
    """
    one = queries.find(connection, change.partnership.id, number)
    return Hearing(connection, change, people, procedure_of(connection, change.partnership.id, one), one)


def move(at: Hearing, event: str, actor: str, **values: Any) -> Hearing:
    """Take a complaint through one transition of its machine and log it; returns it as it is now.

    Raises:
        NotAllowed: its state has no such event.
    """
    one = at.complaint
    state = machines.next_state(TRANSITIONS, one.state, event, f"Complaint {one.number}")
    moved = keep(at, state=state, **values)
    level = moved.complaint.level
    at.change.log("complaint_moved", actor, complaint=one.number, event=event, state=state, level=level)
    return moved


def keep(at: Hearing, **values: Any) -> Hearing:
    """Write changed values of a complaint's row; returns it as it is now."""
    where = (
        complaint.c.partnership_id == at.change.partnership.id,
        complaint.c.number == at.complaint.number,
    )
    at.connection.execute(update(complaint).where(*where).values(**values))
    return at.of(replace(at.complaint, **values))


def enter(at: Hearing, kind: str, by: str, content: Mapping[str, Any]) -> Entry:
    """Keep what was said or done, and bind it into the trail by its hash."""
    said = {name: value for name, value in content.items() if value is not None}
    one, change = at.complaint, at.change
    entry = Entry(one.number, len(at.past) + 1, change.now, kind, by, one.level, said)
    row = vars(entry) | {"partnership_id": change.partnership.id}
    at.connection.execute(insert(complaint_entry), row)
    digest = document_rules.sha256(said)
    change.log("complaint_entry", by, complaint=one.number, kind=kind, seq=entry.seq, sha256=digest)
    return entry


def start_clocks(at: Hearing, joins: Complaint | None = None) -> None:
    """Start the clocks of the level to which a complaint has come.

    One that joins another's case has the time that the other has left, and no warnings beside the other's.
    """
    one, level = at.complaint, at.level
    at.change.arm(ACKNOWLEDGE, one.step, at.change.now, level.acknowledge_ladder())
    if joins is not None:
        ends_at = timers.due_of(at.connection, at.change.partnership.id, RESOLVE, joins.step)
        at.change.arm(RESOLVE, one.step, ends_at or at.change.now, ladders.AT_ANCHOR)
        return
    at.change.arm(RESOLVE, one.step, one.level_at, level.resolve_ladder())
    warnings = level.warning_ladder()
    if warnings is not None:
        at.change.arm(WARNING, one.step, one.level_at, warnings)


def stop_clocks(at: Hearing, *matters: str) -> None:
    """Stop some clocks of a complaint's level, or all; and take back warnings that have become idle."""
    partnership_id = at.change.partnership.id
    for matter in matters or CLOCKS:
        timers.stop(at.connection, partnership_id, at.change.now, matter, at.complaint.step)
    if not matters:
        outbox.withdraw(at.connection, partnership_id, at.complaint.warning, ("complaint_warning",))


def await_closing(at: Hearing) -> None:
    """The side that complained confirms the end; after the agreed window silence closes it."""
    at.change.arm(CLOSING, at.complaint.step, at.change.now, at.procedure.closing_ladder())
    reminder = at.procedure.closing_reminder()
    if reminder is not None:
        at.change.arm(WARNING, at.complaint.step, at.change.now, reminder)


def tell(
    at: Hearing,
    template: str,
    event: str,
    by: str,
    content: Mapping[str, Any],
    partners: Iterable[str] | None = None,
    due_at: datetime | None = None,
    also: Iterable[str] = (),
) -> None:
    """Tell those who deal with a complaint at its level what has happened, but not whoever did it.

    Args:
        event: what happened, in the words of the complaint's machine or of its entries.
        content: what was said.
        partners: the sides that are told; both unless said otherwise.
        also: further contacts.
    """
    record = at.change.partnership
    facts = facts_of(at.connection, record.calendar, record.id, at.complaint, at.procedure)
    facts |= {"event": event, "by": by, "said": {name: content.get(name) for name in SAID}}
    sides = at.sides if partners is None else partners
    told = {c.id for partner_id in sides for c in at.level.handlers(partner_id, at.people)} | set(also)
    fact = f"{at.complaint.fact}/{event}/{len(at.past)}"
    at.change.owe(Owed(c, template, fact, facts, due_at) for c in sorted(told - {by}))


def facts_of(
    connection: Connection, calendar: Calendar, partnership_id: str, one: Complaint, procedure: Procedure
) -> dict[str, Any]:
    """What every notice about a complaint says."""
    entries = queries.entries(connection, partnership_id, one.number)
    lodged = entries[0].content if entries else {}
    (about,) = one.about.values()
    return {
        "complaint": one.number,
        "in_answer_to": one.case if one.case != one.number else None,
        "complainant": one.complainant,
        "respondent": one.respondent,
        "about": about,
        "facts": lodged.get("facts", ""),
        "level": one.level,
        "level_name": procedure.level(one.level).name,
        "levels": len(procedure.levels),
        "last": procedure.level(one.level).last,
        "lodged_on": _local(calendar, one.lodged_at),
        "past": [_told(entry, calendar) for entry in entries[1:]][-TOLD_OF_PAST:],
    }


def _told(entry: Entry, calendar: Calendar) -> dict[str, Any]:
    said = entry.content.get("note") or entry.content.get("reason") or entry.content.get("act")
    return {
        "kind": entry.kind,
        "by": entry.by,
        "on": _local(calendar, entry.at),
        "said": said,
        "level": entry.level,
    }


def _local(calendar: Calendar, at: datetime) -> str:
    return calendar.local_date(at).isoformat()


def due_by(at: Hearing, working_days: int) -> datetime:
    """When so many working days from now are over; what notices name as the time limit."""
    found = ladders.due_at(at.change.now, Rung(working_days), at.change.partnership.calendar, ())
    assert found is not None, "a clock that is not paused has a due time"
    return found


def propose_smallest(at: Hearing) -> dict[str, Any]:
    """The engine puts the smallest remedy that was not tried yet on the table; nothing when none is left."""
    agreed = obligations.remedies(at.connection, at.change.partnership.id, at.complaint.number)
    smallest = at.procedure.smallest([one.remedy for one in agreed])
    if smallest is None:
        return {}
    content = {"settlement": "remedy", "remedy": smallest.id, "act": smallest.text}
    enter(at, "propose", changes.SYSTEM, content)
    return content
