"""The stage table has one home, and it is strict."""

from dataclasses import dataclass

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from statemachine.exceptions import TransitionNotAllowed

from lifecycle import stages
from lifecycle.errors import NotAllowed
from lifecycle.stages import EVENTS, FINAL_STAGES, STAGES, TRANSITIONS, PartnershipLifecycle, next_stage

# Design, section 3, written out again: a change of the table must be made here on purpose, too.
DESIGN = {
    "need_definition": {"confirm_need": "starting", "decline": "declined", "withdraw": "withdrawn"},
    "starting": {"agree_to_partner": "setting_up", "decline": "declined", "withdraw": "withdrawn"},
    "setting_up": {"activate": "maintaining", "withdraw": "withdrawn"},
    "maintaining": {
        "begin_evaluation": "evaluating",
        "suspend": "suspended",
        "amend": "setting_up",
        "terminate": "terminated",
    },
    "evaluating": {
        "renew": "maintaining",
        "revise": "setting_up",
        "close": "closed",
        "suspend": "suspended",
        "terminate": "terminated",
    },
    "suspended": {"resume": "the stage it left", "terminate": "terminated"},
    "declined": {},
    "withdrawn": {},
    "closed": {},
    "terminated": {},
}


@dataclass
class Record:
    stage: str
    suspended_from: str | None = None


def by_machine(stage: str, event: str, suspended_from: str | None) -> str | None:
    record = Record(stage, suspended_from)
    try:
        PartnershipLifecycle(record).send(event)
    except TransitionNotAllowed:
        return None
    return record.stage


def by_table(stage: str, event: str, suspended_from: str | None) -> str | None:
    try:
        return next_stage(stage, event, suspended_from)
    except NotAllowed:
        return None


def test_the_table_is_the_designs() -> None:
    assert set(STAGES) == set(DESIGN)
    assert {stage for stage, events in DESIGN.items() if not events} == FINAL_STAGES
    for stage, events in DESIGN.items():
        assert set(stages.events_allowed(stage)) == set(events)
        for event, target in events.items():
            if event != "resume":
                assert TRANSITIONS[stage, event] == (target,)
    assert TRANSITIONS["suspended", "resume"] == ("maintaining", "evaluating")


@pytest.mark.parametrize("suspended_from", [None, "maintaining", "evaluating"])
@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("event", EVENTS)
def test_machine_and_derived_table_agree(stage: str, event: str, suspended_from: str | None) -> None:
    assert by_machine(stage, event, suspended_from) == by_table(stage, event, suspended_from)


def test_an_event_that_is_not_allowed_says_which_are() -> None:
    with pytest.raises(NotAllowed, match="confirm_need, decline, withdraw"):
        next_stage("need_definition", "renew")
    with pytest.raises(NotAllowed, match="final"):
        next_stage("closed", "renew")
    with pytest.raises(NotAllowed, match="no event “frobnicate”"):
        next_stage("maintaining", "frobnicate")


def test_an_unknown_stored_stage_is_refused_in_words() -> None:
    with pytest.raises(NotAllowed, match="init-db"):
        PartnershipLifecycle(Record("limbo"))


def test_an_error_in_a_callback_stops_the_transition() -> None:
    class Failing(PartnershipLifecycle):
        def on_confirm_need(self) -> None:
            raise RuntimeError("the effects could not be written")

    record = Record("need_definition")
    machine = Failing(record)
    with pytest.raises(RuntimeError):
        machine.send("confirm_need")
    assert record.stage == "need_definition"


def test_binding_to_a_record_changes_nothing() -> None:
    record = Record("suspended", "evaluating")
    PartnershipLifecycle(record)
    assert record == Record("suspended", "evaluating")


class AnyHistory(RuleBasedStateMachine):
    """Whatever events come in whatever order, only stages of the table are reached, and final ones are final."""

    def __init__(self) -> None:
        super().__init__()
        self.record = Record("need_definition")
        self.machine = PartnershipLifecycle(self.record)

    @rule(event=st.sampled_from(EVENTS))
    def send(self, event: str) -> None:
        before, left = self.record.stage, self.record.suspended_from
        expected = by_table(before, event, left)
        try:
            self.machine.send(event)
        except TransitionNotAllowed:
            assert expected is None
            assert self.record.stage == before
        else:
            assert self.record.stage == expected
            if event == "suspend":
                self.record.suspended_from = before

    @invariant()
    def stage_is_known(self) -> None:
        assert self.record.stage in STAGES


TestAnyHistory = AnyHistory.TestCase
