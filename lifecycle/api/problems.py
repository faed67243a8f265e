"""Errors as problem details (RFC 9457): what is wrong, which field, which rule, and how to mend it."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from lifecycle.access.roles import BehalfMissing, Forbidden, Unauthorised
from lifecycle.db import unreachable
from lifecycle.errors import (
    Conflict,
    Invalid,
    KeyReused,
    LifecycleError,
    NotAllowed,
    NotFound,
    Refused,
    Stale,
    Unavailable,
    Usage,
)
from lifecycle.notices.signature import Forged

MEDIA_TYPE = "application/problem+json"
TYPES = "https://partnership-lifecycle.example/problems"


class PreconditionMissing(LifecycleError):
    """A write does not say which version it was made for."""

    problem_type = "precondition-required"
    title = "Which version?"


STATUS: Sequence[tuple[type[LifecycleError], int]] = (
    (PreconditionMissing, 428),
    (Stale, 412),
    (KeyReused, 422),
    (BehalfMissing, 422),
    (Unauthorised, 401),
    (Forbidden, 403),
    (Forged, 403),
    (Invalid, 422),
    (NotFound, 404),
    (Usage, 422),
    (Refused, 409),
    (Conflict, 409),
    (NotAllowed, 409),
    (Unavailable, 503),
)
"""The first that fits."""


class ErrorEntry(BaseModel):
    """One fault of a request."""

    pointer: str = Field(
        description="Where: a JSON pointer (RFC 6901) into the body, or a parameter's name.",
        examples=["/term/ends_on"],
    )
    rule: str = Field(description="Which rule it breaks.", examples=["format"])
    mend: str = Field(description="What to do about it.", examples=["Write a date such as 2027-03-31."])


class Problem(BaseModel):
    """Problem details (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(examples=[f"{TYPES}/invalid"])
    title: str = Field(examples=["Invalid input"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["The agreement has 1 fault; nothing was changed."])
    mend: str = Field(default="", examples=["Correct each of the errors and repeat."])
    request_id: str = Field(default="", description="Names this request in the server's log.")
    errors: list[ErrorEntry] = Field(default_factory=list)
    report: dict[str, Any] | None = Field(default=None, description="The gate report, where a gate is shut.")


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The error answers of a route, for its documentation."""
    always = (400, 401, 403, 404, 408, 413, 422, 429, 500, 503)
    return {
        status: {
            "description": _ERRORS[status][0],
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": _example(status, *_ERRORS[status][1:]),
                }
            },
        }
        for status in sorted({*always, *statuses})
    }


def share(document: dict[str, Any]) -> None:
    """Say each error of an OpenAPI document once, and refer to it wherever it may come."""
    shared: dict[str, Any] = document["components"].setdefault("responses", {})
    for methods in document["paths"].values():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if MEDIA_TYPE in response.get("content", {}):
                    shared[f"Problem{status}"] = response
                    operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}


def _example(status: int, kind: str, title: str, detail: str, mend: str) -> dict[str, Any]:
    fault = {"pointer": "/term/ends_on", "rule": "format", "mend": "Write a date such as 2027-03-31."}
    return {
        "type": f"{TYPES}/{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "mend": mend,
        "request_id": "8f14e45fceea467fa0e62b2c0a1f3c55",
        "errors": [fault] if status == 422 else [],
    }


_ERRORS: Mapping[int, tuple[str, str, str, str, str]] = {
    400: ("The request is not HTTP as it should be.",
          "http", "There was an error parsing the body", "There was an error parsing the body", ""),
    401: ("No token, or none that is good.",
          "unauthorised", "Who are you?", "This token is not known, or not good any more.",
          "Send one that is, as `Authorization: Bearer …`."),
    403: ("The token's role or scope does not reach so far.",
          "forbidden", "Forbidden", "A token of role “viewer” may not do this: it needs the right “write”.",
          "Use a token of another role or scope."),
    404: ("There is no such thing, or the token must not learn of it.",
          "not-found", "Not found", "There is no partnership “harbour”.", "`lifecycle list` shows those there are."),
    408: ("The body took too long to arrive.",
          "http", "The body took too long to arrive.", "The body took too long to arrive.", ""),
    409: ("A rule forbids it now: the stage, the role, or a gate.",
          "gate-refused", "The gate is shut", "“activate” was refused: 1 criterion blocks it. T3: Name the evidence.",
          "Do what the findings say, and ask again."),
    412: ("It has changed since it was read.",
          "stale", "Changed meanwhile", "Partnership harbour has changed: it is at version 8, not 7.",
          "Read it again, and repeat the request with its present version."),
    413: ("The body is too large.",
          "too-large", "A body has at most 1,048,576 bytes.", "A body has at most 1,048,576 bytes.", ""),
    422: ("The request has faults; each is listed.",
          "invalid", "Invalid input", "The agreement has 1 fault; nothing was changed.",
          "Correct each of the errors and repeat."),
    428: ("If-Match is missing.",
          "precondition-required", "Which version?", "A change says which version it was made for.",
          "Send the ETag of what you read as If-Match, or `*` for whichever it is."),
    429: ("Too many requests; `Retry-After` says when to come back.",
          "too-many", "Too many requests in a minute.", "Too many requests in a minute.", ""),
    500: ("A fault of ours. Nothing was changed.",
          "fault", "A fault of the engine", "Something went wrong here; nothing was changed.",
          "Repeat the request; if it fails again, tell the operator the request_id."),
    503: ("Something outside the engine is not ready.",
          "unavailable", "Not available now", "The database cannot be reached.", "Repeat it in a few seconds."),
}  # fmt: skip
"""Status → what it means here; kind, title, detail and mend of an example."""


def install(app: FastAPI) -> None:
    """Answer every error of an application as a problem."""
    app.add_exception_handler(LifecycleError, _lifecycle)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(DBAPIError, _database)


def respond(
    request: Request,
    status: int,
    kind: str,
    title: str,
    detail: str,
    mend: str = "",
    errors: Sequence[Mapping[str, str]] = (),
    report: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem as a response."""
    found = {
        "type": f"{TYPES}/{kind}",
        "title": title,
        "status": status,
        "detail": detail,
        "mend": mend,
        "request_id": getattr(request.state, "request_id", ""),
        "errors": list(errors),
    }
    if report is not None:
        found["report"] = report
    return JSONResponse(found, status, dict(headers or {}), MEDIA_TYPE)


def of(request: Request, error: LifecycleError) -> JSONResponse:
    """An error of the engine as a response."""
    status = next(status for kind, status in STATUS if isinstance(error, kind))
    errors = [vars(fault) for fault in error.faults] if isinstance(error, Invalid) else []
    report = error.report.as_json() if isinstance(error, Refused) else None
    headers = {401: {"WWW-Authenticate": "Bearer"}, 503: {"Retry-After": "5"}}.get(status)
    mend = error.mend or ("Correct each of the errors and repeat." if errors else "")
    return respond(
        request, status, error.problem_type, error.title, error.message, mend, errors, report, headers
    )


def _lifecycle(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, LifecycleError)
    return of(request, error)


def _validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [{"pointer": _pointer(one), "rule": one["type"], "mend": _mend(one)} for one in error.errors()]
    count = "1 fault" if len(errors) == 1 else f"{len(errors)} faults"
    return respond(
        request, 422, Invalid.problem_type, Invalid.title, f"The request has {count}; nothing was changed.",
        "Correct each of the errors and repeat.", errors,
    )  # fmt: skip


def _mend(fault: Mapping[str, Any]) -> str:
    """What to do about it, where the validator only says what is wrong."""
    message = str(fault["msg"])
    if fault["type"] == "json_invalid":
        return f"Mend the JSON at character {fault['loc'][-1]}: {fault.get('ctx', {}).get('error', message)}."
    if fault["type"] == "missing":
        return "Add it." if fault["loc"][-1] != "body" else "Send a body, as JSON."
    if fault["type"] == "extra_forbidden":
        return "Leave it out: nothing here has this name."
    return f"{message.replace('Input should be', 'Write').replace('Input should', 'It should')}."


def _pointer(fault: Mapping[str, Any]) -> str:
    where, *path = fault["loc"]
    if fault["type"] == "json_invalid":
        return ""
    if where == "body":
        return "".join(f"/{str(one).replace('~', '~0').replace('/', '~1')}" for one in path)
    return str(path[0]) if path else str(where)


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    kind = {404: "not-found", 405: "method-not-allowed", 413: "too-large", 429: "too-many"}.get(
        error.status_code, "http"
    )
    return respond(
        request, error.status_code, kind, str(error.detail), str(error.detail), headers=error.headers
    )


def _database(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DBAPIError)
    return of(request, unreachable(request.app.state.database, error))


def fault(request: Request) -> JSONResponse:
    """A fault of ours, as a response."""
    return respond(
        request, 500, "fault", "A fault of the engine", "Something went wrong here; nothing was changed.",
        "Repeat the request; if it fails again, tell the operator the request_id.",
    )  # fmt: skip
