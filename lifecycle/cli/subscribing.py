"""`subscription add`, `list`, `remove`, `replay`: who is told of events, and how far each has come."""

from typing import Annotated, Any

import typer

from lifecycle import clock
from lifecycle.cli.installation import opened
from lifecycle.cli.options import Id, Json
from lifecycle.cli.output import print_json, say, table

app = typer.Typer(help="Webhooks: who is told of events.", rich_markup_mode=None, no_args_is_help=True)

Number = Annotated[
    str, typer.Argument(metavar="SUBSCRIPTION", help="See `lifecycle subscription list`.", show_default=False)
]


@app.command()
def add(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="Where events are sent, by https.", show_default=False)
    ],
    portfolio: Annotated[str | None, typer.Option(help="Only partnerships of this portfolio.")] = None,
    partnership: Annotated[str | None, typer.Option(help="Only this partnership.")] = None,
    event_type: Annotated[
        list[str] | None,
        typer.Option("--type", help="Only this type, e.g. partnership.activated; may be repeated."),
    ] = None,
    description: Annotated[str, typer.Option(help="What it is for.")] = "",
    json: Json = False,
) -> None:
    """Have events sent to a URL from now on.

    Prints the secret that signs them, this once."""
    from lifecycle.subscriptions import service

    with opened() as (database, settings):
        made, secret = service.subscribe(
            database, url, clock.now(), settings, portfolio, partnership, event_type or None, description
        )
    if json:
        print_json({"id": made, "secret": secret})
        return
    say(f"Subscription {made} gets what happens from now on. Its secret, which is shown only now:")
    say(secret)


@app.command("list")
def list_subscriptions(
    subscription: Annotated[
        str | None, typer.Argument(metavar="[SUBSCRIPTION]", help="Where this one lags behind, and why.")
    ] = None,
    portfolio: Annotated[str | None, typer.Option(help="Only those confined to this portfolio.")] = None,
    json: Json = False,
) -> None:
    """List subscriptions, or the backlog of one."""
    from lifecycle.subscriptions import service

    found: list[Any]
    with opened() as (database, _), database.read() as connection:
        if subscription is None:
            found = service.overview(connection, portfolio)
        else:
            found = service.streams(connection, subscription, portfolio)
    if json:
        print_json(found)
    elif subscription is None:
        _show_subscriptions(found)
    else:
        _show_streams(found)


def _show_subscriptions(found: list[Any]) -> None:
    rows = [
        (
            one.id,
            one.url,
            one.partnership_id or one.portfolio or "all",
            one.event_types or "all",
            one.description,
            "disabled" if one.disabled_at else "enabled",
        )
        for one in found
    ]
    table(["subscription", "url", "of", "types", "for", "state"], rows)
    if not found:
        say("No subscriptions.")


def _show_streams(found: list[Any]) -> None:
    rows = [
        (one.partnership_id, one.state, one.backlog, one.delivered_seq + 1, one.attempts, one.detail)
        for one in found
    ]
    table(["partnership", "state", "events behind", "next event", "attempts", "detail"], rows)
    if not found:
        say("It has every event.")


@app.command()
def remove(subscription: Number, json: Json = False) -> None:
    """End a subscription; its secret is forgotten."""
    from lifecycle.subscriptions import service

    with opened() as (database, _):
        service.unsubscribe(database, subscription)
    if json:
        print_json({"id": subscription, "state": "removed"})
    else:
        say(f"Subscription {subscription} is no more.")


@app.command()
def replay(
    subscription: Number,
    partnership: Id,
    from_seq: Annotated[
        int | None,
        typer.Option("--from", help="Go on from this event: an earlier one repeats, a later one skips."),
    ] = None,
    json: Json = False,
) -> None:
    """Send a partnership's events on with the next run.

    From the event at which its stream waits or was parked, or from another."""
    from lifecycle.subscriptions import service

    with opened() as (database, _):
        service.replay(database, subscription, partnership, clock.now(), from_seq)
    if json:
        print_json({"id": subscription, "partnership_id": partnership, "from_seq": from_seq})
    else:
        say(f"The events of {partnership} go on with the next run of publish-events.")
