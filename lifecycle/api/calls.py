"""What every route needs: whose call it is, at which instant, on which database; reads and writes, done alike."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy import Connection

from lifecycle import clock
from lifecycle.access import once, tokens
from lifecycle.access.roles import Identity, Right, Unauthorised
from lifecycle.api.problems import PreconditionMissing
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import Fault, Invalid
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Partnership

T = TypeVar("T")

_bearer = HTTPBearer(auto_error=False, description="A token that `lifecycle token create` made.")


@dataclass(frozen=True)
class Call:
    """An authenticated request."""

    identity: Identity
    database: Database
    settings: Settings
    now: datetime

    @contextmanager
    def reading(self, partnership_id: str) -> Iterator[tuple[Connection, Partnership]]:
        """A transaction that reads one partnership, if the token reaches it and may read.

        Raises:
            Forbidden: it may not read.
            NotFound: there is none, or the token must not learn of it.
        """
        self.identity.require("read")
        with self.database.read() as connection:
            yield connection, self.find(connection, partnership_id)

    def find(self, connection: Connection, partnership_id: str) -> Partnership:
        """A partnership that the token reaches.

        Raises:
            NotFound: there is none, or the token must not learn of it: both look alike.
        """
        record = changes.find(connection, partnership_id)
        if not self.identity.reaches(record.portfolio, record.id):
            raise changes.unknown(partnership_id)
        return record


def _call(
    request: Request, credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]
) -> Call:
    if credentials is None:
        raise Unauthorised(
            "This needs a token.",
            mend="Send one as `Authorization: Bearer …`; `lifecycle token create` makes one.",
        )
    state, now = request.app.state, clock.now()
    identity = tokens.authenticate(state.database, credentials.credentials, now)
    request.state.token = identity.token
    state.limiter.spend(request, identity.token)
    return Call(identity, state.database, state.settings, now)


Reads = Annotated[Call, Depends(_call)]


@dataclass(frozen=True)
class Write:
    """A request that changes something: done in one transaction with the memory of its answer."""

    call: Call
    on_behalf_of: str | None
    if_match: str | None
    key: str | None
    sha256: str

    def once(
        self,
        right: Right,
        work: Callable[[Database, Connection], BaseModel],
        status: int,
        location: Callable[[BaseModel], str] | None = None,
    ) -> Response:
        """Do the work and answer, or give the answer that this key got before.

        Raises:
            Forbidden: the token may not.
            KeyReused: the key came with another request.
        """
        self.call.identity.require(right)
        with self.call.database.write() as connection:
            token = self.call.identity.token
            if self.key is not None:
                known = once.remembered(connection, token, self.key, self.sha256)
                if known is not None:
                    return Response(known.body, known.status, dict(known.headers))
            shape = work(once.Joined(self.call.database, connection), connection)
            headers = {"Content-Type": "application/json"}
            if location is not None:
                headers["Location"] = location(shape)
            answer = once.Answer(status, headers, shape.model_dump_json().encode())
            if self.key is not None:
                once.remember(connection, token, self.key, self.sha256, answer, self.call.now)
        return Response(answer.body, answer.status, dict(answer.headers))

    def to(
        self,
        partnership_id: str,
        work: Callable[[Database, str, datetime], T],
        present: Callable[[T], BaseModel],
        right: Right = "write",
        status: int = 201,
        location: Callable[[BaseModel], str] | None = None,
    ) -> Response:
        """Change a partnership in somebody's name, at the version that the request was made for.

        Args:
            work: a service function, given the database, the contact in whose name, and the instant.
            present: makes the answer of what it returns.

        Raises:
            NotFound: there is no such partnership, or the token must not learn of it.
            PreconditionMissing, Stale: no version was given, or another one.
        """

        def do(database: Database, connection: Connection) -> BaseModel:
            self.lock(connection, partnership_id)
            by = self.call.identity.acting(self.on_behalf_of)
            return present(work(database, by, self.call.now))

        return self.once(right, do, status, location)

    def lock(self, connection: Connection, partnership_id: str) -> None:
        """Hold a partnership at the version that the request was made for."""
        self.call.find(connection, partnership_id)
        changes.begin(connection, partnership_id, self.call.now, self.version())

    def version(self) -> int | None:
        """The version in If-Match; None for `*`: whichever it is.

        Raises:
            PreconditionMissing: there is none.
            Invalid: it is no entity tag of ours.
        """
        if self.if_match is None:
            raise PreconditionMissing(
                "A change says which version it was made for.",
                mend="Send the ETag of what you read as If-Match, or `*` for whichever it is.",
            )
        if self.if_match.strip() == "*":
            return None
        tag = self.if_match.strip().removeprefix("W/").strip('"')
        if not (tag.isascii() and tag.isdigit() and len(tag) < 10):
            raise Invalid(
                [Fault("If-Match", "entity tag", 'Send the ETag as it was given, such as "7".')],
                "The request",
            )
        return int(tag)


async def _write(
    request: Request,
    call: Reads,
    on_behalf_of: Annotated[
        str | None,
        Header(
            description="The contact in whose name it is done; left out with a contact's own token.",
            max_length=64,
        ),
    ] = None,
    if_match: Annotated[
        str | None, Header(description="The ETag of what was read, or `*`.", max_length=64)
    ] = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="The same key with the same request gets the same answer.",
            min_length=1,
            max_length=150,
        ),
    ] = None,
) -> Write:
    parts = (request.method, str(request.url.path), str(request.url.query), on_behalf_of or "")
    said = "\n".join(parts).encode() + b"\n" + await request.body()
    return Write(call, on_behalf_of, if_match, idempotency_key, hashlib.sha256(said).hexdigest())


Writes = Annotated[Write, Depends(_write)]


def etag(version: int) -> str:
    """The entity tag of a partnership's version."""
    return f'"{version}"'
