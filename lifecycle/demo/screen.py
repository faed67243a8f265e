"""What the demo shows while it works: a line for each act, gate reports as tables, one email as it was written."""

import email
import email.policy
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Column, Table
from rich.text import Text

from lifecycle.cli.output import printable
from lifecycle.demo.acts import Told
from lifecycle.demo.folder import Folder
from lifecycle.demo.story import HARBOUR, SCHOOL, TRAM

COLOURS = {SCHOOL: "magenta", TRAM: "yellow", HARBOUR: "cyan"}
MAIL_BEGINS = 6
"""So many of an email's paragraphs are shown, and what it says would happen otherwise."""


@dataclass
class _Line:
    at: datetime
    partnership: str
    text: str
    style: str = ""
    report: Mapping[str, Any] | None = None
    mails: int = 0


@dataclass
class Screen:
    """Prints the story. Lines of one instant wait until their emails have left, to say how many there were."""

    console: Console
    mailbox: Path
    _lines: list[_Line] = field(default_factory=list)
    _refused: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    _mail_shown: bool = False

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """A spinner on a terminal, a plain line elsewhere."""
        if self.console.is_terminal:
            with self.console.status(what):
                yield
        else:
            self.console.print(what)
            yield

    def opening(self, folder: Folder) -> None:
        """What is about to be shown."""
        self.say("Three partnerships, from January 2025 to January 2026, in about a minute", "bold")
        self.say(
            "One need turns out to be served already, one agreement is refused and mended, one partnership goes "
            "through a year of reviews to its renewal. Time is simulated; the rest is real: an SQLite database, "
            f"emails and a Prefect server, all in {folder.path}. » marks what the engine does by itself, "
            "✉ how many emails leave."
        )

    def say(self, text: str, style: str = "") -> None:
        """A paragraph."""
        self.console.print(Text(printable(text), style))

    def act(self, at: datetime, partnership: str, told: Told) -> None:
        """What somebody did."""
        refused = told.report is not None and not told.report["open"]
        self._lines.append(_Line(at, partnership, told.text, "bold red" if refused else "", told.report))

    def engine(self, at: datetime, partnership: str, text: str) -> None:
        """What the engine did by itself."""
        self._lines.append(_Line(at, partnership, f"» {text}", "italic"))

    def emails(self, sent: Sequence[Mapping[str, Any]]) -> None:
        """Show the instant that ends here, with the emails that left."""
        count = Counter(row["partnership_id"] for row in sent)
        for line in reversed(self._lines):
            line.mails = count.pop(line.partnership, 0)
        for line in self._lines:
            self._print(line)
            if line.report is not None:
                self._report(line.report)
        self._lines.clear()
        invitation = next((row for row in sent if row["template"] == "review_opened"), None)
        if invitation is not None and not self._mail_shown:
            self._mail_shown = True
            self._mail(self.mailbox / str(invitation["provider_id"]))

    def _print(self, line: _Line) -> None:
        grid = Table.grid(
            Column(width=10), Column(width=22, no_wrap=True), Column(ratio=1), Column(width=5), padding=(0, 1)
        )
        grid.expand = True
        mails = f"✉ {line.mails}" if line.mails else ""
        grid.add_row(
            Text(f"{line.at:%Y-%m-%d}", "dim"),
            Text(line.partnership, COLOURS.get(line.partnership, "")),
            Text(printable(line.text), line.style),
            Text(mails, "green"),
        )
        self.console.print(grid)

    def _report(self, report: Mapping[str, Any]) -> None:
        key = (report["partnership_id"], report["event"])
        if not report["open"]:
            self._refused[key] = report
            self._shut(report)
        elif key in self._refused:
            self._mended(self._refused[key], report)

    def _shut(self, report: Mapping[str, Any]) -> None:
        unmet = [finding for finding in report["findings"] if finding["outcome"] == "unmet"]
        table = self._table("code", "criterion", "", "what to do", title="The gate report")
        for finding in sorted(unmet, key=lambda one: not one["blocks"]):
            blocks = "blocks" if finding["blocks"] else "advice"
            table.add_row(finding["code"], finding["name"], blocks, printable(finding["to_do"]))
        table.caption = f"The other {len(report['findings']) - len(unmet)} criteria of this gate are met."
        self.console.print(Padding(table, (0, 0, 0, 4)))

    def _mended(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        now = {finding["code"]: finding for finding in after["findings"]}
        table = self._table("code", "criterion", "then", "now", "where", title="The same gate, mended")
        for finding in before["findings"]:
            if finding["outcome"] == "unmet":
                found = now[finding["code"]]
                table.add_row(
                    finding["code"], finding["name"], "unmet", found["outcome"], _where(found["evidence"])
                )
        self.console.print(Padding(table, (0, 0, 0, 4)))

    def _table(self, *columns: str, title: str) -> Table:
        heads = (Column(name, overflow="fold", no_wrap=name == "code") for name in columns)
        return Table(
            *heads,
            title=title,
            title_justify="left",
            caption_justify="left",
            box=box.SIMPLE_HEAD,
            pad_edge=False,
        )

    def _mail(self, path: Path) -> None:
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        body = message.get_body(("plain",))
        heads = [f"{name}: {message[name]}" for name in ("To", "Subject")]
        parts = ["\n".join(heads), *_abridged("" if body is None else str(body.get_content()))]
        panel = Panel(Text(printable("\n\n".join(parts))), title="One of the emails", width=84)
        self.console.print(Padding(panel, (0, 0, 0, 4)))


def _abridged(text: str) -> list[str]:
    paragraphs = "\n".join(text.strip().splitlines()).split("\n\n")
    otherwise = [one for one in paragraphs[MAIL_BEGINS:] if one.startswith("WHAT HAPPENS OTHERWISE")]
    return [*paragraphs[:MAIL_BEGINS], "[…]", *otherwise, "[…]"]


def _where(evidence: Sequence[Mapping[str, Any]]) -> str:
    """The first places where a criterion was found to be met."""
    places = [f"{one['document']} r{one['revision']}{one['pointer']}" for one in evidence]
    more = f" and {len(places) - 2} more" if len(places) > 2 else ""
    return ", ".join(places[:2]) + more
