"""What commands print: JSON, tables, sentences, problems."""

import json
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import typer

from lifecycle.errors import Invalid, LifecycleError, Refused

if TYPE_CHECKING:
    from rich.console import Console

PIPED_WIDTH = 120
"""Columns of a table that no terminal shows."""


def say(text: str) -> None:
    """Print a line for a reader."""
    typer.echo(printable(text))


def print_json(value: Any) -> None:
    """Print machine-readable JSON; instants are ISO 8601 in UTC."""
    typer.echo(as_json(value))


def as_json(value: Any) -> str:
    """The JSON text of plain data, dates and data classes."""
    return json.dumps(value, default=_plain, ensure_ascii=False, indent=2)


def as_data(value: Any) -> Any:
    """What JSON makes of it."""
    return json.loads(as_json(value))


def _plain(value: Any) -> Any:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, Mapping):
        return dict(value)
    if hasattr(value, "model_dump"):
        return value.model_dump(mode="json")
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")


def report_error(error: LifecycleError, as_json: bool) -> None:
    """One paragraph on stderr, or the problem object on stdout."""
    if as_json:
        print_json(problem(error))
    else:
        typer.echo(printable(str(error)), err=True)


def problem(error: LifecycleError) -> dict[str, Any]:
    """The error as data, in the words of RFC 9457."""
    faults = error.faults if isinstance(error, Invalid) else ()
    found: dict[str, Any] = {
        "type": error.problem_type,
        "title": error.title,
        "detail": error.message,
        "mend": error.mend or "Correct each of the errors and repeat.",
        "errors": [asdict(fault) for fault in faults],
    }
    if isinstance(error, Refused):
        found["report"] = error.report.as_json()
    return found


def printable(text: str) -> str:
    """Text from outside, without what could steer a terminal (escape sequences, direction overrides)."""
    return "".join(c if c == "\n" or unicodedata.category(c) not in _STEERING else " " for c in text)


_STEERING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def console() -> "Console":
    """Where tables go. Markup is off: a title like `[red]` is text."""
    import sys

    from rich.console import Console

    width = None if sys.stdout.isatty() else PIPED_WIDTH
    return Console(width=width, markup=False, highlight=False, emoji=False)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], title: str | None = None) -> None:
    """Print a table; an empty one prints nothing."""
    from rich import box
    from rich.table import Column, Table

    filled = [[_cell(value) for value in row] for row in rows]
    if not filled:
        return
    drawn = Table(
        *(Column(name, overflow="fold") for name in columns),
        title=title,
        title_justify="left",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    for row in filled:
        drawn.add_row(*row)
    console().print(drawn)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(_cell, value)) or "–"
    return printable(str(value))


def local(moment: datetime | None, zone: str) -> str:
    """An instant for a reader in a time zone: weekday, date, time and the zone's name."""
    return "–" if moment is None else f"{moment.astimezone(ZoneInfo(zone)):%a %Y-%m-%d %H:%M %Z}"
