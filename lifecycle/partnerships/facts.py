"""Collecting the facts of a gate check: everything is read once, in the caller's transaction."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from lifecycle.documents import queries as documents
from lifecycle.evaluation import queries as evaluation
from lifecycle.gates import criteria, look_alikes
from lifecycle.gates.facts import (
    ActionFact,
    AnswerFact,
    ContactFact,
    DocumentFact,
    Facts,
    PartnerFact,
    RequestFact,
    RoundFact,
    SignOffFact,
    WaiverFact,
)
from lifecycle.obligations import queries as obligations
from lifecycle.partnerships.changes import Partnership
from lifecycle.partnerships.models import waiver
from lifecycle.partnerships.people import People
from lifecycle.redress import queries as redress
from lifecycle.reviews import queries as reviews
from lifecycle.reviews import questionnaire

KINDS_OF: Mapping[str, tuple[str, ...]] = {
    "confirm_need": ("need_assessment",),
    "agree_to_partner": ("need_assessment", "convening"),
    "activate": ("need_assessment", "convening", "agreement"),
    "begin_evaluation": ("agreement", "evaluation"),
    "renew": ("agreement", "evaluation"),
    "revise": ("agreement", "evaluation"),
    "close": ("agreement", "evaluation", "exit_plan"),
    "decline": ("decision_record",),
    "terminate": ("agreement", "decision_record"),
}
"""The documents that a gate looks at; the other gates look at the request alone."""

_EVALUATING = frozenset({"renew", "revise", "close"})
_MEASURED = _EVALUATING | {"begin_evaluation"}


def collect(
    connection: Connection,
    partnership: Partnership,
    people: People,
    event: str,
    request: RequestFact,
    now: datetime,
) -> Facts:
    """What is known about a partnership at `now`, for the gate of one event."""
    in_evaluation = event in _EVALUATING
    return Facts(
        now=now,
        event=event,
        partnership_id=partnership.id,
        title=partnership.title,
        stage=partnership.stage,
        stage_entered_at=partnership.stage_entered_at,
        proposed_by=partnership.proposed_by,
        calendar=partnership.calendar,
        request=request,
        partners={id_: PartnerFact(id_, name) for id_, name in people.partners.items()},
        contacts={
            c.id: ContactFact(c.id, c.partner_id, c.role, not c.undeliverable)
            for c in people.contacts.values()
        },
        documents=_documents(connection, partnership.id, event, people),
        look_alikes=look_alikes.find(connection, partnership.id) if event == "confirm_need" else (),
        waivers=_waivers(connection, partnership, event) if criteria.can_be_waived(event) else (),
        evaluation_round=_evaluation_round(connection, partnership.id, people) if in_evaluation else None,
        actions=_actions(connection, partnership.id) if in_evaluation else (),
        indicators_with_actual=_with_actual(connection, partnership.id)
        if event in _MEASURED
        else frozenset(),
        open_performances=_unsettled(connection, partnership.id, now) if event == "close" else (),
        open_complaints=_complaints(connection, partnership.id) if event == "close" else (),
        redress_exhausted_on=(
            redress.exhausted_on(connection, partnership.id, partnership.calendar)
            if event == "terminate"
            else None
        ),
    )


def _documents(
    connection: Connection, partnership_id: str, event: str, people: People
) -> dict[tuple[str, str], DocumentFact]:
    kinds = list(KINDS_OF.get(event, ()))
    found = documents.latest(connection, partnership_id, kinds) if kinds else []
    signed = documents.sign_offs(connection, partnership_id) if found else []
    return {(one.kind, one.subject): _document(one, signed, people) for one in found}


def _document(one: documents.Revision, signed: list[documents.SignOff], people: People) -> DocumentFact:
    mine = (s for s in signed if (s.kind, s.subject, s.revision) == (one.kind, one.subject, one.revision))
    sign_offs = tuple(
        SignOffFact(s.partner_id, s.contact_id, people.get(s.contact_id).role, s.revision, s.signed_at)
        for s in mine
    )
    return DocumentFact(
        one.kind, one.subject, one.revision, one.sha256, one.content, one.author, one.created_at, sign_offs
    )


_WAIVERS = select(waiver.c.criterion, waiver.c.partner_id, waiver.c.contact_id, waiver.c.reason).where(
    waiver.c.partnership_id == bindparam("id"),
    waiver.c.event == bindparam("event"),
    waiver.c.granted_at >= bindparam("since"),
)


def _waivers(connection: Connection, partnership: Partnership, event: str) -> tuple[WaiverFact, ...]:
    since = {"id": partnership.id, "event": event, "since": partnership.stage_entered_at}
    return tuple(WaiverFact(*row) for row in connection.execute(_WAIVERS, since))


def _evaluation_round(connection: Connection, partnership_id: str, people: People) -> RoundFact | None:
    """The newest round that opened with an evaluation."""
    rounds = [one for one in reviews.rounds(connection, partnership_id) if one.occasion == "evaluation"]
    if not rounds:
        return None
    newest = rounds[-1]
    responses = reviews.responses(connection, partnership_id, newest.number)
    partner = {contact_id: people.get(contact_id).partner_id for contact_id in newest.asked}
    negative_up_to = questionnaire.of(newest.questionnaire).scale["negative_up_to"]
    answers = tuple(
        AnswerFact(partner[contact_id], contact_id, answer["question"], answer.get("score"), negative_up_to)
        for contact_id, response in sorted(responses.items())
        if contact_id in partner
        for answer in response.get("answers", ())
    )
    return RoundFact(
        newest.number,
        tuple((partner[contact_id], contact_id) for contact_id in newest.asked),
        tuple((partner[contact_id], contact_id) for contact_id in sorted(responses) if contact_id in partner),
        answers,
        newest.closed_at is not None,
    )


def _with_actual(connection: Connection, partnership_id: str) -> frozenset[str]:
    return frozenset(one.indicator for one in evaluation.actuals(connection, partnership_id))


def _unsettled(connection: Connection, partnership_id: str, now: datetime) -> tuple[str, ...]:
    return tuple(one.name for one in obligations.unsettled(connection, partnership_id, now))


def _complaints(connection: Connection, partnership_id: str) -> tuple[str, ...]:
    return tuple(str(one.number) for one in redress.complaints(connection, partnership_id) if one.open)


def _actions(connection: Connection, partnership_id: str) -> tuple[ActionFact, ...]:
    return tuple(
        ActionFact(
            a.number, a.round, a.question, a.asked_by, a.what, a.owner, a.due_on, a.verified_at is not None
        )
        for a in reviews.actions(connection, partnership_id)
    )
