"""The whole site: the API under `/v1`, the portal beside it. `uvicorn --factory lifecycle.web:create --no-access-log`
serves it: the log of uvicorn itself would show addresses, and with them the secrets of links.

`python -m lifecycle.web --host 127.0.0.1 --port 8080` does too, as `lifecycle up` starts it.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from threading import Thread
from typing import Any

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import Lifespan

from lifecycle.api import app as api
from lifecycle.api.serving import serve
from lifecycle.config import Settings, load_settings
from lifecycle.db import Database
from lifecycle.portal import app as portal
from lifecycle.portal import pages


def create(settings: Settings | None = None, database: Database | None = None) -> FastAPI:
    """Make the application.

    Args:
        settings: this installation's; from the environment if absent.
        database: another than the settings name; the caller closes it.

    Raises:
        Invalid: a setting has a value it cannot have.
    """
    settings = settings or load_settings()
    app = api.create(settings, database)
    app.add_api_route("/v1/{rest:path}", _no_such_route, methods=_ALL, include_in_schema=False)
    app.mount("/", portal.create(settings, app.state.database))
    app.router.lifespan_context = _warming_up(app.router.lifespan_context)
    return app


def _warming_up(inner: Lifespan[FastAPI]) -> Lifespan[FastAPI]:
    """Have the templates compiled while the first request is still on its way: each would be slow when first shown."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[Mapping[str, Any] | None]:
        Thread(target=pages.warm_up, daemon=True).start()
        async with inner(app) as state:
            yield state

    return lifespan  # type: ignore[return-value]


_ALL = ["GET", "POST", "PUT", "PATCH", "DELETE"]


def _no_such_route(rest: str) -> None:
    """Below `/v1` an address that is none is a problem document, not a page."""
    raise HTTPException(404)


if __name__ == "__main__":
    serve(create)
