"""A contact answers a review by link: the questions, what is kept meanwhile, and what else they can do about it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.responses import Response

from lifecycle import stages
from lifecycle.documents.queries import Revision
from lifecycle.errors import Fault, Invalid
from lifecycle.notices import words
from lifecycle.partnerships.people import Contact
from lifecycle.portal import review_form
from lifecycle.portal.forms import by_field
from lifecycle.portal.visits import Sent, Visit, by_link, text
from lifecycle.reviews import drafts, invitations, queries, questionnaire, rules, service
from lifecycle.reviews.drafts import Draft
from lifecycle.reviews.queries import Round
from lifecycle.reviews.questionnaire import Questionnaire

router = APIRouter()

Reviewing = Annotated[Visit, Depends(by_link("review"))]


@dataclass(frozen=True)
class Standing:
    """A round as it stands for the holder of a link."""

    one: Round
    asked: Questionnaire
    ended: bool
    """The partnership has: nothing is asked in it any more."""
    draft: Draft | None
    newest: Revision | None
    """What they answered last."""
    counts: Mapping[str, Any] | None
    """What of their answers counts: the last before the round closed."""
    instead: str | None
    """Who answers now that they passed the round on."""
    is_asked: bool
    has_declined: bool

    @property
    def takes_answers(self) -> bool:
        """Whether an answer of theirs would be taken, be it late."""
        return self.is_asked and not self.ended

    @property
    def waits(self) -> bool:
        """Whether their answer is waited for, so that they can hand the round on, or decline."""
        return self.takes_answers and not (self.one.closed_at or self.newest or self.has_declined)

    @property
    def is_late(self) -> bool:
        """Whether their last answer came after the round had closed."""
        closed_at = self.one.closed_at
        return closed_at is not None and self.newest is not None and self.newest.created_at > closed_at

    @property
    def anonymous(self) -> bool:
        """Whether its results hide small groups."""
        return bool((self.one.questionnaire or {}).get("anonymous"))

    @property
    def occasion(self) -> str:
        """Why it takes place; completes “because …”."""
        return words.OCCASIONS.get(self.one.occasion, words.OCCASIONS["schedule"])


def _standing(visit: Visit) -> Standing | None:
    """None where there is no such round."""
    number, me, record = visit.door.subject.get("round"), visit.holder.id, visit.record
    with visit.database.read() as connection:
        one = next((found for found in queries.rounds(connection, record.id) if found.number == number), None)
        if one is None:
            return None
        return Standing(
            one,
            questionnaire.of(one.questionnaire),
            record.stage in stages.FINAL_STAGES,
            drafts.find(connection, record.id, one.number, me),
            queries.newest_response(connection, record.id, one.number, me),
            queries.responses(connection, record.id, one.number).get(me),
            queries.answering_instead(connection, record.id, one.number, me),
            me in one.asked,
            me in one.declined,
        )


@router.get("/review/{token}")
def show_review(visit: Reviewing, again: str = "", said: str = "") -> Response:
    """The round as it stands: its questions, or what became of it. `again` shows the questions once more."""
    standing = _standing(visit)
    if standing is None:
        return visit.page("review_over.html", 404, state=None)
    if again or said == "saved":
        return _form(visit, standing) if standing.takes_answers else visit.again()
    return _outcome(visit, standing) or _form(visit, standing)


def _outcome(visit: Visit, standing: Standing) -> Response | None:
    """The page of somebody who has nothing to answer, or has answered; None where they are still to."""
    if standing.newest is not None:
        return _given(visit, standing, standing.newest.content)
    if standing.ended:
        return visit.page("review_over.html", state=standing)
    if not standing.is_asked:
        coordinator = visit.people.contacts.get(visit.record.coordinator)
        return visit.page("review_other.html", state=standing, coordinator=coordinator)
    if standing.has_declined:
        return visit.page("review_declined.html", state=standing)
    return None


def _given(visit: Visit, standing: Standing, content: Mapping[str, Any]) -> Response:
    asked = standing.asked
    values = review_form.values_of(content, asked)
    shown = {
        section: [one for one in found if values[one.score] or values[one.comment]]
        for section, found in review_form.items(asked).items()
    }
    scores = {answer["question"]: answer.get("score") for answer in content["answers"]}
    wanted = sum(question.asked(scores) for question in asked.questions)
    return visit.page(
        "review_done.html",
        state=standing,
        sections={section: found for section, found in shown.items() if found},
        values=values,
        choices=dict(review_form.choices(asked)),
        blank=wanted - sum(map(len, shown.values())),
        negative=len(rules.negative_questions(content, asked)),
    )


def _form(
    visit: Visit,
    standing: Standing,
    status: int = 200,
    typed: Mapping[str, str] | None = None,
    error: Invalid | None = None,
    is_rest_saved: bool = False,
) -> Response:
    asked, language = standing.asked, visit.language
    begun = standing.draft or standing.newest
    filled = review_form.values_of({} if begun is None else begun.content, asked)
    faults = by_field(error, language)
    return visit.page(
        "review.html",
        status,
        state=standing,
        sections=review_form.items(asked),
        choices=review_form.choices(asked),
        conditions=review_form.conditions(asked, language),
        negative=review_form.up_to(asked, asked.scale["negative_up_to"], language),
        minutes=review_form.minutes(asked),
        comment=review_form.comment_field(),
        values=filled if typed is None else typed,
        faults=faults,
        listed=review_form.listed(faults, asked, language),
        is_rest_saved=is_rest_saved,
    )


@router.post("/review/{token}")
def answer_review(visit: Reviewing, sent: Sent) -> Response:
    """Give the answer; or, by the button that says so, keep it for later."""
    standing = _standing(visit)
    if standing is None or not standing.takes_answers:
        return visit.again()
    asked, saves = standing.asked, text(sent, "do") == "save"
    content = review_form.content_of(sent, asked, standing.one.number)
    try:
        if saves:
            _keep(visit, standing, sent, content)
            return visit.again("saved")
        content = rules.without_unasked(content, asked)
        _require_an_answer(visit, content)
        service.respond(
            visit.database, visit.record.id, standing.one.number, visit.holder.id, content, visit.now
        )
    except Invalid as error:
        found = review_form.at_fields(error.faults, content, asked)
        rest = saves and all(fault.pointer.endswith("/comment") for fault in found.faults)
        return _form(visit, standing, 422, review_form.typed(sent, asked), found, is_rest_saved=rest)
    return visit.again("answered")


@router.post("/review/{token}/draft")
def keep_draft(visit: Reviewing, sent: Sent) -> Response:
    """Keep what was entered so far; what the page's script sends a moment after each change."""
    standing = _standing(visit)
    if standing is None or not standing.takes_answers:
        return Response(status_code=409)
    content = review_form.content_of(sent, standing.asked, standing.one.number)
    try:
        _keep(visit, standing, sent, content)
    except Invalid:
        return Response(status_code=422)
    return Response(status_code=204)


