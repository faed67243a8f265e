"""The whole site over a migrated database, at a time that the test sets, and links into it."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.datastructures import State
from starlette.routing import Mount

from lifecycle import clock, web
from lifecycle.access import sessions
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.partnerships import doors
from lifecycle.partnerships.doors import Purpose
from lifecycle.portal.members import COOKIE
from tests.api.clients import settings_of
from tests.portal.reviewing import opened


def link(
    settings: Settings,
    purpose: Purpose,
    partnership: str,
    contact: str,
    now: datetime,
    subject: Mapping[str, Any] | None = None,
) -> str:
    """The path of a link that opens a page for a contact; `subject` is what the page is about, such as `round`."""
    whole = doors.address(settings, purpose, partnership, contact, now, subject)
    return whole.removeprefix(doors.base(settings))


def sign_in(site: TestClient, email: str) -> str:
    """Have the browser signed in as whoever has this address; what its forms carry as `csrf`."""
    state = site.app.state  # type: ignore[attr-defined]
    with state.database.write() as connection:
        secret = sessions.begin(connection, email, clock.now())
    site.cookies.set(COOKIE, secret)
    return sha256(f"csrf/{secret}".encode()).hexdigest()


@pytest.fixture
def settings() -> Settings:
    """An installation's settings that every site of the tests has: with a secret to sign links with."""
    return settings_of("sqlite://")


@pytest.fixture
def travel(monkeypatch: pytest.MonkeyPatch, now: datetime) -> Callable[[datetime], None]:
    """Sets what time the site takes it to be; it begins at `now`."""

    def to(instant: datetime) -> None:
        monkeypatch.setattr("lifecycle.clock.now", lambda: instant)

    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    to(now)
    return to


@pytest.fixture
def store(tmp_path: Path, sqlite_template: Path) -> Iterator[Database]:
    """The database of `site`: migrated, empty, SQLite."""
    path = tmp_path / "site.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


@cache
def _built() -> FastAPI:
    return web.create(settings_of("sqlite://"), Database("sqlite://"))


def site_on(database: Database, settings: Settings) -> FastAPI:
    """The whole site on a database, as new. Its routes are made once in a process: that takes longer than most tests."""
    app = _built()
    (portal,) = (route.app for route in app.routes if isinstance(route, Mount))
    app.state.settings, app.state.database, app.state.prefect_url = settings, database, None
    # What the portal remembers of earlier requests goes with its old state.
    portal.state = State({"settings": settings, "database": database})
    return app


@pytest.fixture
def site(store: Database, settings: Settings, travel: Callable[[datetime], None]) -> Iterator[TestClient]:
    """A browser without JavaScript, on SQLite (`store`); it follows redirects unless told not to."""
    with TestClient(site_on(store, settings), raise_server_exceptions=False) as browser:
        yield browser


@pytest.fixture
def both_sites(
    database: Database, settings: Settings, travel: Callable[[datetime], None]
) -> Iterator[TestClient]:
    """The same on each kind of database (`database`): for what a page changes."""
    with TestClient(site_on(database, settings), raise_server_exceptions=False) as browser:
        yield browser


@pytest.fixture
def mine(store: Database, settings: Settings, now: datetime) -> str:
    """The link of the city's primary contact to the round that is open."""
    opened(store, now)
    return link(settings, "review", "harbour", "city-primary", now, {"round": 1})
