"""The hash chain: how an event is bound to the one before it, and how a trail is proved. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

GENESIS = "0" * 64
"""What the first event of every trail is bound to."""


_dumps = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


@dataclass(frozen=True)
class AuditEvent:
    """One row of a trail. `payload` is JSON text, kept as it was hashed."""

    partnership_id: str
    seq: int
    at: datetime
    type: str
    actor: str
    payload: str
    previous_hash: str
    hash: str


@dataclass(frozen=True)
class Break:
    """Where a trail stops being provable, and why."""

    partnership_id: str
    seq: int
    why: str


def canonical(payload: Mapping[str, Any]) -> str:
    """The text of a payload that is kept and hashed: sorted keys, no spaces. What is verified is this text itself."""
    return _dumps(payload)


def chain(
    partnership_id: str, seq: int, at: datetime, event_type: str, actor: str, payload: str, previous_hash: str
) -> AuditEvent:
    """Bind a new event to its predecessor."""
    digest = digest_of(partnership_id, seq, at, event_type, actor, payload, previous_hash)
    return AuditEvent(partnership_id, seq, at, event_type, actor, payload, previous_hash, digest)


def digest_of(
    partnership_id: str, seq: int, at: datetime, event_type: str, actor: str, payload: str, previous_hash: str
) -> str:
    """SHA-256 over every field, each preceded by its length so that no two rows share an encoding."""
    instant = at.astimezone(UTC).isoformat(timespec="microseconds")
    fields = (partnership_id, str(seq), instant, event_type, actor, payload, previous_hash)
    text = "".join(f"{len(field)}:{field}" for field in fields)
    return hashlib.sha256(text.encode()).hexdigest()


def verify(partnership_id: str, events: Iterable[AuditEvent], head: tuple[int, str]) -> Break | None:
    """Prove one trail, given in order of `seq`, against its head (sequence number and hash).

    Finds an edited, removed, inserted or reordered row; None when the trail is whole.
    """
    expected, previous = 1, GENESIS
    for event in events:
        if event.seq != expected:
            return Break(
                partnership_id, expected, f"event {expected} is missing (found {event.seq} in its place)"
            )
        if event.previous_hash != previous:
            return Break(partnership_id, event.seq, f"event {event.seq} is not bound to the event before it")
        if event.hash != digest_of(
            event.partnership_id, event.seq, event.at, event.type, event.actor, event.payload, previous
        ):
            return Break(partnership_id, event.seq, f"event {event.seq} was edited")
        expected, previous = expected + 1, event.hash
    if (expected - 1, previous) != head:
        return Break(
            partnership_id, expected - 1, f"the trail ends at event {expected - 1}, its head says {head[0]}"
        )
    return None
