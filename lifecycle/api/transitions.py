"""Transitions and their gates."""

import asyncio
import re
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from starlette.background import BackgroundTask

from lifecycle import deciding
from lifecycle.access import once
from lifecycle.api import paging, problems, shapes
from lifecycle.api.calls import SLUG, Id, Reads, Write, Writes, answer, respond
from lifecycle.api.paging import Cursor, Limit
from lifecycle.api.problems import documented
from lifecycle.db import Database
from lifecycle.errors import Refused
from lifecycle.partnerships import changes, queries, service

router = APIRouter(tags=["transitions"])

MAX_WAIT = 30
"""Seconds that a request may wait for its decision (`Prefer: wait=N`, RFC 7240)."""

_WAIT = re.compile(r"(?:^|,)\s*wait\s*=\s*\"?(\d{1,4})\"?\s*(?:,|;|$)")


@router.get("/partnerships/{id}/gates/{event}", response_model=shapes.GateReport, responses=documented(409))
def check_gate(
    call: Reads,
    id: Id,
    event: shapes.Event,
    by: Annotated[str | None, Query(description="Who would ask.", pattern=SLUG, max_length=64)] = None,
    reason: Annotated[
        str | None,
        Query(description="The reason that would be given.", max_length=2000, pattern=r"^[^\x00]*$"),
    ] = None,
) -> Response:
    """The dry run of a gate: the report that a transition would get now. Changes nothing."""
    with call.reading(id) as (_, record):
        version = record.version
    report = service.check(call.database, id, event, call.now, by, reason)
    return respond(shapes.GateReport.model_validate(report.as_json()), version)


@router.post(
    "/partnerships/{id}/transitions",
    response_model=shapes.Transition,
    responses={
        202: {
            "model": shapes.Transition,
            "description": "It is kept, and will be decided.",
            "headers": {
                "Location": {"description": "Where its decision will be.", "schema": {"type": "string"}}
            },
        },
        **documented(409, 412, 428),
    },
)
async def request_transition(
    request: Request,
    write: Writes,
    id: Id,
    body: shapes.TransitionAsked,
    prefer: Annotated[
        str | None,
        Header(
            description="`wait=N`: answer with the decision if it comes within N seconds (at most 30).",
            max_length=200,
            examples=["wait=10"],
        ),
    ] = None,
) -> Response:
    """Ask for a transition. It is on record before this answers.

    Without `Prefer: wait`, or when the decision takes longer: 202. With it: 200 when it was taken, 409 with the gate
    report when it was refused. The same Idempotency-Key with the same request is the same transition, however often.
    """
    wait = _wait(prefer)
    if request.app.state.prefect_url is not None:
        request_id = await asyncio.to_thread(_keep, write, id, body)
        await deciding.ask_prefect(request_id)
        asked = await deciding.outcome(write.call.database, request_id, wait or 0)
        return _answer(request, asked, wait)
    if wait is not None:
        return _answer(request, await asyncio.to_thread(_decide, write, id, body), wait)
    request_id = await asyncio.to_thread(_keep, write, id, body)
    response = _answer(request, await deciding.outcome(write.call.database, request_id, 0), wait)
    response.background = BackgroundTask(deciding.decide_here, write.call.database, request_id)
    return response


def _wait(prefer: str | None) -> int | None:
    found = _WAIT.search(prefer or "")
    return None if found is None else min(int(found[1]), MAX_WAIT)


def _keep(write: Write, id: str, body: shapes.TransitionAsked) -> str:
    """Keep the request, as `service.request_transition`."""
    by, key = _authorised(write, id)
    return service.request_transition(
        write.call.database, id, body.event, by, write.call.now, body.reason, key, write.version()
    )


def _decide(write: Write, id: str, body: shapes.TransitionAsked) -> service.Request:
    """Keep and decide it in one transaction, as `service.transition`."""
    by, key = _authorised(write, id)
    with write.call.database.write() as connection:
        decision = service.transition(
            once.Joined(write.call.database, connection), id, body.event, by, write.call.now, body.reason, key,
            write.version(),
        )  # fmt: skip
        return service.find_request(connection, decision.request_id)


def _authorised(write: Write, id: str) -> tuple[str, str | None]:
    """In whose name, and the key that the request is known by: keys of one token are not those of another."""
    with write.call.reading(id, "transition"):
        pass
    key = None if write.key is None else f"{write.call.identity.token}/{write.key}"
    return write.by(), key


def _answer(request: Request, asked: service.Request, wait: int | None) -> Response:
    shape = shapes.Transition.model_validate(asked)
    headers = {"Location": f"/v1/transitions/{asked.id}"}
    if wait is not None:
        headers["Preference-Applied"] = f"wait={wait}"
    if wait is None or asked.state == "pending":
        given = answer(shape, 202, None, **headers)
    elif asked.state == "taken":
        given = answer(shape, 200, None, **headers)
    else:
        return problems.respond(
            request, 409, Refused.problem_type, Refused.title, asked.detail or "The gate is shut.",
            "Do what the findings say, and ask again.", report=asked.report, headers=headers,
        )  # fmt: skip
    return Response(given.body, given.status, dict(given.headers))


@router.get(
    "/partnerships/{id}/transitions",
    response_model=shapes.Page[shapes.Transition],
    responses=documented(),
)
def list_transitions(call: Reads, id: Id, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """The transitions that were asked for, oldest first, and what became of them."""
    with call.reading(id) as (connection, record):
        found = queries.requests(connection, id)
    return respond(paging.slice_of(found, cursor, limit, shapes.Transition.model_validate), record.version)


@router.get("/transitions/{transition}", response_model=shapes.Transition, responses=documented())
def get_transition(
    call: Reads,
    transition: Annotated[
        str,
        Path(
            description="The id that asking for it gave.",
            pattern=r"^[0-9a-f]{32}$",
            examples=["0f1e2d3c4b5a69788796a5b4c3d2e1f0"],
        ),
    ],
) -> Response:
    """A transition that was asked for, and what became of it."""
    call.identity.require("read")
    with call.database.read() as connection:
        asked = service.find_request(connection, transition)
        record = changes.find(connection, asked.partnership_id)
        if not call.identity.reaches(record.portfolio, record.id):
            raise service.unknown_request(transition)
    return respond(shapes.Transition.model_validate(asked))


@router.post(
    "/partnerships/{id}/waivers",
    status_code=201,
    response_model=shapes.Waiver,
    responses=documented(409, 412, 428),
)
def waive_criterion(write: Writes, id: Id, body: shapes.WaiverAsked) -> Response:
    """Consent, as a sponsor, to pass over a blocking criterion. It counts once the sponsors of all partners agree."""
    names = {"partnership_id": id, "event": body.event, "criterion": body.criterion, "reason": body.reason}

    def waive(database: Database, by: str, now: datetime) -> str:
        service.waive(database, id, body.event, body.criterion, by, body.reason, now)
        return by

    return write.to(id, waive, lambda _, by: shapes.Waiver.model_validate(names | {"by": by}))
