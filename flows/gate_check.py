"""`gate-check`: decide the transitions that were asked for. Deployed for each request, and every minute for any left over."""

from dataclasses import dataclass
from datetime import datetime

from prefect import flow, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE

from flows.runtime import RETRIES, RETRY_DELAYS, instant, may_pass, on_database
from lifecycle.db import Database
from lifecycle.gates.report import as_markdown
from lifecycle.partnerships import service
from lifecycle.partnerships.service import Decision


@dataclass(frozen=True)
class GateCheckSummary:
    """What one run decided; `decisions` maps a request's id to `taken` or `refused`."""

    as_of: datetime
    taken: int
    refused: int
    decisions: dict[str, str]


@flow(name="gate-check", log_prints=False)
async def gate_check(
    as_of: datetime | None = None,
    transition_id: str | None = None,
    partnership_id: str | None = None,
    event: str | None = None,
    requested_by: str | None = None,
    reason: str | None = None,
) -> GateCheckSummary:
    """Check gates and take or refuse transitions.

    Args:
        as_of: the instant to decide at (UTC); now if absent.
        transition_id: a kept request to decide.
        partnership_id: with `event` and `requested_by`: ask for this transition and decide it at once.
        event: see `partnership_id`.
        requested_by: the contact who asks.
        reason: why, where the gate needs one.

    With neither, every request that nobody has decided yet is decided: what was asked for while Prefect was down.
    A refused gate is a decision, not a failed run.
    """
    at = instant(as_of)
    if partnership_id and event and requested_by:
        asked = await ask(at, partnership_id, event, requested_by, reason)
        decisions = [await decide(at, asked)]
    elif transition_id:
        decisions = [await decide(at, transition_id)]
    else:
        decisions = await decide_pending(at)
    for decision in decisions:
        if decision.report is not None:
            await acreate_markdown_artifact(
                as_markdown(decision.report),
                f"gate-{decision.request_id}",
                f"{decision.event}: {decision.state}",
            )
    states = {decision.request_id: decision.state for decision in decisions}
    taken = sum(state == "taken" for state in states.values())
    return GateCheckSummary(at, taken, len(states) - taken, dict(states))


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def ask(at: datetime, partnership_id: str, event: str, requested_by: str, reason: str | None) -> str:
    """Keep a request; returns its id."""
    return await on_database(
        lambda database: service.request_transition(database, partnership_id, event, requested_by, at, reason)
    )


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def decide(at: datetime, transition_id: str) -> Decision:
    """Decide one kept request."""
    return await on_database(lambda database: service.decide(database, transition_id, at))


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def decide_pending(at: datetime) -> list[Decision]:
    """Decide every request that is still pending, oldest first."""

    def work(database: Database) -> list[Decision]:
        return [service.decide(database, request_id, at) for request_id in service.pending_requests(database)]

    return await on_database(work)
