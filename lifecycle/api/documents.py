"""Documents, their sign-offs, and the objections to them."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from lifecycle.api import paging, shapes
from lifecycle.api.bodies import body_of
from lifecycle.api.calls import Id, Reads, Writes, respond
from lifecycle.api.paging import Cursor, Limit
from lifecycle.api.problems import documented
from lifecycle.documents import objections, queries, rules, service

router = APIRouter(tags=["documents"])

READABLE = tuple(kind for kind in rules.KINDS if kind != "review_response")
"""Answers to reviews are read as results alone: rounds may be anonymous."""

Kind = Literal[READABLE]  # type: ignore[valid-type]


@router.get(
    "/partnerships/{id}/documents", response_model=shapes.Page[shapes.RevisionHead], responses=documented()
)
def list_documents(call: Reads, id: Id, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Every revision of every document, without their contents."""
    names = tuple(shapes.RevisionHead.model_fields)
    with call.reading(id) as (connection, record):
        found = [row for row in queries.history(connection, id) if row[0] in READABLE]
    return respond(
        paging.slice_of(
            found,
            cursor,
            limit,
            lambda row: shapes.RevisionHead.model_validate(dict(zip(names, row, strict=True))),
        ),
        record.version,
    )


@router.get("/partnerships/{id}/documents/{kind}", response_model=shapes.Document, responses=documented())
def get_document(
    call: Reads,
    id: Id,
    kind: Kind,
    revision: Annotated[int | None, Query(ge=1, le=2**31 - 1, description="The newest if absent.")] = None,
    subject: Annotated[
        str, Query(max_length=64, pattern=r"^[a-z_]*$", description="Of a decision record: its event.")
    ] = "",
) -> Response:
    """One revision of a document."""
    with call.reading(id) as (connection, record):
        found = queries.find(connection, id, kind, subject, revision)
    return respond(shapes.Document.model_validate(found), record.version)


def _put(kind: str) -> None:
    title = rules.load_schema(kind)["title"].lower()

    def put(write: Writes, id: Id) -> Response:
        content = write.document()
        return write.to(
            id,
            lambda database, by, now: service.put(database, id, kind, content, by, now),
            lambda _, revision: shapes.Document.model_validate(revision),
            status=200,
        )

    router.put(
        f"/partnerships/{{id}}/documents/{kind}",
        name=f"put_{kind}",
        response_model=shapes.Document,
        responses=documented(409, 412, 428),
        openapi_extra=body_of(kind),
        description=f"Store a new revision of the {title}. It voids the sign-offs of the one before; the same content "
        "again changes nothing.",
    )(put)


for _kind in READABLE:
    _put(_kind)


@router.get("/partnerships/{id}/signoffs", response_model=shapes.Page[shapes.SignOff], responses=documented())
def list_signoffs(call: Reads, id: Id, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Who signed which revision."""
    with call.reading(id) as (connection, record):
        found = queries.sign_offs(connection, id)
    return respond(paging.slice_of(found, cursor, limit, shapes.SignOff.model_validate), record.version)


@router.post(
    "/partnerships/{id}/signoffs",
    status_code=201,
    response_model=shapes.SignOff,
    responses=documented(409, 412, 428),
)
def sign_document(write: Writes, id: Id, body: shapes.SignOffAsked) -> Response:
    """Sign one exact revision, on behalf of the contact's organisation."""
    return write.to(
        id,
        lambda database, by, now: service.sign(database, id, body.kind, body.revision, by, now, body.subject),
        lambda _, signed: shapes.SignOff.model_validate(signed),
    )


@router.get(
    "/partnerships/{id}/objections", response_model=shapes.Page[shapes.Objection], responses=documented()
)
def list_objections(call: Reads, id: Id, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Why which revision was not signed, and what has become of it."""
    with call.reading(id) as (connection, record):
        found = queries.objections(connection, id)
    return respond(paging.slice_of(found, cursor, limit, shapes.Objection.model_validate), record.version)


@router.post(
    "/partnerships/{id}/objections",
    status_code=201,
    response_model=shapes.Objection,
    responses=documented(409, 412, 428),
)
def object_to_document(write: Writes, id: Id, body: shapes.ObjectionAsked) -> Response:
    """Say why the contact's organisation does not sign one exact revision; all who have to answer it are told."""
    return write.to(
        id,
        lambda database, by, now: objections.object_to(
            database, id, body.kind, body.revision, by, body.reason, now, body.subject
        ),
        lambda _, raised: shapes.Objection.model_validate(raised),
    )
