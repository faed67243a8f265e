"""What the API takes and gives, as types: the OpenAPI document is read off them. All instants are ISO 8601 with a zone."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from lifecycle.partnerships.health import Level
from lifecycle.stages import EVENTS
from lifecycle.subscriptions.words import TYPES

T = TypeVar("T")

Text = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]
ContactId = Annotated[
    str, Field(max_length=64, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", examples=["amira-haddad"])
]
PartnerId = Annotated[
    str, Field(max_length=64, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", examples=["harbour-clinic"])
]


class Shape(BaseModel):
    """Read from records by their attributes."""

    model_config = ConfigDict(from_attributes=True)


class Asked(BaseModel):
    """A body: what it does not know is refused, not ignored."""

    model_config = ConfigDict(extra="forbid")


class NextDue(Shape):
    """The clock that is due next."""

    matter: str
    subject: str
    due_at: datetime | None


class Health(Shape):
    """How a partnership fares: that of its worst sign, with its reasons."""

    level: Level
    reasons: dict[str, str] = Field(description="Code → sentence, worst first.")


class PartnershipSummary(Shape):
    """A partnership in a list; with `fields`, only what was asked for, and its id."""

    id: str
    title: str = ""
    stage: str = ""
    stage_entered_at: datetime | None = None
    coordinator: str = ""
    time_zone: str = ""
    version: int = 0
    next_due: NextDue | None = None
    health: Health | None = None


class Page(Shape, Generic[T]):
    """Part of a list, in a stable order."""

    items: list[T]
    next_cursor: str | None = Field(description="Send it as `cursor` for the next page; null on the last.")


class Contact(Shape):
    """A person of a partner."""

    id: str
    role: str
    name: str
    email: str | None = Field(description="Null unless the token has the right `read_people`.")
    deliverable: bool
    away_until: date | None
    deputy: str | None


class PartnerRecord(Shape):
    """An organisation in a partnership."""

    id: str
    name: str
    contacts: list[Contact]


class DocumentHead(Shape):
    """The newest revision of a document, without its content."""

    kind: str
    subject: str
    revision: int
    sha256: str
    author: str
    created_at: datetime
    signed_by: list[str]
    missing_sign_offs: list[str]


class PartnershipRecord(Shape):
    """A partnership with its people, and what needs attention."""

    id: str
    title: str
    portfolio: str
    stage: str
    suspended_from: str | None
    stage_entered_at: datetime
    version: int
    proposed_by: str
    coordinator: str
    time_zone: str
    holidays: str
    created_at: datetime
    health: Health
    events_allowed: list[str]
    partners: list[PartnerRecord]
    documents: list[DocumentHead]
    hints: list[str]


class Registered(Shape):
    """A partnership that was registered."""

    id: str
    stage: str


class PartnerPut(Shape):
    """A partner as it was added or changed."""

    partnership_id: str
    partner: str


class SignOff(Shape):
    """A partner's assent to one revision."""

    kind: str
    subject: str
    revision: int
    partner_id: str
    contact_id: str
    signed_at: datetime


class Objection(Shape):
    """Why a partner does not sign one revision."""

    kind: str
    subject: str
    revision: int
    partner_id: str
    contact_id: str
    reason: str
    objected_at: datetime
    state: Literal["open", "signed", "answered"] = Field(
        description="`signed`: its partner signed this revision since; `answered`: a newer revision exists."
    )


class RevisionHead(Shape):
    """A revision of a document, without its content."""

    kind: str
    subject: str
    revision: int
    sha256: str
    author: str
    created_at: datetime


class Document(Shape):
    """One immutable revision of a document."""

    kind: str
    subject: str
    revision: int
    sha256: str
    author: str
    created_at: datetime
    content: dict[str, Any]


class SignOffAsked(Asked):
    """Assent to one exact revision."""

    kind: Literal["convening", "agreement", "evaluation", "decision_record"]
    revision: int = Field(ge=1, le=2**31 - 1, examples=[2])
    subject: str = Field(
        "",
        max_length=200,
        pattern=r"^[^\x00]*$",
        description="Of a decision record: the event that it is about.",
    )


class ObjectionAsked(SignOffAsked):
    """Why one exact revision is not signed."""

    reason: Text


class Evidence(Shape):
    """Where a finding was read."""

    document: str
    revision: int | None
    pointer: str


class Finding(Shape):
    """A criterion's outcome."""

    code: str
    name: str
    severity: Literal["blocking", "advisory"]
    question: str
    outcome: Literal["met", "unmet", "waived"]
    blocks: bool
    to_do: str
    evidence: list[Evidence]
    waived_by: list[str]
    waiver_reasons: list[str]


class GateReport(Shape):
    """All findings of one check."""

    partnership_id: str
    event: str
    stage: str
    checked_at: datetime
    open: bool
    findings: list[Finding]


Event = Literal[EVENTS]  # type: ignore[valid-type]


class TransitionAsked(Asked):
    """A transition."""

    event: Event = Field(examples=["activate"])
    reason: Text | None = Field(None, examples=["The budget is frozen until April."])


