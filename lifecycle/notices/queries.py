"""Reading the outbox beyond what it sends: what has been waiting, and what did not arrive."""

from datetime import datetime

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
