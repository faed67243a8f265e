"""Clocks in the database: exactly once, late without loss, paused without use (design, promises 2, 3 and 9)."""

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event, insert, select, text

from lifecycle.db import Database
from lifecycle.errors import Unavailable
from lifecycle.partnerships import changes
from lifecycle.partnerships.sweeps import sweep
from lifecycle.timers import ladders
from lifecycle.timers import service as timers
from lifecycle.timers.ladders import Rung
from lifecycle.timers.models import timer, timer_firing
from lifecycle.timers.service import Fired
from tests.builders import count, registered

DAILY = ladders.to_json([Rung(day, unit="days", whom="manager", notice="gate_ready") for day in (1, 2, 3)])


def arm(
    database: Database, now: datetime, schedule: Any = DAILY, matter: str = "gate_ready", subject: str = ""
) -> None:
    with database.write() as connection:
        change = changes.begin(connection, "harbour", now)
        change.arm(matter, subject, now, schedule)
        changes.write(connection, change)


def fire(database: Database, as_of: datetime) -> list[tuple[str, list[int]]]:
    return sweep(
        database,
        ["gate_ready"],
        as_of,
        lambda _connection, _locked, due: [(one.subject, [n for n, _ in one.due]) for one in due],
    )


def test_a_clock_fires_when_due_and_not_before(database: Database, now: datetime) -> None:
    registered(database, now)
    arm(database, now)
    assert fire(database, now + timedelta(hours=20)) == []
    assert fire(database, now + timedelta(days=1, hours=1)) == [("", [0])]
    assert fire(database, now + timedelta(days=1, hours=1)) == []


def test_after_a_week_down_every_missed_rung_fires_once_in_one_go(database: Database, now: datetime) -> None:
    registered(database, now)
    arm(database, now)
    assert fire(database, now + timedelta(days=7)) == [("", [0, 1, 2])]
    assert fire(database, now + timedelta(days=8)) == []
    assert count(database, timer_firing) == 3


def test_the_next_rung_counts_from_the_anchor_not_from_the_late_sweep(
    database: Database, now: datetime
) -> None:
    registered(database, now)
    arm(database, now)
    fire(database, now + timedelta(days=1, hours=23))
    with database.read() as connection:
        due = connection.execute(select(timer.c.due_at)).scalar_one()
    assert due == datetime(2026, 3, 4, 9, 0, tzinfo=UTC)


def test_two_sweeps_at_once_fire_each_clock_once(database: Database, now: datetime) -> None:
    registered(database, now)
    for number in range(40):
        arm(database, now, subject=str(number))
    fired: list[tuple[str, list[int]]] = []
    gate = threading.Barrier(2)

    def work() -> None:
        gate.wait()
        fired.extend(fire(database, now + timedelta(days=1, hours=1)))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert sorted(fired) == sorted((str(number), [0]) for number in range(40))


def test_a_firing_that_is_on_record_gives_no_second_right_to_fire(database: Database, now: datetime) -> None:
    """A worker that read the clock before another fired it finds the row taken."""
    registered(database, now)
    arm(database, now)
    later = now + timedelta(days=1, hours=1)
    with database.write() as connection:
        timer_id = connection.execute(select(timer.c.id)).scalar_one()
        row = {"timer_id": timer_id, "generation": 1, "rung": 0, "scheduled_at": later, "fired_at": later}
        connection.execute(insert(timer_firing), row)
    assert fire(database, later) == []


def test_arming_again_raises_the_generation_and_starts_over(database: Database, now: datetime) -> None:
    registered(database, now)
    arm(database, now)
    fire(database, now + timedelta(days=7))
    arm(database, now + timedelta(days=7))
    assert fire(database, now + timedelta(days=8, hours=1)) == [("", [0])]
    with database.read() as connection:
        assert connection.execute(select(timer.c.generation)).scalar_one() == 2


