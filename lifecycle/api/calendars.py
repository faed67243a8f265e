"""The dates of a partnership as a calendar that programs subscribe to (iCalendar, RFC 5545; RFC 7986 for its refresh)."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from lifecycle.access.roles import Unauthorised
from lifecycle.api.calls import Id, called
from lifecycle.api.problems import documented
from lifecycle.config import Settings
from lifecycle.notices.message import parse_mailbox
from lifecycle.partnerships import timeline
from lifecycle.partnerships.changes import Partnership

router = APIRouter(tags=["calendar"])

RIGHT = "calendar"
MEDIA_TYPE = "text/calendar"
_LASTS = timedelta(minutes=30)


def address(settings: Settings, partnership_id: str, key: str) -> str:
    """The secret address of a contact's calendar."""
    return f"{settings.public_url.rstrip('/')}/v1/partnerships/{quote(partnership_id)}/timeline.ics?key={quote(key)}"


@router.get(
    "/partnerships/{id}/timeline.ics",
    responses={
        200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}, "description": "The calendar."},
        **documented(),
    },
    response_class=Response,
)
def get_calendar(
    request: Request,
    id: Id,
    key: Annotated[
        str, Query(description="The secret of a calendar link.", max_length=80, pattern=r"^[\w-]+$")
    ],
) -> Response:
    """What is due from, and to, one contact's organisation. The address is the key: whoever has it may read this, no more."""
    call = called(request, key)
    if call.identity.scopes != frozenset({RIGHT}) or call.identity.contact_id is None:
        raise Unauthorised(
            "This is no calendar's key.", mend="Make one with `POST /v1/partnerships/{id}/calendar-links`."
        )
    with call.reading(id, "calendar") as (connection, record):
        text = _calendar(connection, record, call.identity.contact_id, call.settings, call.now)
    return Response(text, media_type=MEDIA_TYPE)


def _calendar(
    connection: Connection, record: Partnership, contact_id: str, settings: Settings, now: datetime
) -> bytes:
    from icalendar import Calendar, Event

    domain = parse_mailbox(settings.mail_from)[1].rpartition("@")[2]
    calendar: Any = Calendar.new(
        prodid="-//partnership-lifecycle//timeline//EN",
        name=record.title,
        uid=f"{record.id}/{contact_id}@{domain}",
        method="PUBLISH",
        refresh_interval=timedelta(hours=6),
    )
    # RFC 7986, section 5.7: the property has no type of its own.
    calendar["REFRESH-INTERVAL"].params["VALUE"] = "DURATION"
    for entry in timeline.of(connection, record, contact_id):
        event = Event()
        event.add("uid", f"{record.id}/{entry.name}@{domain}")
        event.add("dtstamp", now)
        event.add("summary", f"{entry.what} ({record.title})")
        event.add("transp", "TRANSPARENT")
        if isinstance(entry.at, datetime):
            event.add("dtstart", entry.at - _LASTS)
            event.add("dtend", entry.at)
        else:
            event.add("dtstart", entry.at)
        calendar.add_component(event)
    return bytes(calendar.to_ical())
