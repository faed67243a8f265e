"""Complaints, by the procedure that was agreed beforehand."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Response
from sqlalchemy import Connection

from lifecycle.api import paging, shapes
from lifecycle.api.bodies import body_of
from lifecycle.api.calls import Id, Number, Reads, Writes, respond
from lifecycle.api.paging import Cursor, Limit
from lifecycle.api.problems import documented
from lifecycle.db import Database
from lifecycle.redress import queries, service
from lifecycle.redress.queries import Complaint

router = APIRouter(tags=["complaints"])

ONE = "/partnerships/{id}/complaints/{number}"


def _shown(_: Connection, one: Complaint) -> shapes.ComplaintHead:
    return shapes.ComplaintHead.model_validate(one)


@router.get(
    "/partnerships/{id}/complaints", response_model=shapes.Page[shapes.ComplaintHead], responses=documented()
)
def list_complaints(call: Reads, id: Id, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Every complaint and how it stands, oldest first."""
    with call.reading(id) as (connection, record):
        found = queries.complaints(connection, id)
    return respond(paging.slice_of(found, cursor, limit, shapes.ComplaintHead.model_validate), record.version)


@router.post(
    "/partnerships/{id}/complaints",
    status_code=201,
    response_model=shapes.ComplaintHead,
    responses=documented(409, 412, 428),
    openapi_extra=body_of("complaint"),
)
def lodge_complaint(write: Writes, id: Id) -> Response:
    """Lodge a complaint: against whom, about what, and what happened."""
    content = write.document()
    return write.to(id, lambda database, by, now: service.lodge(database, id, content, by, now), _shown)


@router.get(ONE, response_model=shapes.ComplaintRecord, responses=documented())
def get_complaint(call: Reads, id: Id, number: Number) -> Response:
    """One complaint with everything that was said."""
    with call.reading(id) as (connection, record):
        shape = shapes.ComplaintRecord.model_validate(
            {
                "complaint": queries.find(connection, id, number),
                "entries": queries.entries(connection, id, number),
            }
        )
    return respond(shape, record.version)


@router.post(
    f"{ONE}/steps",
    status_code=201,
    response_model=shapes.ComplaintHead,
    responses=documented(409, 412, 428),
)
def take_complaint_step(write: Writes, id: Id, number: Number, body: shapes.ComplaintStep) -> Response:
    """Acknowledge, answer, agree, escalate, withdraw, close, pause or resume."""
    note = body.note or ""
    steps: dict[str, Callable[[Database, str, datetime], Complaint]] = {
        "acknowledge": lambda database, by, now: service.acknowledge(database, id, number, by, now),
        "answer": lambda database, by, now: service.answer(database, id, number, note, by, now),
        "agree": lambda database, by, now: service.agree(database, id, number, by, now),
        "escalate": lambda database, by, now: service.escalate(database, id, number, note, by, now),
        "withdraw": lambda database, by, now: service.withdraw(database, id, number, note, by, now),
        "close": lambda database, by, now: service.close(database, id, number, body.note, by, now),
        "pause": lambda database, by, now: service.pause(database, id, number, note, by, now),
        "resume": lambda database, by, now: service.resume(database, id, number, by, now),
    }
    return write.to(id, steps[body.step], _shown)


@router.post(
    f"{ONE}/proposals",
    status_code=201,
    response_model=shapes.ComplaintHead,
    responses=documented(409, 412, 428),
    openapi_extra=body_of("complaint_proposal"),
)
def propose_settlement(write: Writes, id: Id, number: Number) -> Response:
    """Propose how it ends. It takes effect when the other side agrees."""
    content = write.document()
    return write.to(
        id, lambda database, by, now: service.propose(database, id, number, content, by, now), _shown
    )


@router.post(
    f"{ONE}/decisions",
    status_code=201,
    response_model=shapes.ComplaintHead,
    responses=documented(409, 412, 428),
    openapi_extra=body_of("complaint_proposal"),
)
def decide_complaint(write: Writes, id: Id, number: Number) -> Response:
    """Enter the decision of the independent last level."""
    content = write.document()
    return write.to(
        id, lambda database, by, now: service.decide(database, id, number, content, by, now), _shown
    )
