"""Reviews: the rounds and who answered, what each said, and the corrective actions that negative answers asked for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from lifecycle import links
from lifecycle.documents import limits
from lifecycle.errors import Fault, Invalid, LifecycleError, NotAllowed, NotFound
from lifecycle.notices.words import OCCASIONS
from lifecycle.partnerships import doors, queries
from lifecycle.partnerships.people import BINDING_ROLES
from lifecycle.portal.forms import by_field
from lifecycle.portal.members import Member, OwnForm, Signed, Standing
from lifecycle.portal.pages import status_of
from lifecycle.portal.partnerships import framed
from lifecycle.portal.visits import text
from lifecycle.reviews import actions, questionnaire
from lifecycle.reviews import queries as reviews
from lifecycle.reviews.queries import Action
from lifecycle.reviews.reporting import results_of
from lifecycle.stages import FINAL_STAGES

router = APIRouter()

ACTION = "/partnerships/{id}/reviews/actions/{number}"


@dataclass(frozen=True)
class Shown:
    """A corrective action with the question that asked for it."""

    action: Action
    question: str
    asked_by: str | None
    """The partner that answered so; None where the round is anonymous."""
    late: bool


@router.get("/partnerships/{id}/reviews")
def show_reviews(member: Signed, id: str) -> Response:
    """The rounds, newest first, and the corrective actions, those to do first."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        rounds = queries.rounds(connection, id)
        found = _actions(rounds, reviews.told_actions(connection, id), member, standing)
        return framed(
            member, connection, standing, "reviews.html",
            rounds=rounds[::-1],
            actions=sorted(found, key=lambda one: one.action.verified_at is not None),
            is_anonymous=_is_anonymous,
            may_answer=lambda one: _may_answer(member, standing, one),
            OCCASIONS=OCCASIONS,
        )  # fmt: skip


def _is_anonymous(one: Mapping[str, Any]) -> bool:
    return bool((one["questionnaire"] or {}).get("anonymous"))


def _may_answer(member: Member, standing: Standing, one: Mapping[str, Any]) -> bool:
    """Whether a round waits for the reader's own answer, or would take another one."""
    open_ = one["closed_at"] is None and standing.record.stage not in FINAL_STAGES
    asked = standing.me is not None and standing.me.id in one["asked"]
    return open_ and asked and links.can_sign(member.settings)


def _actions(
    rounds: Iterable[Mapping[str, Any]], found: Iterable[Action], member: Member, standing: Standing
) -> list[Shown]:
    known = {one["number"]: one for one in rounds}
    today = standing.record.calendar.local_date(member.now)
    return [_shown(one, known[one.round], today) for one in found]


def _shown(one: Action, asked_in: Mapping[str, Any], today: date) -> Shown:
    wording = questionnaire.of(asked_in["questionnaire"]).wording(one.question)
    late = one.verified_at is None and one.due_on is not None and one.due_on < today
    return Shown(one, wording, one.asked_by or None, late)


