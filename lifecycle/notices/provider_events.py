"""What the mail provider tells of an email that left: each event is kept once, and all of them say how far it got.

Events come late, in any order, and several times, also under new ids; so the state of a delivery is never moved by an
event, but derived from all that are kept of its email.
"""

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lifecycle.errors import Fault, Invalid
from lifecycle.notices.message import ascii_address
from lifecycle.notices.models import provider_event
from lifecycle.notices.transports import in_short

RANKS: Mapping[str, int] = {
    event: rank
    for rank, event in enumerate(
        ("processed", "deferred", "delivered", "blocked", "dropped", "bounce", "spamreport")
    )
}
"""How far an email got. `blocked` is a bounce that SendGrid blames on the server's mood, not on the address."""

UNDELIVERED = frozenset({"blocked", "dropped", "bounce"})
AMISS = UNDELIVERED | {"spamreport"}
"""What somebody has to be told of."""

UNTRACKED = frozenset({"open", "click"})
"""Not kept: nobody's reading is watched."""

ADDRESS_REASONS = frozenset(
    {"bounced address", "invalid", "invalid address", "spam reporting address", "unsubscribed address"}
)
"""Why SendGrid drops an email when no other to that address would leave either."""

_HASHED = (
    "notice",
    "sg_message_id",
    "email",
    "event",
    "type",
    "timestamp",
    "url",
    "attempt",
    "response",
    "reason",
)
"""What makes two events the same. Not the provider's id of the event: redeliveries with a new one are reported."""
_TEXTS = ("sg_event_id", "sg_message_id", "type", "reason", "response")
_LAST_INSTANT = 253_402_300_799
_SAID: Mapping[str, str] = {
    "deferred": "Not taken yet",
    "blocked": "The receiving server turned the email away",
    "dropped": "SendGrid did not send it",
    "bounce": "The receiving server refused it",
    "spamreport": "The reader reported the email as spam",
}


@dataclass(frozen=True)
class Event:
    """One event as it is kept: without address, and with all that its consequences depend on.

    `event` is the provider's word, but `blocked` for a bounce of that type, and `malformed` where there is none.
    """

    dedupe: str
    sg_event_id: str | None
    reference: str | None
    event: str
    at: datetime | None
    address_sha256: str | None
    address_at_fault: bool
    detail: str

    @property
    def malformed(self) -> bool:
        """Whether it could not be read."""
        return self.at is None


@dataclass(frozen=True)
class Fate:
    """How far an email got, since when, and what was said of it."""

    event: str
    at: datetime
    detail: str


