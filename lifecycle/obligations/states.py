"""The performance's state machine: from due to settled, with the words of the design. Strict, one home."""

from statemachine import State, StateMachine

from lifecycle import machines


class PerformanceStates(StateMachine):
    """One due instance of an obligation. Source: domain reference, section 3; design, section 2."""

    due = State(initial=True)
    overdue = State()
    reported = State()
    disputed = State()
    settled = State()
    restored = State(final=True)
    waived = State(final=True)
    withheld = State(final=True)
    superseded = State(final=True)

    fall_overdue = due.to(overdue)
    report = due.to(reported) | overdue.to(reported) | reported.to(reported)
    accept = reported.to(settled)
    accept_by_silence = reported.to(settled)
    dispute = reported.to(disputed)
    dispute_by_silence = reported.to(disputed)
    decide = disputed.to(settled)
    leave_undetermined = disputed.to(settled)
    restore = settled.to(restored)
    waive = due.to(waived) | overdue.to(waived) | reported.to(waived) | disputed.to(waived)
    withhold = due.to(withheld) | overdue.to(withheld)
    supersede = due.to(superseded)


TRANSITIONS = machines.table_of(PerformanceStates)
STATES: tuple[str, ...] = tuple(state.id for state in PerformanceStates.states)
OPEN = frozenset({"due", "overdue", "reported", "disputed"})
"""States in which something is still waited for."""

OUTCOMES = ("kept", "partly_kept", "not_kept", "cannot_tell")
"""What a report or a decision says of a performance. `cannot_tell` is a defect of the terms, not of the partner."""

BREACHES = frozenset({"partly_kept", "not_kept"})
