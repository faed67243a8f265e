"""Reviews, corrective actions, and what indicators came to."""

from fastapi import APIRouter, Response

from lifecycle.api import paging, shapes
from lifecycle.api.bodies import body_of
from lifecycle.api.calls import Id, Number, Reads, Writes, respond
from lifecycle.api.paging import Cursor, Limit
from lifecycle.api.problems import documented
from lifecycle.api.promises import Obligation as Indicator
from lifecycle.evaluation import indicators
from lifecycle.partnerships.people import people_of
from lifecycle.reviews import actions, invitations, queries, service
from lifecycle.reviews.reporting import results_of

router = APIRouter(tags=["reviews"])

ROUND = "/partnerships/{id}/reviews/{number}"


@router.get("/partnerships/{id}/reviews", response_model=shapes.Page[shapes.Review], responses=documented())
def list_reviews(call: Reads, id: Id, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """The review rounds, oldest first."""
    with call.reading(id) as (connection, record):
        found = queries.rounds(connection, id)
    return respond(paging.slice_of(found, cursor, limit, shapes.Review.model_validate), record.version)


@router.get(f"{ROUND}/results", response_model=shapes.Results, responses=documented())
def get_results(call: Reads, id: Id, number: Number) -> Response:
    """What a round says: scores, how far partners differ, what changed. In an anonymous round nobody stands alone."""
    with call.reading(id) as (connection, record):
        found = results_of(connection, people_of(connection, id)[id], number, id)
    return respond(shapes.Results.model_validate(found), record.version)


@router.post(
    f"{ROUND}/responses",
    status_code=201,
    response_model=shapes.Responded,
    responses=documented(409, 412, 428),
    openapi_extra=body_of("review_response"),
)
def answer_review(write: Writes, id: Id, number: Number) -> Response:
    """Answer a round. Answering again replaces the answer; every answer is kept."""
    content = write.document()
    return write.to(
        id,
        lambda database, by, now: service.respond(database, id, number, by, content, now),
        lambda connection, revision: shapes.Responded(
            round=number,
            contact_id=revision.author,
            revision=revision.revision,
            sha256=revision.sha256,
            late=revision.author in queries.late(connection, id, number),
        ),
    )


@router.post(
    f"{ROUND}/passes",
    status_code=201,
    response_model=shapes.Review,
    responses=documented(409, 412, 428),
)
def pass_review_on(write: Writes, id: Id, number: Number, body: shapes.PassOn) -> Response:
    """Have somebody else of one's organisation answer."""
    return write.to(
        id,
        lambda database, by, now: invitations.pass_on(database, id, number, by, body.to, now),
        lambda _, one: shapes.Review.model_validate(one),
    )


@router.post(
    f"{ROUND}/declinations",
    status_code=201,
    response_model=shapes.Review,
    responses=documented(409, 412, 428),
)
def decline_review(write: Writes, id: Id, number: Number, body: shapes.Decline) -> Response:
    """Say that one does not answer, and why."""
    return write.to(
        id,
        lambda database, by, now: invitations.decline(database, id, number, by, body.reason, now),
        lambda _, one: shapes.Review.model_validate(one),
    )


@router.get("/partnerships/{id}/actions", response_model=shapes.Page[shapes.Action], responses=documented())
def list_actions(call: Reads, id: Id, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """The corrective actions that negative answers asked for."""
    with call.reading(id) as (connection, record):
        found = queries.told_actions(connection, id)
    return respond(paging.slice_of(found, cursor, limit, shapes.Action.model_validate), record.version)


@router.put(
    "/partnerships/{id}/actions/{number}/plan",
    response_model=shapes.ActionNamed,
    responses=documented(409, 412, 428),
)
def plan_action(write: Writes, id: Id, number: Number, body: shapes.ActionPlan) -> Response:
    """Say what a corrective action is, who owns it and by when. Planning it again replaces the plan."""
    return write.to(
        id,
        lambda database, by, now: actions.plan_action(
            database, id, number, body.what, body.owner, body.due_on, by, now
        ),
        lambda _, __: shapes.ActionNamed(partnership_id=id, number=number),
        status=200,
    )


@router.post(
    "/partnerships/{id}/actions/{number}/verifications",
    status_code=201,
    response_model=shapes.ActionNamed,
    responses=documented(409, 412, 428),
)
def verify_action(write: Writes, id: Id, number: Number) -> Response:
    """Confirm that a corrective action was carried out; another partner than the owner's does."""
    return write.to(
        id,
        lambda database, by, now: actions.verify_action(database, id, number, by, now),
        lambda _, __: shapes.ActionNamed(partnership_id=id, number=number),
    )


@router.get(
    "/partnerships/{id}/indicators", response_model=shapes.Page[shapes.Indicator], responses=documented()
)
def list_indicators(call: Reads, id: Id, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """The agreed indicators with baseline, targets and the actuals that count."""
    with call.reading(id) as (connection, record):
        found = indicators.overview(connection, id)
    return respond(paging.slice_of(found, cursor, limit, shapes.Indicator.model_validate), record.version)


@router.post(
    "/partnerships/{id}/indicators/{indicator}/actuals",
    status_code=201,
    response_model=shapes.Actual,
    responses=documented(409, 412, 428),
)
def record_actual(write: Writes, id: Id, indicator: Indicator, body: shapes.ActualAsked) -> Response:
    """Record what an indicator came to in a period. For the same period and dimensions again, it is a correction."""
    period = (body.starts_on, body.ends_on)
    return write.to(
        id,
        lambda database, by, now: indicators.record_actual(
            database, id, indicator, body.value, period, by, now, body.dimensions, body.comment
        ),
        lambda _, one: shapes.Actual.model_validate(one),
    )
