"""A deadline as a calendar entry (iCalendar, RFC 5545; sent by email, RFC 6047): asked, moved, cancelled.

One entry for each round and reader. Its name stays and its sequence rises, so that calendar programs move and remove
what they hold instead of adding to it.
"""

import hashlib
from datetime import datetime, timedelta

from lifecycle.notices.letter import Letter
from lifecycle.notices.message import Entry, Method
from lifecycle.notices.phrases import occasion_in

METHODS: dict[str, Method] = {
    "review_opened": "REQUEST",
    "review_moved": "REQUEST",
    "review_cancelled": "CANCEL",
}
"""The templates whose emails carry an entry."""

LASTS = timedelta(hours=1)
"""The entry is the last hour before the deadline."""

REMIND_BEFORE = timedelta(days=1)


def entry_of(letter: Letter, sender_domain: str) -> Entry | None:
    """The calendar entry that a letter carries; nothing for a template without one.

    The times are UTC, which every calendar program shows in its owner's zone. Nobody but the reader and the
    coordinator is named in it.
    """
    method = METHODS.get(letter.template)
    if method is None or letter.due_at is None:
        return None
    return Entry(method, _calendar(letter.one_lined(), method, letter.due_at, sender_domain))


def _calendar(letter: Letter, method: Method, ends_at: datetime, sender_domain: str) -> str:
    from icalendar import Alarm, Calendar, Event, vCalAddress, vText

    number = letter.facts["round"]
    event = Event()
    event.add("uid", f"{_name(letter)}@{sender_domain}")
    event.add("sequence", letter.facts.get("sequence", 0))
    event.add("dtstamp", letter.written_at)
    event.add("dtstart", ends_at - LASTS)
    event.add("dtend", ends_at)
    event.add("summary", _summary(letter))
    event.add("description", _description(letter))
    event.add("status", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    event.add("transp", "TRANSPARENT")
    organizer = vCalAddress(f"mailto:{letter.coordinator.email}")
    organizer.params["cn"] = vText(letter.coordinator.name or letter.coordinator.email)
    event["organizer"] = organizer
    attendee = vCalAddress(f"mailto:{letter.reader.email}")
    attendee.params["cn"] = vText(letter.reader.name or letter.reader.email)
    attendee.params["role"] = vText("REQ-PARTICIPANT")
    attendee.params["partstat"] = vText("ACCEPTED")
    attendee.params["rsvp"] = vText("FALSE")
    event.add("attendee", attendee, encode=False)
    if method == "REQUEST":
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        closes = letter.language.gettext("Review round %(round)s closes tomorrow")
        alarm.add("description", closes % {"round": number})
        alarm.add("trigger", -REMIND_BEFORE)
        event.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", f"-//partnership-lifecycle//reviews//{letter.language.code.upper()}")
    calendar.add("version", "2.0")
    calendar.add("method", method)
    calendar.add_component(event)
    text: str = calendar.to_ical().decode("utf-8")
    return text


def _name(letter: Letter) -> str:
    """The same for one round and reader, whatever becomes of it."""
    what = f"{letter.partnership['id']}/review/{letter.facts['round']}/{letter.reader.id}"
    return hashlib.sha256(what.encode()).hexdigest()[:32]


def _summary(letter: Letter) -> str:
    said = letter.language.gettext("Review round %(round)s of %(title)s: last hour to answer")
    return said % {"round": letter.facts["round"], "title": letter.partnership["title"]}


def _description(letter: Letter) -> str:
    """Without a link: a calendar is often shared, and whoever holds a link may use it."""
    say = letter.language
    name = letter.coordinator.name or letter.coordinator.email
    said = say.gettext("Answer from the email of %(coordinator)s.") % {"coordinator": name}
    occasion = occasion_in(say, letter.facts["occasion"])
    if not occasion:
        return said
    because = say.gettext("It takes place because %(occasion)s.") % {"occasion": occasion}
    return f"{said} {because}"
