"""`list`, `show`, `document`, `export`: reading the record."""

from typing import Annotated, Any

import typer

from lifecycle import clock
from lifecycle.cli.installation import opened
from lifecycle.cli.measuring import export_iati
from lifecycle.cli.options import Id, Json, Kind, Subject
from lifecycle.cli.output import print_json, say, table
from lifecycle.errors import Usage
from lifecycle.notices import words


def list_partnerships(
    stage: Annotated[str | None, typer.Option(help="Only those in this stage.")] = None,
    after: Annotated[str, typer.Option(metavar="ID", help="The next page: ids after this one.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 100,
    json: Json = False,
) -> None:
    """List partnerships and what is due next."""
    from lifecycle.partnerships import queries

    _require_stage(stage)
    with opened() as (database, _), database.read() as connection:
        found = queries.portfolio(connection, stage, after, limit)
    if json:
        print_json({"partnerships": found, "next_after": found[-1]["id"] if len(found) == limit else None})
        return
    rows = [
        (
            p["id"],
            p["title"],
            p["stage"],
            p["health"]["level"].replace("_", " "),
            _next(p),
        )
        for p in found
    ]
    table(["id", "title", "stage", "health", "due next"], rows)
    if not found:
        say("No partnerships here. `lifecycle new FILE` registers one, `lifecycle demo` shows three.")
    elif len(found) == limit:
        say(f"There may be more: `lifecycle list --after {found[-1]['id']}`.")


def _require_stage(stage: str | None) -> None:
    from lifecycle.stages import STAGES

    if stage is not None and stage not in STAGES:
        raise Usage(f"“{stage[:40]}” is not a stage.", mend=f"Stages are: {', '.join(STAGES)}.")


def _next(partnership: dict[str, Any]) -> str:
    from zoneinfo import ZoneInfo

    due = partnership["next_due"]
    if due is None:
        return "–"
    return f"{due.due_at.astimezone(ZoneInfo(partnership['time_zone'])):%Y-%m-%d} {words.MATTERS.get(due.matter, due.matter)}"


def show(id: Id, json: Json = False) -> None:
    """Show one partnership whole.

    Stage, people, documents, reviews, clocks, and what needs attention.
    """
    from lifecycle.evaluation import lessons
    from lifecycle.partnerships import queries

    now = clock.now()
    with opened() as (database, _), database.read() as connection:
        found = queries.overview(connection, id, now)
        # Looked up here and not in every overview: it reads the whole registry.
        defining = found["stage"] == "need_definition"
        found["lessons_of_similar"] = list(map(vars, lessons.of_similar(connection, id))) if defining else []
    if json:
        print_json(found)
        return
    from lifecycle.cli.showing import show_overview

    show_overview(found)


def document(
    id: Id,
    kind: Kind,
    revision: Annotated[
        int | None, typer.Option(min=1, max=2**31 - 1, help="The revision; the latest if absent.")
    ] = None,
    subject: Subject = "",
    json: Json = False,
) -> None:
    """Print a document.

    As YAML; with --json as JSON, together with its revision and hash."""
    from lifecycle.documents import queries
    from lifecycle.partnerships import changes

    with opened() as (database, _), database.read() as connection:
        changes.find(connection, id)
        found = queries.find(connection, id, kind, subject, revision)
    if json:
        print_json(found)
        return
    import yaml

    say(yaml.safe_dump(dict(found.content), allow_unicode=True, sort_keys=False, width=100).rstrip())


def export(
    what: Annotated[
        list[str], typer.Argument(metavar="[iati] ID", help="The partnership's id.", show_default=False)
    ],
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write it here.")
    ] = None,
    json: Json = False,
) -> None:
    """Print one partnership as JSON.

    Everything that is stored about it, names and addresses included. `export iati ID` writes an IATI activity file
    (version 2.03) with its results."""
    from lifecycle.cli.inputs import write_text
    from lifecycle.cli.output import as_json
    from lifecycle.export import everything

    *form, id = what
    if form == ["iati"]:
        export_iati(id, output, json)
        return
    if form:
        raise Usage(f"There is no export “{form[0][:40]}”.", mend="Use `export ID` or `export iati ID`.")
    with opened() as (database, _), database.read() as connection:
        found = everything(connection, id)
    if output is None:
        print_json(found)
        return
    write_text(output, as_json(found) + "\n")
    if json:
        print_json({"partnership_id": id, "file": output})
    else:
        say(f"Wrote {output}.")
