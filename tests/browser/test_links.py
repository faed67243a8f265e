"""Links: for one person, one purpose, a while; scanned, replayed, forged and revoked ones; and what no page tells others."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from playwright.sync_api import Page, expect

from lifecycle.obligations import service as promises
from lifecycle.partnerships import doors
from lifecycle.reviews import service as rounds
from tests.browser.conftest import DESK, PHONE, House, Opener
from tests.browser.places import CITY, FIONA, MARGARET
from tests.builders import answer, contents, registered, reviewed
from tests.obligations.agreements import in_force, monitor

SCANNER = {"Sec-Purpose": "prefetch", "Purpose": "prefetch", "User-Agent": "a mail scanner"}


@pytest.fixture
def asked(house: House) -> House:
    """A review round is open, and its invitations are sent."""
    registered(house.database, house.now, stage="maintaining")
    reviewed(house.database, "harbour", house.now)
    rounds.sweep_reviews(house.database, house.now)
    house.post()
    return house


def _links(house: House) -> list[str]:
    """Every link in every email; of those at the foot of each, which differ in their date alone, everybody's newest."""
    found = {}
    for letter in house.letters(""):
        for one in house.links_in(letter):
            purpose = one.split("/")[3]
            found[(purpose, letter["To"]) if purpose in {"hand-over", "preferences", "complain"} else one] = (
                one
            )
    return list(found.values())


def test_mail_scanners_change_nothing_and_every_link_works_afterwards(rich: House, opening: Opener) -> None:
    links = _links(rich)
    assert {one.split("/")[3] for one in links} >= {"review", "report", "verdict", "sign", "complaint", "complain",
                                                     "hand-over", "preferences", "partnerships"}  # fmt: skip
    before = contents(rich.database)
    with httpx.Client(headers=SCANNER, follow_redirects=True) as scanner:
        for one in links:
            for method in ("HEAD", "GET"):
                answer_ = scanner.request(method, one)
                assert answer_.status_code < 500, one
                assert "set-cookie" not in answer_.headers
    assert contents(rich.database) == before
    page = opening(PHONE)
    page.goto(rich.link(FIONA, "preferences"))
    page.locator('input[name="/digest"][value="never"]').check()
    page.locator("form button").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")


def test_a_link_to_sign_in_survives_a_scanner_and_is_good_once(rich: House, opening: Opener) -> None:
    page = opening(DESK)
    page.goto(f"{rich.host}/sign-in")
    page.get_by_label("Your email address").fill(MARGARET)
    page.get_by_role("button", name="Send me a link").click()
    link = rich.sign_in_link(MARGARET)
    before = contents(rich.database)
    for method in ("HEAD", "GET"):
        httpx.request(method, link, headers=SCANNER)
    assert contents(rich.database) == before
    page.goto(link)
    page.get_by_role("button", name=f"Sign in as {MARGARET}").click()
    expect(page.get_by_text(f"Signed in as {MARGARET}")).to_be_visible()
    again = opening(DESK)
    again.goto(link)
    expect(again.get_by_role("button")).to_have_count(0)
    expect(again.get_by_role("link", name="Ask for a new link")).to_be_visible()


def test_a_replayed_link_shows_what_was_recorded_and_changes_nothing(asked: House, opening: Opener) -> None:
    rounds.respond(asked.database, "harbour", 1, "city-primary", answer(1), asked.now)
    before = contents(asked.database)
    for _ in range(2):
        page = opening(PHONE)
        page.goto(asked.link(CITY, "review"))
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "Thank you: you have answered review round 1"
        )
    assert contents(asked.database) == before


def test_a_form_that_is_sent_twice_is_taken_once(house: House, opening: Opener) -> None:
    in_force(house.database, house.now)
    house.pass_time(days=31)
    first, second = opening(PHONE), opening(PHONE)
    for page in (first, second):
        page.goto(house.link("clinic-primary@clinic.example", "report"))
        page.get_by_label("Kept: all of it").check()
    first.get_by_role("button", name="Send the report").click()
    expect(first.get_by_role("status")).to_contain_text("Your report is recorded")
    before = contents(house.database)
    second.get_by_role("button", name="Send the report").click()
    expect(second.get_by_role("alert")).to_contain_text("Something was recorded since you opened this page")
    assert contents(house.database) == before


def _refused(page: Page, link: str) -> None:
    answer_ = page.goto(link)
    assert answer_ is not None
    assert answer_.status == 409
    expect(page.locator("form")).to_have_count(0)
    expect(page.get_by_text("City Primary")).to_have_count(0)


@pytest.mark.parametrize("how", ["changed", "cut", "of another purpose", "expired", "revoked"])
def test_a_link_that_is_good_for_nothing_shows_and_changes_nothing(
    asked: House, opening: Opener, how: str
) -> None:
    link = asked.link(CITY, "review")
    if how == "changed":
        link = link[:-1] + ("A" if link[-1] != "A" else "B")
    elif how == "cut":
        link = link[:-6]
    elif how == "of another purpose":
        link = asked.link(CITY, "hand-over").replace("/hand-over/", "/review/")
    elif how == "expired":
        asked.now += timedelta(days=200)
    else:
        page = opening(PHONE)
        page.goto(asked.link(CITY, "hand-over"))
        page.get_by_role("link", name="Make my links good for nothing").click()
        page.get_by_role("button", name="Make them good for nothing").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Your links are good for nothing now")
    before = contents(asked.database)
    _refused(opening(PHONE), link)
    assert contents(asked.database) == before


@dataclass
class Outside:
    """Another site, which keeps what it is told."""

    address: str = ""
    told: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def outside() -> Iterator[Outside]:
    """Where a piece of evidence lies."""
    found = Outside()

    class Evidence(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.told.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!DOCTYPE html><title>Evidence</title><p>The list of March.")

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Evidence)
    found.address = f"http://127.0.0.1:{server.server_port}/list"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield found
    server.shutdown()
    thread.join(5)
    server.server_close()


def test_no_page_tells_another_site_where_its_reader_came_from(
    house: House, opening: Opener, outside: Outside
) -> None:
    in_force(house.database, house.now)
    house.now += timedelta(days=30)
    monitor(house.database, house.now)
    report = {"outcome": "kept", "evidence": {"reference": outside.address}}
    promises.report(house.database, "harbour", "lists/1", report, "clinic-primary", house.now)
    house.post()
    page = opening(PHONE)
    ours: list[dict[str, str]] = []
    page.on("request", lambda one: ours.append(one.all_headers()) if house.host in one.url else None)
    page.goto(house.link(CITY, "verdict"))
    page.get_by_role("link", name="Open this address").click()
    expect(page.get_by_text("The list of March.")).to_be_visible()
    (told,) = [one for one in outside.told if "image" not in one.get("sec-fetch-dest", "")]
    assert "referer" not in told
    assert len(ours) >= 3, "the page, its sheet and its script"
    assert not [one for one in ours if "referer" in one], "nor to our own files"


def test_a_link_answers_for_its_holder_alone(asked: House) -> None:
    """What a link shows and does never depends on a cookie: it is its holder's, whoever is signed in."""
    link = asked.link(CITY, "review")
    mine = httpx.get(link).text
    with_cookie = httpx.get(link, cookies={"session": "somebody else's"}).text
    assert mine == with_cookie
    other = doors.address(asked.settings, "review", "harbour", "clinic-primary", asked.now, {"round": 1})
    assert "City Primary" not in httpx.get(other).text
