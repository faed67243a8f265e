"""`portfolio-digest`: once a week, one email for each manager on all that they look after."""

from dataclasses import dataclass
from datetime import datetime

from prefect import flow, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.runtime import RETRIES, RETRY_DELAYS, instant, may_pass, on_database, run_name
from lifecycle.partnerships.digests import Owing, owe_digests


@dataclass(frozen=True)
class PortfolioDigestSummary:
    """How many digests were owed, and about how many partnerships."""

    as_of: datetime
    digests: int
    partnerships: int


@flow(name="portfolio-digest", flow_run_name=run_name)
async def portfolio_digest(as_of: datetime | None = None) -> PortfolioDigestSummary:
    """Owe the digests of the week of an instant (UTC). A run with nothing to tell leaves no artifact."""
    at = instant(as_of)
    owed = await digest(at)
    if owed.digests:
        rows = [{"digests": owed.digests, "partnerships": owed.partnerships}]
        await acreate_table_artifact(rows, "portfolio-digest", f"Digests as of {at:%Y-%m-%d %H:%M} UTC")
    return PortfolioDigestSummary(at, owed.digests, owed.partnerships)


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def digest(at: datetime) -> Owing:
    """Owe them."""
    return await on_database(lambda database: owe_digests(database, at))
