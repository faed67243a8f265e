"""For operators: is it alive, can it work, what does it count."""

import asyncio

import httpx
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest
from sqlalchemy.exc import DBAPIError

from lifecycle.api import shapes
from lifecycle.api.calls import Reads
from lifecycle.api.problems import documented
from lifecycle.db import SCHEMA_HEAD, Database
from lifecycle.errors import Unavailable
from lifecycle.partnerships import counting

router = APIRouter(tags=["operations"])

_ANSWERS_WITHIN = 3.0
"""Seconds that Prefect may take to say that it is well."""


@router.get("/healthz", response_model=shapes.Alive)
def healthz() -> Response:
    """This process lives. Says nothing of what it depends on."""
    return JSONResponse({"status": "ok"})


@router.get(
    "/readyz",
    response_model=shapes.Readiness,
    responses={503: {"model": shapes.Readiness, "description": "The database does not do its work."}},
)
async def readyz(request: Request) -> Response:
    """Whether it can do its work. Without its database it cannot; without Prefect, transitions are decided later."""
    state = request.app.state
    database, prefect = await asyncio.gather(
        asyncio.to_thread(_database, state.database), _prefect(state.prefect_url)
    )
    ready = database == "ok"
    return JSONResponse(
        {"status": "ready" if ready else "not ready", "database": database, "prefect": prefect},
        200 if ready else 503,
    )


def _database(database: Database) -> str:
    try:
        return "ok" if database.schema_revision() == SCHEMA_HEAD else "of another version"
    except (Unavailable, DBAPIError):
        return "unreachable"


async def _prefect(url: str | None) -> str:
    if url is None:
        return "not configured"
    try:
        async with httpx.AsyncClient(timeout=_ANSWERS_WITHIN, trust_env=False) as client:
            answer = await client.get(f"{url.rstrip('/')}/health")
    except (httpx.HTTPError, httpx.InvalidURL):
        return "unreachable"
    return "ok" if answer.is_success else "unreachable"


@router.get(
    "/metrics",
    responses={
        200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text."},
        **documented(),
    },
    response_class=Response,
)
def metrics(request: Request, call: Reads) -> Response:
    """Counts for Prometheus, of this process and of the whole record. Needs the right `observe`."""
    call.identity.require("observe")
    registry = CollectorRegistry()
    with call.database.read() as connection:
        for name, (what, label, counts) in counting.of(connection, call.now).items():
            gauge = Gauge(f"lifecycle_{name}", what, [label] if label else [], registry=registry)
            for value, count in counts.items():
                (gauge.labels(value) if label else gauge).set(count)
    text = generate_latest(request.app.state.counts.registry) + generate_latest(registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