class Transition(Shape):
    """A transition that was asked for."""

    id: str
    partnership_id: str
    event: str
    requested_by: str
    reason: str | None
    requested_at: datetime
    state: Literal["pending", "taken", "refused"]
    detail: str | None
    report: GateReport | None


class WaiverAsked(Asked):
    """A sponsor's consent to pass over a criterion."""

    event: Event = Field(examples=["activate"])
    criterion: str = Field(max_length=8, examples=["T3"])
    reason: Text


class Waiver(Shape):
    """A sponsor's consent. It takes effect once the sponsors of all partners have given theirs."""

    partnership_id: str
    event: str
    criterion: str
    by: str
    reason: str


class Obligation(Shape):
    """Who owes what to whom, as the newest agreement has it (`schemas/agreement`, `obligations`)."""

    model_config = ConfigDict(extra="allow")

    id: str


class Performance(Shape):
    """One due instance of an obligation."""

    name: str
    obligation: str
    number: int
    obligor: str
    obligee: str
    weight: float
    due_at: datetime
    state: str
    outcome: str | None
    reported_at: datetime | None
    answered_at: datetime | None
    seen_at: datetime | None
    closed_at: datetime | None


class Entry(Shape):
    """What somebody said about a performance."""

    seq: int
    at: datetime
    kind: str
    by: str
    outcome: str | None
    note: str | None
    evidence: str | None
    evidence_sha256: str | None


class PerformanceRecord(Shape):
    """A performance with everything that was said about it."""

    performance: Performance
    entries: list[Entry]


class VerdictAsked(Asked):
    """`accept` and `dispute` answer a report; `decide` is for the decider that the agreement names; `waive` and `restored`
    are for the side that is owed."""

    verdict: Literal["accept", "dispute", "decide", "waive", "restored"]
    reason: Text | None = Field(None, description="Needed but to accept.")
    outcome: Literal["kept", "partly_kept", "not_kept"] | None = Field(
        None, description="With `decide`: what it counts as."
    )


class WithholdAsked(Asked):
    """A promise of one's own that is withheld, as an upheld complaint's remedy allows."""

    complaint: int = Field(ge=1, le=2**31 - 1)


class SignalAsked(Asked):
    """An early word that something is off."""

    obligation: ContactId
    note: str = Field(min_length=1, max_length=280, pattern=r"^[^\x00]*$")


class Signal(Shape):
    """An early word that was sent on to both sides."""

    number: int
    obligation: str


class ComplaintHead(Shape):
    """A complaint and how it stands."""

    number: int
    case: int
    complainant: str
    respondent: str
    about: dict[str, Any]
    state: str
    level: int
    lodged_at: datetime
    closed_at: datetime | None
    paused_at: datetime | None
    exhausted_at: datetime | None


class ComplaintEntry(Shape):
    """What somebody said in the course of a complaint."""

    seq: int
    at: datetime
    kind: str
    by: str
    level: int
    content: dict[str, Any]


class ComplaintRecord(Shape):
    """A complaint with everything that was said."""

    complaint: ComplaintHead
    entries: list[ComplaintEntry]


class ComplaintStep(Asked):
    """A step of the procedure that needs no document."""

    step: Literal["acknowledge", "answer", "agree", "escalate", "withdraw", "close", "pause", "resume"]
    note: Text | None = Field(
        None, description="The answer; why it is escalated, withdrawn or paused; how it was put right."
    )


class Review(Shape):
    """A review round."""

    number: int
    occasion: str
    opened_at: datetime
    closes_at: datetime
    extended: bool
    closed_at: datetime | None
    quorate: bool | None
    questionnaire: dict[str, Any] | None = Field(
        description="What is asked (`schemas/questionnaire`), or where it is kept."
    )
    asked: list[str]
    declined: list[str]


class Score(Shape):
    """How a question, or a section, was answered."""

    id: str
    title: str
    section: str
    answers: int
    cannot_say: int
    mean: float | None
    by_partner: Mapping[str, float]
    spread: float | None
    change: float | None
    negative: int


class Results(Shape):
    """What a closed round says."""

    round: int
    questionnaire: str
    lowest: int
    highest: int
    anonymous: bool
    asked: int
    answered: int
    declined: int
    late: int
    cannot_say: float | None
    questions: list[Score]
    sections: list[Score]
    hidden: list[str]


class Responded(Shape):
    """A response that was taken."""

    round: int
    contact_id: str
    revision: int
    sha256: str
    late: bool = Field(description="The round had closed: it is kept and changes no result.")


class PassOn(Asked):
    """Somebody else of one's organisation who answers instead."""

    to: ContactId


class Decline(Asked):
    """Why somebody does not answer."""

    reason: Text


class Action(Shape):
    """A corrective action."""

    number: int
    round: int
    question: str
    asked_by: str
    what: str | None
    owner: str | None
    due_on: date | None
    verified_by: str | None
    verified_at: datetime | None


class ActionPlan(Asked):
    """What is done about a negative answer."""

    what: Text
    owner: ContactId
    due_on: date = Field(examples=["2026-03-31"])


