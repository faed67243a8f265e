"""`review …`: who answers a round, and what it says."""

from typing import Annotated

import typer

from lifecycle import clock
from lifecycle.cli.installation import opened
from lifecycle.cli.options import AsContact, Id, Json
from lifecycle.cli.output import print_json, say

app = typer.Typer(
    help="Pass a round on, decline it, read its results.", rich_markup_mode=None, no_args_is_help=True
)

Round = Annotated[
    int,
    typer.Argument(
        metavar="ROUND", min=1, max=2**31 - 1, help="The round's number, see `lifecycle show ID`."
    ),
]


@app.command("pass")
def pass_on(
    id: Id,
    round: Round,
    to: Annotated[str, typer.Option(metavar="CONTACT", help="Who answers instead, of the same partner.")],
    as_contact: AsContact,
    json: Json = False,
) -> None:
    """Have somebody else of your organisation answer."""
    from lifecycle.reviews import invitations

    with opened() as (database, _):
        one = invitations.pass_on(database, id, round, as_contact, to, clock.now())
    if json:
        print_json(one)
    else:
        say(f"Round {round} of {id} is asked of {to} instead of {as_contact}.")


@app.command()
def decline(
    id: Id,
    round: Round,
    reason: Annotated[str, typer.Option(help="Why; it goes into the record.")],
    as_contact: AsContact,
    json: Json = False,
) -> None:
    """Say that you do not answer, and why."""
    from lifecycle.reviews import invitations

    with opened() as (database, _):
        one = invitations.decline(database, id, round, as_contact, reason, clock.now())
    if json:
        print_json(one)
    else:
        say(f"{as_contact} does not answer round {round} of {id}, and is not reminded any more.")


@app.command()
def results(
    id: Id,
    round: Round,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Draw them here, as SVG.")
    ] = None,
    json: Json = False,
) -> None:
    """Show what a round says.

    Scores by section and question, how far partners differ, what changed since the round before."""
    from lifecycle.cli.inputs import write_text
    from lifecycle.cli.showing import show_results
    from lifecycle.measures import results_picture
    from lifecycle.partnerships import changes
    from lifecycle.partnerships.people import people_of
    from lifecycle.reviews.reporting import results_of

    with opened() as (database, _), database.read() as connection:
        title = changes.find(connection, id).title
        found = results_of(connection, people_of(connection, id)[id], round, id)
    if json:
        print_json(found)
    elif output is not None:
        write_text(output, results_picture.svg(title, found))
        say(f"Wrote {output}.")
    else:
        show_results(found)
