"""Who decides the transitions that are asked for: the `gate-check` flow on a Prefect server, or this process."""

import asyncio
import logging
import os
import time

from sqlalchemy.exc import DBAPIError

from lifecycle import clock
from lifecycle.db import Database
from lifecycle.errors import LifecycleError
from lifecycle.partnerships import service
from lifecycle.partnerships.service import Request

log = logging.getLogger("lifecycle.deciding")

DEPLOYMENT = "gate-check/gate-check"
_LOOK_EVERY = (0.05, 1.0)
"""Seconds: at first, and at most."""


def by_prefect() -> bool:
    """Whether a Prefect server decides here."""
    return bool(os.environ.get("PREFECT_API_URL"))


async def ask_prefect(request_id: str) -> None:
    """Have the `gate-check` flow decide a kept request.

    The run is named by the request, so that asking twice runs it once. Where Prefect cannot be reached nothing is lost:
    the request is kept, and the flow's own schedule decides what is left over.
    """
    from prefect.client.orchestration import get_client
    from prefect.exceptions import PrefectException

    try:
        async with get_client() as client:
            deployment = await client.read_deployment_by_name(DEPLOYMENT)
            await client.create_flow_run_from_deployment(
                deployment.id,
                parameters={"transition_id": request_id},
                idempotency_key=f"transition/{request_id}",
            )
    except (PrefectException, OSError, RuntimeError) as error:
        log.warning("transition %s waits for gate-check's schedule: %s", request_id, type(error).__name__)
    except Exception as error:
        # httpx has no base class in common with Prefect's: whatever it is, the request is kept.
        if not type(error).__module__.startswith(("httpx", "httpcore")):
            raise
        log.warning("transition %s waits for gate-check's schedule: %s", request_id, type(error).__name__)


def decide_here(database: Database, request_id: str) -> None:
    """Decide a kept request in this process. What cannot be decided now stays kept, and is logged."""
    try:
        service.decide(database, request_id, clock.now())
    except LifecycleError as error:
        log.warning("transition %s stays pending: %s", request_id, error.message)


def decide_left_over(database: Database) -> None:
    """Decide what was asked for while nobody was there to decide. A database that does not answer yet stops no start."""
    try:
        for request_id in service.pending_requests(database):
            decide_here(database, request_id)
    except (LifecycleError, DBAPIError) as error:
        log.warning("what was left over waits for `lifecycle run gate-check`: %s", type(error).__name__)


async def outcome(database: Database, request_id: str, seconds: float) -> Request:
    """A kept request once it is decided, or as it stands when the time is over. Holds no thread while it waits."""
    deadline, (pause, longest) = time.monotonic() + seconds, _LOOK_EVERY
    while True:
        request = await asyncio.to_thread(_look, database, request_id)
        left = deadline - time.monotonic()
        if request.state != "pending" or left <= 0:
            return request
        await asyncio.sleep(min(pause, left))
        pause = min(pause * 1.5, longest)


def _look(database: Database, request_id: str) -> Request:
    with database.read() as connection:
        return service.find_request(connection, request_id)
