"""What is said to be open to somebody is what the service takes, whatever has happened before."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection

from lifecycle.access.once import Joined
from lifecycle.db import Database
from lifecycle.errors import NotAllowed
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import people_of
from lifecycle.redress import record, service
from lifecycle.redress.openings import ACTIONS, Openings
from tests.obligations.agreements import move
from tests.redress.cases import broken, complaint, lodged, remedy
from tests.redress.test_histories import ACTS, EXPLAINED, complaints, live

EVERYBODY = [
    f"{partner}-{role}"
    for partner in ("clinic", "city", "charity")
    for role in ("primary", "deputy", "sponsor")
]


class _Undone(Exception):
    """Ends a rehearsal: nothing of it stays."""


def taken(database: Database, number: int, action: str, who: str, at: datetime) -> bool:
    """Whether the service takes an action; it is undone."""
    decision: dict[str, Any] = EXPLAINED | {"reason": "So be it.", "evidence": {"reference": "Letter"}}
    with_words = {"answer": "No.", "close": None, "escalate": "Why.", "withdraw": "Why.", "pause": "Why."}
    with_content = {"propose": EXPLAINED, "decide": decision}
    given = [{**with_words, **with_content}[action]] if action in {**with_words, **with_content} else []
    try:
        with database.write() as connection:
            getattr(service, action)(Joined(database, connection), "harbour", number, *given, who, at)
            raise _Undone
    except NotAllowed:
        return False
    except _Undone:
        return True


def openings(connection: Connection, number: int, at: datetime) -> Openings:
    change = Change(changes.find(connection, "harbour"), at)
    return Openings(record.hear(connection, change, people_of(connection, "harbour")["harbour"], number))


def open_to(database: Database, number: int, who: str, at: datetime) -> set[str]:
    with database.read() as connection:
        found = openings(connection, number, at)
        return set(found.open_to(found.at.people.contacts[who]))


@settings(max_examples=15)
@example(acts=[("lodge", "clinic-primary", 1, EXPLAINED, 0), ("answer", "city-primary", 1, EXPLAINED, 0)])
@example(
    acts=[
        ("lodge", "clinic-primary", 1, EXPLAINED, 0),
        ("propose", "city-primary", 1, remedy("suspension", obligation="room", until="2026-04-02"), 12),
    ]
)
@example(
    acts=[
        ("lodge", "clinic-primary", 1, EXPLAINED, 0),
        ("pause", "clinic-primary", 1, EXPLAINED, 0),
        ("pause", "city-primary", 1, EXPLAINED, 0),
        ("resume", "city-primary", 1, EXPLAINED, 0),
        ("pause", "city-primary", 1, EXPLAINED, 0),
    ]
)
@example(
    acts=[
        ("lodge", "clinic-primary", 1, EXPLAINED, 12),
        ("wait", "clinic-primary", 1, EXPLAINED, 12),
        ("wait", "clinic-primary", 1, EXPLAINED, 12),
        ("wait", "clinic-primary", 1, EXPLAINED, 12),
    ]
)
@given(acts=st.lists(ACTS, min_size=1, max_size=9))
def test_whatever_has_happened_exactly_what_is_open_is_taken(
    acts: list[Any], tmp_path: Path, sqlite_template: Path
) -> None:
    path = tmp_path / "one.db"
    for old in tmp_path.iterdir():
        old.unlink()
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    try:
        broken(database)
        at = live(database, acts) + timedelta(minutes=1)
        for number, one in complaints(database).items():
            for who in EVERYBODY:
                found = open_to(database, number, who, at)
                really = {action for action in ACTIONS if taken(database, number, action, who, at)}
                # Clocks of what has ended can be said to run on, which nobody needs.
                assert found == really - (set() if one.open else {"resume"}), (one, who)
    finally:
        database.close()


def test_nothing_is_open_once_the_partnership_has_ended(database: Database) -> None:
    broken(database)
    lodged(database)
    at = complaint(database).lodged_at + timedelta(hours=1)
    assert open_to(database, 1, "clinic-primary", at)
    move(database, "harbour", "terminated")
    assert not open_to(database, 1, "clinic-primary", at)
