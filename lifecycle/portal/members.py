"""Pages for those who signed in: whose session it is, what they reach, and that a form came from a page of ours."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Request
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import Response

from lifecycle import clock, languages
from lifecycle.access import sessions
from lifecycle.access.roles import Forbidden, Unauthorised
from lifecycle.access.sessions import Reach, Session
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.languages import Language
from lifecycle.notices.letter import zone_named
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Partnership
from lifecycle.partnerships.health import health_of
from lifecycle.partnerships.people import Contact, People, people_of
from lifecycle.portal import pages
from lifecycle.portal.visits import Sent, text

COOKIE = "session"


class SignInNeeded(Unauthorised):
    """Nobody is signed in: the reader is sent to sign in, and comes back to `wanted`."""

    def __init__(self, wanted: str) -> None:
        """`wanted` is a path of ours."""
        super().__init__("You are not signed in, or not any more.", mend="Sign in again.")
        self.address = f"/sign-in?next={quote(wanted, safe='/')}"


@dataclass(frozen=True)
class Standing:
    """One partnership as a member reaches it."""

    record: Partnership
    people: People
    me: Contact | None
    """The contact that they are in it; None for whoever may only look."""
    health: Mapping[str, Any]
    """How it fares: `level`, and `reasons`."""

    def acting(self) -> Contact:
        """The contact in whose name they act.

        Raises:
            Forbidden: they are no contact of this partnership.
        """
        if self.me is None:
            raise Forbidden(
                "You may look at this partnership, but you are no contact of it.",
                mend="Ask one of its contacts to do it: nobody acts on another's behalf.",
            )
        return self.me


@dataclass(frozen=True)
class Member:
    """A request of somebody who signed in."""

    request: Request
    secret: str
    session: Session
    reach: Reach
    database: Database
    settings: Settings
    now: datetime

    @cached_property
    def language(self) -> Language:
        """The session's."""
        return languages.of(self.session.language)

    @property
    def csrf(self) -> str:
        """What each of our forms carries: only who knows the session's secret can write it."""
        return sha256(f"csrf/{self.secret}".encode()).hexdigest()

    def standing(self, connection: Connection, partnership_id: str) -> Standing:
        """A partnership that they reach.

        Raises:
            NotFound: there is none, or they must not learn of it: both look alike.
        """
        record = changes.find(connection, partnership_id)
        mine = self.reach.contacts.get(partnership_id)
        if mine is None and record.portfolio not in self.reach.portfolios:
            raise changes.unknown(partnership_id)
        people = people_of(connection, partnership_id)[partnership_id]
        me = None if mine is None else people.contacts[mine]
        return Standing(record, people, me, health_of(connection, [record.id])[record.id])

    def zone(self, standing: Standing | None = None) -> tzinfo:
        """The zone that they read instants in: their own in this partnership, else the partnership's, else UTC."""
        if standing is None:
            return UTC
        own = [standing.me.time_zone] if standing.me is not None else []
        return zone_named(*own, standing.record.time_zone)

    def page(
        self, template: str, standing: Standing | None = None, status: int = 200, **values: Any
    ) -> Response:
        """A page; templates see the member as `member`, and the partnership as `standing` where it is about one."""
        values |= {"member": self, "standing": standing}
        return pages.render(self.request, template, self.language, self.zone(standing), status, **values)


def _member(request: Request) -> Member:
    state, now = request.app.state, clock.now()
    secret = request.cookies.get(COOKIE)
    wanted = request.url.path if request.method == "GET" else "/"
    if not secret:
        raise SignInNeeded(wanted)
    with state.database.read() as connection:
        try:
            session = sessions.find(connection, secret, now)
        except Unauthorised:
            raise SignInNeeded(wanted) from None
        reach = sessions.reach(connection, session.email)
    request.state.language = languages.of(session.language)
    return Member(request, secret, session, reach, state.database, state.settings, now)


Signed = Annotated[Member, Depends(_member)]
"""Somebody who signed in; others are sent to do so."""


def _own_form(member: Signed, sent: Sent) -> FormData:
    if not hmac.compare_digest(text(sent, "csrf").encode(), member.csrf.encode()):
        raise Forbidden(
            "This form was not of your session.", mend="Open its page again, and repeat it there."
        )
    return sent


OwnForm = Annotated[FormData, Depends(_own_form)]
"""What a form of ours sent; every form of a member's page carries `csrf` (`member.html`)."""
