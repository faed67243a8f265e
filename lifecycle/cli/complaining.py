"""`complain`, `complaint …`, `withhold`: redress by the procedure that was agreed beforehand."""

from typing import Annotated, Any

import typer

from lifecycle import clock
from lifecycle.cli.inputs import read_document
from lifecycle.cli.installation import opened
from lifecycle.cli.options import AsContact, File, Id, Json
from lifecycle.cli.output import print_json, say

app = typer.Typer(
    help="Acknowledge, answer, settle or escalate a complaint.", rich_markup_mode=None, no_args_is_help=True
)

Number = Annotated[
    int,
    typer.Argument(
        metavar="N", min=1, max=2**31 - 1, help="The complaint's number, see `lifecycle show ID`."
    ),
]
Why = Annotated[str, typer.Option("--reason", help="Why, in a few sentences.", show_default=False)]


def complain(id: Id, file: File, as_contact: AsContact, json: Json = False) -> None:
    """Lodge a complaint.

    FILE says against whom, about what, and what happened: see schemas/complaint/v1.json."""
    from lifecycle.redress import service

    content = read_document(file)
    with opened() as (database, _):
        one = service.lodge(database, id, content, as_contact, clock.now())
    _tell(id, one, json, f"is lodged against {one.respondent}, who has been told")


@app.command()
def acknowledge(id: Id, number: Number, as_contact: AsContact, json: Json = False) -> None:
    """Say that it has arrived."""
    from lifecycle.redress import service

    with opened() as (database, _):
        one = service.acknowledge(database, id, number, as_contact, clock.now())
    _tell(id, one, json, "is acknowledged")


@app.command()
def answer(
    id: Id,
    number: Number,
    note: Annotated[str, typer.Argument(metavar="TEXT", help="How you see it.", show_default=False)],
    as_contact: AsContact,
    json: Json = False,
) -> None:
    """Say how the side complained of sees it."""
    from lifecycle.redress import service

    with opened() as (database, _):
        one = service.answer(database, id, number, note, as_contact, clock.now())
    _tell(id, one, json, "is answered")


@app.command()
def propose(id: Id, number: Number, file: File, as_contact: AsContact, json: Json = False) -> None:
    """Propose how it ends.

    FILE is a settlement: see schemas/complaint_proposal/v1.json. It takes effect when the other side agrees."""
    from lifecycle.redress import service

    content = read_document(file)
    with opened() as (database, _):
        one = service.propose(database, id, number, content, as_contact, clock.now())
    _tell(id, one, json, "has a proposal, on which the other side is asked")


@app.command()
def agree(id: Id, number: Number, as_contact: AsContact, json: Json = False) -> None:
    """Agree to what is proposed."""
    from lifecycle.redress import service

    with opened() as (database, _):
        one = service.agree(database, id, number, as_contact, clock.now())
    _tell(id, one, json, f"is {one.state.replace('_', ' ')}")


@app.command()
def escalate(id: Id, number: Number, reason: Why, as_contact: AsContact, json: Json = False) -> None:
    """Take it to the next level."""
    from lifecycle.redress import service

    with opened() as (database, _):
        one = service.escalate(database, id, number, reason, as_contact, clock.now())
    _tell(id, one, json, f"is at level {one.level} now")


@app.command()
def decide(id: Id, number: Number, file: File, as_contact: AsContact, json: Json = False) -> None:
    """Enter the decision of the independent last level."""
    from lifecycle.redress import service

    content = read_document(file)
    with opened() as (database, _):
        one = service.decide(database, id, number, content, as_contact, clock.now())
    _tell(id, one, json, f"is decided, and {one.state.replace('_', ' ')}")


@app.command()
def pause(id: Id, number: Number, reason: Why, as_contact: AsContact, json: Json = False) -> None:
    """Ask that its clocks stand still.

    They do once both sides have asked."""
    from lifecycle.redress import service

    with opened() as (database, _):
        one = service.pause(database, id, number, reason, as_contact, clock.now())
    both = one.paused_at is not None
    _tell(id, one, json, "is paused" if both else "runs on until the other side asks for a pause too")


@app.command()
def resume(id: Id, number: Number, as_contact: AsContact, json: Json = False) -> None:
    """Let its clocks run on."""
    from lifecycle.redress import service

    with opened() as (database, _):
        one = service.resume(database, id, number, as_contact, clock.now())
    _tell(id, one, json, "runs on")


@app.command()
def withdraw(id: Id, number: Number, reason: Why, as_contact: AsContact, json: Json = False) -> None:
    """Take it back."""
    from lifecycle.redress import service

    with opened() as (database, _):
        one = service.withdraw(database, id, number, reason, as_contact, clock.now())
    _tell(id, one, json, "is withdrawn")


@app.command()
def close(
    id: Id,
    number: Number,
    as_contact: AsContact,
    note: Annotated[str | None, typer.Option(help="How it was put right.")] = None,
    json: Json = False,
) -> None:
    """Confirm that it is put right."""
    from lifecycle.redress import service

    with opened() as (database, _):
        one = service.close(database, id, number, note, as_contact, clock.now())
    _tell(id, one, json, "is closed")


@app.command()
def show(id: Id, number: Number, json: Json = False) -> None:
    """Show it with everything that was said."""
    from lifecycle.cli.showing import show_complaint
    from lifecycle.partnerships import changes
    from lifecycle.redress import queries

    with opened() as (database, _), database.read() as connection:
        zone = changes.find(connection, id).time_zone
        one, past = queries.find(connection, id, number), queries.entries(connection, id, number)
    if json:
        print_json({**vars(one), "entries": [vars(entry) for entry in past]})
    else:
        show_complaint(one, past, zone)


def withhold(
    id: Id,
    performance: Annotated[
        str,
        typer.Argument(metavar="PERFORMANCE", help="What you owe: OBLIGATION/NUMBER.", show_default=False),
    ],
    complaint: Annotated[
        int,
        typer.Option(
            "--complaint", metavar="N", min=1, max=2**31 - 1, help="The upheld complaint that allows it."
        ),
    ],
    as_contact: AsContact,
    json: Json = False,
) -> None:
    """Withhold a promise of your own.

    Only as the remedy of an upheld complaint allows."""
    from lifecycle.redress import service

    with opened() as (database, _):
        one = service.withhold(database, id, performance, complaint, as_contact, clock.now())
    if json:
        print_json(one)
    else:
        say(f"{one.name} of {id} is withheld; {one.obligee} has been told.")


def _tell(id: str, one: Any, json: bool, what: str) -> None:
    if json:
        print_json(one)
    else:
        say(f"Complaint {one.number} of {id} {what}.")
