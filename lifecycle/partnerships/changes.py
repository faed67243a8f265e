"""A change to partnerships: locked first, collected, then written together (one transaction, one version step).

Every use case that changes a partnership goes: `begin` (locks the rows) → rules → `change.log / owe / arm` → `write`.
Bulk sweeps use the same two functions with many partnerships at once, so a batch costs a handful of statements.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from lifecycle import stages
from lifecycle.audit import rules as audit
from lifecycle.audit.models import audit_event
from lifecycle.bulk import Inserts
from lifecycle.errors import Conflict, NotAllowed, NotFound, Stale, Unavailable
from lifecycle.notices.models import notice
from lifecycle.notices.owed import Owed
from lifecycle.partnerships.models import partnership as table
from lifecycle.timers import service as timers
from lifecycle.timers.calendars import Calendar

CLOCK_SKEW = timedelta(minutes=5)
"""How far two machines' clocks may differ before a change is refused as coming from the past."""

SYSTEM = "engine"
"""The actor of what the engine does by itself."""


@dataclass
class Partnership:
    """A partnership's row. `stage` and `suspended_from` are what the state machine is bound to."""

    id: str
    title: str
    stage: str
    suspended_from: str | None
    stage_entered_at: datetime
    version: int
    proposed_by: str
    coordinator: str
    time_zone: str
    holidays: str
    created_at: datetime
    audit_seq: int
    audit_hash: str
    audit_at: datetime
    portfolio: str

    @property
    def calendar(self) -> Calendar:
        """The calendar that this partnership's working days are counted by."""
        return Calendar(self.time_zone, self.holidays)


@dataclass
class Change:
    """One locked partnership and everything that this transaction adds to it."""

    partnership: Partnership
    now: datetime
    events: list[audit.AuditEvent] = field(default_factory=list)
    owed: list[Owed] = field(default_factory=list)
    clocks: list[timers.Armed] = field(default_factory=list)

    def log(self, event_type: str, actor: str, **payload: Any) -> None:
        """Append an event to the trail. The payload holds ids, codes and hashes, never personal data."""
        record = self.partnership
        event = audit.chain(
            record.id,
            record.audit_seq + 1,
            self.now,
            event_type,
            actor,
            audit.canonical(payload),
            record.audit_hash,
        )
        record.audit_seq, record.audit_hash, record.audit_at = event.seq, event.hash, event.at
        self.events.append(event)

    def owe(self, owed: Iterable[Owed]) -> None:
        """Owe notices; one that was owed before (same key) is not owed twice."""
        self.owed.extend(owed)

    def arm(
        self, matter: str, subject: str, anchor_at: datetime, schedule: Mapping[str, Any], rung: int = 0
    ) -> None:
        """Start or restart a clock at a rung or occurrence; restarting raises its generation."""
        record = self.partnership
        paused_at = self.now if record.stage == "suspended" else None
        self.clocks.append(
            timers.Armed(record.id, matter, subject, anchor_at, schedule, record.calendar, rung, paused_at)
        )


_COLUMNS = [table.c[name] for name in Partnership.__dataclass_fields__]
_BY_IDS = select(*_COLUMNS).where(table.c.id.in_(bindparam("ids", expanding=True))).order_by(table.c.id)
_ONE = select(*_COLUMNS).where(table.c.id == bindparam("id"))
_ONE_LOCKED = _ONE.with_for_update()
_BY_IDS_LOCKED = _BY_IDS.with_for_update()


def find(connection: Connection, partnership_id: str) -> Partnership:
    """Read one partnership.

    Raises:
        NotFound: there is none with this id.
    """
    return _one(connection.execute(_ONE, {"id": partnership_id}).one_or_none(), partnership_id)


def begin(
    connection: Connection, partnership_id: str, now: datetime, expected_version: int | None = None
) -> Change:
    """Lock one partnership for a change at `now`.

    Raises:
        NotFound: there is none with this id.
        Stale: it is not at `expected_version` any more.
        Unavailable: `now` is earlier than what is already on record (a clock goes backwards).
    """
    record = _one(connection.execute(_ONE_LOCKED, {"id": partnership_id}).one_or_none(), partnership_id)
    require_version(record, expected_version)
    if now < record.audit_at - CLOCK_SKEW:
        raise Unavailable(
            f"It is {now:%Y-%m-%d %H:%M} UTC by this machine's clock, but partnership {record.id} was last changed at "
            f"{record.audit_at:%Y-%m-%d %H:%M} UTC: a clock went backwards.",
            mend="Set the clock right (NTP), or give a later --as-of, and repeat.",
        )
    return Change(record, max(now, record.audit_at))


