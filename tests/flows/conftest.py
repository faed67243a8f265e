"""A real Prefect server for the flows, and an installation for them to work on."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from lifecycle import embedded
from lifecycle.db import Database


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prefect server of this test session's own."""
    home = tmp_path_factory.mktemp("prefect")
    with embedded.prefect_server(home) as url:
        os.environ.update(embedded.environment(home, url))
        os.environ["PREFECT_LOGGING_LEVEL"] = "CRITICAL"
        yield url


@pytest.fixture
def installation(
    prefect_api: str, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Database]:
    """A migrated database that the flows find through their settings; emails go to `tmp_path / "mailbox"`."""
    monkeypatch.setenv("LIFECYCLE_DATABASE_URL", database_url)
    monkeypatch.setenv("LIFECYCLE_MAILBOX", str(tmp_path / "mailbox"))
    database = Database(database_url)
    yield database
    database.close()
