"""The calendar feed, read back with two independent libraries."""

from datetime import timedelta

import icalendar
import ics

from lifecycle.partnerships import changes, timeline
from lifecycle.reviews import service as reviews
from tests.api.clients import Client, Clients, today
from tests.builders import registered, reviewed

HARBOUR = "/partnerships/harbour"


def feed(api: Clients, url: str) -> str:
    """What a calendar program gets: no header of ours, the address alone."""
    answer = api.http.get(url.partition("127.0.0.1:8080")[2])
    assert answer.status_code == 200
    assert answer.headers["Content-Type"].startswith("text/calendar")
    return answer.text


def link(api: Clients, contact: str) -> dict[str, str]:
    found: dict[str, str] = api.speaking_for(contact).post(f"{HARBOUR}/calendar-links").json()
    return found


def test_it_holds_what_the_contact_waits_for_and_calendar_programs_read_it(api: Clients) -> None:
    now = today()
    before = now - timedelta(days=5)
    registered(api.database, before, stage="maintaining")
    reviewed(api.database, "harbour", before)
    reviews.sweep_reviews(api.database, now)
    asked = feed(api, link(api, "clinic-primary")["url"])
    other = feed(api, link(api, "clinic-sponsor")["url"])
    read = icalendar.Calendar.from_ical(asked)
    events = {str(event["UID"]).partition("@")[0]: event for event in read.walk("VEVENT")}
    assert events.keys() == {"harbour/review/1", "harbour/review_due/"}
    assert not any(event.errors for event in events.values())
    assert events["harbour/review/1"].decoded("DTEND") > now
    assert (read["METHOD"], str(read["NAME"])) == ("PUBLISH", "Harbour Falls Prevention")
    assert {event.uid.partition("@")[0] for event in ics.Calendar(asked).events} == events.keys()
    assert "harbour/review/1@" not in other
    assert "clinic.example" not in asked


def test_its_names_stay_when_dates_move(api: Clients) -> None:
    now = today()
    registered(api.database, now, stage="maintaining")
    reviewed(api.database, "harbour", now)
    with api.database.read() as connection:
        record = changes.find(connection, "harbour")
        found = timeline.of(connection, record, "clinic-primary")
    reviewed(api.database, "harbour", now + timedelta(days=3))
    with api.database.read() as connection:
        moved = timeline.of(connection, record, "clinic-primary")
    assert [one.name for one in found] == [one.name for one in moved] == ["review_due/"]
    assert found[0].at != moved[0].at


def test_the_address_opens_nothing_else_and_is_revoked_by_its_owner(api: Clients) -> None:
    now = today()
    registered(api.database, now)
    registered(api.database, now, "mill")
    made = link(api, "clinic-primary")
    key = made["url"].rpartition("=")[2]
    holder = Client(api.http, key)
    assert {holder.get(path).status_code for path in (HARBOUR, f"{HARBOUR}/events", "/partnerships")} == {403}
    assert api.http.get(f"/v1/partnerships/mill/timeline.ics?key={key}").status_code == 404
    owner = api.of("owner")
    assert owner.token is not None
    assert api.http.get(f"/v1{HARBOUR}/timeline.ics?key={owner.token}").status_code == 401
    assert api.http.get(f"/v1{HARBOUR}/timeline.ics").status_code == 422
    place = f"{HARBOUR}/calendar-links/{made['prefix']}"
    assert api.speaking_for("city-primary").send("DELETE", place).status_code == 404
    assert api.speaking_for("clinic-primary").send("DELETE", place).status_code == 204
    assert api.http.get(f"/v1{HARBOUR}/timeline.ics?key={key}").status_code == 401
