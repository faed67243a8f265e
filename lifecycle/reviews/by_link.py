"""Answering a round from the link in its email, without an account."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from lifecycle import links
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.documents.queries import Revision
from lifecycle.reviews import queries, service

PURPOSE = "review"

GOOD_AFTER_CLOSING = timedelta(days=90)
"""So long a late answer is still taken."""


@dataclass(frozen=True)
class Invited:
    """Whom a link asks, and in which round."""

    partnership_id: str
    round: int
    contact_id: str


def invite(database: Database, settings: Settings, partnership_id: str, number: int, contact_id: str) -> str:
    """The token of somebody's own link to a round.

    Raises:
        NotFound: unknown partnership or round.
        NotAllowed: the contact is not asked.
        Usage: the installation has no secret to sign with.
    """
    with database.read() as connection:
        one = queries.find_round(connection, partnership_id, number)
    service.require_asked(one, contact_id)
    subject = {"partnership": partnership_id, "round": number, "contact": contact_id}
    return links.issue(settings, PURPOSE, subject, one.closes_at + GOOD_AFTER_CLOSING)


def read(settings: Settings, token: str, now: datetime) -> Invited:
    """Whom a token asks.

    Raises:
        NotAllowed: it was made for something else, changed, or has expired.
    """
    subject = links.read(settings, PURPOSE, token, now)
    return Invited(subject["partnership"], subject["round"], subject["contact"])


def respond(database: Database, settings: Settings, token: str, content: Any, now: datetime) -> Revision:
    """Answer the round that a token asks, as the person whom it asks; else as `service.respond`.

    Raises:
        NotAllowed: the token is not good, or its reader passed the round on.
    """
    asked = read(settings, token, now)
    return service.respond(database, asked.partnership_id, asked.round, asked.contact_id, content, now)
