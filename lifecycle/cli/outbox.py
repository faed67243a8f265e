"""`outbox list`, `outbox send`, `outbox settle`: the emails that are owed, and what became of them."""

from enum import Enum
from typing import Annotated, Any

import typer

from lifecycle import clock
from lifecycle.cli.installation import opened
from lifecycle.cli.options import Json
from lifecycle.cli.output import print_json, say, table
from lifecycle.errors import Usage

app = typer.Typer(
    help="Emails that are owed: list, send, settle.", rich_markup_mode=None, no_args_is_help=True
)


class State(Enum):
    """What can become of a notice."""

    pending = "pending"
    sending = "sending"
    sent = "sent"
    unknown = "unknown"
    failed = "failed"
    withdrawn = "withdrawn"
    folded = "folded"


@app.command("list")
def list_notices(
    state: Annotated[list[State] | None, typer.Option(help="Only these; may be repeated.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many, newest first.")] = 100,
    json: Json = False,
) -> None:
    """List the newest notices."""
    from lifecycle.notices import outbox

    with opened() as (database, _), database.read() as connection:
        states = [one.value for one in state or ()]
        found = [dict(row) for row in outbox.overview(connection, states, limit)]
    if json:
        print_json(found)
        return
    rows = [_row(notice) for notice in found]
    table(["number", "state", "partnership", "to", "about", "owed since", "attempts", "detail"], rows)
    if not found:
        say("No notices here.")


def _row(notice: dict[str, Any]) -> tuple[Any, ...]:
    since = f"{notice['created_at']:%Y-%m-%d %H:%M}"
    names = ("partnership_id", "contact_id", "template")
    state = ", ".join(one for one in (notice["state"], notice["delivery"]) if one)
    detail = f"in email {notice['folded_into']}" if notice["folded_into"] else notice["detail"]
    return (notice["id"], state, *(notice[name] for name in names), since, notice["attempts"], detail)


@app.command()
def send(json: Json = False) -> None:
    """Send what is due now, through the configured transport."""
    from lifecycle.partnerships.correspondence import send_notices

    with opened() as (database, settings):
        drained = send_notices(database, settings, clock.now())
    if json:
        print_json(drained)
        return
    counts = (drained.sent, drained.retried, drained.failed, drained.unknown)
    say("{} sent, {} to be tried again, {} failed, {} unknown.".format(*counts))
    if drained.folded:
        say(f"They carry {drained.folded} more: reminders and warnings come once a day to each person.")
    if settings.mail_transport == "file" and drained.sent:
        say(f"They lie in {settings.mailbox.absolute()}; any mail program opens them.")
    if drained.unknown:
        say(
            "Unknown ones may have left: look at the provider's activity, then `lifecycle outbox settle NUMBER`."
        )


Number = Annotated[
    int, typer.Argument(metavar="NUMBER", min=1, max=2**31 - 1, help="See `lifecycle outbox list`.")
]


@app.command()
def retry(number: Number, json: Json = False) -> None:
    """Put a notice that failed back into the queue, once its cause has been mended."""
    from lifecycle.notices import outbox

    with opened() as (database, _), database.write() as connection:
        outbox.requeue(connection, number, clock.now())
    if json:
        print_json({"number": number, "state": "pending"})
    else:
        say(f"Notice {number} is back in the queue.")


@app.command()
def settle(
    number: Number,
    sent: Annotated[bool | None, typer.Option("--sent/--not-sent", help="Whether it did leave.")] = None,
    json: Json = False,
) -> None:
    """Say whether a notice of unknown outcome left.

    One that did not goes back into the queue.
    """
    from lifecycle.notices import outbox

    if sent is None:
        raise Usage("Did the notice leave or not?", mend="Add --sent or --not-sent.")
    with opened() as (database, _), database.write() as connection:
        outbox.settle(connection, number, sent, clock.now())
    if json:
        print_json({"number": number, "state": "sent" if sent else "pending"})
    else:
        say(f"Notice {number} is {'recorded as sent' if sent else 'back in the queue'}.")


@app.command()
def heed(json: Json = False) -> None:
    """Heed the provider's delivery events that came too late.

    They are signed, but so long before they came that somebody could have played them back.
    """
    from lifecycle.partnerships.delivery import take_waiting

    with opened() as (database, _):
        taken = take_waiting(database, clock.now())
    if json:
        print_json(taken)
    else:
        say(f"{taken.new} heeded; {taken.unmatched} about no email of ours, {taken.malformed} unreadable.")