@router.get("/partnerships/{id}/reviews/{number}")
def show_round(member: Signed, id: str, number: int) -> Response:
    """What a closed round says: by section and question, with how far partners differ and what has changed."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        one = _round(connection, id, number)
        results = results_of(connection, standing.people, number, id) if one["closed_at"] else None
        return framed(
            member, connection, standing, "reviews_results.html",
            round=one,
            results=results,
            anonymous=_is_anonymous(one),
            asked=questionnaire.of(one["questionnaire"]),
            may_answer=_may_answer(member, standing, one),
            OCCASIONS=OCCASIONS,
        )  # fmt: skip


def _round(connection: Connection, id: str, number: int) -> Mapping[str, Any]:
    reviews.find_round(connection, id, number)
    return next(one for one in queries.rounds(connection, id) if one["number"] == number)


@router.get("/partnerships/{id}/reviews/{number}/answer")
def to_my_answer(member: Signed, id: str, number: int) -> Response:
    """To the reader's own form, by the link that an email would bring them; nobody gets anybody else's."""
    with member.database.read() as connection:
        me = member.standing(connection, id).acting()
        one = reviews.find_round(connection, id, number)
    reviews.require_asked(one, me.id)
    subject = {"round": number}
    whole = doors.address(member.settings, "review", id, me.id, member.now, subject, one.closes_at)
    return RedirectResponse(whole.removeprefix(doors.base(member.settings)), 303)


@router.get(ACTION)
def show_action(member: Signed, id: str, number: int) -> Response:
    """One corrective action: what asked for it, its plan, and whether it was carried out."""
    return _action(member, id, number)


def _action(
    member: Member, id: str, number: int, sent: FormData | None = None, error: LifecycleError | None = None
) -> Response:
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        found = _actions(
            queries.rounds(connection, id), reviews.told_actions(connection, id), member, standing
        )
        shown = next((one for one in found if one.action.number == number), None)
        if shown is None:
            raise NotFound(
                "There is no such corrective action.", mend="The list of reviews has those there are."
            )
        return framed(
            member, connection, standing, "reviews_action.html",
            200 if error is None else status_of(error),
            shown=shown,
            typed=_typed(shown.action, sent),
            may=_may(standing, shown.action),
            faults=by_field(error if isinstance(error, Invalid) else None, member.language),
            refused=None if isinstance(error, Invalid) else error,
        )  # fmt: skip


def _typed(one: Action, sent: FormData | None) -> Mapping[str, Any]:
    if sent is not None:
        return {name: text(sent, name) for name in sent}
    return {"/what": one.what, "/owner": one.owner, "/due_on": one.due_on and one.due_on.isoformat()}


def _may(standing: Standing, one: Action) -> frozenset[str]:
    """What the reader can do with an action: plan it, verify it. The services decide; this says it beforehand."""
    me, people = standing.me, standing.people
    ended = standing.record.stage in FINAL_STAGES
    if me is None or me.role not in BINDING_ROLES or ended or one.verified_at is not None:
        return frozenset()
    owner = people.contacts.get(one.owner or "")
    verifies = owner is not None and owner.partner_id != me.partner_id
    return frozenset({"plan", "verify"} if verifies else {"plan"})


@router.post(f"{ACTION}/plan")
def plan(member: Signed, sent: OwnForm, id: str, number: int) -> Response:
    """Say what will be done, who owns it and by when."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
    me = standing.acting()
    try:
        due_on = _planned(member, standing, sent)
        what, owner = text(sent, "/what"), text(sent, "/owner")
        actions.plan_action(member.database, id, number, what, owner, due_on, me.id, member.now)
    except (Invalid, NotAllowed) as error:
        return _action(member, id, number, sent, error)
    return RedirectResponse(f"/partnerships/{id}/reviews/actions/{number}?said=planned", 303)


def _planned(member: Member, standing: Standing, sent: FormData) -> date:
    """The day of a plan, once its form is whole.

    Raises:
        Invalid: with every fault of the form that the service would not find with the others.
    """
    say = member.language.gettext
    faults = list(limits.faults_of(text(sent, "/what"), "/what"))
    if not text(sent, "/what"):
        faults.append(Fault("/what", "required", say("Say what will be done.")))
    if text(sent, "/owner") not in standing.people.contacts:
        faults.append(Fault("/owner", "enum", say("Choose who sees to it.")))
    try:
        due_on = date.fromisoformat(text(sent, "/due_on"))
    except ValueError:
        faults.append(Fault("/due_on", "date", say("Give a day, such as 2026-11-30.")))
    if faults:
        raise Invalid(faults)
    return due_on


@router.post(f"{ACTION}/verify")
def verify(member: Signed, _: OwnForm, id: str, number: int) -> Response:
    """Confirm that it was carried out."""
    with member.database.read() as connection:
        me = member.standing(connection, id).acting()
    try:
        actions.verify_action(member.database, id, number, me.id, member.now)
    except NotAllowed as error:
        return _action(member, id, number, error=error)
    return RedirectResponse(f"/partnerships/{id}/reviews/actions/{number}?said=verified", 303)
