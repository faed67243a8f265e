"""The outbox: pending notices are claimed, sent once, and their outcome recorded.

The claim is committed before the provider is called, so a crash leaves `sending`, never `pending`: a notice that may
have left is not sent again unasked. It becomes `unknown` and waits to be reconciled (`settle`, delivery events).
Reminders and warnings fold into one email a day and person (`folding`): what rides in an email is claimed with it,
has its outcome, and is in the queue again whenever the email is.
"""

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, or_, select, update
from sqlalchemy.exc import DBAPIError

from lifecycle.db import Database
from lifecycle.errors import Invalid, LifecycleError, NotAllowed, NotFound
from lifecycle.notices import folding, provider_events
from lifecycle.notices.message import Message
from lifecycle.notices.models import LEASE, notice
from lifecycle.notices.provider_events import UNDELIVERED, Fate
from lifecycle.notices.transports import Outcome, Transport
from lifecycle.notices.words import FOLDED

FIRST_RETRY = timedelta(minutes=1)
LONGEST_RETRY = timedelta(hours=4)
GIVE_UP_AFTER = timedelta(days=5)
"""So long a notice is tried again before it fails (RFC 5321, 4.5.4.1)."""

Compose = Callable[[Connection, Row[Any], Sequence[Row[Any]], datetime], Message]
"""Builds the email of an outbox row and of those that ride in it, with people looked up at this instant."""

Failed = Callable[[Connection, Row[Any], str, bool, datetime], None]
"""What a notice that will never leave sets in motion, in the transaction that records it. The flag says whether the
recipient's address is at fault (otherwise the email itself could not be written)."""

Zone = Callable[[Connection, str], tzinfo]
"""The time zone of a partnership: a day of folded emails is a day there."""


@dataclass
class Drained:
    """What one drain did, by outcome; `sent_by_template` counts the emails that left, `folded` what rode in them."""

    sent: int = 0
    folded: int = 0
    retried: int = 0
    unknown: int = 0
    failed: int = 0
    stopped: str | None = None
    sent_by_template: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Claimed:
    """A notice that is ours to send, what rides in its email, and the email, or why there cannot be one."""

    row: Row[Any]
    riders: Sequence[Row[Any]]
    message: Message | Outcome


def drain(
    database: Database,
    transport: Transport,
    compose: Compose,
    failed: Failed,
    zone: Zone,
    as_of: datetime,
    limit: int = 10_000,
) -> Drained:
    """Send what is pending at `as_of`, oldest first, one transaction before and one after each provider call.

    Returns at once, with `stopped` set and the notice back in the queue, when the provider rejects the account.
    """
    drained, began = Drained(), time.monotonic()
    with database.write() as connection:
        drained.unknown += _expire_leases(connection, as_of)
    for _ in range(limit):
        with database.write() as connection:
            picked = connection.execute(_NEXT, {"as_of": as_of}).one_or_none()
            if picked is None:
                return drained
            # What is measured is how long this drain has run: a long one must not let its later leases expire.
            lease_until = as_of + timedelta(seconds=time.monotonic() - began) + LEASE
            together = _together(connection, picked, zone, as_of)
            claimed = _claim(connection, together, compose, as_of, lease_until)
        for one in claimed:
            outcome = transport.send(one.message, as_of) if isinstance(one.message, Message) else one.message
            with database.write() as connection:
                state = _record(connection, one.row, outcome, failed, as_of)
            _count(drained, one, state, outcome)
            if outcome.state == "stopped":
                return drained
    return drained


def _together(connection: Connection, picked: Row[Any], zone: Zone, as_of: datetime) -> Sequence[Row[Any]]:
    """The notices that go into one email, its carrier first; none where they wait for another day."""
    if picked.template not in FOLDED:
        return [picked]
    today = folding.Day.of(as_of, zone(connection, picked.partnership_id))
    return folding.gather(connection, picked, today)


