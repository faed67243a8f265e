"""Subscriptions: made, shown, ended; and streams that a person sends on their way again."""

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import Conflict, Fault, Invalid, NotFound
from lifecycle.partnerships import changes
from lifecycle.partnerships.models import partnership
from lifecycle.subscriptions import streams as cursors
from lifecycle.subscriptions import targets
from lifecycle.subscriptions.models import subscription, webhook_stream
from lifecycle.subscriptions.words import TYPES

PREFECT = "prefect"
"""The id of the built-in subscription by which Prefect gets every event."""

PREFECT_URL = "prefect:"
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Subscription:
    """What may be shown of a subscription: all but its secret."""

    id: str
    portfolio: str | None
    partnership_id: str | None
    url: str
    event_types: list[str] | None
    description: str
    created_at: datetime
    created_by: str
    disabled_at: datetime | None


@dataclass(frozen=True)
class Stream:
    """How far a subscription has come with one partnership, where it lags behind. `state`: due, waiting or parked."""

    partnership_id: str
    state: str
    delivered_seq: int
    backlog: int
    attempts: int
    first_failed_at: datetime | None
    next_attempt_at: datetime | None
    parked_at: datetime | None
    last_status: int | None
    detail: str | None


_SHOWN = [subscription.c[name] for name in Subscription.__dataclass_fields__]


def subscribe(
    database: Database,
    url: str,
    now: datetime,
    settings: Settings,
    portfolio: str | None = None,
    partnership_id: str | None = None,
    event_types: Sequence[str] | None = None,
    description: str = "",
    by: str = "operator",
    resolve: targets.Resolve = targets.resolve,
) -> tuple[str, str]:
    """Have events sent to a URL from now on; returns the subscription's id and its secret, which is shown never again.

    Args:
        portfolio: what it is confined to; None, for administrators only: every portfolio.
        partnership_id: one partnership (of that portfolio, if it is given) instead.
        event_types: public types such as `partnership.activated`; all of them if absent.
        by: who makes it: a token's prefix, or "operator".

    Raises:
        Invalid: the URL is malformed or leads into a private network, or a part is wrong; every fault is named.
        NotFound: unknown partnership, or one of another portfolio.
    """
    faults = _faults(portfolio, event_types, description)
    try:
        targets.check(url, settings.webhook_private_targets, resolve)
    except Invalid as error:
        faults = [*error.faults, *faults]
    if faults:
        raise Invalid(faults, "The subscription")
    secret = f"whsec_{base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"
    made = Subscription(
        secrets.token_hex(8),
        portfolio,
        partnership_id,
        url,
        None if event_types is None else sorted(set(event_types)),
        description,
        now,
        by,
        None,
    )
    with database.write() as connection:
        if partnership_id is not None:
            _require(connection, partnership_id, portfolio)
        _begin(connection, made, secret)
    return made.id, secret


def to_prefect(database: Database, now: datetime) -> bool:
    """See to it that Prefect gets every event from now on; returns whether that is new."""
    with database.write() as connection:
        if connection.execute(select(subscription.c.id).where(subscription.c.id == PREFECT)).first():
            return False
        made = Subscription(
            PREFECT, None, None, PREFECT_URL, None, "Events of Prefect", now, "operator", None
        )
        _begin(connection, made, None)
    return True


def _begin(connection: Connection, made: Subscription, secret: str | None) -> None:
    connection.execute(insert(subscription).values(**vars(made), secret=secret))
    cursors.start_at_present(connection, made)


def _require(connection: Connection, partnership_id: str, portfolio: str | None) -> None:
    record = changes.find(connection, partnership_id)
    if portfolio is not None and record.portfolio != portfolio:
        raise changes.unknown(partnership_id)


def _faults(portfolio: str | None, types: Sequence[str] | None, description: str) -> list[Fault]:
    found = []
    if portfolio is not None and not 0 < len(portfolio) <= 64:
        found.append(Fault("/portfolio", "length", "Use at most 64 characters."))
    if len(description) > 200:
        found.append(Fault("/description", "length", "Say in at most 200 characters what it is for."))
    if types is not None and not types:
        found.append(Fault("/event_types", "minItems", "Name at least one type, or leave it out for all."))
    found += [
        Fault("/event_types", "enum", f"“{one[:64]}” is no type of event; docs/webhooks.md lists them.")
        for one in types or ()
        if one not in TYPES
    ]
    return found


def find(connection: Connection, subscription_id: str, portfolio: str | None = None) -> Subscription:
    """One subscription.

    Raises:
        NotFound: there is none with this id, or it is not one of `portfolio` alone.
    """
    row = connection.execute(select(*_SHOWN).where(subscription.c.id == subscription_id)).one_or_none()
    found = None if row is None else Subscription(*row)
    if found is None or (portfolio is not None and _portfolio_of(connection, found) != portfolio):
        raise NotFound(
            f"There is no subscription “{subscription_id[:32]}”.",
            mend="`lifecycle subscription list` shows those there are.",
        )
    return found


