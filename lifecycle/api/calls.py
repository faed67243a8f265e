"""What every route needs: whose call it is, at which instant, on which database; reads and writes, done alike."""

import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Path, Request, Response
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel
from sqlalchemy import Connection

from lifecycle import clock
from lifecycle.access import once, tokens
from lifecycle.access.roles import Identity, Right, Unauthorised
from lifecycle.api.problems import PreconditionMissing
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.documents import rules
from lifecycle.errors import Fault, Invalid
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Partnership

T = TypeVar("T")

SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
Id = Annotated[
    str,
    Path(
        description="The partnership's id.", pattern=SLUG, max_length=64, examples=["harbour-healthy-start"]
    ),
]
Number = Annotated[int, Path(ge=1, le=2**31 - 1)]

_bearer = HTTPBearer(
    auto_error=False, description="A token that `lifecycle token create` or `POST /v1/tokens` made."
)


@dataclass(frozen=True)
class Call:
    """An authenticated request."""

    identity: Identity
    database: Database
    settings: Settings
    now: datetime

    @contextmanager
    def reading(self, partnership_id: str, right: Right = "read") -> Iterator[tuple[Connection, Partnership]]:
        """A transaction that reads one partnership, if the token reaches it and has the right.

        Raises:
            Forbidden: it has not.
            NotFound: there is none, or the token must not learn of it.
        """
        self.identity.require(right)
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
    return called(request, credentials.credentials)


def called(request: Request, token: str) -> Call:
    """The call of whoever holds this token.

    Raises:
        Unauthorised: nobody does.
    """
    state, now = request.app.state, clock.now()
    identity = tokens.authenticate(state.database, token, now)
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
    body: bytes
    sha256: str

    def once(
        self,
        right: Right,
        work: Callable[[Database, Connection], once.Answer],
        kept: Callable[[once.Answer], once.Answer] = lambda given: given,
    ) -> Response:
        """Do the work and answer, or give the answer that this key got before.

        Args:
            kept: what of the answer may be remembered, where it holds a secret.

        Raises:
            Forbidden: the token may not.
            KeyReused: the key came with another request.
        """
        self.call.identity.require(right)
        token, now = self.call.identity.token, self.call.now
        with self.call.database.write() as connection:
            known = None if self.key is None else once.claim(connection, token, self.key, self.sha256, now)
            if known is None:
                known = work(once.Joined(self.call.database, connection), connection)
                if self.key is not None:
                    once.answer(connection, token, self.key, kept(known))
        return Response(known.body, known.status, dict(known.headers))

    def to(
        self,
        partnership_id: str,
        work: Callable[[Database, str, datetime], Any],
        present: Callable[[Connection, Any], BaseModel],
        right: Right = "write",
        status: int = 201,
    ) -> Response:
        """Change a partnership in somebody's name, at the version that the request was made for.

        Args:
            work: a service function, given the database, the contact in whose name, and the instant.
            present: makes the answer of what it returns.

        Raises:
            NotFound: there is no such partnership, or the token must not learn of it.
            PreconditionMissing, Stale: no version was given, or another one.
        """

        def do(database: Database, connection: Connection) -> once.Answer:
            self.call.find(connection, partnership_id)
            by, version = self.by(), self.version()
            changes.begin(connection, partnership_id, self.call.now, version)
            shape = present(connection, work(database, by, self.call.now))
            return answer(shape, status, changes.find(connection, partnership_id).version)

        return self.once(right, do)

    def by(self) -> str:
        """The contact in whose name it is done; as `Identity.acting`."""
        return self.call.identity.acting(self.on_behalf_of)

    def document(self) -> Any:
        """The body as a document.

        Raises:
            Invalid: it is no JSON.
        """
        return rules.parse(self.body)

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
            fault = Fault("If-Match", "entity tag", 'Send the ETag as it was given, such as "7".')
            raise Invalid([fault], "The request")
        return int(tag)


async def _write(
    request: Request,
    call: Reads,
    on_behalf_of: Annotated[
        str | None,
        Header(
            description="The contact in whose name it is done; left out with a contact's or manager's own token.",
            pattern=SLUG,
            max_length=64,
            examples=["amira-haddad"],
        ),
    ] = None,
    if_match: Annotated[
        str | None,
        Header(description="The ETag of what was read, or `*`.", max_length=64, examples=['"7"']),
    ] = None,
    idempotency_key: Annotated[
        str | None,
        Header(
            description="The same key with the same request gets the same answer, for 30 days.",
            pattern=r"^[\x21-\x7e]{1,150}$",
            examples=["8f14e45f-ceea-467f-a0e6-2b2c0a1f3c55"],
        ),
    ] = None,
) -> Write:
    body = await request.body()
    parts = (request.method, str(request.url.path), str(request.url.query), on_behalf_of or "")
    sha256 = hashlib.sha256("\n".join(parts).encode() + b"\n" + body).hexdigest()
    return Write(call, on_behalf_of, if_match, idempotency_key, body, sha256)


Writes = Annotated[Write, Depends(_write)]


def answer(shape: BaseModel, status: int = 200, version: int | None = None, **headers: str) -> once.Answer:
    """An answer of a route; `version` becomes its ETag."""
    found = {"Content-Type": "application/json", **headers}
    if version is not None:
        found["ETag"] = f'"{version}"'
    return once.Answer(status, found, shape.model_dump_json(exclude_unset=False).encode())


def respond(shape: BaseModel, version: int | None = None) -> Response:
    """What a reading route answers."""
    given = answer(shape, 200, version)
    return Response(given.body, given.status, dict(given.headers))
