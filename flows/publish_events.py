"""`publish-events`: tell subscribers, and Prefect itself, what happened to partnerships."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import NAMESPACE_URL, uuid5

from prefect import flow, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.events import Event
from prefect.settings import PREFECT_API_URL

from flows.runtime import RETRIES, RETRY_DELAYS, installation, instant, nothing_done, run_name
from lifecycle.subscriptions.delivery import Delivered, deliver
from lifecycle.subscriptions.service import to_prefect
from lifecycle.subscriptions.words import Message


@dataclass(frozen=True)
class PublishEventsSummary:
    """How many events were accepted, passed over (nobody wanted them) and not accepted; which streams were parked, and
    how many subscriptions were disabled."""

    as_of: datetime
    delivered: int
    passed_over: int
    failed: int
    parked: int
    disabled: int
    delivered_by_type: dict[str, int]


@flow(name="publish-events", flow_run_name=run_name)
async def publish_events(as_of: datetime | None = None) -> PublishEventsSummary:
    """Deliver the events that are due as of an instant (UTC). A run with nothing to deliver leaves no artifact.

    Where the run reports to a server, every event becomes one of that server's events too, for automations. What a
    receiver does not accept is tried again later and fails no run.
    """
    at = instant(as_of)
    done = await publish(at)
    rows = [{"event": kind, "count": count} for kind, count in sorted(done.by_type.items())]
    rows += [
        {"event": outcome, "count": count}
        for outcome, count in (("– not accepted", done.failed), ("– streams parked", done.parked),
                               ("– subscriptions disabled", done.disabled))
        if count
    ]  # fmt: skip
    if rows:
        await acreate_table_artifact(rows, "publish-events", f"Events as of {at:%Y-%m-%d %H:%M} UTC")
    return PublishEventsSummary(
        at, done.delivered, done.passed_over, done.failed, done.parked, done.disabled, dict(done.by_type)
    )


# Tried again only if the database did not open: which events are sent again, and when, is the streams' to say.
@task(
    retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=nothing_done, cache_policy=NO_CACHE
)
async def publish(at: datetime) -> Delivered:
    """Deliver once."""

    def work() -> Delivered:
        with installation() as (settings, database):
            if not PREFECT_API_URL.value():
                return deliver(database, settings, at)
            to_prefect(database, at)
            with get_client(sync_client=True) as client:
                return deliver(database, settings, at, partial(emit, client))

    return await asyncio.to_thread(work)


def emit(server: SyncPrefectClient, message: Message) -> None:
    """Hand a message to the server; it keeps one event for an id, however often it gets it.

    Not by Prefect's own `emit_event`, which returns before the server has the event, and tells nobody if it never gets it.
    """
    event = Event.model_validate(
        {
            "event": message.type,
            "resource": {
                "prefect.resource.id": f"partnership.{message.data['partnership_id']}",
                "prefect.resource.name": message.title,
            },
            "occurred": message.at,
            "payload": dict(message.data),
            "id": uuid5(NAMESPACE_URL, message.id),
        }
    )
    server.request("POST", "/events", json=[event.model_dump(mode="json")])