def _portfolio_of(connection: Connection, found: Subscription) -> str | None:
    if found.portfolio is not None or found.partnership_id is None:
        return found.portfolio
    return changes.find(connection, found.partnership_id).portfolio


def overview(connection: Connection, portfolio: str | None = None) -> list[Subscription]:
    """The subscriptions, newest first; with `portfolio`, those that are confined to it or to a partnership in it."""
    statement = select(*_SHOWN).order_by(subscription.c.created_at.desc(), subscription.c.id)
    if portfolio is not None:
        inside = select(partnership.c.id).where(partnership.c.portfolio == portfolio)
        alone = and_(subscription.c.portfolio.is_(None), subscription.c.partnership_id.in_(inside))
        statement = statement.where(or_(subscription.c.portfolio == portfolio, alone))
    return [Subscription(*row) for row in connection.execute(statement)]


def streams(
    connection: Connection, subscription_id: str, portfolio: str | None = None, limit: int = 100
) -> list[Stream]:
    """The partnerships whose events have not all been delivered, parked ones first, then the longest backlog.

    Raises:
        NotFound: as `find`.
    """
    scope = find(connection, subscription_id, portfolio)
    stream = webhook_stream.c
    joined = partnership.outerjoin(
        webhook_stream, and_(stream.subscription_id == scope.id, stream.partnership_id == partnership.c.id)
    )
    delivered = func.coalesce(stream.delivered_seq, 0)
    names = (
        "attempts",
        "first_failed_at",
        "next_attempt_at",
        "parked_at",
        "last_status",
        "detail",
    )
    statement = (
        select(
            partnership.c.id,
            delivered.label("delivered_seq"),
            (partnership.c.audit_seq - delivered).label("backlog"),
            *(stream[name] for name in names),
        )
        .select_from(joined)
        .where(partnership.c.audit_seq > delivered, *cursors.within(scope))
        .order_by(stream.parked_at.is_(None), (partnership.c.audit_seq - delivered).desc(), partnership.c.id)
        .limit(limit)
    )
    return [_stream(row) for row in connection.execute(statement)]


def parked(connection: Connection) -> dict[str, int]:
    """How many streams wait for a person, by subscription; those that have none are left out."""
    stream, alive = webhook_stream.c, subscription.c.disabled_at.is_(None)
    statement = (
        select(stream.subscription_id, func.count())
        .join(subscription, subscription.c.id == stream.subscription_id)
        .where(stream.parked_at.is_not(None), alive)
        .group_by(stream.subscription_id)
        .order_by(stream.subscription_id)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def _stream(row: Any) -> Stream:
    state = "parked" if row.parked_at else "waiting" if row.attempts else "due"
    return Stream(
        row.id,
        state,
        row.delivered_seq,
        row.backlog,
        row.attempts or 0,
        row.first_failed_at,
        row.next_attempt_at,
        row.parked_at,
        row.last_status,
        row.detail,
    )


def unsubscribe(database: Database, subscription_id: str, portfolio: str | None = None) -> None:
    """End a subscription: its secret and its cursors are gone.

    Raises:
        NotFound: as `find`.
    """
    with database.write() as connection:
        find(connection, subscription_id, portfolio)
        # Whoever claims a stream of it holds this row meanwhile.
        connection.execute(
            select(subscription.c.id).where(subscription.c.id == subscription_id).with_for_update()
        )
        connection.execute(delete(webhook_stream).where(webhook_stream.c.subscription_id == subscription_id))
        connection.execute(delete(subscription).where(subscription.c.id == subscription_id))


def replay(
    database: Database,
    subscription_id: str,
    partnership_id: str,
    now: datetime,
    from_seq: int | None = None,
    portfolio: str | None = None,
) -> None:
    """Send a partnership's events on with the next run, whatever its stream waits for.

    Args:
        from_seq: the event to go on from: an earlier one repeats, a later one skips; None: the one it stands at.

    Raises:
        NotFound: unknown subscription or partnership, or one that the subscription does not cover.
        Conflict: the subscription was disabled, since its receiver answered that it has gone.
        Invalid: the trail has no such event, and will not have it next.
    """
    with database.write() as connection:
        scope = find(connection, subscription_id, portfolio)
        if scope.disabled_at is not None:
            raise Conflict(
                "The subscription is disabled: its receiver answered 410, gone.",
                mend="Remove it, and add a new one.",
            )
        record = changes.find(connection, partnership_id)
        covered = {scope.portfolio or record.portfolio, scope.partnership_id or record.id}
        if covered != {record.portfolio, record.id}:
            raise changes.unknown(partnership_id)
        if from_seq is not None and not 0 < from_seq <= record.audit_seq + 1:
            mend = f"Give a number from 1 to {record.audit_seq + 1}, which skips to what comes next."
            raise Invalid([Fault("/from_seq", "range", mend)], "The request")
        cursors.go_on(
            connection, subscription_id, partnership_id, None if from_seq is None else from_seq - 1, now
        )
