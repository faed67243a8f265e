"""`escalations`: climb every ladder whose next rung is due."""

from dataclasses import dataclass
from datetime import datetime

from prefect import flow, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.runtime import RETRIES, RETRY_DELAYS, instant, may_pass, on_database, run_name
from lifecycle.partnerships.escalations import sweep_escalations


@dataclass(frozen=True)
class EscalationsSummary:
    """The notices owed by ladders, by matter."""

    as_of: datetime
    notices: dict[str, int]


@flow(name="escalations", flow_run_name=run_name)
async def escalations(as_of: datetime | None = None) -> EscalationsSummary:
    """Remind and escalate as of an instant (UTC). A run with nothing due leaves no artifact."""
    at = instant(as_of)
    notices = await climb(at)
    if notices:
        rows = [
            {"matter": matter.replace("_", " "), "notices": count}
            for matter, count in sorted(notices.items())
        ]
        await acreate_table_artifact(rows, "escalations", f"Ladders climbed as of {at:%Y-%m-%d %H:%M} UTC")
    return EscalationsSummary(at, notices)


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def climb(at: datetime) -> dict[str, int]:
    """Sweep the clocks of all ladders."""
    return await on_database(lambda database: sweep_escalations(database, at))
