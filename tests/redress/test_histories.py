"""Whatever happens to complaints, in whatever order: the table holds, clocks fire once, and both sides are alike."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lifecycle.audit.queries import trail, verify_all
from lifecycle.db import Database
from lifecycle.errors import LifecycleError
from lifecycle.machines import table_of
from lifecycle.obligations import service as promises
from lifecycle.partnerships.escalations import sweep_escalations
from lifecycle.redress import queries, service
from lifecycle.redress.monitor import MATTERS, sweep_complaints
from lifecycle.redress.queries import Complaint
from lifecycle.redress.states import CLOSED, STATES, TRANSITIONS, ComplaintStates
from lifecycle.timers import service as timers
from tests.obligations.agreements import monitor, performances
from tests.redress.cases import BROKEN, broken, complaint, days, grievance, kinds, remedy

DESIGN = {
    "lodged": "acknowledge answer escalate resolve agree_remedy dismiss withdraw",
    "acknowledged": "answer escalate resolve agree_remedy dismiss withdraw",
    "answered": "escalate resolve agree_remedy dismiss withdraw",
    "escalated": "acknowledge answer escalate resolve agree_remedy dismiss withdraw",
    "resolved": "escalate close withdraw",
    "remedy_agreed": "escalate carry_out withdraw",
    "remedied": "close",
    "closed": "",
    "withdrawn": "",
    "unfounded": "",
}
"""What can happen to a complaint, written out by hand."""


def test_the_table_is_the_designs() -> None:
    found = {state: {event for source, event in TRANSITIONS if source == state} for state in STATES}
    assert found == {state: set(events.split()) for state, events in DESIGN.items()}
    assert table_of(ComplaintStates) == TRANSITIONS


PEOPLE = [f"{partner}-{role}" for partner in ("clinic", "city") for role in ("primary", "sponsor")]
SETTLEMENTS = (
    {"settlement": "explained"},
    {"settlement": "unfounded", "reason": "It was there."},
    remedy("explanation"),
    remedy("correction"),
    remedy("suspension", obligation="room", until="2026-12-31"),
    remedy("end"),
)
ACTS = st.tuples(
    st.sampled_from(
        [
            "lodge", "acknowledge", "answer", "propose", "agree", "agree", "escalate", "decide",
            "pause", "resume", "withdraw", "close", "report", "accept", "wait", "wait",
        ]
    ),
    st.sampled_from(PEOPLE),
    st.integers(1, 2),
    st.sampled_from(SETTLEMENTS),
    st.integers(0, 12),
)  # fmt: skip


def act(database: Database, at: datetime, what: str, who: str, number: int, settlement: Any) -> None:
    if what == "lodge":
        mine = (
            grievance() if who.startswith("city") else grievance(against="city", about={"obligation": "room"})
        )
        answers = {"in_answer_to": 1} if number == 2 else {}
        service.lodge(database, "harbour", mine | answers, who, at)
    elif what == "answer":
        service.answer(database, "harbour", number, "We see it otherwise.", who, at)
    elif what in {"escalate", "withdraw", "pause"}:
        getattr(service, what)(database, "harbour", number, "It must be.", who, at)
    elif what == "propose":
        service.propose(database, "harbour", number, settlement, who, at)
    elif what == "decide":
        decision = settlement | {"reason": "So be it.", "evidence": {"reference": "Letter"}}
        service.decide(database, "harbour", number, decision, who, at)
    elif what == "close":
        service.close(database, "harbour", number, None, who, at)
    elif what == "report":
        outcome = "kept" if settlement["settlement"] == "remedy" else "not_kept"
        promises.report(database, "harbour", f"remedy:{number}/1", {"outcome": outcome}, who, at)
    elif what == "accept":
        promises.accept(database, "harbour", f"remedy:{number}/1", who, at)
    elif what != "wait":
        getattr(service, what)(database, "harbour", number, who, at)


def complaints(database: Database, id_: str = "harbour") -> dict[int, Complaint]:
    with database.read() as connection:
        return {one.number: one for one in queries.complaints(connection, id_)}


def live(database: Database, acts: list[Any]) -> datetime:
    """Live through a history; returns its end."""
    at = BROKEN
    for what, who, number, settlement, waited in acts:
        for _ in range(waited):
            at += timedelta(days=1)
            sweep(database, at)
        at += timedelta(minutes=1)
        before = complaints(database)
        try:
            act(database, at, what, who, number, settlement)
        except LifecycleError:
            assert complaints(database) == before
        for one in before.values():
            now = complaints(database)[one.number]
            reached = {to for (source, _), to in TRANSITIONS.items() if source == one.state}
            # A remedy that releases a promise is carried out as soon as it is agreed.
            assert now.state == one.state or any(now.state in to for to in reached) or now.state == "remedied"
            assert now.level in {one.level, one.level + 1}
    return at


def sweep(database: Database, at: datetime) -> None:
    monitor(database, at)
    sweep_escalations(database, at)
    sweep_complaints(database, at)


EXPLAINED = {"settlement": "explained"}


@settings(max_examples=25)
@example(
    acts=[
        ("lodge", "clinic-primary", 1, EXPLAINED, 10),
        ("pause", "clinic-primary", 1, EXPLAINED, 0),
        ("pause", "city-primary", 1, EXPLAINED, 4),
        ("lodge", "city-primary", 2, EXPLAINED, 3),
    ]
)
@given(acts=st.lists(ACTS, max_size=20))
def test_no_history_leaves_the_table_loses_a_clock_or_the_trail(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, acts: list[Any]
) -> None:
    databases, heads = [], []
    for _ in range(2):
        path = tmp_path_factory.mktemp("history") / "h.db"
        path.write_bytes(sqlite_template.read_bytes())
        database = Database(f"sqlite:///{path}")
        databases.append(database)
        broken(database)
        end = live(database, acts)
        with database.read() as connection:
            assert verify_all(connection) == []
            late = [one for one in timers.overdue_unfired(connection, end) if one[1] in MATTERS]
            heads.append(trail(connection, "harbour")[-1].hash)
        assert late == []
    assert heads[0] == heads[1], "the same history, the same trail"
    for one in complaints(databases[0]).values():
        assert (one.closed_at is None) == (one.state not in CLOSED)
        waits = one.state in CLOSED or one.state == "remedy_agreed" or one.exhausted_at is not None
        assert waits or _has_a_clock(databases[0], one), "nothing waits for ever"
    for database in databases:
        database.close()


def _has_a_clock(database: Database, one: Complaint) -> bool:
    with database.read() as connection:
        return one.paused_at is not None or any(
            timers.due_of(connection, "harbour", matter, one.step) is not None for matter in MATTERS
        )


def test_a_complaint_of_the_clinic_fares_as_one_of_the_city(database: Database) -> None:
    """Swapping the partners in a history swaps its outcome, and nothing else (promise 0)."""
    broken(database, "mine")
    broken(database, "theirs")
    for id_, one, other, name in (("mine", "city", "clinic", "lists"), ("theirs", "clinic", "city", "room")):
        content = grievance(against=other, about={"obligation": name})
        service.lodge(database, id_, content, f"{one}-primary", days(1))
        service.acknowledge(database, id_, 1, f"{other}-primary", days(2))
        service.answer(database, id_, 1, "No.", f"{other}-primary", days(2))
        service.escalate(database, id_, 1, "But yes.", f"{one}-primary", days(3))
        for who in (other, one):
            service.agree(database, id_, 1, f"{who}-sponsor", days(4))
        promises.report(database, id_, "remedy:1/1", {"outcome": "kept"}, f"{other}-primary", days(5))
        promises.accept(database, id_, "remedy:1/1", f"{one}-primary", days(5))
    sweep(database, days(20))
    swap = {
        "clinic": "city",
        "city": "clinic",
        "city-primary": "clinic-primary",
        "clinic-primary": "city-primary",
    }
    mine, theirs = complaint(database, 1, "mine"), complaint(database, 1, "theirs")
    assert mine.state == "closed"
    mirrored = {"complainant", "respondent", "lodged_by"}
    assert {k: swap[v] if k in mirrored else v for k, v in vars(mine).items() if k != "about"} == {
        k: v for k, v in vars(theirs).items() if k != "about"
    }
    assert kinds(database, 1, "mine") == kinds(database, 1, "theirs")


def test_with_every_clock_paused_nothing_climbs(database: Database) -> None:
    broken(database)
    service.lodge(database, "harbour", grievance(), "city-primary", BROKEN)
    with database.write() as connection:
        timers.pause_all(connection, "harbour", BROKEN)
    before = complaint(database)
    sweep(database, days(300))
    assert complaint(database) == before
    assert set(kinds(database)) == {"lodge", "propose"}
    assert {one.state for one in performances(database).values()} <= {"settled", "due"}
