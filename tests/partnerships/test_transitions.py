"""Transitions through the one service: together or not at all, once, and told to everybody (promises 0, 1, 2, 8)."""

import threading
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update

from lifecycle import stages
from lifecycle.audit.models import audit_event
from lifecycle.audit.queries import verify_all
from lifecycle.db import Database
from lifecycle.errors import Conflict, Invalid, NotAllowed, NotFound, Unavailable
from lifecycle.notices.models import notice
from lifecycle.partnerships import changes, effects, service
from lifecycle.partnerships.models import contact, partnership, transition_request, waiver
from lifecycle.timers import ladders
from lifecycle.timers.models import timer
from tests.builders import contents, count, registered, reviewed

REASON = "The city's budget is frozen until April."


def stage(database: Database, partnership_id: str = "harbour") -> str:
    with database.read() as connection:
        return changes.find(connection, partnership_id).stage


def test_a_taken_transition_is_one_version_with_its_event_and_its_notices(
    database: Database, now: datetime
) -> None:
    registered(database, now, stage="maintaining")
    decision = service.transition(database, "harbour", "suspend", "city-primary", now, REASON)
    assert (decision.state, decision.stage) == ("taken", "suspended")
    with database.read() as connection:
        record = changes.find(connection, "harbour")
        told = connection.execute(select(notice.c.contact_id, notice.c.template)).all()
    assert (record.version, record.suspended_from) == (2, "maintaining")
    assert sorted(map(tuple, told)) == [
        ("city-primary", "stage_changed"),
        ("clinic-primary", "stage_changed"),
    ]


@pytest.mark.parametrize("left", ["maintaining", "evaluating"])
def test_resuming_returns_to_the_stage_that_was_left(database: Database, now: datetime, left: str) -> None:
    registered(database, now, stage=left)
    service.transition(database, "harbour", "suspend", "city-primary", now, REASON)
    service.transition(database, "harbour", "resume", "clinic-primary", now, "The budget was released.")
    assert stage(database) == left