def _keep(visit: Visit, standing: Standing, sent: FormData, content: Mapping[str, Any]) -> None:
    """Keep a draft.

    Raises:
        Invalid: of a comment, which was left out, while the rest is kept; of anything else, and nothing is kept.
        Stale: the answer was given meanwhile.
    """
    before = text(sent, "answered")
    faults = drafts.keep(
        visit.database,
        visit.record.id,
        standing.one.number,
        visit.holder.id,
        content,
        visit.now,
        answered=int(before) if before.isascii() and before.isdigit() and len(before) < 10 else -1,
    )
    if faults:
        raise Invalid(faults)


def _require_an_answer(visit: Visit, content: Mapping[str, Any]) -> None:
    """The rules take an empty answer, but nobody presses the button for one.

    Raises:
        Invalid: nothing is answered.
    """
    if not content["answers"]:
        mend = visit.language.gettext("Answer at least one question; or decline, and say why.")
        raise Invalid([Fault("/answers", "minItems", mend)])


@router.get("/review/{token}/pass-on")
def show_pass_on(visit: Reviewing) -> Response:
    """Whom the round can be handed to."""
    standing = _standing(visit)
    if standing is None or not standing.waits:
        return visit.again()
    return _pass_on_page(visit, standing)


def _pass_on_page(visit: Visit, standing: Standing, error: Invalid | None = None) -> Response:
    today = visit.record.calendar.local_date(visit.now)
    return visit.page(
        "review_pass_on.html",
        200 if error is None else 422,
        state=standing,
        colleagues=_colleagues(visit, standing.one),
        roles=words.ROLES,
        today=today,
        faults=by_field(error, visit.language),
    )


def _colleagues(visit: Visit, one: Round) -> list[Contact]:
    """Who could answer instead: of the same organisation, not asked yet, and reached by email."""
    mine = [one for one in visit.people.contacts.values() if one.partner_id == visit.holder.partner_id]
    free = [found for found in mine if found.id not in one.asked and not found.undeliverable]
    return sorted(free, key=lambda found: (found.name, found.id))


@router.post("/review/{token}/pass-on")
def pass_on(visit: Reviewing, sent: Sent) -> Response:
    """Have a colleague answer instead; they are asked at once."""
    standing = _standing(visit)
    if standing is None or not standing.waits:
        return visit.again()
    to = text(sent, "/to")
    if to not in {colleague.id for colleague in _colleagues(visit, standing.one)}:
        mend = visit.language.gettext("Choose the colleague who is to answer.")
        return _pass_on_page(visit, standing, Invalid([Fault("/to", "enum", mend)]))
    invitations.pass_on(visit.database, visit.record.id, standing.one.number, visit.holder.id, to, visit.now)
    return visit.again("passed")


@router.get("/review/{token}/decline")
def show_decline(visit: Reviewing) -> Response:
    """Say why one does not answer."""
    standing = _standing(visit)
    if standing is None or not standing.waits:
        return visit.again()
    return _decline_page(visit, standing)


def _decline_page(
    visit: Visit, standing: Standing, reason: str = "", error: Invalid | None = None
) -> Response:
    return visit.page(
        "review_decline.html",
        200 if error is None else 422,
        state=standing,
        reason=reason,
        faults=by_field(error, visit.language),
    )


@router.post("/review/{token}/decline")
def decline(visit: Reviewing, sent: Sent) -> Response:
    """Decline to answer, with a reason."""
    standing, reason = _standing(visit), text(sent, "/reason")
    if standing is None or not standing.waits:
        return visit.again()
    try:
        invitations.decline(
            visit.database, visit.record.id, standing.one.number, visit.holder.id, reason, visit.now
        )
    except Invalid as error:
        return _decline_page(visit, standing, reason, error)
    return visit.again("declined")