def test_effects_and_firing_commit_together_or_not_at_all(database: Database, now: datetime) -> None:
    registered(database, now)
    arm(database, now)

    def fail(*_: Any) -> list[str]:
        raise RuntimeError("the effects could not be written")

    with pytest.raises(Unavailable, match="could not be served"):
        sweep(database, ["gate_ready"], now + timedelta(days=2), fail)
    assert count(database, timer_firing) == 0
    assert fire(database, now + timedelta(days=1, hours=1)) == [("", [0])]


def test_one_whose_clock_cannot_be_served_holds_up_no_other(database: Database, now: datetime) -> None:
    for id_ in ("first", "poisoned", "last"):
        registered(database, now, id_=id_)
        with database.write() as connection:
            change = changes.begin(connection, id_, now)
            change.arm("gate_ready", "", now, DAILY)
            changes.write(connection, change)

    def serve(_connection: Any, _locked: Any, fired: Sequence[Fired]) -> Iterator[str]:
        for one in fired:
            if one.partnership_id == "poisoned":
                raise KeyError("a fact that is not there")
            yield one.partnership_id

    later = now + timedelta(days=1, hours=1)
    with pytest.raises(Unavailable, match=r"stay due: 1;.*poisoned: KeyError") as raised:
        sweep(database, ["gate_ready"], later, serve)
    assert isinstance(raised.value.__cause__, KeyError)
    assert count(database, timer_firing) == 2
    assert len(fire(database, later)) == 1, "it stays due, and goes on once the cause is mended"


def test_a_paused_clock_does_not_fire_and_resumes_with_its_budget(database: Database, now: datetime) -> None:
    registered(database, now)
    arm(database, now)
    with database.write() as connection:
        timers.pause_all(connection, "harbour", now + timedelta(hours=1))
    assert fire(database, now + timedelta(days=30)) == []
    with database.write() as connection:
        timers.resume_all(connection, "harbour", now + timedelta(days=10, hours=1))
        due = connection.execute(select(timer.c.due_at)).scalar_one()
    assert due == datetime(2026, 3, 13, 9, 0, tzinfo=UTC)
    assert fire(database, due - timedelta(seconds=1)) == []
    assert fire(database, due) == [("", [0])]


def test_a_stopped_clock_never_fires(database: Database, now: datetime) -> None:
    registered(database, now)
    arm(database, now)
    with database.write() as connection:
        timers.stop(connection, "harbour", now, "gate_ready")
    assert fire(database, now + timedelta(days=30)) == []


def test_the_watchdog_names_clocks_that_should_have_fired(database: Database, now: datetime) -> None:
    registered(database, now)
    arm(database, now)
    with database.read() as connection:
        assert timers.overdue_unfired(connection, now) == []
        late = timers.overdue_unfired(connection, now + timedelta(days=2))
    assert [(partnership_id, matter) for partnership_id, matter, _ in late] == [("harbour", "gate_ready")]


def test_a_sweep_reads_only_open_clocks_that_are_due(database: Database, now: datetime) -> None:
    """Cost follows what is due: the plan of the query goes by the partial index (promise 9)."""
    registered(database, now)
    with database.write() as connection:
        rows = [
            {
                "partnership_id": "harbour", "matter": "gate_ready", "subject": str(number), "generation": 1, "rung": 0,
                "anchor_at": now, "schedule": DAILY, "calendar": "UTC|", "pauses": [],
                "due_at": now + timedelta(days=number),
            }
            for number in range(3000)
        ]  # fmt: skip
        connection.execute(insert(timer), rows)
        connection.execute(text("ANALYZE"))
        seen: list[tuple[str, Any]] = []
        event.listen(connection, "before_cursor_execute", lambda *sent: seen.append((sent[2], sent[3])))
        timers.partnerships_due(connection, ["gate_ready"], now + timedelta(days=1), 1000)
        explain = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
        plan = connection.exec_driver_sql(explain + seen[0][0], seen[0][1]).all()
    assert "ix_timer_due" in str(plan)
