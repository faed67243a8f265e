"""`gate-readiness`: look at the next gate of every partnership whose evidence changed, and tell when one is open."""

from dataclasses import dataclass
from datetime import datetime

from prefect import flow, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.runtime import RETRIES, RETRY_DELAYS, instant, may_pass, on_database, run_name
from lifecycle.gates.report import GateReport
from lifecycle.partnerships.readiness import sweep_readiness


@dataclass(frozen=True)
class GateReadinessSummary:
    """How many gates were looked at, and which partnerships may go on."""

    as_of: datetime
    checked: int
    ready: tuple[str, ...]


@flow(name="gate-readiness", flow_run_name=run_name)
async def gate_readiness(as_of: datetime | None = None) -> GateReadinessSummary:
    """Check the next gate of each partnership that changed. A run that finds nothing leaves no artifact."""
    at = instant(as_of)
    reports = await look(at)
    if reports:
        rows = [
            {
                "partnership": report.partnership_id,
                "gate": report.event,
                "open": "yes" if report.open else "no",
                "blocked by": ", ".join(finding.code for finding in report.blocking),
            }
            for report in reports
        ]
        await acreate_table_artifact(rows, "gate-readiness", "The next gate of each partnership that changed")
    return GateReadinessSummary(at, len(reports), tuple(r.partnership_id for r in reports if r.open))


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def look(at: datetime) -> list[GateReport]:
    """Sweep the partnerships whose evidence changed."""
    return await on_database(lambda database: sweep_readiness(database, at))
