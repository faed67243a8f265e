"""`actual`, `dossier`, `lessons`, `import iati`, `export iati`: what a partnership came to, for those who decide and learn."""

from typing import Annotated

import typer

from lifecycle import clock
from lifecycle.cli.inputs import day, read_bytes, write_bytes
from lifecycle.cli.installation import opened
from lifecycle.cli.options import AsContact, Id, Json
from lifecycle.cli.output import print_json, say
from lifecycle.errors import Usage


def actual(
    id: Id,
    indicator: Annotated[str, typer.Argument(metavar="INDICATOR", help="Its id.", show_default=False)],
    value: Annotated[float, typer.Argument(metavar="VALUE", help="What it came to.", show_default=False)],
    starts: Annotated[str, typer.Option("--from", metavar="DATE", help="First day of the period.")],
    ends: Annotated[str, typer.Option("--to", metavar="DATE", help="Last day of the period.")],
    as_contact: AsContact,
    dimension: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Of which part of the whole, e.g. sex=female."),
    ] = None,
    comment: Annotated[str | None, typer.Option(help="What stands behind it.")] = None,
    json: Json = False,
) -> None:
    """Record what an indicator came to.

    For the same period and dimensions again, it is a correction."""
    from lifecycle.evaluation import indicators

    dimensions = dict(_pair(one) for one in dimension or ())
    period = (day(starts), day(ends))
    with opened() as (database, _):
        one = indicators.record_actual(
            database, id, indicator, value, period, as_contact, clock.now(), dimensions, comment
        )
    if json:
        print_json(one)
    else:
        say(f"{indicator} of {id} came to {value:g} from {period[0]} to {period[1]}.")


def _pair(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name or not value:
        raise Usage(f"“{text[:40]}” is no dimension.", mend="Write it as NAME=VALUE, e.g. sex=female.")
    return name, value


def dossier(
    id: Id,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write it here.")
    ] = None,
    json: Json = False,
) -> None:
    """Gather what a decision rests on.

    Reviews, promises, indicators, actions, complaints and gates, as one HTML page that prints well; or as data."""
    from lifecycle.cli.inputs import write_text
    from lifecycle.cli.output import as_json
    from lifecycle.evaluation import dossier as dossiers
    from lifecycle.evaluation.page import page

    with opened() as (database, _), database.read() as connection:
        found = dossiers.gather(connection, id, clock.now())
    written = as_json(found) + "\n" if json else page(found)
    if output is None:
        typer.echo(written, nl=False)
        return
    write_text(output, written)
    say(f"Wrote {output}.")


def lessons(
    text: Annotated[str, typer.Argument(metavar="[TEXT]", help="Words that must occur.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")] = 20,
    json: Json = False,
) -> None:
    """Search what partnerships have learnt.

    Newest first. Lessons are kept when an evaluation ends in a decision."""
    from lifecycle.cli.showing import show_lessons
    from lifecycle.evaluation import lessons as learnt

    with opened() as (database, _), database.read() as connection:
        found = [vars(one) for one in learnt.search(connection, text, limit)]
    if json:
        print_json({"lessons": found})
        return
    show_lessons(found, "Lessons")
    if not found:
        say(f"No lesson says “{text[:80]}”." if text else "No partnership has recorded a lesson yet.")


def import_iati(file: str, partnership: str | None, as_contact: str | None, json: bool) -> None:
    """Load the results of an IATI file into a partnership."""
    from lifecycle.evaluation import iati, service

    if partnership is None or as_contact is None:
        raise Usage(
            "An IATI file is imported into a partnership, by one of its contacts.",
            mend="Add --partnership ID and --as CONTACT.",
        )
    data = read_bytes(file, iati.MAX_BYTES)
    with opened() as (database, _):
        taken = service.import_iati(database, partnership, data, as_contact, clock.now())
    if json:
        print_json({"partnership_id": partnership, "results": taken})
    else:
        say(f"{file}: {taken} results are kept with {partnership}. They leave again with `export iati`.")


def export_iati(id: str, output: str | None, json: bool) -> None:
    """Write a partnership as an IATI activity file."""
    from lifecycle.evaluation import service

    with opened() as (database, _), database.read() as connection:
        data = service.export_iati(connection, id, clock.now())
    if output is None:
        typer.echo(data.decode("utf-8"))
        return
    write_bytes(output, data)
    if json:
        print_json({"partnership_id": id, "file": output})
    else:
        say(f"Wrote {output}.")
