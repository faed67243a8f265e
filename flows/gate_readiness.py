"""`gate-readiness`: look at the next gate of every partnership that changed; tell when one is open, begin evaluations."""

from dataclasses import dataclass
from datetime import datetime

from prefect import flow, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.runtime import RETRIES, RETRY_DELAYS, instant, may_pass, on_database, run_name
from lifecycle.partnerships.readiness import Looked, sweep_readiness


@dataclass(frozen=True)
class GateReadinessSummary:
    """How many gates were looked at, which partnerships may go on, and whose evaluation has begun by itself."""

    as_of: datetime
    checked: int
    ready: tuple[str, ...]
    begun: tuple[str, ...]


@flow(name="gate-readiness", flow_run_name=run_name)
async def gate_readiness(as_of: datetime | None = None) -> GateReadinessSummary:
    """Check the next gate of each partnership that changed, and begin each evaluation whose time has come.

    A run that finds nothing leaves no artifact."""
    at = instant(as_of)
    found = await look(at)
    if found:
        rows = [
            {
                "partnership": one.partnership_id,
                "gate": one.event,
                "open": "taken" if one.taken else "yes" if one.open else "no",
                "blocked by": ", ".join(one.blocked_by),
            }
            for one in found
        ]
        await acreate_table_artifact(rows, "gate-readiness", "The next gate of each partnership that changed")
    ready = tuple(one.partnership_id for one in found if one.open and not one.taken)
    return GateReadinessSummary(
        at, len(found), ready, tuple(one.partnership_id for one in found if one.taken)
    )


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def look(at: datetime) -> list[Looked]:
    """Sweep the partnerships whose evidence changed, or whose evaluation is to begin."""
    return await on_database(lambda database: sweep_readiness(database, at))
