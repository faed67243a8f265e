"""Reading a state machine's table off its class, so that a request is decided without building a machine."""

from typing import Any

from statemachine import StateMachine

from lifecycle.errors import NotAllowed

Table = dict[tuple[str, str], tuple[str, ...]]
"""(state, event) → the states that it may lead to."""


def table_of(machine: type[StateMachine]) -> Table:
    """Every transition of a machine, in the order in which it is written."""
    table: Table = {}
    for state in _states(machine):
        for transition in state.transitions:
            key = (state.id, transition.event)
            table[key] = (*table.get(key, ()), transition.target.id)
    return table


def final_states(machine: type[StateMachine]) -> frozenset[str]:
    """The states that nothing leaves."""
    return frozenset(state.id for state in _states(machine) if state.final)


def next_state(table: Table, state: str, event: str, what: str) -> str:
    """Where an event leads from a state, in a table without conditions.

    Args:
        what: names the thing in the error, such as `Performance breakfast/3`.

    Raises:
        NotAllowed: the state has no such event; the message says which it has.
    """
    targets = table.get((state, event))
    if targets is None:
        allowed = [name.replace("_", " ") for (source, name) in table if source == state]
        raise NotAllowed(
            f"{what} is {state.replace('_', ' ')}: it cannot “{event.replace('_', ' ')}”.",
            mend=f"Possible now: {', '.join(allowed)}." if allowed else "Nothing more can be done with it.",
        )
    return targets[0]


def _states(machine: type[StateMachine]) -> list[Any]:
    return list(machine.states)