def require_version(record: Partnership, expected: int | None) -> None:
    """Refuse a change that was made for another version than the present one; None is whichever it is.

    Raises:
        Stale: it has changed since.
    """
    if expected is not None and record.version != expected:
        raise Stale(
            f"Partnership {record.id} has changed: it is at version {record.version}, not {expected}.",
            mend="Read it again, and repeat the request with its present version.",
        )


def require_open(change: Change) -> None:
    """Refuse a change to the record of a partnership that has ended.

    Raises:
        NotAllowed: its stage is final.
    """
    stage = change.partnership.stage
    if stage in stages.FINAL_STAGES:
        raise NotAllowed(
            f"Partnership {change.partnership.id} is {stage}: its record is read-only.",
            mend="Nothing is asked of anybody in it any more.",
        )


def begin_many(connection: Connection, partnership_ids: Iterable[str], as_of: datetime) -> dict[str, Change]:
    """Lock many partnerships, in the order of their ids. A late sweep writes no event before the trail's last."""
    rows = connection.execute(_BY_IDS_LOCKED, {"ids": sorted(set(partnership_ids))})
    records = (Partnership(*row) for row in rows)
    return {record.id: Change(record, max(as_of, record.audit_at)) for record in records}


def _one(row: Any, partnership_id: str) -> Partnership:
    if row is None:
        raise unknown(partnership_id)
    return Partnership(*row)


def unknown(partnership_id: str) -> NotFound:
    """The error for a partnership that there is not, or of which the asker must not learn that there is."""
    return NotFound(
        f"There is no partnership “{partnership_id[:64]}”.", mend="`lifecycle list` shows those there are."
    )


_SAVE = (
    update(table)
    .where(table.c.id == bindparam("b_id"), table.c.version == bindparam("b_version"))
    .values(
        stage=bindparam("b_stage"),
        suspended_from=bindparam("b_suspended_from"),
        stage_entered_at=bindparam("b_stage_entered_at"),
        coordinator=bindparam("b_coordinator"),
        version=table.c.version + 1,
        audit_seq=bindparam("b_audit_seq"),
        audit_hash=bindparam("b_audit_hash"),
        audit_at=bindparam("b_audit_at"),
    )
)
_SAVED = (
    "id",
    "version",
    "stage",
    "suspended_from",
    "stage_entered_at",
    "coordinator",
    "audit_seq",
    "audit_hash",
    "audit_at",
)
_insert_events = Inserts(audit_event, audit_event.c.keys())
_insert_notices = Inserts(
    notice,
    (
        "key",
        "partnership_id",
        "contact_id",
        "template",
        "facts",
        "due_at",
        "created_at",
        "state",
        "attempts",
        "next_attempt_at",
    ),
    lambda statement: statement.on_conflict_do_nothing(index_elements=["key"]),
)


def write(connection: Connection, *changes: Change) -> None:
    """Write everything the changes collected; what was logged takes the partnership one version on.

    Raises:
        Conflict: a partnership was changed by another writer (cannot happen under the lock; the version says so).
    """
    saves = [
        {f"b_{name}": getattr(change.partnership, name) for name in _SAVED}
        for change in changes
        if change.events
    ]
    if saves:
        saved = connection.execute(_SAVE, saves if len(saves) > 1 else saves[0])
        if len(saves) == 1 and saved.rowcount != 1:
            raise Conflict("Another writer changed the partnership first.", mend="Repeat the request.")
        _insert_events(connection, [vars(event) for change in changes for event in change.events])
    _insert_notices(connection, [row for change in changes for row in _notice_rows(change)])
    timers.arm(connection, [armed for change in changes for armed in change.clocks])
    for change in changes:
        change.partnership.version += bool(change.events)
        change.events.clear()
        change.owed.clear()
        change.clocks.clear()


def _notice_rows(change: Change) -> Sequence[dict[str, Any]]:
    return [
        {
            "key": owed.key(change.partnership.id),
            "partnership_id": change.partnership.id,
            "contact_id": owed.contact_id,
            "template": owed.template,
            "facts": dict(owed.facts),
            "due_at": owed.due_at,
            "created_at": change.now,
            "state": "pending",
            "attempts": 0,
            "next_attempt_at": owed.not_before or change.now,
        }
        for owed in change.owed
    ]
