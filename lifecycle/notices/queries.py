"""Reading the outbox beyond what it sends: what has been waiting, and what did not arrive."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from lifecycle.notices.models import notice, provider_event


def oldest_pending(connection: Connection) -> datetime | None:
    """Since when the notice that has been due for sending longest waits; None when nothing is pending."""
    statement = select(func.min(notice.c.next_attempt_at)).where(notice.c.state == "pending")
    return connection.execute(statement).scalar()


def in_state(connection: Connection, partnership_id: str | None = None) -> dict[str, int]:
    """How many notices there are by state, of all partnerships or of one."""
    statement = select(notice.c.state, func.count()).group_by(notice.c.state)
    if partnership_id is not None:
        statement = statement.where(notice.c.partnership_id == partnership_id)
    return {row[0]: row[1] for row in connection.execute(statement)}


def events_waiting(connection: Connection) -> int:
    """How many delivery events came too late to be heeded unasked."""
    statement = select(func.count()).select_from(provider_event).where(provider_event.c.state == "stale")
    return connection.execute(statement).scalar_one()


@dataclass(frozen=True)
class Email:
    """An email that was owed to somebody, and what became of it. Instants are UTC."""

    id: int
    contact_id: str
    """Whom it was owed to."""
    reader_id: str | None
    """Whose address it went to: a deputy's, perhaps; None before it is written."""
    template: str
    facts: Mapping[str, Any]
    created_at: datetime
    state: str
    sent_at: datetime | None
    delivery: str | None
    """The furthest that the provider says it got (`provider_events.RANKS`)."""
    delivery_at: datetime | None
    folded_into: int | None
    """The email that it rides in."""


_EMAIL = [notice.c[name] for name in Email.__dataclass_fields__]


def newest(connection: Connection, partnership_id: str, before: int | None, limit: int) -> list[Email]:
    """At most `limit` emails of one partnership that were owed before the one of this id, or of all, newest first."""
    statement = select(*_EMAIL).where(notice.c.partnership_id == partnership_id)
    if before is not None:
        statement = statement.where(notice.c.id < before)
    return [Email(*row) for row in connection.execute(statement.order_by(notice.c.id.desc()).limit(limit))]
