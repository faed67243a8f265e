"""`acknowledge`, `absence`: who takes charge of what was left undone, and who stands in for whom."""

from typing import Annotated

import typer

from lifecycle import clock
from lifecycle.cli.inputs import day
from lifecycle.cli.installation import opened
from lifecycle.cli.options import AsContact, Id, Json
from lifecycle.cli.output import print_json, say
from lifecycle.errors import Usage


def acknowledge(
    id: Id,
    matter: Annotated[
        str, typer.Argument(metavar="MATTER", help="E.g. review_unanswered.", show_default=False)
    ],
    subject: Annotated[
        str,
        typer.Argument(
            metavar="SUBJECT", help="Which one: a round, a promise, a document.", show_default=False
        ),
    ],
    as_contact: AsContact,
    json: Json = False,
) -> None:
    """Take charge of what was left undone.

    Nobody is reminded of it any more; the matter itself stays as it is. The emails about it name the command."""
    from lifecycle.partnerships import escalations

    with opened() as (database, _):
        escalations.acknowledge(database, id, matter, subject, as_contact, clock.now())
    if json:
        print_json(
            {"partnership_id": id, "matter": matter, "subject": subject, "acknowledged_by": as_contact}
        )
    else:
        say(f"{as_contact} takes care of {matter} {subject} of {id}; nobody is reminded of it any more.")


def absence(
    id: Id,
    contact: Annotated[str, typer.Argument(metavar="CONTACT", help="Who is away.", show_default=False)],
    as_contact: AsContact,
    deputy: Annotated[
        str | None, typer.Option(metavar="CONTACT", help="Who gets the emails meanwhile.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="The last day, e.g. 2026-03-31.")] = None,
    end: Annotated[bool, typer.Option("--end", help="They are back.")] = False,
    json: Json = False,
) -> None:
    """Say who is away, and who stands in. Their emails go to the deputy until they are back."""
    from lifecycle.partnerships import absences

    if end == (deputy is not None or until is not None) or (deputy is None) != (until is None):
        raise Usage(
            "Is the absence beginning or over?", mend="Give both --deputy and --until, or --end and neither."
        )
    last_day = None if until is None else day(until)
    with opened() as (database, _):
        absences.set_absence(database, id, contact, deputy, last_day, as_contact, clock.now())
    if json:
        print_json({"partnership_id": id, "contact": contact, "deputy": deputy, "until": last_day})
    elif last_day is None:
        say(f"{contact} is back and gets their own emails of {id} again.")
    else:
        say(f"{contact} is away until {last_day}; {deputy} gets their emails of {id}.")
