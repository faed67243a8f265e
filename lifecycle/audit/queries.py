"""Reading trails, and proving them against the heads that their partnerships keep."""

from collections.abc import Iterator
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, column, select, table

from lifecycle.audit import rules
from lifecycle.audit.models import audit_event
from lifecycle.audit.rules import AuditEvent, Break

_EVENT = [audit_event.c[name] for name in AuditEvent.__dataclass_fields__]
# Named without importing the partnership's room: rooms above the audit import it, not the other way round.
_HEAD = table("partnership", column("id"), column("audit_seq"), column("audit_hash"))
_AT_ONCE = 5000


def trail(connection: Connection, partnership_id: str) -> list[AuditEvent]:
    """All events of one partnership, oldest first; empty for an unknown one."""
    statement = (
        select(*_EVENT).where(audit_event.c.partnership_id == partnership_id).order_by(audit_event.c.seq)
    )
    return [AuditEvent(*row) for row in connection.execute(statement)]


def page(connection: Connection, partnership_id: str, after: int, limit: int) -> list[AuditEvent]:
    """At most `limit` events of one partnership later than number `after`, oldest first."""
    statement = (
        select(*_EVENT)
        .where(audit_event.c.partnership_id == partnership_id, audit_event.c.seq > after)
        .order_by(audit_event.c.seq)
        .limit(limit)
    )
    return [AuditEvent(*row) for row in connection.execute(statement)]


def newest(connection: Connection, partnership_id: str, before: int | None, limit: int) -> list[AuditEvent]:
    """At most `limit` events of one partnership earlier than number `before`, or of all, newest first."""
    statement = select(*_EVENT).where(audit_event.c.partnership_id == partnership_id)
    if before is not None:
        statement = statement.where(audit_event.c.seq < before)
    rows = connection.execute(statement.order_by(audit_event.c.seq.desc()).limit(limit))
    return [AuditEvent(*row) for row in rows]


def since(connection: Connection, partnership_id: str, instant: datetime) -> list[AuditEvent]:
    """The events of one partnership later than an instant, oldest first."""
    statement = (
        select(*_EVENT)
        .where(audit_event.c.partnership_id == partnership_id, audit_event.c.at > instant)
        .order_by(audit_event.c.seq)
    )
    return [AuditEvent(*row) for row in connection.execute(statement)]


def verify_all(connection: Connection, partnership_id: str | None = None) -> list[Break]:
    """Prove every trail, or one, against its partnership's head; returns the first break of each broken trail.

    Events whose partnership is gone are a break too. Memory does not grow with the number of partnerships' events.
    """
    heads = _heads(connection, partnership_id)
    breaks = []
    for owner, events in groupby(_events(connection, partnership_id), key=lambda event: event.partnership_id):
        head = heads.pop(owner, None)
        broken = (
            Break(owner, 0, "its partnership is gone") if head is None else rules.verify(owner, events, head)
        )
        if broken is not None:
            breaks.append(broken)
    empty = (rules.verify(owner, (), head) for owner, head in heads.items())
    return sorted([*breaks, *filter(None, empty)], key=lambda broken: broken.partnership_id)


def _heads(connection: Connection, partnership_id: str | None) -> dict[str, tuple[int, str]]:
    statement = select(_HEAD.c.id, _HEAD.c.audit_seq, _HEAD.c.audit_hash)
    if partnership_id is not None:
        statement = statement.where(_HEAD.c.id == partnership_id)
    return {row[0]: (row[1], row[2]) for row in connection.execute(statement)}


def _events(connection: Connection, partnership_id: str | None) -> Iterator[AuditEvent]:
    statement: Select[Any] = select(*_EVENT).order_by(audit_event.c.partnership_id, audit_event.c.seq)
    if partnership_id is not None:
        statement = statement.where(audit_event.c.partnership_id == partnership_id)
    rows = connection.execute(statement.execution_options(yield_per=_AT_ONCE))
    return (AuditEvent(*row) for row in rows)