def _claim(
    connection: Connection,
    together: Sequence[Row[Any]],
    compose: Compose,
    as_of: datetime,
    lease_until: datetime,
) -> list[Claimed]:
    """Write the email of these notices, and mark them; those that cannot be written are claimed to fail alone."""
    claimed = _written(connection, together, compose, as_of) if together else []
    for one in claimed:
        _set(connection, one.row.id, state="sending", lease_until=lease_until, attempts=one.row.attempts + 1)
        folding.fold(connection, one.row.id, one.riders)
    return claimed


def _written(
    connection: Connection, together: Sequence[Row[Any]], compose: Compose, as_of: datetime
) -> list[Claimed]:
    """One email of all; where one of them cannot be written even alone, it stays out of the email of the others."""
    row, *riders = together
    message = _composed(connection, compose, row, riders, as_of)
    if isinstance(message, Message) or message.address_at_fault or not riders:
        return [Claimed(row, riders, message)]
    alone = [Claimed(one, (), _composed(connection, compose, one, (), as_of)) for one in together]
    faulty = [one for one in alone if not isinstance(one.message, Message)]
    sound = [one.row for one in alone if isinstance(one.message, Message)]
    if not sound:
        return faulty
    row, *riders = sound
    return [*faulty, Claimed(row, riders, _composed(connection, compose, row, riders, as_of))]


def _composed(
    connection: Connection, compose: Compose, row: Row[Any], riders: Sequence[Row[Any]], as_of: datetime
) -> Message | Outcome:
    """The message, or why there cannot be one: a failure of this notice, which must not hold up the others."""
    try:
        return compose(connection, row, riders, as_of)
    except LifecycleError as error:
        return Outcome("refused", str(error), address_at_fault=_blames_address(error))
    except DBAPIError:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, it would fail the same way at every drain
        return Outcome("refused", f"The email cannot be written ({type(error).__name__}).")


def _blames_address(error: object) -> bool:
    return isinstance(error, Invalid) and any(fault.pointer == "/to_address" for fault in error.faults)