def test_nothing_is_half_done_when_an_effect_fails(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stage, events, clocks and notices are one transaction: a failure at any of them leaves none of them."""
    registered(database, now, stage="maintaining")
    reviewed(database, "harbour", now)
    before = contents(database)

    def fail(*_: Any) -> None:
        raise RuntimeError("power cut")

    for module, name in ((effects, "follow"), (service, "_announcements"), (changes, "_notice_rows")):
        with monkeypatch.context() as patch:
            patch.setattr(module, name, fail)
            with pytest.raises(RuntimeError):
                service.transition(database, "harbour", "suspend", "city-primary", now, REASON)
        assert contents(database) == before
    with monkeypatch.context() as patch:
        patch.setattr(changes.timers, "arm", fail)
        with pytest.raises(RuntimeError):
            service.transition(database, "harbour", "suspend", "city-primary", now, REASON)
    assert contents(database) == before


def test_a_refusal_is_a_decision_with_its_report_and_moves_nothing(database: Database, now: datetime) -> None:
    registered(database, now)
    decision = service.transition(database, "harbour", "confirm_need", "clinic-primary", now)
    assert (decision.state, decision.stage) == ("refused", "need_definition")
    assert decision.report is not None
    assert not decision.report["open"]
    assert all(finding["to_do"] for finding in decision.report["findings"] if finding["blocks"])
    assert stage(database) == "need_definition"
    with database.read() as connection:
        told = connection.execute(select(notice.c.contact_id, notice.c.template)).all()
    assert [tuple(row) for row in told] == [("clinic-primary", "gate_refused")]


def test_a_dry_run_changes_nothing(database: Database, now: datetime) -> None:
    registered(database, now)
    before = contents(database)
    report = service.check(database, "harbour", "confirm_need", now)
    assert not report.open
    assert contents(database) == before


def test_the_same_idempotency_key_takes_effect_once(database: Database, now: datetime) -> None:
    registered(database, now, stage="maintaining")
    ask = ("harbour", "suspend", "city-primary", now, REASON, "key-1")
    first = service.transition(database, *ask)
    before = contents(database)
    assert service.transition(database, *ask) == first
    assert contents(database) == before
    with pytest.raises(Conflict, match="another request"):
        service.transition(database, "harbour", "suspend", "city-primary", now, "Another reason.", "key-1")
    assert contents(database) == before


def test_a_retry_with_its_key_is_answered_whatever_has_changed_since(
    database: Database, now: datetime
) -> None:
    registered(database, now, stage="maintaining")
    ask = ("harbour", "suspend", "city-primary")
    first = service.transition(database, *ask, now, REASON, "key-1", 1)
    earlier = now - timedelta(hours=1)
    assert service.transition(database, *ask, earlier, REASON, "key-1", 1) == first
    assert service.request_transition(database, *ask, earlier, REASON, "key-1", 1) == first.request_id


@pytest.mark.parametrize("long", [{"reason": "x" * 2001}, {"reason": REASON, "idempotency_key": "k" * 201}])
def test_what_is_too_long_to_be_kept_is_refused_on_both_databases(
    database: Database, now: datetime, long: dict[str, str]
) -> None:
    registered(database, now, stage="maintaining")
    before = contents(database)
    for ask in (service.transition, service.request_transition):
        with pytest.raises(Invalid, match="maxLength"):
            ask(database, "harbour", "suspend", "city-primary", now, **long)
    assert contents(database) == before


def test_opening_the_terms_again_stops_the_call_to_evaluate_the_old_ones(
    database: Database, now: datetime
) -> None:
    registered(database, now, stage="maintaining")
    with database.write() as connection:
        change = changes.begin(connection, "harbour", now)
        change.arm("evaluation_due", "2026-12-31", now + timedelta(days=300), ladders.evaluation_due(90))
        changes.write(connection, change)
    service.transition(database, "harbour", "amend", "city-primary", now, "The wards have moved.")
    assert count(database, timer, timer.c.done_at.is_(None), timer.c.matter == "evaluation_due") == 0


def test_a_waiver_given_twice_at_one_instant_is_one(database: Database, now: datetime) -> None:
    registered(database, now)
    for _ in range(2):
        service.waive(database, "harbour", "confirm_need", "N7", "clinic-sponsor", "We have none.", now)
    assert count(database, waiver) == 1


def test_one_request_decided_by_many_at_once_takes_effect_once(database: Database, now: datetime) -> None:
    registered(database, now, stage="maintaining")
    request_id = service.request_transition(database, "harbour", "suspend", "city-primary", now, REASON)
    decisions = _at_once(4, lambda: service.decide(database, request_id, now))
    assert {(decision.state, decision.stage) for decision in decisions} == {("taken", "suspended")}
    assert count(database, audit_event, audit_event.c.type == "stage_changed") == 1
    assert count(database, notice, notice.c.template == "stage_changed") == 2


def test_of_two_rival_requests_one_wins(database: Database, now: datetime) -> None:
    registered(database, now, stage="suspended")
    with database.write() as connection:
        connection.execute(update(partnership).values(suspended_from="maintaining"))

    def resume() -> Any:
        try:
            return service.transition(database, "harbour", "resume", "city-primary", now, REASON).state
        except NotAllowed:
            return "not allowed"

    assert sorted(_at_once(3, resume)) == ["not allowed", "not allowed", "taken"]
    with database.read() as connection:
        assert verify_all(connection) == []


def test_a_stale_version_is_a_conflict(database: Database, now: datetime) -> None:
    registered(database, now, stage="maintaining")
    service.transition(database, "harbour", "suspend", "city-primary", now, REASON, expected_version=1)
    before = contents(database)
    with pytest.raises(Conflict, match="version 2, not 1"):
        service.transition(database, "harbour", "resume", "city-primary", now, REASON, expected_version=1)
    assert contents(database) == before


def test_a_kept_request_is_decided_later(database: Database, now: datetime) -> None:
    """Prefect was down: the request waited, and is decided when the flow runs again."""
    registered(database, now, stage="maintaining")
    request_id = service.request_transition(database, "harbour", "suspend", "city-primary", now, REASON)
    assert stage(database) == "maintaining"
    assert service.pending_requests(database) == [request_id]
    later = now + timedelta(days=7)
    assert service.decide(database, request_id, later).state == "taken"
    assert service.pending_requests(database) == []


def test_a_kept_request_that_the_stage_no_longer_allows_is_refused_in_words(
    database: Database, now: datetime
) -> None:
    registered(database, now, stage="maintaining")
    request_id = service.request_transition(database, "harbour", "suspend", "city-primary", now, REASON)
    service.transition(database, "harbour", "suspend", "clinic-primary", now, REASON)
    decision = service.decide(database, request_id, now)
    assert decision.state == "refused"
    assert "Possible now: resume, terminate" in str(decision.detail)


def test_bad_requests_are_refused_and_change_nothing(database: Database, now: datetime) -> None:
    registered(database, now)
    before = contents(database)
    ask = service.request_transition
    with pytest.raises(NotFound, match="no partnership"):
        ask(database, "nowhere", "confirm_need", "clinic-primary", now)
    with pytest.raises(NotAllowed, match="confirm_need, decline, withdraw"):
        ask(database, "harbour", "renew", "clinic-primary", now)
    with pytest.raises(NotFound, match="not a contact"):
        ask(database, "harbour", "confirm_need", "stranger", now)
    with pytest.raises(NotFound):
        service.decide(database, "no-such-request", now)
    assert contents(database) == before


def test_a_clock_that_goes_backwards_is_refused(database: Database, now: datetime) -> None:
    registered(database, now, stage="maintaining")
    before = contents(database)
    with pytest.raises(Unavailable, match="clock went backwards"):
        service.transition(database, "harbour", "suspend", "city-primary", now - timedelta(hours=1), REASON)
    assert contents(database) == before


def test_a_small_skew_between_two_machines_is_not_refused(database: Database, now: datetime) -> None:
    registered(database, now, stage="maintaining")
    service.transition(database, "harbour", "suspend", "city-primary", now - timedelta(minutes=2), REASON)
    with database.read() as connection:
        assert changes.find(connection, "harbour").audit_at == now


def test_an_observer_cannot_ask_on_its_partners_behalf(database: Database, now: datetime) -> None:
    registered(database, now, stage="maintaining")
    with database.write() as connection:
        connection.execute(update(contact).where(contact.c.id == "city-deputy").values(role="observer"))
    with pytest.raises(NotAllowed, match="city-primary or city-sponsor"):
        service.transition(database, "harbour", "suspend", "city-deputy", now, REASON)


def test_suspension_stops_every_clock_and_resuming_gives_the_time_back(
    database: Database, now: datetime
) -> None:
    registered(database, now, stage="maintaining")
    reviewed(database, "harbour", now, first_on="2026-03-30")
    service.transition(database, "harbour", "suspend", "city-primary", now, REASON)
    assert count(database, timer, timer.c.due_at.is_not(None), timer.c.done_at.is_(None)) == 0
    service.transition(database, "harbour", "resume", "city-primary", now + timedelta(days=3), REASON)
    assert count(database, timer, timer.c.due_at.is_not(None), timer.c.done_at.is_(None)) == 1


def test_a_final_stage_stops_every_clock(database: Database, now: datetime) -> None:
    registered(database, now, stage="setting_up")
    reviewed(database, "harbour", now)
    service.transition(database, "harbour", "withdraw", "city-primary", now, REASON)
    assert count(database, timer, timer.c.done_at.is_(None)) == 0
    with pytest.raises(NotAllowed, match="final"):
        service.transition(database, "harbour", "withdraw", "city-primary", now, REASON)


def test_every_partner_has_the_same_powers(database: Database, now: datetime) -> None:
    """The host is just a party: who asks makes no difference to what happens (promise 0)."""
    outcomes = []
    for number, asker in enumerate(("clinic-primary", "city-primary")):
        id_ = registered(database, now, id_=f"p{number}", stage="maintaining", proposed_by="clinic")
        for event, reason in (("suspend", REASON), ("resume", REASON), ("suspend", None)):
            decision = service.transition(database, id_, event, asker, now, reason)
            codes = [(f["code"], f["outcome"]) for f in (decision.report or {})["findings"]]
            outcomes.append((number, event, decision.state, decision.stage, codes))
    assert [o[1:] for o in outcomes if o[0] == 0] == [o[1:] for o in outcomes if o[0] == 1]


@settings(max_examples=25)
@given(events=st.lists(st.tuples(st.sampled_from(stages.EVENTS), st.booleans()), max_size=12))
def test_no_history_leaves_the_table_or_breaks_the_trail(
    sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory, events: list[tuple[str, bool]]
) -> None:
    path = tmp_path_factory.mktemp("history") / "h.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    at = datetime.fromisoformat("2026-03-02T09:00:00+00:00")
    registered(database, at, stage="maintaining")
    for event, with_reason in events:
        at += timedelta(hours=1)
        before = stage(database)
        try:
            decision = service.transition(
                database, "harbour", event, "city-primary", at, REASON if with_reason else None
            )
        except NotAllowed:
            assert stage(database) == before
        else:
            moved = decision.stage if decision.state == "taken" else before
            assert stage(database) == moved
            assert decision.state == "refused" or moved in stages.TRANSITIONS[before, event]
    with database.read() as connection:
        assert verify_all(connection) == []
        events_kept = connection.execute(select(audit_event.c.seq)).all()
        assert changes.find(connection, "harbour").audit_seq == len(events_kept)
    database.close()


def _at_once(workers: int, work: Any) -> list[Any]:
    results: list[Any] = []
    gate = threading.Barrier(workers)

    def run() -> None:
        gate.wait()
        results.append(work())

    threads = [threading.Thread(target=run) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(results) == workers
    return results


def test_requests_are_kept_whole(database: Database, now: datetime) -> None:
    """The gate report is stored whole, with the decision it led to."""
    registered(database, now)
    service.transition(database, "harbour", "confirm_need", "clinic-primary", now)
    with database.read() as connection:
        row = connection.execute(select(transition_request)).one()
    assert row.state == "refused"
    assert {"event", "stage", "checked_at", "open", "findings"} <= row.report.keys()
