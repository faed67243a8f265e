"""The cursor of a subscription in a partnership's trail: found where it lags, claimed, moved on, held back, parked.

Whoever delivers holds a lease, by which every later write of theirs is recognised: one that lost it changes nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    func,
    literal,
    null,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from lifecycle.audit.models import audit_event
from lifecycle.audit.rules import AuditEvent
from lifecycle.db import Database
from lifecycle.partnerships.models import partnership
from lifecycle.subscriptions.models import subscription, webhook_stream
from lifecycle.subscriptions.words import PARKED_AFTER, backoff

COMPARED_EVERY = timedelta(hours=1)
LATE = timedelta(minutes=15)
"""How long after its instant an event may be committed and still be found before the next comparison."""

_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_DELIVERED = func.coalesce(webhook_stream.c.delivered_seq, 0)
_EVENT = [audit_event.c[name] for name in AuditEvent.__dataclass_fields__]
_SETTLED = {"attempts": 0, "first_failed_at": None, "parked_at": None, "detail": None}


@dataclass(frozen=True)
class Scope:
    """A subscription, as far as finding its work needs it."""

    id: str
    portfolio: str | None
    partnership_id: str | None
    compared_at: datetime | None


@dataclass(frozen=True)
class Claim:
    """A stream that this run delivers, until `lease`."""

    subscription_id: str
    partnership_id: str
    title: str
    delivered_seq: int
    attempts: int
    first_failed_at: datetime | None
    lease: datetime


def within(scope: Any) -> list[ColumnElement[bool]]:
    """What a subscription is confined to, as conditions on `partnership`."""
    found: list[ColumnElement[bool]] = []
    if scope.portfolio is not None:
        found.append(partnership.c.portfolio == scope.portfolio)
    if scope.partnership_id is not None:
        found.append(partnership.c.id == scope.partnership_id)
    return found


def start_at_present(connection: Connection, scope: Any) -> None:
    """Begin a stream for each partnership at the end of its trail: nothing of the past is delivered.

    One INSERT … SELECT in the transaction that makes the subscription: what commits later is delivered, however it is
    dated, which deciding by time later could not tell. A partnership registered later has no row, which means from its
    first event on. Costs a narrow row for each partnership, once (5 s for a million), and locks none of them.
    """
    names = ["subscription_id", "partnership_id", "delivered_seq", "attempts"]
    present = select(literal(scope.id), partnership.c.id, partnership.c.audit_seq, literal(0))
    connection.execute(webhook_stream.insert().from_select(names, present.where(*within(scope))))


def _lagging(scope: Scope, *columns: Any) -> Select[Any]:
    """The partnerships whose trails go on beyond their cursors."""
    stream = webhook_stream.c
    joined = partnership.outerjoin(
        webhook_stream, and_(stream.subscription_id == scope.id, stream.partnership_id == partnership.c.id)
    )
    behind = partnership.c.audit_seq > _DELIVERED
    return (
        select(partnership.c.id, *columns)
        .select_from(joined)
        .where(behind, stream.parked_at.is_(None), *within(scope))
    )


def due(database: Database, scope: Scope, as_of: datetime, limit: int) -> list[str]:
    """The partnerships in which a subscription has events to get, at most so many.

    On PostgreSQL a run looks at what was written since the last comparison (by a block range index on the trail, which
    costs its writers next to nothing) and at what waits: 2 ms among a million partnerships. Once an hour all trails'
    heads are compared with their cursors, for events that were committed later than 15 minutes after their instant:
    about a second for a million. SQLite has no such index and compares each time: 60 ms for a hundred thousand.
    """
    stream = webhook_stream.c
    statement = _lagging(scope).where(or_(stream.next_attempt_at.is_(None), stream.next_attempt_at <= as_of))
    if database.engine.dialect.name == "postgresql":
        since = _compared(database, scope, as_of) - LATE
        written = select(audit_event.c.partnership_id).where(audit_event.c.at > since)
        waiting = select(stream.partnership_id).where(
            stream.subscription_id == scope.id, stream.next_attempt_at <= as_of
        )
        statement = statement.where(partnership.c.id.in_(union(written, waiting)))
    with database.read() as connection:
        return list(connection.execute(statement.order_by(partnership.c.id).limit(limit)).scalars())


def _compared(database: Database, scope: Scope, as_of: datetime) -> datetime:
    """When all trails were last compared; done again if that is long ago: what lags behind is marked as waiting."""
    last = scope.compared_at
    if last is not None and last <= as_of < last + COMPARED_EVERY:
        return last
    stream, mine = webhook_stream.c, subscription.c.id == scope.id
    names = ["partnership_id", "subscription_id", "delivered_seq", "attempts", "next_attempt_at"]
    marks = (literal(scope.id), _DELIVERED, literal(0), literal(as_of, stream.next_attempt_at.type))
    lagging = _lagging(scope, *marks).where(stream.next_attempt_at.is_(None))
    with database.write() as connection:
        marked = _INSERT[connection.dialect.name](webhook_stream).from_select(names, lagging)
        # Whoever has claimed one meanwhile keeps it.
        free = and_(stream.next_attempt_at.is_(None), stream.parked_at.is_(None))
        keys, values = [stream.subscription_id, stream.partnership_id], {"next_attempt_at": as_of}
        connection.execute(marked.on_conflict_do_update(index_elements=keys, set_=values, where=free))
        connection.execute(update(subscription).where(mine).values(compared_at=as_of))
    return as_of


def claim(
    connection: Connection, subscription_id: str, partnership_id: str, as_of: datetime, lease: datetime
) -> Claim | None:
    """Take a stream for this run; None where another run has it, it waits, or the subscription has gone."""
    enabled = select(subscription.c.id).where(
        subscription.c.id == subscription_id, subscription.c.disabled_at.is_(None)
    )
    if connection.execute(enabled.with_for_update(read=True)).one_or_none() is None:
        return None
    stream = webhook_stream.c
    first = {
        "subscription_id": subscription_id,
        "partnership_id": partnership_id,
        "delivered_seq": 0,
        "attempts": 0,
    }
    connection.execute(
        _INSERT[connection.dialect.name](webhook_stream).values(first).on_conflict_do_nothing()
    )
    taken = connection.execute(
        update(webhook_stream)
        .where(
            stream.subscription_id == subscription_id,
            stream.partnership_id == partnership_id,
            stream.parked_at.is_(None),
            or_(stream.next_attempt_at.is_(None), stream.next_attempt_at <= as_of),
        )
        .values(next_attempt_at=lease)
        .returning(stream.delivered_seq, stream.attempts, stream.first_failed_at)
    ).one_or_none()
    if taken is None:
        return None
    title = connection.execute(
        select(partnership.c.title).where(partnership.c.id == partnership_id)
    ).scalar_one()
    seq, attempts, first_failed_at = taken
    return Claim(subscription_id, partnership_id, title, seq, attempts, first_failed_at, lease)


def events_after(connection: Connection, partnership_id: str, seq: int, limit: int) -> Sequence[AuditEvent]:
    """The events of a trail that follow one, in order."""
    statement = (
        select(*_EVENT)
        .where(audit_event.c.partnership_id == partnership_id, audit_event.c.seq > seq)
        .order_by(audit_event.c.seq)
        .limit(limit)
    )
    return [AuditEvent(*row) for row in connection.execute(statement)]


def _keep(database: Database, held: Claim, **values: Any) -> bool:
    stream = webhook_stream.c
    with database.write() as connection:
        kept = connection.execute(
            update(webhook_stream)
            .where(
                stream.subscription_id == held.subscription_id,
                stream.partnership_id == held.partnership_id,
                stream.next_attempt_at == held.lease,
            )
            .values(**values)
        )
    return kept.rowcount == 1


def moved_on(
    database: Database, held: Claim, seq: int, status: int | None, lease: datetime | None
) -> Claim | None:
    """An event was accepted, and the stream has come to `seq`.

    Args:
        lease: until when it is kept for the event after it; None where there is none.

    Returns: the claim as it goes on; None if it does not, or if the lease was lost meanwhile.
    """
    values = _SETTLED | {"delivered_seq": seq, "last_status": status, "next_attempt_at": lease}
    if not _keep(database, held, **values) or lease is None:
        return None
    return replace(held, delivered_seq=seq, attempts=0, first_failed_at=None, lease=lease)


def released(database: Database, held: Claim, seq: int, again_at: datetime | None) -> None:
    """Done for this run, up to `seq`; `again_at` if there is more. What failed before and was not tried stays so."""
    _keep(database, held, delivered_seq=seq, next_attempt_at=again_at)


def held_back(
    database: Database, held: Claim, seq: int, status: int | None, detail: str, as_of: datetime
) -> bool:
    """The event after `seq` was not accepted: it is tried again later, or its stream parked. Whether it was parked."""
    first = held.first_failed_at or as_of
    parked = as_of - first >= PARKED_AFTER
    values: dict[str, Any] = {
        "delivered_seq": seq,
        "attempts": held.attempts + 1,
        "first_failed_at": first,
        "last_status": status,
        "detail": detail[:300],
        "parked_at": as_of if parked else None,
        "next_attempt_at": null() if parked else as_of + backoff(held.attempts + 1),
    }
    return _keep(database, held, **values) and parked


def go_on(
    connection: Connection, subscription_id: str, partnership_id: str, seq: int | None, now: datetime
) -> None:
    """Deliver at once what comes after `seq` (None: where it stands), parked or not; whoever holds a lease loses it."""
    stream = webhook_stream.c
    values = _SETTLED | {"next_attempt_at": now}
    if seq is not None:
        values["delivered_seq"] = seq
    row = {
        "delivered_seq": 0,
        **values,
        "subscription_id": subscription_id,
        "partnership_id": partnership_id,
    }
    statement = _INSERT[connection.dialect.name](webhook_stream).values(row)
    keys = [stream.subscription_id, stream.partnership_id]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values))
