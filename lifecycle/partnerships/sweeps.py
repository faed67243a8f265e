"""The loop of every scheduled sweep: claim what is due, chunk by chunk, one transaction each."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from lifecycle.db import Database
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.timers import service as timers
from lifecycle.timers.service import Fired

CHUNK = 1000
"""Partnerships locked at once: large enough to be quick, small enough to let single transitions through."""

Handle = Callable[[Connection, Mapping[str, Change], Sequence[Fired]], None]


def sweep(database: Database, matters: Sequence[str], as_of: datetime, handle: Handle) -> int:
    """Fire the clocks of these matters that are due at `as_of`; returns how many fired.

    Each chunk commits with all its effects or not at all. Safe to run twice, late, and beside itself: the
    partnerships are locked first, then their clocks claimed, so a second sweep waits and finds nothing.
    """
    count = 0
    while True:
        with database.write() as connection:
            due = timers.partnerships_due(connection, matters, as_of, CHUNK)
            if not due:
                return count
            locked = changes.begin_many(connection, due, as_of)
            fired = timers.claim(connection, list(locked), matters, as_of)
            handle(connection, locked, fired)
            changes.write(connection, *locked.values())
            count += len(fired)
