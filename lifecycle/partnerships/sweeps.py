"""The loop of every scheduled sweep: claim what is due, chunk by chunk, one transaction each."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import InterfaceError, OperationalError

from lifecycle.db import Database
from lifecycle.errors import LifecycleError, Unavailable
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.timers import service as timers
from lifecycle.timers.service import Fired

CHUNK = 1000
"""Partnerships locked at once: large enough to be quick, small enough to let single transitions through."""

T = TypeVar("T")
Handle = Callable[[Connection, Mapping[str, Change], Sequence[Fired]], Iterable[T]]
"""What follows when clocks fire; what it returns is the sweep's result, for chunks that were committed."""


def sweep(database: Database, matters: Sequence[str], as_of: datetime, handle: Handle[T]) -> list[T]:
    """Fire the clocks of these matters that are due at `as_of`; returns what `handle` made of them.

    Each chunk commits with all its effects or not at all. Safe to run twice, late, and beside itself: the
    partnerships are locked first, then their clocks claimed, so a second sweep waits and finds nothing. A partnership
    whose clocks cannot be served stays due and holds up no other.

    Raises:
        Unavailable: some could not be served, after all the others were; the first fault is its cause.
    """
    done: list[T] = []
    faults: dict[str, Exception] = {}
    while due := _due(database, matters, as_of, faults):
        try:
            done += _fire(database, due, matters, as_of, handle)
        except (OperationalError, InterfaceError):
            raise
        except Exception:  # noqa: BLE001 - whatever it is: found out one by one, and raised at the end
            for partnership_id in due:
                try:
                    done += _fire(database, [partnership_id], matters, as_of, handle)
                except (OperationalError, InterfaceError):
                    raise
                except Exception as fault:  # noqa: BLE001 - as above
                    faults[partnership_id] = fault
    if faults:
        raise _incomplete(faults)
    return done


def _due(database: Database, matters: Sequence[str], as_of: datetime, but: Collection[str]) -> list[str]:
    with database.read() as connection:
        return timers.partnerships_due(connection, matters, as_of, CHUNK, but)


def _fire(
    database: Database, due: Sequence[str], matters: Sequence[str], as_of: datetime, handle: Handle[T]
) -> list[T]:
    with database.write() as connection:
        locked = changes.begin_many(connection, due, as_of)
        fired = timers.claim(connection, list(locked), matters, as_of)
        done = list(handle(connection, locked, fired))
        changes.write(connection, *locked.values())
    return done


def _incomplete(faults: Mapping[str, Exception]) -> Unavailable:
    partnership_id, fault = next(iter(faults.items()))
    what = str(fault) if isinstance(fault, LifecycleError) else type(fault).__name__
    error = Unavailable(
        f"Partnerships whose clocks could not be served and stay due: {len(faults)}; all others were. "
        f"The first, {partnership_id}: {what}",
        mend="`lifecycle doctor` lists what is overdue. Mend the cause; the next sweep goes on from here.",
    )
    error.__cause__ = fault
    return error
