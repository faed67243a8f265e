"""The application: routes, errors and what surrounds them. `uvicorn --factory lifecycle.api.app:create` serves it."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from anyio import to_thread
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute
from starlette.middleware.gzip import GZipMiddleware

from lifecycle import __version__, deciding
from lifecycle.api import (
    calendars,
    complaints,
    documents,
    hooks,
    operations,
    partnerships,
    problems,
    promises,
    reviews,
    subscriptions,
    tokens,
    transitions,
)
from lifecycle.api.bodies import components
from lifecycle.api.envelope import Counts, Envelope
from lifecycle.api.examples import add_examples
from lifecycle.api.limits import PER_MINUTE, BodyLimits, Limiter
from lifecycle.config import Settings, load_settings
from lifecycle.db import Database

DESCRIPTION = """\
Partnerships between organisations, from the definition of their need to their evaluation.

Errors are problem details (RFC 9457). Lists page by `cursor`. Every POST takes an `Idempotency-Key`. A change to a
partnership says in `If-Match` which version it was made for (`*` for whichever). All instants are ISO 8601 with a zone.
"""
_ROUTERS = (
    partnerships, documents, transitions, promises, complaints, reviews, calendars, subscriptions, tokens, hooks, operations,
)  # fmt: skip


def create(
    settings: Settings | None = None,
    database: Database | None = None,
    per_minute: int = PER_MINUTE,
) -> FastAPI:
    """Make the application. Transitions are decided on the Prefect server of `PREFECT_API_URL`; in this process without.

    Args:
        settings: this installation's; from the environment if absent.
        database: another than the settings name; the caller closes it.
        per_minute: requests that one token may make in a minute.

    Raises:
        Invalid: a setting has a value it cannot have.
    """
    settings = settings or load_settings()
    ours = database is None
    database = database or Database(settings.database_url.get_secret_value())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if app.state.prefect_url is None:
            await to_thread.run_sync(deciding.decide_left_over, app.state.database)
        yield
        if ours:
            app.state.database.close()

    app = FastAPI(
        title="Partnership lifecycle engine",
        version=__version__,
        description=DESCRIPTION,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.settings, app.state.database = settings, database
    app.state.prefect_url = os.environ.get("PREFECT_API_URL") or None
    app.state.limiter, app.state.counts = Limiter(per_minute), Counts()
    for module in _ROUTERS:
        app.include_router(module.router, prefix="/v1")
    problems.install(app)
    app.add_middleware(GZipMiddleware, minimum_size=1000)
    app.add_middleware(BodyLimits)
    app.add_middleware(Envelope)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]
    return app


def _operation_id(route: APIRoute) -> str:
    """The route's own name: stable, and what a generated client calls its function."""
    return route.name


def _openapi(app: FastAPI) -> dict[str, Any]:
    if app.openapi_schema is None:
        found = get_openapi(
            title=app.title, version=app.version, description=app.description, routes=app.routes
        )
        schemas = found["components"]["schemas"]
        schemas.update(components())
        schemas["Problem"] = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schemas["Problem"].pop("$defs"))
        for unused in ("HTTPValidationError", "ValidationError"):
            schemas.pop(unused, None)
        add_examples(found)
        problems.share(found)
        app.openapi_schema = found
    return app.openapi_schema
