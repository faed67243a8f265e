"""Signing in: an emailed link that is good once, and sessions that end, by themselves or at once. Kept as hashes alone.

Whoever is registered with an address may sign in with it: a contact, who speaks for themself in their partnerships; or
somebody with an account, who may look at a portfolio and speaks for nobody.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from string import ascii_lowercase, ascii_uppercase

from sqlalchemy import Connection, delete, func, insert, or_, select, update

from lifecycle import languages
from lifecycle.access.models import account, session, sign_in_link
from lifecycle.access.roles import Unauthorised
from lifecycle.db import Database
from lifecycle.errors import NotAllowed
from lifecycle.partnerships.models import contact

LINK_GOOD_FOR = timedelta(minutes=20)
SESSION_GOOD_FOR = timedelta(hours=12)
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Session:
    """Who is signed in, in which language they read, until when."""

    email: str
    language: str
    expires_at: datetime


@dataclass(frozen=True)
class Reach:
    """What an address opens."""

    contacts: dict[str, str]
    """Partnership id → the contact that they are there."""
    portfolios: frozenset[str]
    """Portfolios that they may look at as a whole."""


_SMALL = str.maketrans(ascii_uppercase, ascii_lowercase)


def normal(email: str) -> str:
    """An address as it is compared: without blanks, in small letters.

    Only A to Z have small ones here: Unicode would make a k of the sign of Kelvin, and one person of two.
    """
    return email.strip().translate(_SMALL)


def is_known(connection: Connection, email: str) -> bool:
    """Whether anybody is registered with this address."""
    found = reach(connection, email)
    return bool(found.contacts or found.portfolios)


def language_of(connection: Connection, email: str, otherwise: str = languages.DEFAULT) -> str:
    """The language that a contact with this address reads; `otherwise` where they are no contact."""
    mine = select(contact.c.language).where(func.lower(contact.c.email) == normal(email)).limit(1)
    return connection.execute(mine).scalar() or otherwise


def reach(connection: Connection, email: str) -> Reach:
    """What this address opens; in each partnership, the first contact that has it."""
    address = normal(email)
    mine = (
        select(contact.c.partnership_id, contact.c.id)
        .where(func.lower(contact.c.email) == address)
        .order_by(contact.c.partnership_id, contact.c.id.desc())
    )
    contacts = {row.partnership_id: row.id for row in connection.execute(mine)}
    portfolios = connection.execute(select(account.c.portfolio).where(account.c.email == address)).scalars()
    return Reach(contacts, frozenset(portfolios))


def make_link(database: Database, email: str, now: datetime) -> str | None:
    """The secret of a new sign-in link; None for an address that nobody is registered with."""
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    with database.write() as connection:
        connection.execute(delete(sign_in_link).where(sign_in_link.c.expires_at < now - LINK_GOOD_FOR))
        if not is_known(connection, email):
            return None
        row = {"sha256": _hash(secret), "email": normal(email), "expires_at": now + LINK_GOOD_FOR}
        connection.execute(insert(sign_in_link), row)
    return secret


def look_at_link(connection: Connection, secret: str, now: datetime) -> str:
    """The address that a sign-in link is for, if it is still good; looking uses nothing up.

    Raises:
        NotAllowed: there is none such, it was used, or its time is over; which of these is not told.
    """
    mine = (
        sign_in_link.c.sha256 == _hash(secret),
        sign_in_link.c.used_at.is_(None),
        sign_in_link.c.expires_at > now,
    )
    found = connection.execute(select(sign_in_link.c.email).where(*mine)).scalar()
    if found is None:
        raise NotAllowed(
            "This link to sign in was used already, or its time is over.",
            mend="Ask for a new one: it takes a minute.",
        )
    return str(found)


def use_link(database: Database, secret: str, now: datetime, language: str = languages.DEFAULT) -> str:
    """Sign in with a link: the secret of a new session. Of two at once, one gets it.

    Args:
        language: what the session is in, for somebody who is no contact.

    Raises:
        NotAllowed: as `look_at_link`.
    """
    with database.write() as connection:
        email = look_at_link(connection, secret, now)
        unused = (sign_in_link.c.sha256 == _hash(secret), sign_in_link.c.used_at.is_(None))
        if connection.execute(update(sign_in_link).where(*unused).values(used_at=now)).rowcount != 1:
            look_at_link(connection, secret, now)
        return begin(connection, email, now, language)


def begin(connection: Connection, email: str, now: datetime, language: str = languages.DEFAULT) -> str:
    """The secret of a new session of an address that has been proved to be theirs.

    Args:
        language: what the session is in, for somebody who is no contact.

    Raises:
        NotAllowed: nobody is registered with it.
    """
    if not is_known(connection, email):
        raise NotAllowed(
            "Nobody is registered here with this address.",
            mend="Use the address that our emails reach you at, or ask the coordinator.",
        )
    secret = secrets.token_urlsafe(_SECRET_BYTES)
    connection.execute(delete(session).where(session.c.expires_at < now))
    row = {
        "sha256": _hash(secret),
        "email": normal(email),
        "language": language_of(connection, email, language),
        "began_at": now,
        "expires_at": now + SESSION_GOOD_FOR,
    }
    connection.execute(insert(session), row)
    return secret


def find(connection: Connection, secret: str, now: datetime) -> Session:
    """Whose session it is.

    Raises:
        Unauthorised: nobody's, or it has ended.
    """
    mine = (session.c.sha256 == _hash(secret), session.c.expires_at > now)
    row = connection.execute(
        select(session.c.email, session.c.language, session.c.expires_at).where(*mine)
    ).one_or_none()
    if row is None:
        raise Unauthorised("You are not signed in, or not any more.", mend="Sign in again.")
    return Session(*row)


def choose_language(database: Database, secret: str, language: str) -> None:
    """Read in another language from now on, for as long as this session lasts."""
    with database.write() as connection:
        mine = session.c.sha256 == _hash(secret)
        connection.execute(update(session).where(mine).values(language=language))


def end(database: Database, secret: str, everywhere: bool = False) -> None:
    """Sign out: this session, or all of the same address."""
    mine = session.c.sha256 == _hash(secret)
    with database.write() as connection:
        email = connection.execute(select(session.c.email).where(mine)).scalar()
        which = or_(mine, session.c.email == email) if everywhere else mine
        connection.execute(delete(session).where(which))


def _hash(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()
