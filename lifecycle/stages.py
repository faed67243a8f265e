"""The stage table's one home: the partnership's state machine, and the tables derived from it.

The class is how the table is written. `TRANSITIONS` is read off it once, at import, so that a request or a bulk
sweep decides without building a machine (0.4 ms each); a test holds the two together for every stage and event.
"""

from dataclasses import dataclass
from typing import Protocol

from statemachine import State, StateMachine

from lifecycle import machines
from lifecycle.errors import NotAllowed


class HasStage(Protocol):
    """What the machine is bound to: the persisted partnership's stage and the stage a suspension left."""

    stage: str
    suspended_from: str | None


class PartnershipLifecycle(StateMachine):
    """The lifecycle of one partnership, bound to its record: `PartnershipLifecycle(partnership)`.

    Strict (`StateMachine`, not `StateChart`): an event that the stage does not allow raises `TransitionNotAllowed`,
    and an error in a callback leaves the stage as it was. Source: the four-step guide; design, section 3.
    """

    need_definition = State(initial=True)
    starting = State()
    setting_up = State()
    maintaining = State()
    evaluating = State()
    suspended = State()
    declined = State(final=True)
    withdrawn = State(final=True)
    closed = State(final=True)
    terminated = State(final=True)

    confirm_need = need_definition.to(starting)
    agree_to_partner = starting.to(setting_up)
    activate = setting_up.to(maintaining)
    begin_evaluation = maintaining.to(evaluating)
    renew = evaluating.to(maintaining)
    revise = evaluating.to(setting_up)
    close = evaluating.to(closed)
    suspend = maintaining.to(suspended) | evaluating.to(suspended)
    resume = suspended.to(maintaining, cond="left_maintaining") | suspended.to(
        evaluating, cond="left_evaluating"
    )
    amend = maintaining.to(setting_up)
    decline = need_definition.to(declined) | starting.to(declined)
    withdraw = need_definition.to(withdrawn) | starting.to(withdrawn) | setting_up.to(withdrawn)
    terminate = maintaining.to(terminated) | evaluating.to(terminated) | suspended.to(terminated)

    def __init__(self, partnership: HasStage) -> None:
        """Bind to a partnership; its `stage` is read at once and written by each transition."""
        if partnership.stage not in STAGES:
            raise NotAllowed(
                f"“{partnership.stage}” is not a stage of this version of the engine.",
                mend="Run `lifecycle init-db` to bring the database to this version.",
            )
        super().__init__(partnership, state_field="stage")

    def left_maintaining(self) -> bool:
        """Whether a suspension interrupted maintaining."""
        return bool(self.model.suspended_from == "maintaining")

    def left_evaluating(self) -> bool:
        """Whether a suspension interrupted evaluating."""
        return bool(self.model.suspended_from == "evaluating")


STEPS = {
    "need_definition": "1 Defining the need",
    "starting": "2 Starting the process",
    "setting_up": "3 Setting up",
    "maintaining": "3 Maintaining",
    "evaluating": "4 Evaluation and monitoring",
}
"""The guide's step that each stage belongs to."""


STAGES: tuple[str, ...] = tuple(state.id for state in PartnershipLifecycle.states)
FINAL_STAGES = machines.final_states(PartnershipLifecycle)
TRANSITIONS = machines.table_of(PartnershipLifecycle)
EVENTS: tuple[str, ...] = tuple(dict.fromkeys(event for _, event in TRANSITIONS))


def events_allowed(stage: str) -> tuple[str, ...]:
    """The events that leave this stage, in the table's order; empty for a final stage."""
    return tuple(event for (source, event) in TRANSITIONS if source == stage)


def next_stage(stage: str, event: str, suspended_from: str | None = None) -> str:
    """The stage that the event leads to; `resume` returns to `suspended_from`.

    Raises:
        NotAllowed: the stage has no such event; the message says which it has.
    """
    targets = TRANSITIONS.get((stage, event), ())
    if len(targets) == 1:
        return targets[0]
    if suspended_from in targets:
        return str(suspended_from)
    allowed = events_allowed(stage)
    known = f"“{event}” is not possible" if event in EVENTS else f"There is no event “{event[:40]}”"
    raise NotAllowed(
        f"{known} while the partnership is in stage “{stage}”.",
        mend=f"Possible now: {', '.join(allowed)}."
        if allowed
        else "This stage is final: the record is read-only.",
    )


@dataclass(frozen=True)
class Arrow:
    """One arrow of the stage diagram."""

    source: str
    event: str
    target: str


ARROWS = tuple(
    Arrow(source, event, target) for (source, event), targets in TRANSITIONS.items() for target in targets
)
