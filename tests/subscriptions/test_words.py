"""What others are told is complete, stable and free of what must not leave."""

import ast
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lifecycle import stages
from lifecycle.audit import rules as audit
from lifecycle.subscriptions import words

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)


def test_every_event_of_the_stage_table_has_a_public_type_of_its_own() -> None:
    assert set(words.TRANSITIONS) == set(stages.EVENTS)
    assert len(set(words.TYPES)) == len(words.TYPES)


def test_every_type_that_the_engine_writes_into_a_trail_is_known() -> None:
    written = {
        kind.value
        for path in Path("lifecycle").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        for position in [{"log": 0, "chain": 3}.get(node.func.attr, 99)]
        for kind in node.args[position : position + 1]
        if isinstance(kind, ast.Constant) and isinstance(kind.value, str)
    }
    others = set(words.TYPES) - set(words.TRANSITIONS.values())
    assert {words.public_type(kind, {}) for kind in written - {words.STAGE_CHANGED}} == others
    assert words.REGISTERED in others
    assert words.STAGE_CHANGED in written


def test_a_message_says_what_the_trail_says() -> None:
    payload = audit.canonical({"event": "activate", "source": "setting_up", "target": "maintaining"})
    event = audit.chain("harbour", 7, AT, "stage_changed", "city-sponsor", payload, audit.GENESIS)
    message = words.message_of(event, "Harbour Falls Prevention")
    assert json.loads(message.body()) == {
        "type": "partnership.activated",
        "timestamp": "2026-03-02T09:00:00.000000Z",
        "data": {
            "partnership_id": "harbour",
            "seq": 7,
            "actor": "city-sponsor",
            "payload": {"event": "activate", "source": "setting_up", "target": "maintaining"},
            "hash": event.hash,
        },
    }
    assert message.id == words.message_id("harbour", 7)


def test_a_request_is_not_taken_for_what_triggers_its_decision() -> None:
    assert (
        words.public_type("transition_requested", {"event": "activate"}) == "partnership.transition_requested"
    )
    assert "partnership.transition.requested" not in words.TYPES


def test_ids_of_messages_do_not_collide_where_names_run_into_numbers() -> None:
    assert len({words.message_id(*one) for one in (("a", 11), ("a1", 1), ("a:1", 1), ("a", 1))}) == 4


@pytest.mark.parametrize(("attempts", "minutes"), [(1, 1), (2, 2), (3, 4), (7, 64), (8, 120), (500, 120)])
def test_waiting_doubles_up_to_two_hours(attempts: int, minutes: int) -> None:
    assert words.backoff(attempts) == timedelta(minutes=minutes)
