"""What the flows share: this installation's settings and database, and when a failed step is worth another try."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

from lifecycle import clock
from lifecycle.config import Settings, load_settings
from lifecycle.db import Database
from lifecycle.errors import LifecycleError, Unavailable

RETRIES = 3
RETRY_DELAYS: list[float] = [2, 10, 30]
"""Seconds. A database that restarts is back by then; if not, the next scheduled run goes on where this one stopped."""

T = TypeVar("T")


@contextmanager
def installation() -> Iterator[tuple[Settings, Database]]:
    """The settings, and a database of this engine's version.

    Raises:
        Invalid: a setting is wrong.
        Unavailable: the database cannot be reached or is of another version.
    """
    settings = load_settings()
    database = Database(settings.database_url.get_secret_value())
    try:
        database.require_current()
        yield settings, database
    finally:
        database.close()


async def on_database(work: Callable[[Database], T]) -> T:
    """Do blocking work on this installation's database, beside the event loop."""

    def run() -> T:
        with installation() as (_, database):
            return work(database)

    return await asyncio.to_thread(run)


def instant(as_of: datetime | None) -> datetime:
    """The instant that a run works at: the one it was given, else now (UTC)."""
    return clock.now() if as_of is None else as_of


def may_pass(_task: Any, _run: Any, state: Any) -> bool:
    """Retry what may pass by itself (an unreachable database), never what a person has to mend."""
    return isinstance(state.data, Unavailable) or not isinstance(state.data, LifecycleError)
