"""API tokens: made once, shown once, kept as a hash; confined, expiring, revocable."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, insert, or_, select, update

from lifecycle.access import once
from lifecycle.access.models import api_token
from lifecycle.access.roles import ACTS_AS_ITSELF, GRANTED, RIGHTS, ROLES, Identity, Role, Unauthorised
from lifecycle.db import Database
from lifecycle.errors import Fault, Invalid, NotFound
from lifecycle.partnerships import changes
from lifecycle.partnerships.models import MAIN_PORTFOLIO, partnership
from lifecycle.partnerships.people import people_of

SCHEME = "plc"
_PREFIX_BYTES, _SECRET_BYTES = 5, 24
"""192 random bits: a plain hash cannot be turned back, so that none of the slow ones is needed."""

MAX_DAYS = 366
_PORTFOLIO = re.compile(r"[a-z0-9]{1,32}")
"""One word: the ids of its partnerships begin with it (`partnerships.registration`)."""
_USED_EVERY = timedelta(hours=1)


@dataclass(frozen=True)
class Token:
    """What may be shown of a token."""

    prefix: str
    name: str
    role: str
    portfolio: str | None
    partnership_id: str | None
    contact_id: str | None
    scopes: list[str] | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None


_TOKEN = [api_token.c[name] for name in Token.__dataclass_fields__]


def create(
    database: Database,
    name: str,
    role: str,
    now: datetime,
    days: int,
    portfolio: str | None = None,
    partnership_id: str | None = None,
    contact_id: str | None = None,
    scopes: Sequence[str] | None = None,
) -> str:
    """Make a token; returns it whole, which nobody can do again.

    Args:
        days: how long it is good.
        portfolio: what it is confined to; only an administrator's is confined to nothing.
        partnership_id: the partnership of a manager or contact; other tokens may be confined to one too.
        contact_id: whose token a manager's or contact's is.
        scopes: of the role's rights those that it has; all of them if absent.

    Raises:
        Invalid: the parts do not go together; every fault is named.
        NotFound: unknown partnership or contact.
    """
    faults = [
        *_faults(name, role, days, portfolio, scopes),
        *_confinement_faults(role, portfolio, partnership_id, contact_id),
    ]
    if faults:
        raise Invalid(faults, "The token")
    prefix = secrets.token_hex(_PREFIX_BYTES)
    whole = f"{SCHEME}_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    with database.write() as connection:
        if portfolio is not None:
            _require_free_name(connection, portfolio)
        if partnership_id is not None:
            portfolio = changes.find(connection, partnership_id).portfolio
            if contact_id is not None:
                people_of(connection, partnership_id)[partnership_id].get(contact_id)
        row = {
            "prefix": prefix,
            "sha256": _hash(whole),
            "name": name,
            "role": role,
            "portfolio": portfolio,
            "partnership_id": partnership_id,
            "contact_id": contact_id,
            "scopes": None if scopes is None else sorted(set(scopes)),
            "created_at": now,
            "expires_at": now + timedelta(days=days),
        }
        connection.execute(insert(api_token), row)
    return whole


def _faults(
    name: str, role: str, days: int, portfolio: str | None, scopes: Sequence[str] | None
) -> list[Fault]:
    found = []
    if not 0 < len(name.strip()) <= 200:
        found.append(Fault("/name", "length", "Say in at most 200 characters what it is for."))
    if role not in ROLES:
        found.append(Fault("/role", "enum", f"Use one of: {', '.join(ROLES)}."))
    if not 0 < days <= MAX_DAYS:
        found.append(Fault("/days", "range", f"Let it expire within {MAX_DAYS} days."))
    if portfolio is not None and _PORTFOLIO.fullmatch(portfolio) is None:
        found.append(
            Fault("/portfolio", "pattern", "Name it in one word of at most 32 small letters and digits.")
        )
    granted = next((rights for one, rights in GRANTED.items() if one == role), frozenset(RIGHTS))
    found += [
        Fault(
            "/scopes",
            "enum",
            f"“{scope[:40]}” is no right of this role: it has {', '.join(sorted(granted))}.",
        )
        for scope in scopes or ()
        if scope not in granted
    ]
    return found


def _confinement_faults(
    role: str, portfolio: str | None, partnership_id: str | None, contact_id: str | None
) -> list[Fault]:
    if role in ACTS_AS_ITSELF:
        missing = (("/partnership", partnership_id), ("/contact", contact_id))
        return [
            Fault(where, "required", f"A {role}'s token names it.")
            for where, value in missing
            if value is None
        ]
    found = []
    if contact_id is not None:
        found.append(Fault("/contact", "unexpected", "Only a manager's or contact's token is a person's."))
    if role == "administrator" and (portfolio or partnership_id):
        found.append(Fault("/portfolio", "unexpected", "An administrator's token is confined to nothing."))
    if role != "administrator" and portfolio is None and partnership_id is None:
        found.append(
            Fault("/portfolio", "required", f"Confine the {role}'s token to a portfolio or a partnership.")
        )
    return found


def _require_free_name(connection: Connection, portfolio: str) -> None:
    """Ids that begin with a portfolio's name are its own: those of the main one must not be among them already."""
    ours = or_(partnership.c.id == portfolio, partnership.c.id.startswith(f"{portfolio}-"))
    taken = select(partnership.c.id).where(partnership.c.portfolio == MAIN_PORTFOLIO, ours).limit(1)
    if portfolio != MAIN_PORTFOLIO and connection.execute(taken).first() is not None:
        mend = (
            f"Partnerships of the main portfolio have ids that begin with “{portfolio}”: choose another name."
        )
        raise Invalid([Fault("/portfolio", "taken", mend)], "The token")


