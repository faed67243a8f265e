"""Who reads a page: somebody who holds a link, or somebody who signed in; and what they send."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from lifecycle import clock, languages
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import Fault, Invalid
from lifecycle.languages import Language
from lifecycle.notices.letter import zone_named
from lifecycle.partnerships import changes, doors
from lifecycle.partnerships.changes import Partnership
from lifecycle.partnerships.doors import Door, Purpose
from lifecycle.partnerships.people import Contact, People, people_of
from lifecycle.portal import pages

MAX_FIELDS = 5000
"""The largest document has fewer."""


@dataclass(frozen=True)
class Visit:
    """A request by link: who holds it, what it opens, and the partnership it belongs to."""

    request: Request
    token: str
    door: Door
    record: Partnership
    people: People
    database: Database
    settings: Settings
    now: datetime

    @property
    def holder(self) -> Contact:
        """Whose link it is."""
        return self.people.contacts[self.door.contact_id]

    @cached_property
    def language(self) -> Language:
        """The holder's."""
        return languages.of(self.holder.language)

    @cached_property
    def zone(self) -> tzinfo:
        """The holder's; the partnership's where theirs is not known."""
        return zone_named(self.holder.time_zone, self.record.time_zone)

    @property
    def address(self) -> str:
        """The link itself, without its host: where its forms post to."""
        return f"/{self.door.purpose}/{self.token}"

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page about the link's partnership; templates see the visit as `visit`."""
        return pages.render(self.request, template, self.language, self.zone, status, visit=self, **values)

    def again(self, said: str = "") -> Response:
        """Send the browser back to the link, which shows how it stands now: reloading then repeats nothing.

        Args:
            said: a word of `NEWS` that the page shows once, such as `saved`.
        """
        return RedirectResponse(f"{self.address}?said={said}" if said else self.address, 303)


def by_link(purpose: Purpose) -> Callable[[Request, str], Visit]:
    """The dependency of a page that a link of this purpose opens."""

    def visit(request: Request, token: str) -> Visit:
        state, now = request.app.state, clock.now()
        with state.database.read() as connection:
            door = doors.enter(connection, state.settings, purpose, token, now)
            record = changes.find(connection, door.partnership_id)
            people = people_of(connection, record.id)[record.id]
        found = Visit(request, token, door, record, people, state.database, state.settings, now)
        request.state.language, request.state.zone = found.language, found.zone
        return found

    return visit


async def _sent(request: Request) -> FormData:
    sent = await request.form(max_fields=MAX_FIELDS, max_files=0)
    if any(_HALVES.search(part) for pair in sent.multi_items() for part in map(str, pair)):
        raise HTTPException(400)
    return sent


# Halves of surrogate pairs, which a form can name a character set for, are no characters: no page can show them.
_HALVES = re.compile("[\ud800-\udfff]")


Sent = Annotated[FormData, Depends(_sent)]
"""What a form sent: names and values, in the order of its fields."""


def text(sent: FormData, name: str) -> str:
    """One field as text without blanks around it; empty where it was not sent."""
    value = sent.get(name, "")
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""


def one_of(sent: FormData, name: str, known: Iterable[str], mend: str) -> str:
    """One field whose value is among those known.

    Raises:
        Invalid: it is not; `mend` says what to choose.
    """
    found = text(sent, name)
    if found not in set(known):
        raise Invalid([Fault(f"/{name}", "enum", mend)])
    return found
