"""What somebody who is asked about a promise sees of it; whoever it names as able to act, the services let act, and nobody else."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from lifecycle.access.once import Joined
from lifecycle.db import Database
from lifecycle.errors import NotAllowed
from lifecycle.obligations import promise, service
from lifecycle.obligations.promise import Promise
from lifecycle.partnerships import changes
from lifecycle.partnerships.models import contact
from lifecycle.partnerships.people import ROLES, People, people_of
from tests.builders import organisation, person
from tests.obligations.agreements import agreement, in_force, monitor, obligation

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
AT = datetime(2026, 4, 1, 9, tzinfo=UTC)
LATER = AT + timedelta(days=30)

Work = Callable[[Database, str, datetime], Any]


Step = Callable[[Database, str, str], Any]
"""Something that happens to `lists/1`; its arguments: the side that reports, and the side that answers."""


def report(outcome: str, role: str = "primary") -> Step:
    content = {"outcome": outcome}
    return lambda db, side, _: service.report(db, "harbour", "lists/1", content, f"{side}-{role}", AT)


def accept(database: Database, _: str, side: str) -> None:
    service.accept(database, "harbour", "lists/1", f"{side}-primary", AT)


def dispute(database: Database, _: str, side: str) -> None:
    service.dispute(database, "harbour", "lists/1", "No.", f"{side}-primary", AT)


def decide(database: Database, *_: str) -> None:
    service.decide(database, "harbour", "lists/1", "partly_kept", "So it is.", "city-sponsor", AT)


def restore(database: Database, *_: str) -> None:
    service.confirm_restored(database, "harbour", "lists/1", "It came.", "city-primary", AT)


def waive(database: Database, *_: str) -> None:
    service.waive(database, "harbour", "lists/1", "Not needed.", "city-primary", AT)


def silence(database: Database, *_: str) -> None:
    monitor(database, LATER)


HISTORIES: dict[str, Sequence[Step]] = {
    "due": [],
    "overdue": [silence],
    "reported": [report("kept")],
    "accepted": [report("not_kept"), accept],
    "accepted as kept": [report("kept"), accept],
    "disputed": [report("kept"), dispute],
    "decided": [report("kept"), dispute, decide],
    "restored": [report("not_kept"), accept, restore],
    "waived": [waive],
    "silence": [report("not_kept"), silence],
    "undecided": [report("kept"), dispute, silence],
}


def tell(database: Database, history: str, reporting: str = "clinic", answering: str = "city") -> None:
    for step in HISTORIES[history]:
        step(database, reporting, answering)


WORK: dict[str, Work] = {
    "report": lambda db, by, at: service.report(db, "harbour", "lists/1", {"outcome": "kept"}, by, at),
    "accept": lambda db, by, at: service.accept(db, "harbour", "lists/1", by, at),
    "dispute": lambda db, by, at: service.dispute(db, "harbour", "lists/1", "No.", by, at),
    "decide": lambda db, by, at: service.decide(db, "harbour", "lists/1", "kept", "Yes.", by, at),
    "restore": lambda db, by, at: service.confirm_restored(db, "harbour", "lists/1", "It came.", by, at),
}


class Undone(Exception):
    """Takes back what was only tried."""


def is_possible(database: Database, event: str, by: str, at: datetime) -> bool:
    try:
        with database.write() as connection:
            WORK[event](Joined(database, connection), by, at)
            raise Undone
    except Undone:
        return True
    except NotAllowed:
        return False


def running(database: Database, **more: Any) -> None:
    partners = [organisation(one) for one in ("clinic", "city", "charity")]
    for one in partners:
        one["contacts"] += [person(f"{one['id']}-{role}", role, one["id"]) for role in ("observer", "member")]
    in_force(database, START, agreement(obligation(**more)), partners=partners)


def read(database: Database) -> tuple[Promise, People]:
    with database.read() as connection:
        found = promise.read(connection, changes.find(connection, "harbour"), "lists/1")
        return found, people_of(connection, "harbour")["harbour"]


@pytest.fixture
def store(tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    """SQLite alone: who may do what does not depend on the database."""
    path = tmp_path / "promise.db"
    path.write_bytes(sqlite_template.read_bytes())
    opened = Database(f"sqlite:///{path}")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("reported_by", "reporting", "answering"),
    [("obligor", "clinic", "city"), ("obligee", "city", "clinic"), ("both", "city", "clinic")],
)
@pytest.mark.parametrize("history", HISTORIES)
def test_whoever_is_able_is_let_and_nobody_else(
    store: Database, history: str, reported_by: str, reporting: str, answering: str
) -> None:
    running(store, reported_by=reported_by)
    tell(store, history, reporting, answering)
    found, people = read(store)
    assert {one.role for one in people.contacts.values()} == set(ROLES)
    told_until = LATER if silence in HISTORIES[history] else AT
    for at in (told_until, LATER + timedelta(days=1)):
        for event in WORK:
            able = {one.id for one in found.able(people, event, at)}
            let = {id_ for id_ in people.contacts if is_possible(store, event, id_, at)}
            assert able == let, (event, at)


def test_without_a_decider_nobody_is_able_to_decide(database: Database) -> None:
    terms = obligation()
    del terms["decider"]
    partners = [organisation("clinic"), organisation("city")]
    in_force(database, START, agreement(terms), partners=partners)
    tell(database, "disputed")
    found, people = read(database)
    assert found.able(people, "decide", AT) == []


@pytest.mark.parametrize(
    ("on_silence", "history", "told"),
    [
        ("accepted", "silence", ["report", "accept_by_silence"]),
        ("disputed", "silence", ["report", "dispute_by_silence"]),
        ("accepted", "undecided", ["report", "dispute", "leave_undetermined"]),
    ],
)
def test_what_silence_brought_about_is_in_the_history(
    database: Database, on_silence: str, history: str, told: list[str]
) -> None:
    in_force(database, START, agreement(on_silence=on_silence))
    tell(database, history)
    found, _ = read(database)
    assert [entry.kind for entry in found.history] == told
    assert [entry.kind for entry in found.said] == told[:-1], "what nobody said is not among what was said"


def test_the_newest_report_counts(database: Database) -> None:
    in_force(database, START)
    for step in (report("kept"), report("partly_kept", "deputy")):
        step(database, "clinic", "city")
    found, _ = read(database)
    assert found.report is not None
    assert (found.report.by, found.report.outcome) == ("clinic-deputy", "partly_kept")


def test_an_address_that_fails_takes_nobodys_right(database: Database) -> None:
    running(database)
    tell(database, "reported")
    with database.write() as connection:
        connection.execute(update(contact).values(undeliverable_since=AT))
    found, people = read(database)
    assert "city-primary" in {one.id for one in found.able(people, "accept", AT)}
