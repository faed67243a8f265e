"""`put`, `signoff`, `respond`, `handover`: what partners bring to the record."""

from typing import Annotated

import typer

from lifecycle import clock
from lifecycle.cli.inputs import day, read_document
from lifecycle.cli.installation import opened
from lifecycle.cli.options import AsContact, File, Id, Json, Kind, Subject
from lifecycle.cli.output import print_json, say


def put(id: Id, kind: Kind, file: File, as_contact: AsContact, json: Json = False) -> None:
    """Store a new revision of a document. It voids the sign-offs of the revision before it."""
    from lifecycle.documents import service

    content = read_document(file)
    with opened() as (database, _):
        revision = service.put(database, id, kind, content, as_contact, clock.now())
    if json:
        print_json(revision)
        return
    say(f"{kind} of {id} is at revision {revision.revision}, sha256 {revision.sha256}.")
    if kind in service.SIGNED_BY:
        say(
            f"Every partner is asked to sign it: `lifecycle signoff {id} {kind} --revision {revision.revision} --as …`."
        )


def signoff(
    id: Id,
    kind: Kind,
    revision: Annotated[
        int, typer.Option(min=1, max=2**31 - 1, help="The exact revision that is assented to.")
    ],
    as_contact: AsContact,
    subject: Subject = "",
    json: Json = False,
) -> None:
    """Sign one exact revision of a document.

    On the behalf of the contact's partner."""
    from lifecycle.documents import service

    with opened() as (database, _):
        signed = service.sign(database, id, kind, revision, as_contact, clock.now(), subject)
    if json:
        print_json(signed)
    else:
        say(f"{as_contact} signed {kind} revision {revision} of {id} for {signed.partner_id}.")


def respond(
    id: Id,
    round: Annotated[
        int, typer.Argument(metavar="ROUND", min=1, max=2**31 - 1, help="The review round's number.")
    ],
    file: File,
    as_contact: AsContact,
    json: Json = False,
) -> None:
    """Answer a review round. Answering again replaces the answer; every answer is kept."""
    from lifecycle.reviews import queries, service

    content = read_document(file)
    with opened() as (database, _):
        revision = service.respond(database, id, round, as_contact, content, clock.now())
        with database.read() as connection:
            late = as_contact in queries.late(connection, id, round)
    if json:
        print_json({**vars(revision), "late": late})
    else:
        say(
            f"{as_contact} answered review round {round} of {id} (revision {revision.revision})."
            f"{' The round had closed: it is kept as late and changes no result.' if late else ''}"
        )


def handover(
    id: Id,
    number: Annotated[
        int, typer.Argument(metavar="LINE", min=1, help="The line of the exit plan.", show_default=False)
    ],
    as_contact: AsContact,
    on: Annotated[
        str | None, typer.Option(metavar="DATE", help="Since when it is done; today if absent.")
    ] = None,
    json: Json = False,
) -> None:
    """Say that a line of the exit plan is handed over."""
    from lifecycle.evaluation import service

    done_on = None if on is None else day(on)
    with opened() as (database, _):
        revision = service.hand_over(database, id, number, as_contact, clock.now(), done_on)
    if json:
        print_json(revision)
    else:
        say(f"Line {number} of the exit plan of {id} is handed over (revision {revision.revision}).")
