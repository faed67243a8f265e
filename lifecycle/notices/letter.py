"""What an email is written from: the reader, the people it speaks of, and the facts; and its times in words."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lifecycle import languages
from lifecycle.languages import Language
from lifecycle.notices.message import one_line
from lifecycle.notices.words import ABOUT_SEVERAL

IN_FORCE = frozenset(("maintaining", "evaluating", "suspended"))
"""The stages in which an agreement is in force: what it promises can be complained of."""

ALL = ""
"""In `Letter.pages`, what no partnership's id is: the page of all that the reader looks after."""

# Marks that turn the direction of what follows, the template's own words included.
_TURNING = dict.fromkeys(map(ord, "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"))


@dataclass(frozen=True)
class Person:
    """A contact as a letter sees it."""

    id: str
    name: str
    email: str
    time_zone: str
    partner_id: str
    role: str
    language: str = languages.DEFAULT


@dataclass(frozen=True)
class Letter:
    """All that a template may see.

    Args:
        template: a name in `words.TEMPLATES`.
        reference: the opaque name of the notice.
        partnership: `id`, `title`, `stage`, `time_zone`, `audit_seq`, `audit_hash`.
        coordinator: who looks after the record and gets the replies.
        people: contact id → person. organisations: partner id → name.
        facts: what the notice is about, by ids.
        due_at, written_at: aware instants, shown in the reader's zone.
        owed_to: who would read it, were they not away or out of reach; None where the reader is the one it is owed to.
        away_until: the last day on which the reader stands in for somebody who is away.
        unreachable: whose address does not work, so that it came to the reader.
        links: the reader's own: `act`, `hand_over`, `preferences`, `complain`; none where links cannot be signed.
        pages: partnership id → the address of its page, for whoever signs in; none where there are no links.
    """

    template: str
    reference: str
    partnership: Mapping[str, Any]
    reader: Person
    coordinator: Person
    people: Mapping[str, Person]
    organisations: Mapping[str, str]
    facts: Mapping[str, Any]
    due_at: datetime | None
    written_at: datetime
    owed_to: Person | None = None
    away_until: date | None = None
    unreachable: Person | None = None
    # Whoever holds a link may use it: it must not show in a log.
    links: Mapping[str, str] = field(default_factory=dict, repr=False)
    pages: Mapping[str, str] = field(default_factory=dict)

    @property
    def language(self) -> Language:
        """The reader's language."""
        return languages.of(self.reader.language, "emails")

    @property
    def opens_a_door(self) -> bool:
        """Whether what is asked can be done by a link that is the reader's own, without signing in."""
        return "act" in self.links and self.links["act"] not in self.pages.values()

    @property
    def open_to_complaints(self) -> bool:
        """Whether it is about one partnership that has promises to complain of."""
        return self.template not in ABOUT_SEVERAL and self.partnership["stage"] in IN_FORCE

    @property
    def open(self) -> bool:
        """Whether the due time is still ahead."""
        return self.due_at is not None and self.due_at > self.written_at

    @property
    def mine(self) -> bool:
        """Whether the reader is the coordinator."""
        return self.reader.id == self.coordinator.id

    def one_lined(self) -> "Letter":
        """The letter with every string in it on one line, so that data can forge neither a header nor a paragraph."""
        tidied: Letter = _one_lined(self)
        return tidied

    def zone(self) -> tzinfo:
        """The reader's time zone; the partnership's or UTC rather than no email at all."""
        return zone_named(self.reader.time_zone, self.partnership["time_zone"])

    def when(self, instant: datetime) -> str:
        """An instant for the reader, e.g. `Friday 27 November 2026, 17:00 (Europe/London)`."""
        return self.language.when(instant, self.zone())

    def day(self, instant: datetime) -> str:
        """The reader's date of an instant, e.g. `Friday 27 November 2026`."""
        return self.language.day(instant.astimezone(self.zone()).date())


def zone_named(*names: str) -> tzinfo:
    """The first of these time zones that is known; UTC where none is."""
    for name in names:
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            continue
    return UTC


def day(date_: date) -> str:
    """A date in English with its weekday, e.g. `Friday 27 November 2026`."""
    return languages.of(languages.DEFAULT).day(date_)


def _one_lined(value: Any) -> Any:
    if isinstance(value, str):
        return one_line(value.translate(_TURNING))
    if isinstance(value, Mapping):
        return {key: _one_lined(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_one_lined(one) for one in value]
    if isinstance(value, Letter | Person):
        return replace(value, **{one.name: _one_lined(getattr(value, one.name)) for one in fields(value)})
    return value
