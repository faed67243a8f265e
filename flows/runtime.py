"""What the flows share: this installation's settings and database, and when a failed step is worth another try."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

from prefect.runtime import flow_run
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from lifecycle import clock
from lifecycle.config import Settings, load_settings
from lifecycle.db import Database, unreachable
from lifecycle.errors import Unavailable, Usage
from lifecycle.partnerships.changes import CLOCK_SKEW

RETRIES = 3
RETRY_DELAYS: list[float] = [2, 10, 30]
"""Seconds. A database that restarts is back by then; if not, the next scheduled run goes on where this one stopped."""

T = TypeVar("T")


class NotOpened(Unavailable):
    """The database did not answer when it was opened: nothing was done."""


class Interrupted(Unavailable):
    """The database went away in the middle: what was committed is whole, the rest waits."""


@contextmanager
def installation() -> Iterator[tuple[Settings, Database]]:
    """The settings, and a database of this engine's version.

    A driver's own error would carry the statement with its values, and so persons' data, into Prefect's log and UI.

    Raises:
        Invalid, Usage: a setting is wrong.
        NotOpened: the database cannot be reached or is of another version.
        Interrupted: it went away meanwhile.
    """
    settings = load_settings()
    database = Database(settings.database_url.get_secret_value())
    try:
        _open(database)
        yield settings, database
    except (OperationalError, InterfaceError) as error:
        known = unreachable(database, error)
        raise Interrupted(known.message, known.mend) from None
    except DBAPIError as error:
        raise unreachable(database, error) from None
    finally:
        database.close()


def _open(database: Database) -> None:
    try:
        database.require_current()
    except Unavailable as error:
        raise NotOpened(error.message, error.mend) from None


async def on_database(work: Callable[[Database], T]) -> T:
    """Do blocking work on this installation's database, beside the event loop."""

    def run() -> T:
        with installation() as (_, database):
            return work(database)

    return await asyncio.to_thread(run)


def instant(as_of: datetime | None) -> datetime:
    """The instant that a run works at, in UTC: the one it was given (UTC where it names no zone), else now.

    Raises:
        Usage: it lies ahead. What is done as of then could not be followed by anything until then.
    """
    now = clock.now()
    if as_of is None:
        return now
    at = as_of.replace(tzinfo=UTC) if as_of.tzinfo is None else as_of.astimezone(UTC)
    if at > now + CLOCK_SKEW:
        raise Usage(
            f"{at:%Y-%m-%d %H:%M} UTC has not come yet.",
            mend="Give an instant that is past, or none for now.",
        )
    return at


def may_pass(_task: Any, _run: Any, state: Any) -> bool:
    """Retry what may pass by itself (a database that does not answer), never what a person has to mend."""
    return isinstance(state.data, NotOpened | Interrupted)


def nothing_done(_task: Any, _run: Any, state: Any) -> bool:
    """Retry only what failed before anything was done: for work that reaches outside the database."""
    return isinstance(state.data, NotOpened)


def run_name() -> str:
    """Names a run after its flow and the instant it works at, so that a list of runs reads as a diary."""
    at = flow_run.parameters.get("as_of") or flow_run.scheduled_start_time
    return f"{flow_run.flow_name} {at:%Y-%m-%d %H:%M}"
