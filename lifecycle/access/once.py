"""Answers that are given once: what a request with an idempotency key did is remembered in the same transaction.

Source: the IETF draft on the Idempotency-Key header field (draft-ietf-httpapi-idempotency-key-header).
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert, select

from lifecycle.access.models import idempotent_answer
from lifecycle.db import Database
from lifecycle.errors import KeyReused


@dataclass(frozen=True)
class Answer:
    """A response as it was given."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def remembered(connection: Connection, token: str, key: str, request_sha256: str) -> Answer | None:
    """The answer that a request with this key got before.

    Raises:
        KeyReused: it was another request.
    """
    columns = idempotent_answer.c
    row = connection.execute(
        select(columns.request_sha256, columns.status, columns.headers, columns.body).where(
            columns.token == token, columns.key == key
        )
    ).one_or_none()
    if row is None:
        return None
    if row.request_sha256 != request_sha256:
        raise KeyReused(
            "This Idempotency-Key came with another request before.", mend="Use a new key for a new request."
        )
    return Answer(row.status, row.headers, row.body)


def remember(
    connection: Connection, token: str, key: str, request_sha256: str, answer: Answer, now: datetime
) -> None:
    """Remember an answer, in the transaction that did what it says."""
    row = {"token": token, "key": key, "request_sha256": request_sha256, "answered_at": now}
    connection.execute(insert(idempotent_answer), row | vars(answer) | {"headers": dict(answer.headers)})


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
