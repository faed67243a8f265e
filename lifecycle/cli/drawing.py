"""`diagram`, `plot`: the stages and the promises as pictures."""

from typing import Annotated, Literal

import typer

from lifecycle.cli.installation import opened
from lifecycle.cli.options import Id
from lifecycle.cli.output import say


def diagram(
    id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Highlight this partnership's stage.")
    ] = None,
    format: Annotated[
        Literal["mermaid", "svg"], typer.Option(help="Mermaid text, or an SVG picture.")
    ] = "mermaid",
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write it here.")
    ] = None,
) -> None:
    """Draw the stages.

    With an ID, the partnership's present stage is highlighted."""
    from lifecycle import diagram as drawing
    from lifecycle.cli.inputs import write_text

    current, left = (None, None) if id is None else _stage(id)
    drawn = drawing.svg(current, left) if format == "svg" else drawing.mermaid(current) + "\n"
    if output is None:
        typer.echo(drawn, nl=False)
        return
    write_text(output, drawn)
    say(f"Wrote {output}.")


def _stage(partnership_id: str) -> tuple[str, str | None]:
    """The partnership's stage, and the one that a suspension left."""
    from lifecycle.partnerships import changes

    with opened() as (database, _), database.read() as connection:
        record = changes.find(connection, partnership_id)
        return record.stage, record.suspended_from


def plot(
    id: Id,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write it here.")
    ] = None,
) -> None:
    """Draw how promises fared, as SVG.

    A lane for each direction, a mark for each promise, a bar for each complaint."""
    from lifecycle import clock
    from lifecycle.cli.inputs import write_text
    from lifecycle.measures import picture
    from lifecycle.obligations import queries
    from lifecycle.partnerships import changes
    from lifecycle.redress import queries as redress

    with opened() as (database, _), database.read() as connection:
        record = changes.find(connection, id)
        found = queries.performances(connection, id)
        complaints = redress.complaints(connection, id)
    drawn = picture.svg(record.title, found, complaints, record.calendar, clock.now())
    if output is None:
        typer.echo(drawn, nl=False)
        return
    write_text(output, drawn)
    say(f"Wrote {output}.")
