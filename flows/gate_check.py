"""`gate-check`: decide the transitions that were asked for. Deployed for each request, and every minute for any left over."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from prefect import flow, task
from prefect.artifacts import acreate_markdown_artifact
from prefect.cache_policies import NO_CACHE
from prefect.runtime import flow_run
from sqlalchemy.exc import InterfaceError, OperationalError

from flows.runtime import RETRIES, RETRY_DELAYS, instant, may_pass, on_database, run_name
from lifecycle.db import Database
from lifecycle.errors import LifecycleError, Unavailable, Usage
from lifecycle.gates.report import as_markdown
from lifecycle.partnerships import service
from lifecycle.partnerships.service import Decision

REPORTS_SHOWN = 20
"""Gate reports in the artifact of one run; of more decisions, each still has its line."""


@dataclass(frozen=True)
class GateCheckSummary:
    """What one run decided; `decisions` maps a request's id to `taken` or `refused`."""

    as_of: datetime
    taken: int
    refused: int
    decisions: dict[str, str]


@dataclass
class Swept:
    """The pending requests that were decided, and why others could not be."""

    decided: list[Decision] = field(default_factory=list)
    undecided: dict[str, str] = field(default_factory=dict)


@flow(name="gate-check", flow_run_name=run_name)
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
    A refused gate is a decision, not a failed run; a request that cannot be decided fails the run, after the others.
    """
    at, swept = instant(as_of), Swept()
    asked = (partnership_id, event, requested_by)
    if transition_id and not any(asked):
        swept.decided.append(await decide(at, transition_id))
    elif not transition_id and partnership_id and event and requested_by:
        # Named after the run: a step or a run that is repeated asks no second time.
        key = f"flow-run/{flow_run.id}"
        swept.decided.append(await ask(at, partnership_id, event, requested_by, reason, key))
    elif not transition_id and not any(asked):
        swept = await decide_pending(at)
    else:
        raise Usage(
            "gate-check was given parts of a request.",
            mend="Give transition_id, or partnership_id with event and requested_by, or none of them.",
        )
    if swept.decided:
        await acreate_markdown_artifact(
            _page(swept.decided), _key(swept.decided), "What was decided, and why"
        )
    if swept.undecided:
        first, why = next(iter(swept.undecided.items()))
        raise Unavailable(
            f"{len(swept.undecided)} requests could not be decided and stay pending. The first, {first}: {why}"
        )
    states = {decision.request_id: str(decision.state) for decision in swept.decided}
    taken = sum(state == "taken" for state in states.values())
    return GateCheckSummary(at, taken, len(states) - taken, states)


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def decide(at: datetime, transition_id: str) -> Decision:
    """Decide one kept request."""
    return await on_database(lambda database: service.decide(database, transition_id, at))


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def ask(
    at: datetime, partnership_id: str, event: str, requested_by: str, reason: str | None, key: str
) -> Decision:
    """Ask for a transition and have it decided in the same transaction."""
    return await on_database(
        lambda database: service.transition(database, partnership_id, event, requested_by, at, reason, key)
    )


@task(retries=RETRIES, retry_delay_seconds=RETRY_DELAYS, retry_condition_fn=may_pass, cache_policy=NO_CACHE)
async def decide_pending(at: datetime) -> Swept:
    """Decide every request that is still pending, oldest first."""
    return await on_database(lambda database: _sweep(database, at))


def _sweep(database: Database, at: datetime) -> Swept:
    """One that cannot be decided (a clock went backwards) holds up no other."""
    swept = Swept()
    for request_id in service.pending_requests(database):
        try:
            swept.decided.append(service.decide(database, request_id, at))
        except (OperationalError, InterfaceError):
            raise
        except LifecycleError as error:
            swept.undecided[request_id] = str(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told at the end and holds up no other
            swept.undecided[request_id] = type(error).__name__
    return swept


def _key(decisions: Sequence[Decision]) -> str:
    """One decision is filed under its partnership: its page in the UI is then the history of its gates."""
    return f"gate-report-{decisions[0].partnership_id}" if len(decisions) == 1 else "gate-check"


def _page(decisions: Sequence[Decision]) -> str:
    """A line for each decision, then the gate reports, refusals first."""
    lines = ["| partnership | event | decision | stage |", "|---|---|---|---|"]
    lines += [f"| {one.partnership_id} | {one.event} | {one.state} | {one.stage} |" for one in decisions]
    refused_first = sorted(decisions, key=lambda one: one.state == "taken")
    pages = [_report(one) for one in refused_first[:REPORTS_SHOWN]]
    return "\n\n".join(["\n".join(lines), *pages])


def _report(decision: Decision) -> str:
    if decision.report is None:
        return f"## {decision.event} of {decision.partnership_id}\n\n{decision.detail}"
    return as_markdown(decision.report)
