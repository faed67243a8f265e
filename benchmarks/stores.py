"""The databases that a benchmark runs on, and partnerships to fill them with."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg
from sqlalchemy import insert

from lifecycle.audit import rules as audit
from lifecycle.audit.models import audit_event
from lifecycle.db import Database
from lifecycle.migrations import upgrade
from lifecycle.partnerships.models import contact, partner, partnership
from tests.servers.postgres import postgres

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


@contextmanager
def databases() -> Iterator[dict[str, str]]:
    """Fresh SQLite and PostgreSQL; yields kind → URL maker (`url(kind, name)` makes an empty database)."""
    with tempfile.TemporaryDirectory() as folder, postgres() as server:
        yield {"sqlite": f"sqlite:///{folder}", "postgresql": server}


def fresh(stores: dict[str, str], kind: str, name: str) -> Database:
    """An empty, migrated database of a kind. PostgreSQL runs with fsync off (see facts: the commit is not the cost)."""
    if kind == "sqlite":
        url = f"{stores[kind]}/{name}.db"
    else:
        with psycopg.connect(stores[kind], autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        url = (
            stores[kind].replace("/postgres?", f"/{name}?").replace("postgresql://", "postgresql+psycopg://")
        )
    database = Database(url)
    upgrade(database)
    return database


def fill(database: Database, count: int, stage: str = "maintaining") -> None:
    """Store `count` partnerships of two partners with two contacts each, each with the first event of its trail."""
    for start in range(0, count, 10_000):
        ids = [f"p{number}" for number in range(start, min(start + 10_000, count))]
        with database.write() as connection:
            events = [_created(partnership_id) for partnership_id in ids]
            connection.execute(insert(partnership), [_row(event, stage) for event in events])
            connection.execute(insert(audit_event), [vars(event) for event in events])
            pairs = [(i, p) for i in ids for p in ("clinic", "city")]
            connection.execute(insert(partner), [{"partnership_id": i, "id": p, "name": p} for i, p in pairs])
            connection.execute(insert(contact), [row for i, p in pairs for row in _contacts(i, p)])


def _created(partnership_id: str) -> audit.AuditEvent:
    return audit.chain(partnership_id, 1, START, "partnership_created", "ann", "{}", audit.GENESIS)


def _row(event: audit.AuditEvent, stage: str) -> dict[str, object]:
    return {
        "id": event.partnership_id,
        "title": f"Partnership {event.partnership_id}",
        "stage": stage,
        "suspended_from": None,
        "stage_entered_at": START,
        "version": 1,
        "proposed_by": "clinic",
        "coordinator": "clinic-primary",
        "time_zone": "Europe/London",
        "holidays": "",
        "created_at": START,
        "audit_seq": 1,
        "audit_hash": event.hash,
        "audit_at": START,
    }


def _contacts(partnership_id: str, partner_id: str) -> list[dict[str, object]]:
    return [
        {
            "partnership_id": partnership_id,
            "id": f"{partner_id}-{role}",
            "partner_id": partner_id,
            "role": role,
            "name": f"{partner_id} {role}",
            "email": f"{role}@{partner_id}.example",
            "time_zone": "Europe/London",
            "undeliverable_since": None,
        }
        for role in ("primary", "sponsor")
    ]


def report(title: str, rows: list[tuple[str, ...]]) -> None:
    """Print a small table."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    print(f"\n{title}")
    for row in rows:
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
