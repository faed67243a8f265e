"""Databases for the tests: everything about persistence runs on SQLite and on a real PostgreSQL."""

import itertools
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from lifecycle.db import Database
from lifecycle.migrations import upgrade
from tests.servers.postgres import find_programs, postgres

settings.register_profile(
    "default", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("default")

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A running PostgreSQL with a migrated template database `migrated`."""
    if find_programs() is None and not os.environ.get("TEST_DATABASE_URL"):
        pytest.skip("no PostgreSQL programs on this machine: install Debian's postgresql")
    with postgres() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE DATABASE migrated")
        template = Database(
            url.replace("/postgres?", "/migrated?").replace("postgresql://", "postgresql+psycopg://")
        )
        upgrade(template)
        template.close()
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    database = Database(f"sqlite:///{path}")
    upgrade(database)
    # Closing the last connection folds the write-ahead log into the file.
    database.close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a migrated, empty database: the test runs once on each kind."""
    if request.param == "sqlite":
        path = tmp_path / "test.db"
        path.write_bytes(request.getfixturevalue("sqlite_template").read_bytes())
        return f"sqlite:///{path}"
    return empty_database(request.getfixturevalue("postgres_url"))


def empty_database(postgres_url: str) -> str:
    """The URL of a migrated, empty database on PostgreSQL."""
    name = f"t{next(_numbers)}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE migrated")
    return postgres_url.replace("/postgres?", f"/{name}?").replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated, empty database of each kind."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def now() -> datetime:
    """A Monday morning, in UTC."""
    return datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
