"""Running `lifecycle` in this process against a temporary SQLite database, and seeing what it did."""

import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lifecycle.cli import main

ID = "harbour-falls-prevention"


@dataclass(frozen=True)
class Ran:
    """What one command did."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Command:
    """`command("show", ID)` runs `lifecycle show ID`."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.database = folder / "lifecycle.db"
        self._capture = capture

    def __call__(self, *arguments: str) -> Ran:
        self._capture.readouterr()
        status = main(list(arguments))
        captured = self._capture.readouterr()
        return Ran(status, captured.out, captured.err)

    def done(self, *arguments: str) -> Ran:
        """Run a command that must succeed."""
        ran = self(*arguments)
        assert ran.status == 0, ran
        return ran

    def file(self, name: str, content: Any) -> str:
        """Write a JSON file (or the text as it is) and return its path."""
        path = self.folder / name
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return str(path)

    def sql(self, statement: str, *values: Any) -> list[Any]:
        """Reach around the engine, as a test (or a forger) may."""
        connection = sqlite3.connect(self.database)
        try:
            with connection:
                return connection.execute(statement, values).fetchall()
        finally:
            connection.close()

    def contents(self) -> list[str]:
        """The whole database as text: two equal contents are equal databases."""
        connection = sqlite3.connect(self.database)
        try:
            return list(connection.iterdump())
        finally:
            connection.close()

    def refused(self, status: int, *arguments: str) -> str:
        """Run a command that must fail without changing anything; returns its one paragraph."""
        before = self.contents()
        ran = self(*arguments)
        assert ran.status == status, ran
        assert self.contents() == before
        assert ran.out == ""
        assert ran.err.strip(), "an error says something"
        assert "\n\n" not in ran.err.strip()
        assert "Traceback" not in ran.err
        return ran.err


SECOND = {
    "id": "city-council",
    "name": "City Council",
    "contacts": [
        {"id": "bo-lind", "role": "primary", "name": "Bo Lind", "email": "bo@council.example"},
        {"id": "kim-day", "role": "sponsor", "name": "Kim Day", "email": "kim@council.example"},
        {"id": "lee-fox", "role": "member", "name": "Lee Fox", "email": "lee@council.example"},
    ],
}
# Whom the schemas' examples name, as contacts of the two partners that these tests register.
_PLAYED_BY = {
    "tidewell-housing": "city-council",
    "strand-leisure": "city-council",
    "moira-kerr": "bo-lind",
    "priya-nair": "kim-day",
} | dict.fromkeys(("callum-boyd", "david-lennox", "jo-sinclair", "ruth-adair", "tom-weir"), "lee-fox")


def example(kind: str) -> dict[str, Any]:
    """The example of a schema, complete and valid, about the partners of `registration`."""
    from lifecycle.documents import rules

    text = json.dumps(rules.load_schema(kind)["examples"][0])
    for name, player in _PLAYED_BY.items():
        text = text.replace(f'"{name}"', f'"{player}"')
    found: dict[str, Any] = json.loads(text)
    return found


def registration(**changed: Any) -> dict[str, Any]:
    """The example of a registration, with a second partner."""
    found = example("partnership")
    found["partners"] = [found["partners"][0], SECOND]
    return found | changed
