"""Whatever happens to promises, in whatever order: the table holds, nothing is lost, and both sides are alike."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from lifecycle.audit.queries import verify_all
from lifecycle.db import Database
from lifecycle.errors import Invalid, LifecycleError, NotAllowed
from lifecycle.machines import table_of
from lifecycle.obligations import queries, service
from lifecycle.obligations.models import performance, performance_entry
from lifecycle.obligations.states import OPEN, STATES, TRANSITIONS, PerformanceStates
from lifecycle.partnerships.escalations import sweep_escalations
from lifecycle.timers import service as timers
from lifecycle.timers.models import timer_firing
from tests.obligations.agreements import agreement, in_force, monitor, obligation, performances

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DESIGN = {
    "due": "fall_overdue report waive withhold supersede",
    "overdue": "report waive withhold",
    "reported": "report accept accept_by_silence dispute dispute_by_silence waive",
    "disputed": "decide leave_undetermined waive",
    "settled": "restore",
    "restored": "",
    "waived": "",
    "withheld": "",
    "superseded": "",
}
"""What can happen to a performance, written out by hand."""


def test_the_table_is_the_designs() -> None:
    found = {state: {event for source, event in TRANSITIONS if source == state} for state in STATES}
    assert found == {state: set(events.split()) for state, events in DESIGN.items()}
    assert table_of(PerformanceStates) == TRANSITIONS


PEOPLE = [f"{partner}-{role}" for partner in ("clinic", "city") for role in ("primary", "deputy", "sponsor")]
ACTS = st.tuples(
    st.sampled_from(["report", "accept", "dispute", "decide", "waive", "restore", "wait", "wait", "wait"]),
    st.sampled_from(PEOPLE),
    st.sampled_from(["lists", "room"]),
    st.integers(1, 3),
    st.sampled_from(["kept", "partly_kept", "not_kept", "cannot_tell"]),
    st.integers(0, 40),
)


def act(database: Database, at: datetime, what: str, who: str, name: str, outcome: str) -> None:
    if what == "report":
        service.report(database, "harbour", name, {"outcome": outcome}, who, at)
    elif what == "accept":
        service.accept(database, "harbour", name, who, at)
    elif what == "dispute":
        service.dispute(database, "harbour", name, "We see it otherwise.", who, at)
    elif what == "decide":
        service.decide(database, "harbour", name, outcome, "We have looked.", who, at)
    elif what == "waive":
        service.waive(database, "harbour", name, "It is no longer needed.", who, at)
    elif what == "restore":
        service.confirm_restored(database, "harbour", name, "It came after all.", who, at)


@settings(max_examples=30)
@given(acts=st.lists(ACTS, max_size=25), silence=st.sampled_from(["accepted", "disputed"]))
def test_no_history_leaves_the_table_loses_a_promise_or_fires_a_clock_twice(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, acts: list[Any], silence: str
) -> None:
    path = tmp_path_factory.mktemp("history") / "h.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    room = obligation(
        "room", obligor="city", obligee="clinic", observer="clinic-deputy", decider="clinic-sponsor"
    )
    in_force(database, START, agreement(obligation(), room, on_silence=silence))
    at = START
    for what, who, obligation_id, number, outcome, days in acts:
        at += timedelta(days=days, hours=1)
        monitor(database, at)
        sweep_escalations(database, at)
        before = performances(database)
        name = f"{obligation_id}/{number}"
        try:
            act(database, at, what, who, name, outcome)
        except (LifecycleError, Invalid, NotAllowed):
            assert performances(database) == before
        else:
            one, now = before.get(name), performances(database).get(name)
            if one is not None and now is not None and one.state != now.state:
                assert now.state in {
                    target for (source, _), to in TRANSITIONS.items() if source == one.state for target in to
                }
    end = at + timedelta(days=1)
    monitor(database, end)
    with database.read() as connection:
        assert verify_all(connection) == []
        assert [
            late for late in timers.overdue_unfired(connection, end) if late[1] in {"performance", "answer"}
        ] == []
        fired = select(func.count()).select_from(timer_firing)
        distinct = select(func.count()).select_from(
            select(timer_firing.c.timer_id, timer_firing.c.generation, timer_firing.c.rung)
            .distinct()
            .subquery()
        )
        assert connection.execute(fired).scalar() == connection.execute(distinct).scalar()
        found = queries.performances(connection, "harbour")
        entries = connection.execute(select(func.count()).select_from(performance_entry)).scalar()
        stored = connection.execute(select(func.count()).select_from(performance)).scalar()
    assert len(found) == stored == sum(1 for one in found if one.state in STATES)
    assert sum(one.number == 1 for one in found) == 2
    assert all(one.seen_at is None or one.seen_at >= START for one in found)
    assert all((one.closed_at is None) == (one.state in OPEN) for one in found)
    assert entries is not None
    database.close()


def test_what_the_clinic_owes_the_city_fares_as_what_the_city_owes_the_clinic(database: Database) -> None:
    """Swapping the partners in a history swaps its outcome, and nothing else (promise 0)."""
    mirrored = obligation(
        obligor="city", obligee="clinic", observer="clinic-deputy", decider="clinic-sponsor"
    )
    in_force(database, START, id_="mine")
    in_force(database, START, agreement(mirrored), id_="theirs")
    due = datetime(2026, 3, 31, 22, 59, 59, tzinfo=UTC)
    for id_, debtor, creditor in (("mine", "clinic", "city"), ("theirs", "city", "clinic")):
        service.report(database, id_, "lists/1", {"outcome": "kept"}, f"{debtor}-primary", due)
        service.dispute(database, id_, "lists/1", "Two never came.", f"{creditor}-deputy", due)
        service.decide(database, id_, "lists/1", "not_kept", "They did not.", f"{creditor}-sponsor", due)
        service.confirm_restored(database, id_, "lists/1", "They came.", f"{creditor}-primary", due)
    for at in (due, due + timedelta(days=20)):
        monitor(database, at)
        sweep_escalations(database, at)
    swap = {"clinic": "city", "city": "clinic"}
    mine, theirs = performances(database, "mine"), performances(database, "theirs")
    assert [
        vars(one) | {"obligor": swap[one.obligor], "obligee": swap[one.obligee]} for one in mine.values()
    ] == [vars(one) for one in theirs.values()]