def authenticate(database: Database, whole: str, now: datetime) -> Identity:
    """Whose token it is.

    Raises:
        Unauthorised: it is unknown, has expired or was revoked; which of these is not told.
    """
    with database.read() as connection:
        row = connection.execute(select(*_TOKEN).where(api_token.c.sha256 == _hash(whole))).one_or_none()
    if row is None or row.revoked_at is not None or row.expires_at <= now:
        raise Unauthorised(
            "This token is not known, or not good any more.",
            mend="Send one that is, as `Authorization: Bearer …`; `lifecycle token create` makes one.",
        )
    if row.last_used_at is None or row.last_used_at <= now - _USED_EVERY:
        with database.write() as connection:
            connection.execute(
                update(api_token).where(api_token.c.prefix == row.prefix).values(last_used_at=now)
            )
            once.forget(connection, row.prefix, now)
    return _identity(row)


def _identity(row: Row[Any]) -> Identity:
    role: Role = next(one for one in ROLES if one == row.role)
    scopes = None if row.scopes is None else frozenset(row.scopes)
    return Identity(row.prefix, role, row.portfolio, row.partnership_id, row.contact_id, scopes)


def _hash(whole: str) -> str:
    return sha256(whole.encode()).hexdigest()


def overview(connection: Connection) -> list[Token]:
    """All tokens, newest first."""
    rows = connection.execute(select(*_TOKEN).order_by(api_token.c.created_at.desc(), api_token.c.prefix))
    return [Token(*row) for row in rows]


def revoke(database: Database, prefix: str, now: datetime, of: tuple[str, str] | None = None) -> None:
    """Make a token good for nothing from now on. One that was revoked stays as it is.

    Args:
        of: only if it is confined to this partnership and contact.

    Raises:
        NotFound: there is none such with this prefix.
    """
    with database.write() as connection:
        known = connection.execute(select(*_TOKEN).where(api_token.c.prefix == prefix)).one_or_none()
        if known is None or of not in {None, (known.partnership_id, known.contact_id)}:
            raise NotFound(
                f"There is no token “{prefix[:40]}”.", mend="`lifecycle token list` shows those there are."
            )
        if known.revoked_at is None:
            connection.execute(update(api_token).where(api_token.c.prefix == prefix).values(revoked_at=now))


def prefix_of(whole: str) -> str:
    """What may be shown of a token."""
    return whole.split("_")[1]
