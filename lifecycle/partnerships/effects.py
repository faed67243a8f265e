"""What follows from a transition besides the new stage: clocks that start, pause, run on or stop; rounds that open."""

from sqlalchemy import Connection

from lifecycle import stages
from lifecycle.evaluation import exiting, lessons, opening
from lifecycle.gates.facts import Facts
from lifecycle.obligations import following
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import people_of
from lifecycle.reviews import occasions, questionnaire
from lifecycle.reviews import service as reviews
from lifecycle.timers import service as timers

PROGRESS = {"need_definition": "confirm_need", "starting": "agree_to_partner", "setting_up": "activate"}
"""The event that takes a partnership forward from a stage; its readiness is watched."""

_DECIDED = frozenset({"renew", "revise", "close", "terminate"})
"""How an evaluation, or a partnership, ends: what was learnt until then is kept for others."""


def follow(connection: Connection, change: Change, event: str, facts: Facts) -> None:
    """Add a transition's consequences to its change; `change.partnership.stage` is the new stage already."""
    record, now = change.partnership, change.now
    if event in PROGRESS.values():
        timers.stop(connection, record.id, now, "gate_ready")
    if event in _DECIDED:
        lessons.keep(connection, change)
    if record.stage in stages.FINAL_STAGES:
        timers.stop_all(connection, record.id, now)
        reviews.cancel_open_rounds(connection, change)
    elif event == "suspend":
        timers.pause_all(connection, record.id, now)
    elif event == "resume":
        timers.resume_all(connection, record.id, now)
        reviews.move_open_rounds(connection, change)
    elif event == "activate":
        _maintain(connection, change, facts, None)
    elif event == "renew":
        timers.stop(connection, record.id, now, reviews.OUTCOME_UNDECIDED)
        timers.stop(connection, record.id, now, exiting.TASK)
        _maintain(connection, change, facts, "next_term")
    elif event in {"amend", "revise"}:
        timers.stop(connection, record.id, now, reviews.OUTCOME_UNDECIDED)
        timers.stop(connection, record.id, now, exiting.TASK)
        # Both start again, by the new terms, when the amended agreement comes into force.
        timers.stop(connection, record.id, now, reviews.REVIEW_DUE)
        timers.stop(connection, record.id, now, occasions.HALF_TIME)
        opening.stop(connection, change)
    elif event == "begin_evaluation":
        opening.stop(connection, change)
        _open_evaluation_round(connection, change, facts)
        exiting.follow(connection, change, people_of(connection, record.id)[record.id])


def _maintain(connection: Connection, change: Change, facts: Facts, term_in: str | None) -> None:
    """Start what a signed agreement sets going by itself: performances, reviews, and the call to evaluate in time."""
    document = facts.documents[("agreement", "")]
    agreement = document.content
    evaluation = facts.document("evaluation")
    term = agreement.get("term", {})
    if term_in and evaluation is not None:
        term = evaluation.content.get(term_in, term)
    following.follow(connection, change, {**agreement, "term": term}, document.revision)
    if {"every", "first_on", "respondents"} <= agreement.get("reviews", {}).keys():
        reviews.follow_schedule(change, agreement["reviews"])
    occasions.follow_term(change, term)
    opening.follow_term(change, term)


def _open_evaluation_round(connection: Connection, change: Change, facts: Facts) -> None:
    """Ask whom the evaluation names; where E1 was waived, every partner's primary contact."""
    evaluation = facts.document("evaluation")
    named = evaluation.content.get("respondents", ()) if evaluation is not None else ()
    respondents = sorted(named) or sorted(c.id for c in facts.contacts.values() if c.role == "primary")
    agreement = facts.document("agreement")
    asked = questionnaire.reference(agreement.content.get("reviews", {}) if agreement is not None else {})
    opening = reviews.Opening(change, "evaluation", respondents, reviews.EVALUATION_WORKING_DAYS, asked)
    reviews.open_rounds(connection, [opening])
