"""`token create|list|revoke`: who may use the API."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from lifecycle import clock
from lifecycle.cli.installation import opened
from lifecycle.cli.options import Json
from lifecycle.cli.output import print_json, say, table

if TYPE_CHECKING:
    from datetime import datetime

    from lifecycle.access.tokens import Token

app = typer.Typer(
    help="Make, list and revoke tokens of the API.", rich_markup_mode=None, no_args_is_help=True
)


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.", show_default=False)],
    role: Annotated[str, typer.Option(help="administrator, owner, manager, viewer, contact or service.")],
    portfolio: Annotated[str | None, typer.Option(help="What it is confined to.")] = None,
    partnership: Annotated[
        str | None, typer.Option(metavar="ID", help="The one partnership that it reaches.")
    ] = None,
    contact: Annotated[
        str | None, typer.Option(metavar="CONTACT", help="Whose it is: a manager's or contact's own.")
    ] = None,
    scope: Annotated[
        list[str] | None, typer.Option(metavar="RIGHT", help="Of the role's rights this one; repeatable.")
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How long it is good.")] = 90,
    json: Json = False,
) -> None:
    """Make a token. It is shown now and never again: only its hash is kept."""
    from lifecycle.access import tokens

    with opened() as (database, _):
        whole = tokens.create(
            database, name, role, clock.now(), days, portfolio, partnership, contact, scope or None
        )
    if json:
        print_json({"token": whole, "prefix": tokens.prefix_of(whole)})
        return
    say(whole)
    typer.echo(
        f"Keep it now: it is not shown again. `lifecycle token revoke {tokens.prefix_of(whole)}` ends it.",
        err=True,
    )


@app.command("list")
def list_tokens(json: Json = False) -> None:
    """List all tokens, newest first, and when each was last used, to the hour."""
    from lifecycle.access import tokens

    now = clock.now()
    with opened() as (database, _), database.read() as connection:
        found = tokens.overview(connection)
    if json:
        print_json({"tokens": [asdict(one) for one in found]})
        return
    rows = [
        (
            one.prefix,
            one.name,
            one.role,
            one.contact_id or "",
            one.partnership_id or one.portfolio or "everything",
            _state(one, now),
            f"{one.last_used_at:%Y-%m-%d %H:00}" if one.last_used_at else "never",
        )
        for one in found
    ]
    table(["prefix", "name", "role", "contact", "reaches", "state", "last used (UTC)"], rows)
    if not found:
        say("No tokens. `lifecycle token create NAME --role viewer --portfolio main` makes one.")


def _state(one: "Token", now: "datetime") -> str:
    if one.revoked_at is not None:
        return f"revoked {one.revoked_at:%Y-%m-%d}"
    return f"{'expired' if one.expires_at <= now else 'until'} {one.expires_at:%Y-%m-%d}"


@app.command()
def revoke(
    prefix: Annotated[
        str, typer.Argument(metavar="PREFIX", help="See `lifecycle token list`.", show_default=False)
    ],
    json: Json = False,
) -> None:
    """Make a token good for nothing from now on."""
    from lifecycle.access import tokens

    with opened() as (database, _):
        tokens.revoke(database, prefix, clock.now())
    if json:
        print_json({"prefix": prefix, "revoked": True})
    else:
        say(f"Token {prefix} is good for nothing any more.")
