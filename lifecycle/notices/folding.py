"""Folding: reminders and warnings reach a person in one email a day, and what else waits for them rides in it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any, Self

from sqlalchemy import Connection, Row, bindparam, exists, func, or_, select, update

from lifecycle.notices.models import LEASE, notice
from lifecycle.notices.words import FOLDED

MORNING = time(9)
"""When what was put off until the next day may leave, local time."""


@dataclass(frozen=True)
class Day:
    """The local day of an instant, in UTC: its first instant, the first of the next day, and the next morning."""

    begins_at: datetime
    ends_at: datetime
    next_morning_at: datetime

    @classmethod
    def of(cls, instant: datetime, zone: tzinfo) -> Self:
        """The day on which an instant falls in a time zone."""
        today = instant.astimezone(zone).date()
        tomorrow = today + timedelta(days=1)
        wall_times = ((today, time.min), (tomorrow, time.min), (tomorrow, MORNING))
        return cls(*(datetime.combine(*wall, tzinfo=zone).astimezone(UTC) for wall in wall_times))


_earlier = notice.alias("earlier")
# A claim's instant is kept by its lease alone; one of unknown outcome may have left, so it counts.
_LEFT_TODAY = exists().where(
    _earlier.c.partnership_id == notice.c.partnership_id,
    _earlier.c.contact_id == notice.c.contact_id,
    _earlier.c.template.in_(FOLDED),
    or_(
        (_earlier.c.state == "sent") & (_earlier.c.sent_at >= bindparam("begins_at")),
        _earlier.c.state.in_(("sending", "unknown")) & (_earlier.c.lease_until >= bindparam("leased_since")),
    ),
)
_WAITING = (
    select(notice, _LEFT_TODAY.label("left_today"))
    .where(
        notice.c.partnership_id == bindparam("partnership_id"),
        notice.c.contact_id == bindparam("contact_id"),
        notice.c.template.in_(FOLDED),
        notice.c.state == "pending",
        notice.c.next_attempt_at < bindparam("ends_at"),
    )
    .order_by(notice.c.due_at.nulls_last(), notice.c.id)
    .with_for_update(skip_locked=True, of=notice)
)
_PUT_OFF = update(notice).where(notice.c.id.in_(bindparam("ids", expanding=True)))
_RIDE = _PUT_OFF.where(notice.c.state == "pending")
_ONE_AT_A_TIME = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("whom"), 0)))


def gather(connection: Connection, picked: Row[Any], day: Day) -> Sequence[Row[Any]]:
    """What goes to the person of a pending notice in one email: its carrier first, then what rides in it.

    The one that is due first carries. All that would be tried later today rides too, since nothing else may leave
    today. Where an email of this kind may have left today already, all of it is put off until the next morning, and
    nothing is returned.
    """
    _exclude_other_senders(connection, picked)
    person = {"partnership_id": picked.partnership_id, "contact_id": picked.contact_id}
    times = {"begins_at": day.begins_at, "leased_since": day.begins_at + LEASE, "ends_at": day.ends_at}
    waiting = connection.execute(_WAITING, person | times).all()
    if waiting[0].left_today:
        ids = {"ids": [row.id for row in waiting]}
        connection.execute(_PUT_OFF.values(next_attempt_at=day.next_morning_at), ids)
        return ()
    return waiting


def _exclude_other_senders(connection: Connection, picked: Row[Any]) -> None:
    """Of two senders at once, one decides at a time what a person gets today. SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        whom = f"notice/{picked.partnership_id}/{picked.contact_id}"
        connection.execute(_ONE_AT_A_TIME, {"whom": whom})


def fold(connection: Connection, carrier_id: int, riders: Sequence[Row[Any]]) -> None:
    """Let these pending notices ride in the email of another."""
    if riders:
        ids = {"ids": [row.id for row in riders]}
        connection.execute(_RIDE.values(state="folded", folded_into=carrier_id), ids)


def unfold(connection: Connection, partnership_id: str, carrier_id: int, next_attempt_at: datetime) -> None:
    """The email did not leave: what rode in it waits again, so that it can still be taken back."""
    # By partnership too: that has an index.
    riding = (
        notice.c.partnership_id == partnership_id,
        notice.c.folded_into == carrier_id,
        notice.c.state == "folded",
    )
    back = {"state": "pending", "folded_into": None, "next_attempt_at": next_attempt_at}
    back |= {"delivery": None, "delivery_at": None}
    connection.execute(update(notice).where(*riding).values(**back))
