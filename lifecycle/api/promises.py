"""Obligations, and what became of them: performances."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy import Connection

from lifecycle.api import paging, shapes
from lifecycle.api.bodies import body_of
from lifecycle.api.calls import Id, Number, Reads, Writes, respond
from lifecycle.api.paging import Cursor, Limit
from lifecycle.api.problems import documented
from lifecycle.db import Database
from lifecycle.documents import queries as documents
from lifecycle.obligations import queries, service
from lifecycle.obligations.queries import Performance
from lifecycle.redress import service as redress

router = APIRouter(tags=["promises"])

Obligation = Annotated[
    str,
    Path(
        description="An obligation's id in the agreement, or that of a remedy.",
        pattern=r"^[a-z0-9:-]+$",
        max_length=64,
        examples=["breakfast"],
    ),
]
PERFORMANCE = "/partnerships/{id}/performances/{obligation}/{number}"


@router.get(
    "/partnerships/{id}/obligations", response_model=shapes.Page[shapes.Obligation], responses=documented()
)
def list_obligations(call: Reads, id: Id, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Who owes what to whom, by the newest agreement."""
    with call.reading(id) as (connection, record):
        found = documents.latest(connection, id, ["agreement"])
    agreed = found[0].content.get("obligations", []) if found else []
    return respond(paging.slice_of(agreed, cursor, limit, shapes.Obligation.model_validate), record.version)


@router.get(
    "/partnerships/{id}/performances",
    response_model=shapes.Page[shapes.Performance],
    responses=documented(),
)
def list_performances(call: Reads, id: Id, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Every due instance of an obligation, and how it stands."""
    with call.reading(id) as (connection, record):
        found = queries.performances(connection, id)
    return respond(paging.slice_of(found, cursor, limit, shapes.Performance.model_validate), record.version)


@router.get(PERFORMANCE, response_model=shapes.PerformanceRecord, responses=documented())
def get_performance(call: Reads, id: Id, obligation: Obligation, number: Number) -> Response:
    """One performance with everything that was said about it."""
    with call.reading(id) as (connection, record):
        one = queries.find(connection, id, f"{obligation}/{number}")
        shape = shapes.PerformanceRecord.model_validate(
            {"performance": one, "entries": queries.entries(connection, id, one)}
        )
    return respond(shape, record.version)


def _shown(_: Connection, one: Performance) -> shapes.Performance:
    return shapes.Performance.model_validate(one)


@router.post(
    "/partnerships/{id}/obligations/{obligation}/demands",
    status_code=201,
    response_model=shapes.Performance,
    responses=documented(409, 412, 428),
)
def demand_performance(write: Writes, id: Id, obligation: Obligation) -> Response:
    """Ask for what is owed on request."""
    return write.to(id, lambda database, by, now: service.demand(database, id, obligation, by, now), _shown)


@router.post(
    f"{PERFORMANCE}/reports",
    status_code=201,
    response_model=shapes.Performance,
    responses=documented(409, 412, 428),
    openapi_extra=body_of("performance_report"),
)
def report_performance(write: Writes, id: Id, obligation: Obligation, number: Number) -> Response:
    """Say whether a promise was kept. The other side hears of it at once, and accepts or disputes it."""
    name, content = f"{obligation}/{number}", write.document()
    return write.to(
        id, lambda database, by, now: service.report(database, id, name, content, by, now), _shown
    )


@router.post(
    f"{PERFORMANCE}/verdicts",
    status_code=201,
    response_model=shapes.Performance,
    responses=documented(409, 412, 428),
)
def answer_report(
    write: Writes, id: Id, obligation: Obligation, number: Number, body: shapes.VerdictAsked
) -> Response:
    """Accept or dispute a report, decide a dispute, give up a claim, or confirm that a breach was repaired."""
    name, why = f"{obligation}/{number}", body.reason or ""
    verdicts: dict[str, Callable[[Database, str, datetime], Performance]] = {
        "accept": lambda database, by, now: service.accept(database, id, name, by, now),
        "dispute": lambda database, by, now: service.dispute(database, id, name, why, by, now),
        "decide": lambda database, by, now: service.decide(
            database, id, name, body.outcome or "", why, by, now
        ),
        "waive": lambda database, by, now: service.waive(database, id, name, why, by, now),
        "restored": lambda database, by, now: service.confirm_restored(database, id, name, why, by, now),
    }
    return write.to(id, verdicts[body.verdict], _shown)


@router.post(
    f"{PERFORMANCE}/withholdings",
    status_code=201,
    response_model=shapes.Performance,
    responses=documented(409, 412, 428),
)
def withhold_performance(
    write: Writes, id: Id, obligation: Obligation, number: Number, body: shapes.WithholdAsked
) -> Response:
    """Withhold a promise of one's own, as the remedy of an upheld complaint allows."""
    name = f"{obligation}/{number}"
    return write.to(
        id,
        lambda database, by, now: redress.withhold(database, id, name, body.complaint, by, now),
        _shown,
    )


@router.post(
    "/partnerships/{id}/signals",
    status_code=201,
    response_model=shapes.Signal,
    responses=documented(409, 412, 428),
)
def send_signal(write: Writes, id: Id, body: shapes.SignalAsked) -> Response:
    """Send both sides an early word that something is off. It is no complaint and has no clock."""
    return write.to(
        id,
        lambda database, by, now: service.send_signal(database, id, body.obligation, body.note, by, now),
        lambda _, number: shapes.Signal(number=number, obligation=body.obligation),
    )
