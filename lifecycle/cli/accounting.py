"""`account add|list|remove`: who may sign in to look at a whole portfolio."""

from dataclasses import asdict
from typing import Annotated

import typer

from lifecycle import clock
from lifecycle.cli.installation import opened
from lifecycle.cli.options import Json
from lifecycle.cli.output import print_json, say, table

app = typer.Typer(
    help="Say who may sign in to look at a whole portfolio. Contacts need no account: their address is enough.",
    rich_markup_mode=None,
    no_args_is_help=True,
)

Email = Annotated[str, typer.Argument(metavar="EMAIL", help="Whose.", show_default=False)]


@app.command()
def add(
    email: Email,
    portfolio: Annotated[str, typer.Option(help="What they may look at.")] = "main",
    json: Json = False,
) -> None:
    """Let somebody sign in with this address, and look at all partnerships of a portfolio."""
    from lifecycle.access import accounts

    with opened() as (database, settings):
        made = accounts.add(database, email, portfolio, clock.now())
    if json:
        print_json(asdict(made))
    else:
        say(f"{made.email} may sign in at {settings.public_url.rstrip('/')}/sign-in.")


@app.command("list")
def list_accounts(json: Json = False) -> None:
    """List all accounts, by address."""
    from lifecycle.access import accounts

    with opened() as (database, _), database.read() as connection:
        found = accounts.overview(connection)
    if json:
        print_json({"accounts": [asdict(one) for one in found]})
        return
    rows = [(one.email, one.portfolio, f"{one.created_at:%Y-%m-%d}") for one in found]
    table(["email", "portfolio", "since"], rows)
    if not found:
        say("No accounts. `lifecycle account add EMAIL --portfolio main` makes one.")


@app.command()
def remove(
    email: Email,
    portfolio: Annotated[
        str | None, typer.Option(help="The only portfolio that they lose; all if left out.")
    ] = None,
    json: Json = False,
) -> None:
    """Take an account away, at once also where they are signed in."""
    from lifecycle.access import accounts

    with opened() as (database, _):
        gone = accounts.remove(database, email, portfolio)
    if json:
        print_json([asdict(one) for one in gone])
    else:
        say(f"{gone[0].email} may not look at {', '.join(one.portfolio for one in gone)} any more.")
