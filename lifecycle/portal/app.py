"""The portal's application. `lifecycle.web` serves it beside the API."""

from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import LifecycleError, NotFound, Usage
from lifecycle.portal import (
    answering,
    complaining,
    complaints,
    documents,
    editing,
    gates,
    handing_over,
    judging,
    mailbox,
    oidc,
    pages,
    partnerships,
    pictures,
    portfolio,
    preferring,
    promises,
    reporting,
    reviews,
    signing,
    signing_in,
    timeline,
)
from lifecycle.portal.guard import Guard
from lifecycle.portal.members import SignInNeeded

_ROUTERS: tuple[Any, ...] = (
    answering,
    complaining,
    complaints,
    pictures,
    portfolio,
    documents,
    editing,
    partnerships,
    gates,
    promises,
    reviews,
    timeline,
    oidc,
    signing_in,
    mailbox,
    reporting,
    judging,
    handing_over,
    preferring,
    signing,
)


class _Static(StaticFiles):
    """Files that are asked for by their content (`pages.static_address`) never change."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response


def create(settings: Settings, database: Database) -> FastAPI:
    """Make the application; the caller closes the database."""
    # A slash too many is sent nowhere else: the address would be made of what the browser calls this host.
    app = FastAPI(
        title="Partnerships", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    app.state.settings, app.state.database = settings, database
    for module in _ROUTERS:
        app.include_router(module.router)
    app.mount("/static", _Static(directory=pages.HERE / "static"))
    app.add_exception_handler(LifecycleError, _refused)
    app.add_exception_handler(RequestValidationError, _no_such_page)
    app.add_exception_handler(HTTPException, _refused_by_framework)
    app.add_middleware(Guard)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, LifecycleError)
    if isinstance(error, SignInNeeded):
        return RedirectResponse(error.address, 303)
    # A setting that is missing is its operator's matter, not the reader's.
    return pages.fault(request) if isinstance(error, Usage) else pages.refusal(request, error)


async def _no_such_page(request: Request, _: Exception) -> Response:
    return pages.not_found(request)


async def _refused_by_framework(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        return pages.not_found(request)
    refused = NotFound("This cannot be done here.", mend="Go back, and use the buttons of the page.")
    response = pages.refusal(request, refused)
    response.status_code = error.status_code
    response.headers.update(error.headers or {})
    return response
