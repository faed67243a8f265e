"""`demand`, `report`, `verdict`, `signal`: promises kept, broken, disputed and settled."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lifecycle import clock
from lifecycle.cli.installation import opened
from lifecycle.cli.options import AsContact, Id, Json, Reason
from lifecycle.cli.output import print_json, say
from lifecycle.errors import Usage

Obligation = Annotated[
    str, typer.Argument(metavar="OBLIGATION", help="An obligation's id in the agreement.", show_default=False)
]
Performance = Annotated[
    str,
    typer.Argument(
        metavar="PERFORMANCE", help="OBLIGATION/NUMBER, see `lifecycle show`.", show_default=False
    ),
]
Verdict = Literal["accept", "dispute", "decide", "waive", "restored"]


def demand(id: Id, obligation: Obligation, as_contact: AsContact, json: Json = False) -> None:
    """Ask for what is owed on request."""
    from lifecycle.obligations import service

    with opened() as (database, _):
        one = service.demand(database, id, obligation, as_contact, clock.now())
    if json:
        print_json(one)
    else:
        say(f"{one.name} of {id} is due on {one.due_at:%Y-%m-%d}; {one.obligor} has been asked.")


def report(
    id: Id,
    performance: Performance,
    outcome: Annotated[
        str,
        typer.Argument(
            metavar="OUTCOME", help="kept, partly_kept, not_kept or cannot_tell.", show_default=False
        ),
    ],
    as_contact: AsContact,
    note: Annotated[str | None, typer.Option(help="What was done, or came in between.")] = None,
    evidence: Annotated[str | None, typer.Option(metavar="WHERE", help="Where the proof lies.")] = None,
    evidence_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The proof itself; its SHA-256 goes on record, not the file."),
    ] = None,
    json: Json = False,
) -> None:
    """Say whether a promise was kept.

    The other side hears of it at once and accepts or disputes it."""
    from lifecycle.obligations import service

    content: dict[str, Any] = {"outcome": outcome}
    if note is not None:
        content["note"] = note
    if evidence is not None or evidence_file is not None:
        content["evidence"] = _evidence(evidence, evidence_file)
    with opened() as (database, _):
        one = service.report(database, id, performance, content, as_contact, clock.now())
    if json:
        print_json(one)
    else:
        say(
            f"{one.name} of {id} is reported as {outcome.replace('_', ' ')}. The other side has been asked to answer."
        )


def _evidence(reference: str | None, file: Path | None) -> dict[str, str]:
    import hashlib

    if file is None:
        return {"reference": str(reference)}
    try:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise Usage(
            f"{file} cannot be read: {error.strerror}.", mend="Give the path of the file that proves it."
        ) from None
    return {"reference": reference or file.name, "sha256": digest}


def verdict(
    id: Id,
    performance: Performance,
    verdict: Annotated[
        Verdict,
        typer.Argument(
            metavar="VERDICT", help="accept, dispute, decide, waive or restored.", show_default=False
        ),
    ],
    as_contact: AsContact,
    reason: Reason = None,
    outcome: Annotated[str | None, typer.Option(help="With decide: what it counts as.")] = None,
    json: Json = False,
) -> None:
    """Answer a report.

    accept and dispute answer it; decide is for the decider that the agreement names; waive and restored are for the side
    that is owed: it gives up its claim, or confirms that a breach has been repaired."""
    from lifecycle.obligations import service

    now, why = clock.now(), reason or ""
    with opened() as (database, _):
        if verdict == "accept":
            one = service.accept(database, id, performance, as_contact, now)
        elif verdict == "dispute":
            one = service.dispute(database, id, performance, why, as_contact, now)
        elif verdict == "decide":
            one = service.decide(database, id, performance, outcome or "", why, as_contact, now)
        elif verdict == "waive":
            one = service.waive(database, id, performance, why, as_contact, now)
        else:
            one = service.confirm_restored(database, id, performance, why, as_contact, now)
    if json:
        print_json(one)
    else:
        say(
            f"{one.name} of {id} is {one.state}{f', {one.outcome}' if one.outcome else ''}.".replace("_", " ")
        )


def signal(
    id: Id,
    obligation: Obligation,
    note: Annotated[str, typer.Argument(metavar="NOTE", help="One line.", show_default=False)],
    as_contact: AsContact,
    json: Json = False,
) -> None:
    """Send both sides an early word on an obligation. It is no complaint and has no clock."""
    from lifecycle.obligations import service

    with opened() as (database, _):
        number = service.send_signal(database, id, obligation, note, as_contact, clock.now())
    if json:
        print_json({"partnership_id": id, "number": number, "obligation": obligation})
    else:
        say(f"Signal {number} on {obligation} of {id} is sent to both sides.")
