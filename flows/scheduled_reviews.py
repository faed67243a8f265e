"""`scheduled-reviews`: open the review rounds that are due, extend or close those whose time is over."""

from dataclasses import dataclass
from datetime import datetime

from prefect import flow, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.runtime import RETRIES, RETRY_DELAYS, instant, may_pass, on_database, run_name
from lifecycle.db import Database
from lifecycle.reviews.occasions import sweep_half_times
from lifecycle.reviews.service import sweep_reviews


@dataclass(frozen=True)
class ScheduledReviewsSummary:
    """How many rounds opened, and how many were closed or extended."""

    as_of: datetime
    opened: int
    closed_or_extended: int


@flow(name="scheduled-reviews", flow_run_name=run_name)
async def scheduled_reviews(as_of: datetime | None = None) -> ScheduledReviewsSummary:
    """Open and close review rounds as of an instant (UTC). A run with nothing due leaves no artifact."""
    at = instant(as_of)
    opened, closed = await run_rounds(at)
    if opened or closed:
        rows = [
            {"review rounds": "opened", "count": opened},
            {"review rounds": "closed or extended", "count": closed},
        ]
        await acreate_table_artifact(
            rows, "scheduled-reviews", f"Review rounds as of {at:%Y-%m-%d %H:%M} UTC"
        )
    return ScheduledReviewsSummary(at, opened, closed)


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def run_rounds(at: datetime) -> tuple[int, int]:
    """Sweep the clocks of review rounds."""
    return await on_database(lambda database: _sweep(database, at))


def _sweep(database: Database, at: datetime) -> tuple[int, int]:
    opened, closed = sweep_reviews(database, at)
    return opened + sweep_half_times(database, at), closed
