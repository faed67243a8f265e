"""What others are told: the public types of events, and the message that carries one. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from lifecycle.audit.rules import AuditEvent

STAGE_CHANGED = "stage_changed"
"""The trail's type of a transition that was taken."""

TRANSITIONS: Mapping[str, str] = {
    "confirm_need": "partnership.need_confirmed",
    "agree_to_partner": "partnership.partnering_agreed",
    "activate": "partnership.activated",
    "begin_evaluation": "partnership.evaluation_begun",
    "renew": "partnership.renewed",
    "revise": "partnership.revised",
    "close": "partnership.closed",
    "suspend": "partnership.suspended",
    "resume": "partnership.resumed",
    "amend": "partnership.amended",
    "decline": "partnership.declined",
    "withdraw": "partnership.withdrawn",
    "terminate": "partnership.terminated",
}
"""A transition that was taken, by its event."""

REGISTERED = "partnership.registered"
"""The first event of every trail."""

_OTHERS = """
    absence_ended absence_set actual_recorded complaint_entry complaint_lodged complaint_moved complaint_paused
    complaint_resumed corrective_action_planned corrective_action_verified corrective_actions_asked document_put escalated
    escalation_acknowledged gate_ready links_revoked notice_failed objected partner_put performance_demanded
    performance_entry preferences_set
    performance_moved performance_scheduled redress_exhausted redress_limit_missed results_imported review_answered_late
    review_cancelled review_closed review_declined review_extended review_moved review_occasion_covered review_opened
    review_passed_on sign_offs_voided signal_sent signed_off transition_refused transition_requested waiver_granted
"""

TYPES: tuple[str, ...] = (
    REGISTERED,
    *TRANSITIONS.values(),
    *(f"partnership.{name}" for name in _OTHERS.split()),
)
"""Every public type there is."""

BACKOFF, LONGEST_BACKOFF = timedelta(minutes=1), timedelta(hours=2)
PARKED_AFTER = timedelta(hours=24)
"""How long a message is tried, from its first failure; then its stream waits for a person."""


@dataclass(frozen=True)
class Message:
    """One event of one partnership as others get it. `id` stays the same however often it is sent."""

    id: str
    type: str
    at: datetime
    title: str
    data: Mapping[str, Any]

    @property
    def seq(self) -> int:
        """The event's place in its partnership's trail."""
        return int(self.data["seq"])

    def body(self) -> str:
        """The JSON text that is signed and sent (Standard Webhooks)."""
        instant = self.at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        whole = {"type": self.type, "timestamp": instant, "data": self.data}
        return json.dumps(whole, separators=(",", ":"))


def message_of(event: AuditEvent, title: str = "") -> Message:
    """The message that tells of an event: ids and codes only, as in the trail. `title` does not go into its body."""
    payload = json.loads(event.payload)
    data = {
        "partnership_id": event.partnership_id,
        "seq": event.seq,
        "actor": event.actor,
        "payload": payload,
        "hash": event.hash,
    }
    return Message(
        message_id(event.partnership_id, event.seq), public_type(event.type, payload), event.at, title, data
    )


def message_id(partnership_id: str, seq: int) -> str:
    """The same for every receiver and every attempt: receivers tell by it what they have already."""
    return f"evt_{sha256(f'{len(partnership_id)}:{partnership_id}:{seq}'.encode()).hexdigest()[:24]}"


def public_type(audit_type: str, payload: Mapping[str, Any]) -> str:
    """What an event of the trail is called outside, e.g. `partnership.activated`."""
    if audit_type == "partnership_created":
        return REGISTERED
    if audit_type == STAGE_CHANGED:
        return TRANSITIONS.get(str(payload.get("event")), f"partnership.{audit_type}")
    return f"partnership.{audit_type}"


def wanted(message: Message, types: Sequence[str] | None) -> bool:
    """Whether a subscription to these types (None: to all) gets this message."""
    return types is None or message.type in types


def backoff(attempts: int) -> timedelta:
    """How long to wait after so many failures in a row: 1, 2, 4 … minutes, at most two hours."""
    return min(BACKOFF * (1 << min(attempts - 1, 10)), LONGEST_BACKOFF)
