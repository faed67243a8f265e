"""An application over a migrated database, and clients of every role."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.datastructures import State

from lifecycle.api.app import create
from lifecycle.api.envelope import Counts
from lifecycle.api.limits import Limiter
from lifecycle.db import Database
from tests.api.clients import Clients, settings_of
from tests.conftest import empty_database


def resolve(host: str, _: int) -> list[str]:
    """Names that end in `.example` are public, others are none; addresses are what they are."""
    if host.endswith(".example"):
        return ["198.41.0.4"]
    if host.replace(".", "").isdigit():
        return [host]
    raise OSError("there is no such name")


@pytest.fixture(autouse=True)
def _in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Transitions are decided here, also where another test has started a Prefect server; no name leaves the machine."""
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setattr("lifecycle.subscriptions.targets.resolve", resolve)


@pytest.fixture
def api(database_url: str) -> Iterator[Clients]:
    """Clients of an application on each kind of database, which decides in process."""
    yield from clients_on(database_url)


@pytest.fixture
def sqlite_api(tmp_path: Path, sqlite_template: Path) -> Iterator[Clients]:
    """The same on SQLite alone: for what does not depend on the database."""
    path = tmp_path / "api.db"
    path.write_bytes(sqlite_template.read_bytes())
    yield from clients_on(f"sqlite:///{path}")


@pytest.fixture
def postgres_api(postgres_url: str) -> Iterator[Clients]:
    """The same on PostgreSQL alone: for what SQLite's one writer at a time cannot show."""
    yield from clients_on(empty_database(postgres_url))


@cache
def _built() -> FastAPI:
    return create(settings_of("sqlite://"), Database("sqlite://"))


def clients_on(url: str) -> Iterator[Clients]:
    """Clients of an application on one database."""
    database = Database(url)
    app = _built()
    # As new: its routes are made once in a process, which takes longer than most tests.
    app.state = State(
        {
            "settings": settings_of(url),
            "database": database,
            "prefect_url": None,
            "limiter": Limiter(1_000_000),
            "counts": Counts(),
        }
    )
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Clients(client, database)
    database.close()
