"""The trail is append-only: whatever is done to it outside the engine is found."""

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from lifecycle.audit import rules
from lifecycle.audit.queries import trail, verify_all
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.partnerships import changes, registration

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


class Trails:
    """Two partnerships with six events each, and a way to reach around the engine."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.database = Database(f"sqlite:///{path}")
        for name in ("alpha", "beta"):
            registration.create(self.database, _registration(name), Settings(), NOW)
            for number in range(2, 7):
                self.append(name, NOW + timedelta(hours=number))

    def append(self, name: str, at: datetime) -> None:
        with self.database.write() as connection:
            change = changes.begin(connection, name, at)
            change.log("noted", "ann", number=change.partnership.audit_seq + 1)
            changes.write(connection, change)

    def forge(self, *statements: str) -> None:
        connection = sqlite3.connect(self.path)
        with connection:
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def broken(self, partnership_id: str | None = None) -> list[tuple[str, int]]:
        with self.database.read() as connection:
            return [(one.partnership_id, one.seq) for one in verify_all(connection, partnership_id)]


def _registration(name: str) -> dict[str, object]:
    person = {"id": "ann", "role": "primary", "name": "Ann", "email": "ann@alpha.example"}
    return {
        "id": name,
        "title": f"Trail {name}",
        "proposed_by": "org",
        "coordinator": "ann",
        "partners": [{"id": "org", "name": "Org", "contacts": [person]}],
    }


@pytest.fixture
def trails(tmp_path: Path, sqlite_template: Path) -> Iterator[Trails]:
    path = tmp_path / "trails.db"
    path.write_bytes(sqlite_template.read_bytes())
    opened = Trails(path)
    yield opened
    opened.database.close()


def test_a_trail_that_nobody_touched_is_whole(trails: Trails) -> None:
    assert trails.broken() == []
    assert trails.broken("alpha") == []


def test_the_trail_is_read_in_order_and_whole(trails: Trails) -> None:
    with trails.database.read() as connection:
        events = trail(connection, "alpha")
        assert trail(connection, "nobody") == []
    assert [event.seq for event in events] == [1, 2, 3, 4, 5, 6]
    assert events[0].previous_hash == rules.GENESIS
    assert {event.partnership_id for event in events} == {"alpha"}


@pytest.mark.parametrize(
    "edit",
    [
        "actor = 'eve'",
        "type = 'denied'",
        """payload = '{"number":33}'""",
        "at = '2026-03-02T12:00:00.000001+00:00'",
        f"hash = '{'0' * 64}'",
    ],
)
def test_an_edited_row_is_found(trails: Trails, edit: str) -> None:
    trails.forge(f"UPDATE audit_event SET {edit} WHERE partnership_id = 'alpha' AND seq = 3")
    assert trails.broken() == [("alpha", 3)]
    assert trails.broken("beta") == []


def test_a_row_edited_together_with_its_own_hash_is_found(trails: Trails) -> None:
    with trails.database.read() as connection:
        third = trail(connection, "alpha")[2]
    forged = rules.chain("alpha", 3, third.at, third.type, "eve", third.payload, third.previous_hash)
    trails.forge(
        f"UPDATE audit_event SET actor='eve', hash='{forged.hash}' WHERE partnership_id='alpha' AND seq=3"
    )
    assert trails.broken() == [("alpha", 4)]


@pytest.mark.parametrize("seq", [1, 3])
def test_a_removed_row_is_found(trails: Trails, seq: int) -> None:
    trails.forge(f"DELETE FROM audit_event WHERE partnership_id = 'beta' AND seq = {seq}")
    assert trails.broken() == [("beta", seq)]


def test_a_removed_row_is_found_when_the_later_ones_are_renumbered(trails: Trails) -> None:
    trails.forge(
        "DELETE FROM audit_event WHERE partnership_id = 'beta' AND seq = 3",
        "UPDATE audit_event SET seq = seq - 1 WHERE partnership_id = 'beta' AND seq > 3",
    )
    assert trails.broken() == [("beta", 3)]


def test_reordered_rows_are_found(trails: Trails) -> None:
    trails.forge(
        "UPDATE audit_event SET seq = 100 WHERE partnership_id = 'alpha' AND seq = 3",
        "UPDATE audit_event SET seq = 3 WHERE partnership_id = 'alpha' AND seq = 4",
        "UPDATE audit_event SET seq = 4 WHERE partnership_id = 'alpha' AND seq = 100",
    )
    assert trails.broken() == [("alpha", 3)]


def test_an_inserted_row_is_found(trails: Trails) -> None:
    columns = "at, type, actor, payload, previous_hash, hash"
    trails.forge(
        # One statement at a time, from the end: (partnership_id, seq) stays unique.
        *(
            f"UPDATE audit_event SET seq = {n + 1} WHERE partnership_id = 'alpha' AND seq = {n}"
            for n in (6, 5, 4, 3)
        ),
        f"INSERT INTO audit_event (partnership_id, seq, {columns}) "
        f"SELECT 'alpha', 3, {columns} FROM audit_event WHERE partnership_id = 'alpha' AND seq = 2",
    )
    assert trails.broken() == [("alpha", 3)]


def test_a_row_appended_outside_the_engine_is_found(trails: Trails) -> None:
    with trails.database.read() as connection:
        last = trail(connection, "alpha")[-1]
    forged = rules.chain("alpha", 7, last.at, "noted", "eve", "{}", last.hash)
    columns = ", ".join(vars(forged))
    values = ", ".join(
        f"'{value}'" for value in (vars(forged) | {"at": forged.at.isoformat("T", "microseconds")}).values()
    )
    trails.forge(f"INSERT INTO audit_event ({columns}) VALUES ({values})")
    assert trails.broken() == [("alpha", 7)]


@pytest.mark.parametrize("kept", [5, 1, 0])
def test_a_cut_tail_is_found_because_the_head_is_kept(trails: Trails, kept: int) -> None:
    trails.forge(f"DELETE FROM audit_event WHERE partnership_id = 'alpha' AND seq > {kept}")
    assert trails.broken() == [("alpha", kept)]


def test_a_head_set_back_with_its_tail_is_found_by_a_hash_that_was_sent(trails: Trails) -> None:
    """The database alone cannot show it: that is why the head's hash goes to all partners."""
    with trails.database.read() as connection:
        sent = trail(connection, "alpha")[-1].hash
        fifth = trail(connection, "alpha")[4].hash
    trails.forge(
        "DELETE FROM audit_event WHERE partnership_id = 'alpha' AND seq = 6",
        f"UPDATE partnership SET audit_seq = 5, audit_hash = '{fifth}' WHERE id = 'alpha'",
    )
    assert trails.broken() == []
    with trails.database.read() as connection:
        assert sent not in {event.hash for event in trail(connection, "alpha")}


def test_events_of_a_partnership_that_is_gone_are_found(trails: Trails) -> None:
    trails.forge(
        "PRAGMA foreign_keys = OFF",
        "DELETE FROM partnership WHERE id = 'alpha'",
    )
    assert trails.broken() == [("alpha", 0)]


def test_a_break_does_not_hide_another_partnerships(trails: Trails) -> None:
    trails.forge("UPDATE audit_event SET actor = 'eve' WHERE seq = 4")
    assert trails.broken() == [("alpha", 4), ("beta", 4)]
