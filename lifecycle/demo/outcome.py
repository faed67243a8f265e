"""What came of it: the closing tables, read from the database and from the Prefect server."""

import shlex
import shutil
import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import httpx
from rich import box
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from lifecycle.audit import queries as audit
from lifecycle.db import Database
from lifecycle.demo.folder import Folder
from lifecycle.demo.story import HARBOUR, PARTNERSHIPS
from lifecycle.notices import outbox, words
from lifecycle.obligations import queries as performances
from lifecycle.partnerships import changes
from lifecycle.redress import queries as complaints
from lifecycle.reviews import queries as reviews

ESCALATED = "_escalated"


@dataclass(frozen=True)
class Row:
    """What became of one partnership."""

    partnership: str
    stage: str
    refused: int
    met: int
    emails: Counter[str]
    """Sent, by template."""
    rounds: str
    actions: str
    promises: str

    @property
    def escalations(self) -> int:
        """Emails that went to somebody above the one who was asked."""
        return sum(count for template, count in self.emails.items() if template.endswith(ESCALATED))


def rows(database: Database) -> list[Row]:
    """A row for each of the three."""
    return [_row(database, partnership) for partnership in PARTNERSHIPS]


def _row(database: Database, partnership: str) -> Row:
    with database.read() as connection:
        decided = Counter(event.type for event in audit.trail(connection, partnership))
        held = reviews.rounds(connection, partnership)
        actions = reviews.actions(connection, partnership)
        stage = changes.find(connection, partnership).stage
        sent = outbox.counts(connection, partnership)
        fared = Counter(_fared(one) for one in performances.performances(connection, partnership))
    verified = sum(one.verified_at is not None for one in actions)
    return Row(
        partnership,
        stage,
        decided["transition_refused"],
        decided["stage_changed"],
        Counter({template: count for (template, state), count in sent.items() if state == "sent"}),
        str(len(held) or "–"),
        f"{verified} of {len(actions)} done" if actions else "–",
        _promises(fared),
    )


def _promises(fared: Counter[str]) -> str:
    """How many of the performances that are settled were kept as promised."""
    settled = fared["kept"] + fared["else"] + fared["restored"]
    return f"{fared['kept']} of {settled} kept" if settled else "–"


def _fared(one: performances.Performance) -> str:
    if one.state == "settled":
        return "kept" if one.outcome == "kept" else "else"
    return one.state


def flow_runs(api_url: str, flows: Iterable[str]) -> dict[str, int]:
    """How many completed runs of each flow the Prefect server knows."""
    with httpx.Client(base_url=api_url, timeout=30) as client:
        return {flow: _completed(client, flow) for flow in flows}


def _completed(client: httpx.Client, flow: str) -> int:
    wanted = {"flows": {"name": {"any_": [flow]}}, "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}}
    answer = client.post("/flow_runs/count", json=wanted)
    answer.raise_for_status()
    return int(answer.json())


def show(console: Console, database: Database, folder: Folder, runs: dict[str, int], seconds: float) -> None:
    """Print the closing tables, and what to do next."""
    found = rows(database)
    console.print(Text("\nWhat happened", "bold"))
    console.print(_partnerships(found))
    console.print(_emails(found))
    for line in _facts(database, folder, found, runs, seconds):
        console.print(Text(line))
    console.print(Text("\nWhat to do next", "bold"))
    for what, command in next_steps(folder):
        console.print(Text(f"  {what}:"))
        console.print(Text(f"    {command}", "bold green"), soft_wrap=True)


def _partnerships(found: Iterable[Row]) -> Table:
    table = _table(
        "partnership",
        "stage",
        "refused",
        "granted",
        "emails",
        "escalations",
        "reviews",
        "actions",
        "promises",
    )
    for one in found:
        emails = sum(one.emails.values())
        values = (
            one.stage,
            one.refused,
            one.met,
            emails,
            one.escalations,
            one.rounds,
            one.actions,
            one.promises,
        )
        table.add_row(one.partnership, *map(str, values))
    return table


def _emails(found: Iterable[Row]) -> Table:
    found = list(found)
    table = _table("emails by kind", *(one.partnership for one in found))
    for template, called in words.TEMPLATES.items():
        counts = [one.emails[template] for one in found]
        if any(counts):
            table.add_row(called, *(str(count or "–") for count in counts))
    return table


def _table(*columns: str) -> Table:
    heads = (Column(name, no_wrap=number == 0, overflow="fold") for number, name in enumerate(columns))
    return Table(*heads, box=box.SIMPLE_HEAD, pad_edge=False)


def _facts(
    database: Database, folder: Folder, found: Iterable[Row], runs: dict[str, int], seconds: float
) -> list[str]:
    with database.read() as connection:
        breaks = audit.verify_all(connection)
        settled = [one for two in found for one in complaints.complaints(connection, two.partnership)]
        events = sum(len(audit.trail(connection, one.partnership)) for one in found)
    proved = f"every trail is whole ({events} events)" if not breaks else f"BROKEN: {breaks}"
    counted = ", ".join(f"{flow} {count}" for flow, count in runs.items())
    mails = len(list(folder.mailbox.glob("*.eml")))
    return [
        f"Audit trail (`lifecycle audit verify`): {proved}.",
        *(_complaint(one) for one in settled),
        f"Prefect flow runs: {sum(runs.values())} ({counted}).",
        f"Emails: {mails} files in {folder.mailbox}, which any mail program opens.",
        f"One year in {seconds:.0f} seconds.",
    ]


def _complaint(one: complaints.Complaint) -> str:
    """What became of a complaint, in a line."""
    days = "" if one.closed_at is None else f" after {(one.closed_at - one.lodged_at).days} days"
    return (
        f"Complaint {one.number} of {one.complainant} against {one.respondent}: {one.state.replace('_', ' ')} "
        f"at level {one.level}{days}."
    )


def next_steps(folder: Folder) -> list[tuple[str, str]]:
    """Commands to copy, each with what it is for."""
    lifecycle = _program()
    where = f"LIFECYCLE_DATABASE_URL={shlex.quote(folder.database_url)}"
    up = "make up" if Path("Makefile").is_file() and Path("prefect.yaml").is_file() else f"{lifecycle} up"
    return [
        ("See a partnership whole", f"{where} {lifecycle} show {HARBOUR}"),
        (
            "Write the dossier on which its sponsors decided, as a page for the browser",
            f"{where} {lifecycle} dossier {HARBOUR} -o dossier.html",
        ),
        ("Open the email that reached the sponsor", f"{_opener()} {shlex.quote(str(_escalation(folder)))}"),
        ("Run your own, with schedules and the Prefect UI, until Ctrl-C", up),
    ]


def _escalation(folder: Folder) -> Path:
    """The last of the emails that say that review answers are missing."""
    return max(folder.mailbox.glob("*-review_escalated-*.eml"), default=folder.mailbox)


def _program() -> str:
    """How this very program is called from here."""
    if (found := shutil.which("lifecycle")) and Path(found).resolve().parent == Path(sys.executable).parent:
        return "lifecycle"
    program = Path(sys.executable).with_name("lifecycle")
    try:
        return shlex.quote(str(program.relative_to(Path.cwd())))
    except ValueError:
        return shlex.quote(str(program))


def _opener() -> str:
    """What opens an .eml file here; without a desktop, a pager shows it as text."""
    if sys.platform == "darwin":
        return "open"
    return "xdg-open" if shutil.which("xdg-open") else "less"