class ActionNamed(Shape):
    """A corrective action that was planned or verified."""

    partnership_id: str
    number: int


class Actual(Shape):
    """What an indicator came to in a period."""

    number: int
    indicator: str
    starts_on: date
    ends_on: date
    value: float
    dimensions: Mapping[str, str]
    comment: str | None
    recorded_by: str
    recorded_at: datetime


class ActualAsked(Asked):
    """What an indicator came to in a period."""

    starts_on: date
    ends_on: date
    value: float = Field(allow_inf_nan=False)
    dimensions: dict[str, str] = Field(default_factory=dict, max_length=20)
    comment: Text | None = None


class Indicator(Shape):
    """An agreed indicator with its actuals."""

    id: str
    title: str
    unit: str | None
    ascending: bool
    baseline: dict[str, Any] | None
    targets: list[dict[str, Any]]
    actuals: list[Actual]


class DomainEvent(Shape):
    """An entry of the audit trail. It holds ids, codes and hashes, never personal data."""

    seq: int
    at: datetime
    type: str
    actor: str
    payload: dict[str, Any]
    hash: str


class TokenAsked(Asked):
    """A token to make."""

    name: str = Field(min_length=1, max_length=200, examples=["Grants system"])
    role: Literal["administrator", "owner", "manager", "viewer", "contact", "service"]
    days: int = Field(90, ge=1, le=366)
    portfolio: str | None = Field(None, max_length=64)
    partnership_id: str | None = Field(None, max_length=64)
    contact_id: str | None = Field(None, max_length=64)
    scopes: list[str] | None = Field(None, max_length=10)


class TokenMade(Shape):
    """A token. Nobody can see it again: it is kept as its hash."""

    prefix: str
    token: str | None = Field(description="Null where the same Idempotency-Key asks again.")


class CalendarLinkMade(Shape):
    """The secret address of one's own dates. Nobody can see it again."""

    prefix: str = Field(description="Names the link, to revoke it.")
    url: str | None = Field(description="Null where the same Idempotency-Key asks again.")
    expires_at: datetime


class Token(Shape):
    """What may be shown of a token."""

    prefix: str
    name: str
    role: str
    portfolio: str | None
    partnership_id: str | None
    contact_id: str | None
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


EventType = Literal[TYPES]  # type: ignore[valid-type]


class SubscriptionAsked(Asked):
    """Where events go, and which."""

    url: str = Field(
        max_length=2000, pattern=r"^[^\x00]*$", examples=["https://grants.example/hooks/partnerships"]
    )
    event_types: list[EventType] | None = Field(
        None, min_length=1, max_length=100, description="All if absent.", examples=[["partnership.activated"]]
    )
    portfolio: str | None = Field(
        None,
        pattern=r"^[a-z0-9]{1,32}$",
        description="Left out, the token's own; an administrator's: every one.",
    )
    partnership_id: ContactId | None = Field(
        None, description="Only this partnership's events.", examples=[None]
    )
    description: str = Field("", max_length=200, pattern=r"^[^\x00]*$", examples=["Grants system"])


class Subscription(Shape):
    """A subscription, without its secret."""

    id: str
    portfolio: str | None
    partnership_id: str | None
    url: str
    event_types: list[str] | None
    description: str
    created_at: datetime
    created_by: str
    disabled_at: datetime | None = Field(description="Since when its receiver says 410 Gone.")


class SubscriptionMade(Shape):
    """A subscription that was made. Nobody can see its secret again."""

    id: str
    secret: str | None = Field(
        description="Of the Standard Webhooks signature. Null where the same Idempotency-Key asks again."
    )


class Stream(Shape):
    """How far a subscription has come with one partnership, where it lags behind."""

    partnership_id: str
    state: Literal["due", "waiting", "parked"]
    delivered_seq: int
    backlog: int
    attempts: int
    first_failed_at: datetime | None
    next_attempt_at: datetime | None
    parked_at: datetime | None
    last_status: int | None
    detail: str | None


class ReplayAsked(Asked):
    """A stream to send on its way again."""

    partnership_id: ContactId = Field(examples=["harbour-healthy-start"])
    from_seq: int | None = Field(
        None,
        ge=1,
        le=2**31 - 1,
        description="The event to go on from; the one that failed if absent.",
        examples=[12],
    )


class Replayed(Shape):
    """A stream that goes on."""

    subscription: str
    partnership_id: str


class EventsTaken(Shape):
    """What a post of delivery events held."""

    new: int
    unmatched: int = Field(description="About no email of ours.")
    malformed: int = Field(description="Kept aside.")
    duplicates: int


class Alive(Shape):
    """This process lives."""

    status: Literal["ok"]


class Readiness(Shape):
    """Whether it can do its work, and what stands in its way."""

    status: Literal["ready", "not ready"]
    database: Literal["ok", "unreachable", "of another version"]
    prefect: Literal["ok", "unreachable", "not configured"] = Field(
        description="Without it, requests are kept and decided later: the engine stays ready."
    )
