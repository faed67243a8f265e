"""The complaint's state machine: from lodged to closed, with the words of the design. Strict, one home."""

from statemachine import State, StateMachine

from lifecycle import machines


class ComplaintStates(StateMachine):
    """One complaint. At which level it stands is told beside its state. Source: domain reference, section 3."""

    lodged = State(initial=True)
    acknowledged = State()
    answered = State()
    escalated = State()
    resolved = State()
    remedy_agreed = State()
    remedied = State()
    closed = State(final=True)
    withdrawn = State(final=True)
    unfounded = State(final=True)

    acknowledge = lodged.to(acknowledged) | escalated.to(acknowledged)
    answer = lodged.to(answered) | acknowledged.to(answered) | escalated.to(answered)
    escalate = (
        lodged.to(escalated)
        | acknowledged.to(escalated)
        | answered.to(escalated)
        | escalated.to(escalated)
        | resolved.to(escalated)
        | remedy_agreed.to(escalated)
    )
    resolve = lodged.to(resolved) | acknowledged.to(resolved) | answered.to(resolved) | escalated.to(resolved)
    agree_remedy = (
        lodged.to(remedy_agreed)
        | acknowledged.to(remedy_agreed)
        | answered.to(remedy_agreed)
        | escalated.to(remedy_agreed)
    )
    dismiss = (
        lodged.to(unfounded) | acknowledged.to(unfounded) | answered.to(unfounded) | escalated.to(unfounded)
    )
    carry_out = remedy_agreed.to(remedied)
    close = resolved.to(closed) | remedied.to(closed)
    withdraw = (
        lodged.to(withdrawn)
        | acknowledged.to(withdrawn)
        | answered.to(withdrawn)
        | escalated.to(withdrawn)
        | resolved.to(withdrawn)
        | remedy_agreed.to(withdrawn)
    )


TRANSITIONS = machines.table_of(ComplaintStates)
STATES: tuple[str, ...] = tuple(state.id for state in ComplaintStates.states)
CLOSED = machines.final_states(ComplaintStates)

IN_DISCUSSION = frozenset({"lodged", "acknowledged", "answered", "escalated"})
"""States in which the sides, at their level, have still to agree how the complaint ends."""

UPHELD = frozenset({"remedy_agreed", "remedied"})
"""States in which a remedy has been agreed or decided."""

SETTLEMENTS = {"remedy": "agree_remedy", "explained": "resolve", "unfounded": "dismiss"}
"""How a complaint can be settled, by agreement or by decision → the event that it brings about."""
