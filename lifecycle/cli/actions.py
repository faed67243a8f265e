"""`action plan` and `action verify`: what negative answers ask for."""

from typing import Annotated

import typer

from lifecycle import clock
from lifecycle.cli.inputs import day
from lifecycle.cli.installation import opened
from lifecycle.cli.options import By, Id, Json
from lifecycle.cli.output import print_json, say

app = typer.Typer(help="Corrective actions: plan and verify.", rich_markup_mode=None, no_args_is_help=True)
Number = Annotated[
    int,
    typer.Argument(metavar="N", min=1, max=2**31 - 1, help="The action's number, see `lifecycle show ID`."),
]


@app.command()
def plan(
    id: Id,
    number: Number,
    what: Annotated[str, typer.Option(help="What will be done.")],
    owner: Annotated[str, typer.Option(metavar="CONTACT", help="Who does it.")],
    due: Annotated[str, typer.Option(metavar="DATE", help="By when, e.g. 2026-03-31.")],
    by: By,
    json: Json = False,
) -> None:
    """Say what a corrective action is, who owns it and by when. Planning it again replaces the plan."""
    from lifecycle.reviews import actions

    due_on = day(due)
    with opened() as (database, _):
        actions.plan_action(database, id, number, what, owner, due_on, by, clock.now())
    if json:
        print_json({"partnership_id": id, "number": number, "what": what, "owner": owner, "due_on": due_on})
    else:
        say(f"Corrective action {number} of {id}: {owner} by {due_on}.")


@app.command()
def verify(id: Id, number: Number, by: By, json: Json = False) -> None:
    """Confirm that a corrective action was carried out; another partner than the owner's does."""
    from lifecycle.reviews import actions

    with opened() as (database, _):
        actions.verify_action(database, id, number, by, clock.now())
    if json:
        print_json({"partnership_id": id, "number": number, "verified_by": by})
    else:
        say(f"Corrective action {number} of {id} is verified by {by}.")
