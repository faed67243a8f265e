"""The timeline: what happened, as the audit trail has it, and every email with what became of it; newest first."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from lifecycle.audit import queries as audit
from lifecycle.audit.rules import AuditEvent
from lifecycle.notices import queries as notices
from lifecycle.notices.queries import Email
from lifecycle.notices.words import EVENTS, HAPPENINGS, KINDS, MATTERS, REDRESS, TEMPLATES
from lifecycle.partnerships import changes
from lifecycle.portal.members import Signed
from lifecycle.portal.partnerships import framed
from lifecycle.reviews import queries as reviews

router = APIRouter()

ON_A_PAGE = 50
SHOWS = ("all", "events", "emails")
_PLACE = re.compile(r"(\d{0,18})\.(\d{0,18})")
_OF_ANSWERS = frozenset(
    {"review_answered_late", "review_declined", "review_passed_on", "corrective_actions_asked"}
)
"""Events whose actor has, or has not, answered a round."""

_TO_WHO_HAS_NOT_ANSWERED = frozenset(
    {"review_reminder", "review_moved", "review_cancelled", "review_extended"}
)
"""Emails that only those get who have not answered yet."""


@dataclass(frozen=True)
class Entry:
    """A line of the timeline: an event of the trail, or an email."""

    at: datetime
    event: AuditEvent | None
    email: Email | None
    said: Mapping[str, Any]
    """The event's payload."""
    who: str | None
    """Who did it, or whom the email is to; None where nobody may know."""


@router.get("/partnerships/{id}/timeline")
def show_timeline(member: Signed, id: str, show: str = "all", before: str = "") -> Response:
    """A page of it: events, emails, or both; and whether the trail's chain holds."""
    shown = show if show in SHOWS else "all"
    place = _PLACE.fullmatch(before)
    seq, email_id = (int(one) if one else None for one in (place.groups() if place else ("", "")))
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        entries = _entries(connection, id, shown, seq, email_id)
        return framed(
            member, connection, standing, "timeline.html",
            entries=entries[:ON_A_PAGE],
            next_page=_next(entries[:ON_A_PAGE], seq, email_id) if len(entries) > ON_A_PAGE else None,
            first=place is None,
            broken=audit.verify_all(connection, id) if place is None else None,
            show=shown,
            SYSTEM=changes.SYSTEM,
            EVENTS=EVENTS, HAPPENINGS=HAPPENINGS, KINDS=KINDS, MATTERS=MATTERS, REDRESS=REDRESS, TEMPLATES=TEMPLATES,
        )  # fmt: skip


def _entries(
    connection: Connection, id: str, show: str, seq: int | None, email_id: int | None
) -> list[Entry]:
    """One more than a page holds, where there are as many."""
    anonymous = {
        one.number for one in reviews.rounds(connection, id) if (one.questionnaire or {}).get("anonymous")
    }
    found: list[Entry] = []
    if show != "emails":
        found += [_of_event(one, anonymous) for one in audit.newest(connection, id, seq, ON_A_PAGE + 1)]
    if show != "events":
        found += [
            _of_email(one, anonymous) for one in notices.newest(connection, id, email_id, ON_A_PAGE + 1)
        ]
    # An email is owed by what happened: of the same instant, the email comes after, and so stands above.
    return sorted(found, key=lambda one: (one.at, one.event is None, _number(one)), reverse=True)[
        : ON_A_PAGE + 1
    ]


def _number(one: Entry) -> int:
    return one.event.seq if one.event is not None else one.email.id if one.email is not None else 0


def _next(shown: list[Entry], seq: int | None, email_id: int | None) -> str:
    """Where the next page begins: below the last event and the last email of this one."""
    seqs = [one.event.seq for one in shown if one.event is not None]
    emails = [one.email.id for one in shown if one.email is not None]
    place = [min(seqs, default=seq), min(emails, default=email_id)]
    return ".".join("" if one is None else str(one) for one in place)


def _of_event(one: AuditEvent, anonymous: set[int]) -> Entry:
    said = json.loads(one.payload)
    hidden = (one.type in _OF_ANSWERS and said.get("round") in anonymous) or (
        said.get("kind") == "review_response" and _round_of(said["subject"]) in anonymous
    )
    return Entry(one.at, one, None, said, None if hidden else one.actor)


def _round_of(subject: str) -> int:
    """The round of a review response's subject, `<round>/<contact>`."""
    return int(subject.partition("/")[0])


def _of_email(one: Email, anonymous: set[int]) -> Entry:
    hidden = one.template in _TO_WHO_HAS_NOT_ANSWERED and one.facts.get("round") in anonymous
    return Entry(one.created_at, None, one, {}, None if hidden else one.contact_id)
