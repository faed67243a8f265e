"""What the pages about one promise share: how it stands, who can do what, acting on it once, and the early word."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import Response

from lifecycle.access.once import Joined
from lifecycle.db import Database
from lifecycle.documents import limits
from lifecycle.documents.formats import is_web_address
from lifecycle.errors import Invalid, LifecycleError, NotAllowed, NotFound, Stale
from lifecycle.notices import words
from lifecycle.obligations import promise, queries, service
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.portal import pages
from lifecycle.portal.forms import by_field
from lifecycle.portal.visits import Visit, text

EVENTS = ("report", "accept", "decide", "restore")
EARLY_WORDS = 5
"""So many of the newest early words are shown."""


def page(
    visit: Visit, template: str, sent: FormData | None = None, error: LifecycleError | None = None
) -> Response:
    """A page about the promise that the link names, as it stands now.

    Args:
        sent: what was typed, which is shown again.
        error: why nothing was done; its faults go to their fields.
    """
    with visit.database.read() as connection:
        found = promise.read(connection, visit.record, _name(visit))
        signals = _signals(connection, visit)
    ended = _ended(visit)
    faults = by_field(error if isinstance(error, Invalid) else None, visit.language)
    return visit.page(
        template,
        200 if error is None else pages.status_of(error),
        promise=found,
        may={event: [] if ended else found.able(visit.people, event, visit.now) for event in EVENTS},
        early_words=signals[-EARLY_WORDS:],
        heard=len(signals),
        typed={name: text(sent, name) for name in sent} if sent is not None else {},
        faults=_worded(faults, visit),
        refused=error if error is not None and not faults else ended,
        ended=ended is not None,
        is_web_address=is_web_address,
        OUTCOMES=words.OUTCOMES,
        HAPPENINGS=words.HAPPENINGS,
        ROLES=words.ROLES,
    )


def act(
    visit: Visit, sent: FormData, template: str, said: str, work: Callable[[Database, str, str], Any]
) -> Response:
    """Act on the promise if it still stands as its reader saw it, then show it; else show it with what to mend.

    Args:
        said: the word of what was done, which the page says once.
        work: a service function, given the database, the performance's name, and the contact in whose name.
    """
    try:
        with _as_seen(visit, sent) as database:
            work(database, _name(visit), visit.holder.id)
    except (Invalid, NotAllowed, Stale) as error:
        return page(visit, template, sent, error)
    return visit.again(said)


def signal(visit: Visit, sent: FormData, template: str) -> Response:
    """Send both sides an early word on the obligation; the same words sent twice from one form are said once."""
    try:
        note = plain(sent, "/signal")
        with visit.database.write() as connection:
            changes.begin(connection, visit.record.id, visit.now)
            if not _is_said(connection, visit, sent, note):
                joined = Joined(visit.database, connection)
                about = visit.record.id, _obligation(visit)
                service.send_signal(joined, *about, note, visit.holder.id, visit.now)
    except Invalid as error:
        here = Invalid([replace(fault, pointer="/signal") for fault in error.faults], "The early word")
        return page(visit, template, sent, here)
    except (NotAllowed, NotFound) as error:
        return page(visit, template, sent, error)
    return visit.again("signalled")


def plain(sent: FormData, name: str) -> str:
    """One field's text.

    Raises:
        Invalid: it has characters that cannot be kept, at its field.
    """
    found = text(sent, name)
    if faults := list(limits.faults_of(found, name)):
        raise Invalid(faults)
    return found


def _name(visit: Visit) -> str:
    return str(visit.door.subject["performance"])


def _obligation(visit: Visit) -> str:
    return _name(visit).partition("/")[0]


def _signals(connection: Connection, visit: Visit) -> list[queries.Signal]:
    """The early words on the obligation, oldest first."""
    found = queries.signals(connection, visit.record.id)
    return [one for one in found if one.obligation == _obligation(visit)]


def _is_said(connection: Connection, visit: Visit, sent: FormData, note: str) -> bool:
    """Whether the holder has sent these words since the form was shown: it was sent twice."""
    heard = text(sent, "heard")
    since = int(heard) if heard.isascii() and heard.isdigit() and len(heard) < 10 else 0
    return any(one.by == visit.holder.id and one.note == note for one in _signals(connection, visit)[since:])


@contextmanager
def _as_seen(visit: Visit, sent: FormData) -> Iterator[Database]:
    """A transaction in which nothing was said of the promise since the form was shown: sent twice, it acts once."""
    with visit.database.write() as connection:
        changes.begin(connection, visit.record.id, visit.now)
        found = promise.read(connection, visit.record, _name(visit))
        if text(sent, "seen") != str(len(found.said)):
            gettext = visit.language.gettext
            raise Stale(
                gettext("Something was recorded since you opened this page. What you sent now was not."),
                mend=gettext("Look at how it stands now. If there is still something to say, say it here."),
            )
        yield Joined(visit.database, connection)


def _ended(visit: Visit) -> NotAllowed | None:
    """Why nothing can be done in this partnership any more, if so."""
    try:
        changes.require_open(Change(visit.record, visit.now))
    except NotAllowed as error:
        return error
    return None


def _worded(faults: Mapping[str, Any], visit: Visit) -> Mapping[str, Any]:
    """A choice that was not made is said in the words of the form."""
    chosen = {"/outcome": [visit.language.gettext("Choose one of the four answers.")]}
    return {name: chosen.get(name, mends) for name, mends in faults.items()}
