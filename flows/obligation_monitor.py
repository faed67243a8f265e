"""`obligation-monitor`: let happen to promises and to complaints what is due."""

from dataclasses import dataclass
from datetime import datetime

from prefect import flow, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.runtime import RETRIES, RETRY_DELAYS, instant, may_pass, on_database, run_name
from lifecycle.obligations.monitor import sweep_obligations
from lifecycle.redress.monitor import sweep_complaints


@dataclass(frozen=True)
class ObligationMonitorSummary:
    """How many performances and complaints changed by themselves, and how."""

    as_of: datetime
    performances: dict[str, int]
    """By `scheduled`, `overdue`, `silence`, `undetermined`."""
    complaints: dict[str, int]
    """By `unacknowledged`, `climbed`, `decided`, `closed`."""


@flow(name="obligation-monitor", flow_run_name=run_name)
async def obligation_monitor(as_of: datetime | None = None) -> ObligationMonitorSummary:
    """Watch over performances and complaints as of an instant (UTC). A run with nothing due leaves no artifact."""
    at = instant(as_of)
    performances, complaints = await watch_promises(at), await watch_complaints(at)
    rows = [
        {"what": what, "happened": happened, "count": count}
        for what, counts in (("performances", performances), ("complaints", complaints))
        for happened, count in sorted(counts.items())
    ]
    if rows:
        title = f"Promises and complaints as of {at:%Y-%m-%d %H:%M} UTC"
        await acreate_table_artifact(rows, "obligation-monitor", title)
    return ObligationMonitorSummary(at, performances, complaints)


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def watch_promises(at: datetime) -> dict[str, int]:
    """Sweep the clocks of performances."""
    return await on_database(lambda database: sweep_obligations(database, at))


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def watch_complaints(at: datetime) -> dict[str, int]:
    """Sweep the clocks of complaints."""
    return await on_database(lambda database: sweep_complaints(database, at))
