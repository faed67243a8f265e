"""Answers that are given once: what a request with an idempotency key did is remembered in the same transaction.

Source: the IETF draft on the Idempotency-Key header field (draft-ietf-httpapi-idempotency-key-header).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from lifecycle.access.models import idempotent_answer
from lifecycle.bulk import Inserts
from lifecycle.db import Database
from lifecycle.errors import KeyReused

KEPT = timedelta(days=30)
"""How long an answer is remembered; with the same key later, a request is a new one."""


@dataclass(frozen=True)
class Answer:
    """A response as it was given."""

    status: int
    headers: Mapping[str, str]
    body: bytes


_claim = Inserts(
    idempotent_answer, idempotent_answer.c.keys(), lambda statement: statement.on_conflict_do_nothing()
)
_UNANSWERED: dict[str, object] = {"status": 0, "headers": {}, "body": b""}


def claim(connection: Connection, token: str, key: str, request_sha256: str, now: datetime) -> Answer | None:
    """Take a key for this transaction, or the answer that it got before. Another request with it waits meanwhile.

    Raises:
        KeyReused: it came with another request.
    """
    row = {"token": token, "key": key, "request_sha256": request_sha256, "answered_at": now}
    if _claim(connection, [row | _UNANSWERED]) == 1:
        return None
    columns = idempotent_answer.c
    known = connection.execute(
        select(columns.request_sha256, columns.status, columns.headers, columns.body).where(
            columns.token == token, columns.key == key
        )
    ).one()
    if known.request_sha256 != request_sha256:
        raise KeyReused(
            "This Idempotency-Key came with another request before.", mend="Use a new key for a new request."
        )
    return Answer(known.status, known.headers, known.body)


def answer(connection: Connection, token: str, key: str, given: Answer) -> None:
    """Remember the answer of a key that was claimed."""
    columns = idempotent_answer.c
    connection.execute(
        update(idempotent_answer)
        .where(columns.token == token, columns.key == key)
        .values(status=given.status, headers=dict(given.headers), body=given.body)
    )


def forget(connection: Connection, token: str, now: datetime) -> None:
    """Drop a token's answers that nobody will ask for again."""
    columns = idempotent_answer.c
    connection.execute(
        delete(idempotent_answer).where(columns.token == token, columns.answered_at < now - KEPT)
    )


class Joined(Database):
    """A database whose blocks all belong to one transaction that somebody else commits: services join it unchanged."""

    def __init__(self, database: Database, connection: Connection) -> None:
        """Join `connection`'s transaction."""
        self.url, self.engine, self._connection = database.url, database.engine, connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """The transaction that was joined; what fails in it fails all of it."""
        yield self._connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """The same: it sees what was written before."""
        yield self._connection
