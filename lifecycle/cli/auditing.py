"""`audit show` and `audit verify`: the trail."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lifecycle.cli.installation import opened
from lifecycle.cli.options import Id, Json
from lifecycle.cli.output import print_json, say, table

if TYPE_CHECKING:
    from lifecycle.audit.rules import AuditEvent

app = typer.Typer(help="The audit trail: show and verify.", rich_markup_mode=None, no_args_is_help=True)


@app.command()
def show(id: Id, json: Json = False) -> None:
    """Show the trail of a partnership, oldest first."""
    from lifecycle.audit import queries
    from lifecycle.partnerships import changes

    with opened() as (database, _), database.read() as connection:
        record = changes.find(connection, id)
        events = queries.trail(connection, id)
    if json:
        print_json([_as_json(event) for event in events])
        return
    rows = [
        (e.seq, f"{e.at:%Y-%m-%d %H:%M:%S}", e.type, e.actor, _in_words(_as_json(e)["payload"]), e.hash[:12])
        for e in events
    ]
    table(["no.", "at (UTC)", "event", "by", "facts", "hash"], rows)
    say(f"Head: event {record.audit_seq}, {record.audit_hash}")


def _as_json(event: "AuditEvent") -> dict[str, Any]:
    import json

    return {**vars(event), "payload": json.loads(event.payload)}


def _in_words(payload: Mapping[str, Any]) -> str:
    """An event's facts for a reader; hashes are shortened."""
    named = {name: value for name, value in payload.items() if value not in ("", None, [])}
    return ", ".join(f"{name} {_short(value)}" for name, value in named.items())


def _short(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(map(_short, value))
    if isinstance(value, dict):
        return f"({_in_words(value)})"
    text = str(value)
    return f"{text[:12]}…" if len(text) == 64 and not text.strip("0123456789abcdef") else text


@app.command()
def verify(
    id: Annotated[str | None, typer.Argument(metavar="[ID]", help="One partnership; all if absent.")] = None,
    json: Json = False,
) -> None:
    """Prove that no event was edited, removed, inserted or reordered. Exit status 1 if one was."""
    from lifecycle.audit import queries
    from lifecycle.partnerships import changes

    with opened() as (database, _), database.read() as connection:
        if id is not None:
            changes.find(connection, id)
        breaks = queries.verify_all(connection, id)
    if json:
        print_json({"whole": not breaks, "breaks": breaks})
    elif breaks:
        table(["partnership", "event", "what is wrong"], [(b.partnership_id, b.seq, b.why) for b in breaks])
        say(
            "The trail was changed outside the engine: compare with a backup and with the hashes sent to the partners."
        )
    else:
        say(f"The trail of {id} is whole." if id else "Every trail is whole.")
    if breaks:
        raise typer.Exit(1)
