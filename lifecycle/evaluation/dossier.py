"""The evaluation dossier: what a partnership's record says of it, gathered for those who decide how it goes on."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, select

from lifecycle.audit import queries as audit
from lifecycle.documents import queries as documents
from lifecycle.evaluation import indicators
from lifecycle.gates import criteria
from lifecycle.gates.facts import RequestFact
from lifecycle.measures import reading
from lifecycle.measures.promises import Measures
from lifecycle.measures.redress import Redress
from lifecycle.obligations import queries as obligations
from lifecycle.obligations.queries import Performance
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Partnership
from lifecycle.partnerships.facts import collect
from lifecycle.partnerships.models import transition_request
from lifecycle.partnerships.people import People, people_of
from lifecycle.redress import queries as redress
from lifecycle.redress.queries import Complaint
from lifecycle.reviews import queries as reviews
from lifecycle.reviews import reporting
from lifecycle.reviews.queries import Action
from lifecycle.reviews.results import Results

OUTCOMES: Mapping[str, tuple[str, str]] = {
    "renew": ("renew", "The same terms for another term."),
    "revise": ("revise", "Other terms: the agreement is opened and signed anew."),
    "scale_up": ("revise", "Wider goals: the agreement is opened and signed anew."),
    "close": ("close", "It ends, by its exit plan."),
}
"""What sponsors may decide → the event that carries it out, and what it means (domain reference, section 4)."""

_EVENTS = tuple(dict.fromkeys(event for event, _ in OUTCOMES.values()))
_KINDS = ["agreement", "evaluation", "exit_plan"]


@dataclass(frozen=True)
class Evidence:
    """The latest revision of a document, and the partners whose sponsors signed it."""

    revision: int
    sha256: str
    content: Mapping[str, Any]
    signed_by: tuple[str, ...]


@dataclass(frozen=True)
class Dossier:
    """Everything that a decision rests on, as of one instant (UTC)."""

    as_of: datetime
    id: str
    title: str
    stage: str
    time_zone: str
    partners: Mapping[str, str]
    """Partner id → name."""
    people: Mapping[str, str]
    """Contact id → name."""
    documents: Mapping[str, Evidence]
    """`agreement`, `evaluation` and `exit_plan`, as far as there are."""
    gates: tuple[Mapping[str, Any], ...]
    """While it is evaluated what each way on still needs; afterwards the report with which it was decided."""
    decided_at: datetime | None
    reviews: tuple[Results, ...]
    """Of the rounds that have closed, oldest first."""
    actions: tuple[Action, ...]
    indicators: tuple[Mapping[str, Any], ...]
    promises: Measures | None
    agreed_lag_days: int | None
    performances: tuple[Performance, ...]
    redress: Redress | None
    complaints: tuple[Complaint, ...]
    lessons: tuple[Mapping[str, Any], ...]
    stages: tuple[tuple[datetime, str, str], ...]
    """(when, event, stage) of every transition."""
    trail: tuple[int, str]
    """How many entries the audit trail has, and the hash of the last."""

    def content(self, kind: str) -> Mapping[str, Any]:
        """What a document says; empty where there is none."""
        found = self.documents.get(kind)
        return {} if found is None else found.content

    @property
    def term(self) -> Mapping[str, Any]:
        """The agreed term; `starts_on` and `ends_on` where they are agreed."""
        term: Mapping[str, Any] = self.content("agreement").get("term", {})
        return term


def gather(connection: Connection, partnership_id: str, now: datetime) -> Dossier:
    """Gather the dossier of a partnership as of `now`. Costs what the partnership's record holds; changes nothing.

    Raises:
        NotFound: there is no such partnership.
    """
    record = changes.find(connection, partnership_id)
    people = people_of(connection, partnership_id)[partnership_id]
    found = _documents(connection, partnership_id, people)
    actions = tuple(reviews.told_actions(connection, partnership_id))
    gates, decided_at = _gates(connection, record, people, now)
    measured = reading.promises_of(connection, partnership_id, now)
    return Dossier(
        as_of=now,
        id=record.id,
        title=record.title,
        stage=record.stage,
        time_zone=record.time_zone,
        partners=people.partners,
        people={c.id: c.name for c in people.contacts.values()},
        documents=found,
        gates=gates,
        decided_at=decided_at,
        reviews=tuple(
            reporting.results_of(connection, people, one.number, partnership_id)
            for one in reviews.rounds(connection, partnership_id)
            if one.closed_at is not None
        ),
        actions=actions,
        indicators=tuple(_indicators(connection, partnership_id, found)),
        promises=None if measured is None else measured[0],
        agreed_lag_days=None if measured is None else measured[1],
        performances=tuple(obligations.performances(connection, partnership_id)),
        redress=reading.redress_of(connection, partnership_id, record.calendar, now),
        complaints=tuple(redress.complaints(connection, partnership_id)),
        lessons=tuple(
            lesson
            for kind in ("evaluation", "exit_plan")
            if kind in found
            for lesson in found[kind].content.get("lessons", ())
        ),
        stages=_stages(connection, partnership_id),
        trail=(record.audit_seq, record.audit_hash),
    )


def _documents(connection: Connection, partnership_id: str, people: People) -> dict[str, Evidence]:
    signed = documents.sign_offs(connection, partnership_id)
    return {
        one.kind: Evidence(
            one.revision,
            one.sha256,
            one.content,
            tuple(
                sorted(
                    {
                        s.partner_id
                        for s in signed
                        if (s.kind, s.revision) == (one.kind, one.revision)
                        and people.contacts[s.contact_id].role == "sponsor"
                    }
                )
            ),
        )
        for one in documents.latest(connection, partnership_id, _KINDS)
    }


def _gates(
    connection: Connection, record: Partnership, people: People, now: datetime
) -> tuple[tuple[Mapping[str, Any], ...], datetime | None]:
    if record.stage == "evaluating":
        asked = RequestFact(None, None)
        reports = (
            criteria.check(event, collect(connection, record, people, event, asked, now)) for event in _EVENTS
        )
        return tuple(report.as_json() for report in reports), None
    statement = (
        select(transition_request.c.report, transition_request.c.decided_at)
        .where(
            transition_request.c.partnership_id == record.id,
            transition_request.c.event.in_(_EVENTS),
            transition_request.c.state == "taken",
        )
        .order_by(transition_request.c.decided_at.desc())
        .limit(1)
    )
    decided = connection.execute(statement).one_or_none()
    return ((), None) if decided is None else ((decided.report,), decided.decided_at)


def _indicators(
    connection: Connection, partnership_id: str, found: Mapping[str, Evidence]
) -> Sequence[Mapping[str, Any]]:
    """Each agreed indicator with its last target, and what it came to; where nothing was recorded, what the evaluation
    says it came to."""
    said = found["evaluation"].content.get("indicator_actuals", ()) if "evaluation" in found else ()
    rows = []
    for one in indicators.overview(connection, partnership_id):
        # All of it; where only parts were recorded, none stands for the whole.
        whole = [(a["ends_on"], a["value"]) for a in one["actuals"] if not a["dimensions"]]
        if not one["actuals"]:
            whole = [
                (date.fromisoformat(a["period"]["ends_on"]), a["value"])
                for a in said
                if a["indicator"] == one["id"] and "value" in a and "ends_on" in a.get("period", {})
            ]
        targets = sorted(one["targets"], key=lambda target: target.get("ends_on", ""))
        target = targets[-1] if targets else {}
        ends_on, actual = max(whole, default=(None, None))
        rows.append(
            one
            | {"target": target.get("value"), "target_ends_on": target.get("ends_on")}
            | {"actual": actual, "actual_ends_on": ends_on}
            | {"reached": reached(actual, target.get("value"), one["ascending"])}
        )
    return rows


def reached(actual: float | None, target: float | None, ascending: bool) -> bool | None:
    """Whether an indicator is where it was to be; None where it cannot be told."""
    if actual is None or target is None:
        return None
    return actual >= target if ascending else actual <= target


def _stages(connection: Connection, partnership_id: str) -> tuple[tuple[datetime, str, str], ...]:
    found = []
    for one in audit.trail(connection, partnership_id):
        if one.type == "stage_changed":
            said = json.loads(one.payload)
            found.append((one.at, said["event"], said["target"]))
    return tuple(found)


def summary(dossier: Dossier) -> dict[str, Any]:
    """The dossier in brief, as plain data: what an email that asks for the decision says."""
    last = dossier.reviews[-1] if dossier.reviews else None
    directions = () if dossier.promises is None else dossier.promises.cooperation
    return {
        "ends_on": dossier.term.get("ends_on"),
        "results": None if last is None else {"round": last.round, **reporting.as_facts(last)},
        "promises": [
            {"from": one.obligor, "to": one.obligee, "rate": one.rate, "settled": one.settled}
            for one in directions
        ],
        "indicators": [
            {name: one[name] for name in ("title", "unit", "baseline", "target", "actual", "reached")}
            for one in dossier.indicators
        ],
        "actions_open": sum(one.verified_at is None for one in dossier.actions),
        "complaints_open": sum(one.open for one in dossier.complaints),
        "gates": [
            {
                "event": report["event"],
                "open": report["open"],
                "blocking": [one["name"] for one in report["findings"] if one["blocks"]],
            }
            for report in dossier.gates
        ],
    }
