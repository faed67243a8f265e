"""`obligation-monitor`: let fall due, overdue or silent what is, and schedule each obligation's next performance."""

from dataclasses import dataclass
from datetime import datetime

from prefect import flow, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.runtime import RETRIES, RETRY_DELAYS, instant, may_pass, on_database, run_name
from lifecycle.obligations.monitor import sweep_obligations


@dataclass(frozen=True)
class ObligationMonitorSummary:
    """How many performances were scheduled, fell overdue, were settled by silence, or stayed undetermined."""

    as_of: datetime
    scheduled: int
    overdue: int
    silence: int
    undetermined: int


@flow(name="obligation-monitor", flow_run_name=run_name)
async def obligation_monitor(as_of: datetime | None = None) -> ObligationMonitorSummary:
    """Watch over performances as of an instant (UTC). A run with nothing due leaves no artifact."""
    at = instant(as_of)
    counts = await watch(at)
    if counts:
        rows = [{"performances": what, "count": count} for what, count in sorted(counts.items())]
        await acreate_table_artifact(
            rows, "obligation-monitor", f"Performances as of {at:%Y-%m-%d %H:%M} UTC"
        )
    found = {name: counts.get(name, 0) for name in ("scheduled", "overdue", "silence", "undetermined")}
    return ObligationMonitorSummary(at, **found)


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def watch(at: datetime) -> dict[str, int]:
    """Sweep the clocks of performances."""
    return await on_database(lambda database: sweep_obligations(database, at))
