"""A review in the reader's calendar: asked, moved and cancelled, as an independent library reads it."""

import email
from dataclasses import replace
from datetime import datetime, timedelta
from email import policy
from pathlib import Path
from typing import Any

import ics
import pytest
from hypothesis import given, settings

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.notices.entry import METHODS, entry_of
from lifecycle.notices.letter import Letter
from lifecycle.notices.transports.sendgrid import request_body
from lifecycle.notices.words import TEMPLATES
from lifecycle.partnerships import changes
from lifecycle.partnerships.correspondence import send_notices, write_message
from lifecycle.reviews import service as reviews
from lifecycle.timers import service as timers
from tests.builders import SETTINGS, answer, registered, reviewed
from tests.notices.letters import DUE, NOW, PEOPLE, a_letter
from tests.notices.test_render import HOSTILE


def letter(template: str = "review_opened", **facts: Any) -> Letter:
    made = a_letter(template, due_at=DUE)
    return replace(made, facts={**made.facts, "sequence": 0, **facts})


def lines(text: str) -> dict[str, str]:
    """The unfolded lines of the event and of its calendar, by name."""
    found = dict(line.split(":", 1) for line in text.replace("\r\n ", "").split("\r\n") if ":" in line)
    return {name.split(";")[0]: value for name, value in found.items()}


def text_of(made: Letter) -> str:
    found = entry_of(made, "partnerships.example")
    assert found is not None
    return found.ics


def event(made: Letter) -> Any:
    (only,) = ics.Calendar(text_of(made)).events
    return only


@pytest.mark.parametrize("template", sorted(TEMPLATES))
def test_only_what_has_a_place_in_a_calendar_carries_an_entry(template: str) -> None:
    assert (entry_of(letter(template), "a.example") is not None) is (template in METHODS)


def test_it_is_the_last_hour_before_the_round_closes_in_every_zone() -> None:
    found = event(letter())
    assert (found.begin.datetime, found.end.datetime) == (DUE - timedelta(hours=1), DUE)
    assert found.name == "Review round 3 of Safe discharge at night: last hour to answer"
    assert str(found.organizer.email).removeprefix("mailto:") == "jonas@shelter.example"
    assert [a.email.removeprefix("mailto:") for a in found.attendees] == ["amira@clinic.example"]
    assert len(found.alarms) == 1


def test_a_move_and_a_cancellation_speak_of_the_same_entry() -> None:
    opened = lines(text_of(letter()))
    moved = lines(text_of(letter("review_moved", sequence=7)))
    gone = lines(text_of(letter("review_cancelled", sequence=9)))
    assert opened["UID"] == moved["UID"] == gone["UID"]
    assert [int(one["SEQUENCE"]) for one in (opened, moved, gone)] == [0, 7, 9]
    assert [one["METHOD"] for one in (opened, moved, gone)] == ["REQUEST", "REQUEST", "CANCEL"]
    assert (opened["STATUS"], gone["STATUS"]) == ("CONFIRMED", "CANCELLED")


def test_another_reader_has_an_entry_of_their_own() -> None:
    mine, theirs = letter(), replace(letter(), reader=PEOPLE["li-wei"])
    assert lines(text_of(mine))["UID"] != lines(text_of(theirs))["UID"]


@settings(max_examples=60)
@given(title=HOSTILE, name=HOSTILE)
def test_hostile_data_adds_no_line(title: str, name: str) -> None:
    made = letter()
    made = replace(
        made,
        partnership=made.partnership | {"title": title},
        reader=replace(made.reader, name=name),
        coordinator=replace(made.coordinator, name=name),
    )
    text = text_of(made)
    names = [line.split(":")[0].split(";")[0] for line in text.replace("\r\n ", "").split("\r\n") if line]
    harmless = text_of(letter())
    expected = [
        line.split(":")[0].split(";")[0] for line in harmless.replace("\r\n ", "").split("\r\n") if line
    ]
    assert sorted(names) == sorted(expected)
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")


def test_the_email_holds_it_as_an_alternative_and_as_a_file_after_the_plain_text() -> None:
    mime = write_message(letter(), [], SETTINGS).as_mime(NOW, "partnerships.example")
    read = email.message_from_bytes(mime.as_bytes(), policy=policy.default)
    kinds = [part.get_content_type() for part in read.walk() if not part.is_multipart()]
    assert kinds == ["text/plain", "text/html", "text/calendar", "application/ics"]
    calendar = next(part for part in read.walk() if part.get_content_type() == "text/calendar")
    assert calendar.get_param("method") == "REQUEST"
    assert "A calendar entry" in " ".join(str(read.get_body(("plain",)).get_content()).split())  # type: ignore[union-attr]
    (attached,) = read.iter_attachments()
    assert attached.get_filename() == "invite.ics"
    assert len(ics.Calendar(attached.get_content().decode()).events) == 1


def test_sendgrid_gets_it_as_an_attachment() -> None:
    body = request_body(write_message(letter(), [], SETTINGS))
    (attached,) = body["attachments"]
    assert (attached["type"], attached["filename"]) == ("text/calendar", "invite.ics")
    assert "attachments" not in request_body(write_message(a_letter("gate_ready"), [], SETTINGS))


# In a round's life


def entries(folder: Path) -> list[dict[str, str]]:
    found = []
    for path in sorted(folder.glob("*.eml")):
        read = email.message_from_bytes(path.read_bytes(), policy=policy.default)
        found += [
            lines(part.get_content().replace("\r\n", "\n").replace("\n", "\r\n")) | {"TO": str(read["To"])}
            for part in read.walk()
            if part.get_content_type() == "text/calendar"
        ]
    return found


def test_whoever_has_not_answered_is_told_of_every_move_and_of_the_end(
    database: Database, now: datetime, tmp_path: Path
) -> None:
    mailbox = Settings(_env_file=None, mailbox=tmp_path)
    registered(database, now, stage="maintaining")
    reviewed(database, "harbour", now)
    reviews.sweep_reviews(database, now)
    reviews.respond(database, "harbour", 1, "clinic-primary", answer(1), now)
    send_notices(database, mailbox, now)
    later = now + timedelta(days=14, hours=12)
    reviews.sweep_reviews(database, later)
    send_notices(database, mailbox, later)
    with database.write() as connection:
        change = changes.begin(connection, "harbour", later)
        change.partnership.stage = "terminated"
        timers.stop_all(connection, "harbour", later)
        reviews.cancel_open_rounds(connection, change)
        changes.write(connection, change)
    send_notices(database, mailbox, later + timedelta(minutes=1))
    mine = [one for one in entries(tmp_path) if "city-primary" in one["TO"]]
    assert [one["METHOD"] for one in mine] == ["REQUEST", "REQUEST", "CANCEL"]
    assert len({one["UID"] for one in mine}) == 1
    numbers = [int(one["SEQUENCE"]) for one in mine]
    assert numbers == sorted(set(numbers))
    assert [one["DTEND"] for one in mine[:2]] == ["20260316T170000Z", "20260323T170000Z"]
    assert [one["METHOD"] for one in entries(tmp_path) if "clinic-primary" in one["TO"]] == ["REQUEST"]
