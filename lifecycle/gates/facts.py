"""What is known about a partnership at one instant: the only input of a criterion.

Plain immutable data, collected once per gate check (`partnerships.facts.collect`); nothing here reads a database or a
clock. All instants are UTC; all people are contact ids and all organisations partner ids.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from typing import Any

from lifecycle.timers.calendars import Calendar


@dataclass(frozen=True)
class PartnerFact:
    """An organisation in the partnership."""

    id: str
    name: str


@dataclass(frozen=True)
class ContactFact:
    """A person of a partner; `role` is primary, deputy, sponsor, observer or member."""

    id: str
    partner_id: str
    role: str
    deliverable: bool


@dataclass(frozen=True)
class SignOffFact:
    """One contact's assent to one exact revision."""

    partner_id: str
    contact_id: str
    role: str
    revision: int
    signed_at: datetime


@dataclass(frozen=True)
class DocumentFact:
    """The latest revision of a document, with the sign-offs of that revision only (older ones are void)."""

    kind: str
    subject: str
    revision: int
    sha256: str
    content: Mapping[str, Any]
    author: str
    created_at: datetime
    sign_offs: tuple[SignOffFact, ...] = ()

    def signed_by(self, *roles: str) -> frozenset[str]:
        """Partner ids that signed this revision, through a contact of one of the roles (any role if none given)."""
        return frozenset(s.partner_id for s in self.sign_offs if not roles or s.role in roles)


@dataclass(frozen=True)
class LookAlike:
    """Another partnership of the registry that resembles this one; `likeness` is 0–100."""

    partnership_id: str
    title: str
    stage: str
    likeness: int
    alike_in: tuple[str, ...]


@dataclass(frozen=True)
class WaiverFact:
    """One partner's consent to waive one criterion, in force since this stage was entered."""

    criterion: str
    partner_id: str
    contact_id: str
    reason: str


@dataclass(frozen=True)
class AnswerFact:
    """A respondent's newest answer of a round to one question."""

    partner_id: str
    contact_id: str
    question: str
    score: int | None
    negative_up_to: int = 2
    """By the scale of the questionnaire."""

    @property
    def negative(self) -> bool:
        """A low score is negative and needs a corrective action (guide, step four)."""
        return self.score is not None and self.score <= self.negative_up_to


@dataclass(frozen=True)
class ActionFact:
    """A corrective action: asked for by a negative answer, planned once it has an owner and a date."""

    number: int
    round_number: int
    question: str
    asked_by: str
    what: str | None
    owner: str | None
    due_on: date | None
    verified: bool


@dataclass(frozen=True)
class RoundFact:
    """The review round that the evaluation rests on (the one opened by `begin_evaluation`)."""

    number: int
    asked: tuple[tuple[str, str], ...]
    """(partner id, contact id) of everybody asked."""
    answered: tuple[tuple[str, str], ...]
    answers: tuple[AnswerFact, ...]
    closed: bool


@dataclass(frozen=True)
class RequestFact:
    """Who asks for the transition, and why."""

    contact_id: str | None
    reason: str | None


@dataclass(frozen=True)
class Facts:
    """Everything a gate may look at. `documents` holds the latest revision per (kind, subject)."""

    now: datetime
    event: str
    partnership_id: str
    title: str
    stage: str
    stage_entered_at: datetime
    proposed_by: str
    calendar: Calendar
    request: RequestFact
    partners: Mapping[str, PartnerFact]
    contacts: Mapping[str, ContactFact]
    documents: Mapping[tuple[str, str], DocumentFact]
    look_alikes: tuple[LookAlike, ...] = ()
    waivers: tuple[WaiverFact, ...] = ()
    evaluation_round: RoundFact | None = None
    actions: tuple[ActionFact, ...] = ()
    indicators_with_actual: frozenset[str] = frozenset()
    """Those of which an actual was recorded."""
    open_performances: tuple[str, ...] = ()
    """Obligation performances neither settled nor waived by the side that is owed."""
    open_complaints: tuple[str, ...] = ()
    redress_exhausted_on: date | None = None
    """The day an independent decision ended the redress ladder without a remedy, if one did."""

    @cached_property
    def today(self) -> date:
        """The date of `now` in the partnership's own time zone."""
        return self.calendar.local_date(self.now)

    def document(self, kind: str, subject: str = "") -> DocumentFact | None:
        """The latest revision of a document, or None."""
        return self.documents.get((kind, subject))

    def sponsors_of(self, partner_id: str) -> frozenset[str]:
        """The contact ids of a partner's sponsors."""
        return frozenset(
            c.id for c in self.contacts.values() if c.partner_id == partner_id and c.role == "sponsor"
        )