_NEXT = (
    select(notice)
    .where(notice.c.state == "pending", notice.c.next_attempt_at <= bindparam("as_of"))
    .order_by(notice.c.next_attempt_at, notice.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)


def _record(connection: Connection, row: Row[Any], outcome: Outcome, failed: Failed, as_of: datetime) -> str:
    """Record the outcome of an attempt; returns the notice's state. Once its lease is over it is no longer ours."""
    attempts = row.attempts + 1
    detail = outcome.detail[:500]
    values: dict[str, Any]
    if outcome.state == "sent":
        values = {"state": "sent", "sent_at": as_of, "provider_id": outcome.provider_id, "lease_until": None}
    elif outcome.state == "unknown":
        values = {"state": "unknown", "detail": detail}
    elif outcome.state == "stopped":
        values = {"state": "pending", "attempts": row.attempts, "detail": detail}
    elif outcome.state == "retry" and as_of - row.created_at < GIVE_UP_AFTER:
        wait = min(FIRST_RETRY * 2 ** min(attempts - 1, 10), LONGEST_RETRY)
        next_at = as_of + max(outcome.retry_after or timedelta(0), wait)
        values = {"state": "pending", "next_attempt_at": next_at, "detail": detail}
    else:
        values = {"state": "failed", "detail": detail}
    mine = (notice.c.id == row.id, notice.c.state == "sending", notice.c.attempts == attempts)
    recorded = connection.execute(update(notice).where(*mine).values(**values)).rowcount == 1
    if not recorded:
        # The provider's own word that it left may come before its answer does.
        return "sent" if outcome.state == "sent" else "settled meanwhile"
    if values["state"] == "pending" and row.template in FOLDED:
        folding.unfold(connection, row.partnership_id, row.id, values.get("next_attempt_at", as_of))
    if values["state"] == "failed":
        failed(connection, row, outcome.detail, outcome.address_at_fault, as_of)
    return str(values["state"])


def _count(drained: Drained, claimed: Claimed, state: str, outcome: Outcome) -> None:
    if state == "sent":
        template = claimed.row.template
        drained.sent += 1
        drained.folded += len(claimed.riders)
        drained.sent_by_template[template] = drained.sent_by_template.get(template, 0) + 1
    elif state == "unknown":
        drained.unknown += 1
    elif outcome.state == "stopped":
        drained.stopped = outcome.detail
    elif state == "pending":
        drained.retried += 1
    elif state == "failed":
        drained.failed += 1


def _expire_leases(connection: Connection, as_of: datetime) -> int:
    """A sender that died between the provider's answer and our commit leaves an outcome nobody knows."""
    expired = connection.execute(
        update(notice)
        .where(notice.c.state == "sending", notice.c.lease_until <= as_of)
        .values(state="unknown", detail="The sender stopped before it knew the outcome.")
    )
    return expired.rowcount


def _set(connection: Connection, notice_id: int, **values: Any) -> None:
    connection.execute(update(notice).where(notice.c.id == notice_id).values(**values))


def address(connection: Connection, notice_id: int, reader_id: str, reference: str) -> None:
    """Record to whom the email of a notice is written, and by what name the provider's events will call it."""
    _set(connection, notice_id, reader_id=reader_id, reference=reference)


def reader_of(connection: Connection, row: Row[Any]) -> str:
    """To whom the email of a notice was written; whom it is owed to, where it could not be."""
    reader = connection.execute(select(notice.c.reader_id).where(notice.c.id == row.id)).scalar()
    return reader or str(row.contact_id)


def partnerships_of(connection: Connection, references: Collection[str]) -> dict[str, str]:
    """Whose the notices are that left under these references."""
    statement = select(notice.c.reference, notice.c.partnership_id).where(notice.c.reference.in_(references))
    return {row.reference: row.partnership_id for row in connection.execute(statement)}


def lock_written(connection: Connection, references: Collection[str]) -> Sequence[Row[Any]]:
    """Lock the notices that left under these references, in one order."""
    statement = select(notice).where(notice.c.reference.in_(references)).order_by(notice.c.id)
    return connection.execute(statement.with_for_update()).all()


_DELIVER = (
    update(notice)
    .where(notice.c.id == bindparam("b_id"))
    .values(
        {name: bindparam(f"b_{name}") for name in ("state", "sent_at", "detail", "delivery", "delivery_at")}
    )
)
_DELIVER_RIDERS = (
    update(notice)
    # By partnership too: that has an index.
    .where(
        notice.c.partnership_id == bindparam("b_partnership_id"), notice.c.folded_into == bindparam("b_id")
    )
    .values(delivery=bindparam("b_delivery"), delivery_at=bindparam("b_delivery_at"))
)


def deliver(connection: Connection, got: Iterable[tuple[Row[Any], Fate]]) -> None:
    """Record how far emails got, by what the provider tells: what it has had of us did leave, whatever we had known."""
    moved = [_delivered(row, fate) for row, fate in got]
    if moved:
        connection.execute(_DELIVER, moved)
    if carriers := [values for values in moved if values["b_template"] in FOLDED]:
        connection.execute(_DELIVER_RIDERS, carriers)


def _delivered(row: Row[Any], fate: Fate) -> dict[str, Any]:
    state = "failed" if fate.event in UNDELIVERED else "sent"
    # A claim's instant is kept by its lease alone.
    left_at = row.sent_at or (row.lease_until - LEASE if row.lease_until else fate.at)
    return {
        "b_id": row.id,
        "b_partnership_id": row.partnership_id,
        "b_template": row.template,
        "b_state": row.state if row.state in {"withdrawn", "folded"} else state,
        "b_sent_at": left_at,
        "b_detail": fate.detail or None,
        "b_delivery": fate.event,
        "b_delivery_at": fate.at,
    }


def riding_in(connection: Connection, row: Row[Any]) -> Sequence[Row[Any]]:
    """The notices that ride in the email of another."""
    if row.template not in FOLDED:
        return ()
    riding = (notice.c.partnership_id == row.partnership_id, notice.c.folded_into == row.id)
    return connection.execute(select(notice).where(*riding).order_by(notice.c.id)).all()


def withdraw(
    connection: Connection,
    partnership_id: str,
    fact: str,
    templates: Sequence[str],
    contact_id: str | None = None,
) -> set[str]:
    """Take back notices not yet sent (everybody's, or one contact's): what they ask for is done or superseded.

    Returns the contacts who will not get them.
    """
    keys = [
        notice.c.key.startswith(f"{partnership_id}:{fact}:{template}", autoescape=True)
        for template in templates
    ]
    pending = [notice.c.partnership_id == partnership_id, notice.c.state == "pending", or_(*keys)]
    if contact_id is not None:
        pending.append(notice.c.contact_id == contact_id)
    taken_back = update(notice).where(*pending).values(state="withdrawn").returning(notice.c.contact_id)
    return set(connection.execute(taken_back).scalars())


def settle(connection: Connection, notice_id: int, sent: bool, as_of: datetime) -> None:
    """Reconcile a notice of unknown outcome: it did leave (`sent`), or it did not and goes back to the queue.

    Raises:
        NotFound: no such notice.
        NotAllowed: its outcome is not unknown.
    """
    values = {"state": "sent", "sent_at": as_of} if sent else {"state": "pending", "next_attempt_at": as_of}
    partnership_id = _leave(
        connection, notice_id, "unknown", "only an unknown outcome can be settled", values
    )
    if not sent:
        folding.unfold(connection, partnership_id, notice_id, as_of)


def requeue(connection: Connection, notice_id: int, as_of: datetime) -> None:
    """Put a notice that failed back into the queue: its cause has been mended.

    Raises:
        NotFound: no such notice.
        NotAllowed: it has not failed.
    """
    values = {
        "state": "pending",
        "next_attempt_at": as_of,
        "created_at": as_of,
        "attempts": 0,
        "detail": None,
        "sent_at": None,
        "provider_id": None,
        # Until it is written again, whatever comes is about the earlier email.
        "reference": None,
        "delivery": None,
        "delivery_at": None,
    }
    rule = "only one that failed can be tried again"
    partnership_id = _leave(connection, notice_id, "failed", rule, values)
    folding.unfold(connection, partnership_id, notice_id, as_of)
    provider_events.supersede(connection, notice_id)


def _leave(connection: Connection, notice_id: int, state: str, rule: str, values: Mapping[str, Any]) -> str:
    """Take a notice out of a state, if it is still in it; returns its partnership."""
    leaving = update(notice).where(notice.c.id == notice_id, notice.c.state == state)
    left = connection.execute(leaving.values(**values, lease_until=None).returning(notice.c.partnership_id))
    partnership_id: str | None = left.scalar_one_or_none()
    if partnership_id is not None:
        return partnership_id
    found = connection.execute(select(notice.c.state).where(notice.c.id == notice_id)).scalar()
    if found is None:
        raise NotFound(
            f"There is no notice {notice_id}.", mend="`lifecycle outbox list` shows those there are."
        )
    raise NotAllowed(f"Notice {notice_id} is {found}; {rule}.", mend="Leave it.")


def overview(connection: Connection, states: Sequence[str] = (), limit: int = 100) -> list[Mapping[str, Any]]:
    """The newest notices, of all states or of some."""
    statement = select(notice).order_by(notice.c.id.desc()).limit(limit)
    if states:
        statement = statement.where(notice.c.state.in_(states))
    return [dict(row._mapping) for row in connection.execute(statement)]


def counts(connection: Connection, partnership_id: str | None = None) -> dict[tuple[str, str], int]:
    """How many notices there are by (template, state)."""
    statement = select(notice.c.template, notice.c.state, func.count()).group_by(
        notice.c.template, notice.c.state
    )
    if partnership_id is not None:
        statement = statement.where(notice.c.partnership_id == partnership_id)
    return {(row[0], row[1]): row[2] for row in connection.execute(statement)}