def parse(body: bytes) -> list[Event]:
    """Read a post of events, those about opening and clicking left out; of equal ones, the first.

    Raises:
        Invalid: it is no JSON array. A single event that cannot be read is kept as malformed.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise _unreadable("json", "Post a JSON array of events, in UTF-8.") from None
    if not isinstance(found, list):
        raise _unreadable("type", "Post a JSON array of events, even where it is a single one.")
    return [_read(number, one) for number, one in enumerate(found) if not _untracked(one)]


def _unreadable(rule: str, mend: str) -> Invalid:
    return Invalid([Fault("", rule, mend)], what="The post of delivery events")


def _untracked(one: Any) -> bool:
    return isinstance(one, dict) and isinstance(one.get("event"), str) and one["event"] in UNTRACKED


def _read(number: int, one: Any) -> Event:
    if fault := _fault(one):
        field, rule = fault
        return Event(
            dedupe=_sha256(one),
            sg_event_id=None,
            reference=None,
            event="malformed",
            at=None,
            address_sha256=None,
            address_at_fault=False,
            detail=f"/{number}{field} ({rule}): {in_short(json.dumps(one))}",
        )
    event = "blocked" if (one["event"], one.get("type")) == ("bounce", "blocked") else one["event"]
    reason = one.get("reason") or one.get("response") or ""
    said = ": ".join(part for part in (_SAID.get(event), reason) if part)
    return Event(
        dedupe=_sha256([one.get(name) for name in _HASHED]),
        sg_event_id=one.get("sg_event_id"),
        reference=_reference(one.get("notice")),
        event=event,
        at=datetime.fromtimestamp(one["timestamp"], UTC),
        address_sha256=address_hash(one["email"]),
        address_at_fault=event in {"bounce", "spamreport"}
        or (event == "dropped" and reason.strip().lower() in ADDRESS_REASONS),
        detail=in_short(f"{said}.") if event in _SAID else "",
    )


def _fault(one: Any) -> tuple[str, str] | None:
    """Where and why an event cannot be read."""
    if not isinstance(one, dict):
        return "", "type"
    for name in ("event", "email"):
        if not isinstance(one.get(name), str):
            return f"/{name}", "type"
    for name in _TEXTS:
        if not isinstance(one.get(name, ""), str | None):
            return f"/{name}", "type"
    for name, length in (("event", 32), ("sg_event_id", 100)):
        value = one.get(name)
        if value is not None and not re.fullmatch(rf"[!-~]{{1,{length}}}", value):
            return f"/{name}", "format"
    at = one.get("timestamp")
    if not isinstance(at, int) or isinstance(at, bool) or not 0 <= at <= _LAST_INSTANT:
        return "/timestamp", "type"
    return None


def _reference(notice: Any) -> str | None:
    """Our name of the notice, which our transport gave along; others may use the account for emails of theirs."""
    return notice if isinstance(notice, str) and re.fullmatch(r"[0-9a-f]{24}", notice) else None


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def address_hash(address: str) -> str:
    """What is kept of an address, to compare it with another; the same for every spelling of one."""
    spelt = (ascii_address(address) or address).lower()
    return hashlib.sha256(spelt.encode("utf-8", "surrogatepass")).hexdigest()


def keep(
    connection: Connection,
    events: Iterable[Event],
    notices: Mapping[str, int],
    now: datetime,
    stale: bool = False,
) -> list[Event]:
    """Keep those that are not kept yet, and return them. `notices` are the ids of our notices, by reference.

    Stale ones wait; one of them that comes again in time takes its place.
    """
    # In one order, so that two posts at once cannot wait for each other.
    wanted = {one.dedupe: one for one in sorted(events, key=lambda one: one.dedupe)}
    if not wanted:
        return []
    if not stale:
        waiting = (provider_event.c.state == "stale", provider_event.c.dedupe.in_(list(wanted)))
        connection.execute(delete(provider_event).where(*waiting))
    rows = [_row(one, notices, now, stale) for one in wanted.values()]
    insert = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    statement = insert(provider_event).on_conflict_do_nothing().returning(provider_event.c.dedupe)
    kept = connection.execute(statement, rows).scalars()
    return [wanted[dedupe] for dedupe in kept]


def _row(one: Event, notices: Mapping[str, int], now: datetime, stale: bool) -> dict[str, Any]:
    notice_id = notices.get(one.reference or "")
    state = "malformed" if one.malformed else "taken" if notice_id is not None else "unmatched"
    row = asdict(one) | {"received_at": now, "notice_id": notice_id, "state": state}
    return row if not stale else row | {"notice_id": None, "sg_event_id": None, "state": "stale"}


def fates(connection: Connection, notice_ids: Collection[int]) -> dict[int, Fate]:
    """How far the emails of these notices got, by all that is kept of them; those that nothing is told of are left out."""
    columns = (provider_event.c[name] for name in ("notice_id", "event", "at", "detail"))
    statement = select(*columns).where(
        provider_event.c.notice_id.in_(notice_ids),
        provider_event.c.state == "taken",
        provider_event.c.event.in_(RANKS),
    )
    told: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(statement):
        told[row.notice_id].append(row)
    furthest = {
        notice_id: max(rows, key=lambda row: (RANKS[row.event], row.at, row.detail))
        for notice_id, rows in told.items()
    }
    return {notice_id: Fate(row.event, row.at, row.detail) for notice_id, row in furthest.items()}


def supersede(connection: Connection, notice_id: int) -> None:
    """The notice goes out again: what was told of its earlier email says nothing about the next."""
    of_it = provider_event.c.notice_id == notice_id
    connection.execute(update(provider_event).where(of_it).values(state="superseded"))


def waiting(connection: Connection) -> Sequence[Event]:
    """The events that came too late to be heeded unasked."""
    columns = (provider_event.c[one.name] for one in fields(Event))
    statement = select(*columns).where(provider_event.c.state == "stale")
    return [Event(**row._mapping) for row in connection.execute(statement)]
