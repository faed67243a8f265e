"""Accounts: who may look at a whole portfolio without being a contact in it. They sign in; they speak for nobody."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from lifecycle.access.models import account
from lifecycle.access.sessions import normal
from lifecycle.db import Database
from lifecycle.errors import Conflict, Fault, Invalid, NotFound
from lifecycle.notices.message import ascii_address
from lifecycle.partnerships.models import MAIN_PORTFOLIO, partnership

_PORTFOLIO = re.compile(r"[a-z0-9]{1,32}")


@dataclass(frozen=True)
class Account:
    """Who may look at what, since when."""

    email: str
    portfolio: str
    created_at: datetime


def add(database: Database, email: str, portfolio: str, now: datetime) -> Account:
    """Let somebody look at a portfolio.

    Raises:
        Invalid: the address cannot be one, or the portfolio's name.
        NotFound: no partnership is in that portfolio, so that its name is probably mistyped.
        Conflict: they may do so already.
    """
    made = Account(normal(email), portfolio, now)
    if faults := _faults(made):
        raise Invalid(faults, "The account")
    with database.write() as connection:
        _require_portfolio(connection, portfolio)
        if made.portfolio in {one.portfolio for one in overview(connection) if one.email == made.email}:
            raise Conflict(
                f"{made.email} may look at the portfolio “{portfolio}” already.",
                mend="Nothing is left to do: they sign in with this address.",
            )
        connection.execute(insert(account), vars(made))
    return made


def _faults(made: Account) -> list[Fault]:
    found = []
    if ascii_address(made.email) is None:
        found.append(Fault("/email", "address", "Give an email address such as name@organisation.example."))
    if _PORTFOLIO.fullmatch(made.portfolio) is None:
        found.append(
            Fault("/portfolio", "pattern", "Name it in one word of at most 32 small letters and digits.")
        )
    return found


def _require_portfolio(connection: Connection, portfolio: str) -> None:
    known = select(partnership.c.portfolio).where(partnership.c.portfolio == portfolio).limit(1)
    if portfolio != MAIN_PORTFOLIO and connection.execute(known).first() is None:
        raise NotFound(
            f"No partnership is in a portfolio “{portfolio}”.",
            mend=f"Use the name that its owner's token has; the first one is called “{MAIN_PORTFOLIO}”.",
        )


def overview(connection: Connection) -> Sequence[Account]:
    """All accounts, by address."""
    columns = (account.c.email, account.c.portfolio, account.c.created_at)
    rows = connection.execute(select(*columns).order_by(account.c.email, account.c.portfolio))
    return [Account(*row) for row in rows]


def remove(database: Database, email: str, portfolio: str | None = None) -> Sequence[Account]:
    """Take accounts away, at once also where their holder is signed in; returns those taken.

    Args:
        portfolio: the only one that is taken away; those of all portfolios if absent.

    Raises:
        NotFound: there is no such account.
    """
    with database.write() as connection:
        gone = [
            one
            for one in overview(connection)
            if one.email == normal(email) and portfolio in {None, one.portfolio}
        ]
        if not gone:
            raise NotFound("There is no such account.", mend="See `lifecycle account list`.")
        taken = account.c.portfolio.in_([one.portfolio for one in gone])
        connection.execute(delete(account).where(account.c.email == normal(email), taken))
    return gone
