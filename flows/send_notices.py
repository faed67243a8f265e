"""`send-notices`: drain the outbox."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from prefect import flow, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE

from flows.runtime import RETRIES, RETRY_DELAYS, installation, instant, nothing_done, run_name
from lifecycle.notices.outbox import Drained
from lifecycle.partnerships.correspondence import send_notices as drain_outbox


@dataclass(frozen=True)
class SendNoticesSummary:
    """What became of the notices that were due: left (some folded into others), to be tried again, of unknown outcome,
    failed for good."""

    as_of: datetime
    sent: int
    folded: int
    retried: int
    unknown: int
    failed: int
    sent_by_template: dict[str, int]


@flow(name="send-notices", flow_run_name=run_name)
async def send_notices(as_of: datetime | None = None) -> SendNoticesSummary:
    """Send what is owed as of an instant (UTC). A run with nothing to send leaves no artifact.

    Fails, visibly, when the mail provider refuses the installation; what was queued stays queued.
    """
    at = instant(as_of)
    drained = await drain(at)
    rows = [
        {"email": template, "sent": count} for template, count in sorted(drained.sent_by_template.items())
    ]
    rows += [
        {"email": outcome, "sent": count}
        for outcome, count in (("– folded into these", drained.folded), ("– to be tried again", drained.retried),
                               ("– outcome unknown", drained.unknown), ("– failed", drained.failed))
        if count
    ]  # fmt: skip
    if rows:
        await acreate_table_artifact(rows, "send-notices", f"Emails as of {at:%Y-%m-%d %H:%M} UTC")
    return SendNoticesSummary(
        at,
        drained.sent,
        drained.folded,
        drained.retried,
        drained.unknown,
        drained.failed,
        drained.sent_by_template,
    )


# Tried again only if the database did not open: which emails may be sent again, and when, is the outbox's to say.
@task(
    retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=nothing_done, cache_policy=NO_CACHE
)
async def drain(at: datetime) -> Drained:
    """Drain the outbox once."""

    def work() -> Drained:
        with installation() as (settings, database):
            return drain_outbox(database, settings, at)

    return await asyncio.to_thread(work)
