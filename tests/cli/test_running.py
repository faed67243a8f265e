"""`run`, `demo` and `up` hand over to what they name; a database that goes away is one paragraph."""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from tests.cli.command import Command, example


@dataclass
class Summary:
    opened: int
    as_of: datetime | None


async def _flow(as_of: datetime | None = None) -> Summary:
    return Summary(2, as_of)


def _module(monkeypatch: pytest.MonkeyPatch, name: str, **attributes: Any) -> None:
    module = ModuleType(name)
    vars(module).update(attributes)
    monkeypatch.setitem(sys.modules, name, module)


def test_a_flow_is_run_as_of_an_instant(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    _module(monkeypatch, "flows.scheduled_reviews", scheduled_reviews=_flow)
    ran = command.done("run", "scheduled-reviews", "--as-of", "2026-03-31T11:00:00+02:00", "--json")
    assert ran.json == {"opened": 2, "as_of": "2026-03-31T09:00:00+00:00"}
    assert command.done("run", "scheduled-reviews").out == "scheduled-reviews: opened: 2, as of: None\n"


def test_a_flow_needs_a_database(empty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    _module(monkeypatch, "flows.escalations", escalations=_flow)
    monkeypatch.setenv("LIFECYCLE_DATABASE_URL", "sqlite:///absent.db")
    assert "lifecycle init-db" in empty.refused(1, "run", "escalations")


def test_demo_and_up_are_handed_their_options(empty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[Any] = []
    _module(monkeypatch, "lifecycle.demo", run_demo=lambda directory, keep: called.append((directory, keep)))
    _module(monkeypatch, "lifecycle.up", run_up=lambda *given: called.append(given))
    empty.done("demo", "--directory", "story", "--keep")
    empty.done("up", "--port", "4711", "--api-port", "4712")
    assert called == [(Path("story"), True), ("127.0.0.1", 4711, 4712)]


def test_a_database_that_goes_away_is_one_paragraph(empty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: Any, **__: Any) -> None:
        raise OperationalError("INSERT …", {}, Exception("server closed the connection unexpectedly"))

    monkeypatch.setattr("lifecycle.partnerships.registration.create", gone)
    error = empty.refused(1, "new", empty.file("new.json", example("partnership")))
    assert "cannot be reached: server closed the connection unexpectedly" in error
    assert "INSERT" not in error


def test_a_clock_value_is_read_once_for_each_command(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lifecycle.clock.now", lambda: datetime(2030, 1, 1, tzinfo=UTC))
    command.done("put", *_need(command))
    assert command.sql("SELECT DISTINCT created_at FROM document") == [("2030-01-01T00:00:00.000000+00:00",)]


def _need(command: Command) -> tuple[str, ...]:
    file = command.file("n.json", example("need_assessment"))
    return ("harbour-falls-prevention", "need_assessment", file, "--as", "amira-haddad")
