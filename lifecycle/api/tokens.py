"""API tokens and calendar links: made, listed, revoked."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy import Connection

from lifecycle.access import once, tokens
from lifecycle.api import calendars, paging, shapes
from lifecycle.api.calls import Id, Reads, Writes, answer, respond
from lifecycle.api.paging import Cursor, Limit
from lifecycle.api.problems import documented
from lifecycle.db import Database

router = APIRouter(tags=["access"])

Prefix = Annotated[
    str,
    Path(description="What may be shown of a token.", pattern=r"^[0-9a-f]{10}$", examples=["0a1b2c3d4e"]),
]


@router.get("/tokens", response_model=shapes.Page[shapes.Token], responses=documented())
def list_tokens(call: Reads, cursor: Cursor = None, limit: Limit = 50) -> Response:
    """Every token, newest first: who it is for, until when it is good, and when it was last used, to the hour."""
    call.identity.require("administer")
    with call.database.read() as connection:
        found = tokens.overview(connection)
    return respond(paging.slice_of(found, cursor, limit, shapes.Token.model_validate))


@router.post("/tokens", status_code=201, response_model=shapes.TokenMade, responses=documented())
def create_token(write: Writes, body: shapes.TokenAsked) -> Response:
    """Make a token. It is shown once: the same Idempotency-Key again names it, and does not show it."""

    def make(database: Database, _: Connection) -> once.Answer:
        whole = tokens.create(database, now=write.call.now, **body.model_dump())
        shape = shapes.TokenMade(prefix=tokens.prefix_of(whole), token=whole)
        return answer(shape, 201, Location=f"/v1/tokens/{shape.prefix}")

    def kept(given: once.Answer) -> once.Answer:
        made = shapes.TokenMade.model_validate_json(given.body)
        return once.Answer(
            given.status, given.headers, made.model_copy(update={"token": None}).model_dump_json().encode()
        )

    return write.once("administer", make, kept)


@router.delete("/tokens/{prefix}", status_code=204, responses=documented())
def revoke_token(write: Writes, prefix: Prefix) -> Response:
    """Make a token good for nothing from now on."""

    def revoke(database: Database, _: Connection) -> once.Answer:
        tokens.revoke(database, prefix, write.call.now)
        return once.Answer(204, {}, b"")

    return write.once("administer", revoke)


LINK_DAYS = 365


@router.post(
    "/partnerships/{id}/calendar-links",
    status_code=201,
    response_model=shapes.CalendarLinkMade,
    responses=documented(),
    tags=["calendar"],
)
def create_calendar_link(write: Writes, id: Id) -> Response:
    """Make the secret address of one's own dates in a partnership, for a calendar program. Good for a year."""

    def make(database: Database, connection: Connection) -> once.Answer:
        write.call.find(connection, id)
        by, now = write.by(), write.call.now
        whole = tokens.create(
            database, f"Calendar of {by}", "contact", now, LINK_DAYS, None, id, by, [calendars.RIGHT]
        )
        shape = shapes.CalendarLinkMade(
            prefix=tokens.prefix_of(whole),
            url=calendars.address(write.call.settings, id, whole),
            expires_at=now + timedelta(days=LINK_DAYS),
        )
        return answer(shape, 201)

    def kept(given: once.Answer) -> once.Answer:
        made = shapes.CalendarLinkMade.model_validate_json(given.body)
        return once.Answer(
            given.status, given.headers, made.model_copy(update={"url": None}).model_dump_json().encode()
        )

    return write.once("write", make, kept)


@router.delete(
    "/partnerships/{id}/calendar-links/{prefix}", status_code=204, responses=documented(), tags=["calendar"]
)
def revoke_calendar_link(write: Writes, id: Id, prefix: Prefix) -> Response:
    """Make a calendar's address good for nothing. Its owner does, or whoever may act for the owner."""

    def revoke(database: Database, connection: Connection) -> once.Answer:
        write.call.find(connection, id)
        tokens.revoke(database, prefix, write.call.now, of=(id, write.by()))
        return once.Answer(204, {}, b"")

    return write.once("write", revoke)
