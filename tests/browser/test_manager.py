"""What a manager does at a desk: from a need to an agreement in force, signed in by an emailed link."""

import re
from datetime import UTC, datetime
from typing import Any

from playwright.sync_api import Page, expect

from lifecycle.documents import queries as documents
from lifecycle.documents import service as putting
from lifecycle.partnerships import changes, registration
from lifecycle.partnerships import queries as partnerships
from tests.browser.conftest import DESK, PHONE, House, Opener
from tests.browser.filling import fill_document, fill_part
from tests.examples.reading import read
from tests.gates.complete import HARBOUR

FIONA = "fiona.kerr@city-of-harbour.example"
HERE = f"/partnerships/{HARBOUR}"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def stage(house: House) -> str:
    with house.database.read() as connection:
        return changes.find(connection, HARBOUR).stage


def content_of(house: House, kind: str) -> Any:
    with house.database.read() as connection:
        return documents.find(connection, HARBOUR, kind).content


def sign_in(house: House, page: Page, email: str) -> None:
    """Ask for a link, take it from the email, and use it."""
    before = [one for letter in house.letters(email) for one in house.links_in(letter)]
    page.goto(f"{house.host}{HERE}")
    page.get_by_label("Your email address").fill(email)
    page.get_by_role("button", name="Send me a link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your emails")
    page.goto(house.sign_in_link(email, before))
    page.get_by_role("button", name=f"Sign in as {email}").click()
    expect(page).to_have_url(f"{house.host}{HERE}")


def ask(page: Page, event: str, stage_after: str) -> None:
    """Ask for a transition whose gate is open; it is taken."""
    page.goto(page.url.partition("/partnerships/")[0] + f"{HERE}/gates/{event}")
    expect(page.get_by_text("The gate is open", exact=True)).to_be_visible()
    page.locator("section[aria-labelledby=ask] button").click()
    expect(page.get_by_role("status")).to_contain_text(f"now in the stage “{stage_after}”")


def sign(house: House, opening: Opener, email: str) -> None:
    """A partner signs on a phone, by the link of the email."""
    page = opening(PHONE)
    page.goto(house.link(email, "sign"))
    page.locator('[name="/read"]').check()
    page.locator("section[aria-labelledby=sign] button").click()
    expect(page.get_by_role("status")).to_contain_text("You have signed revision")


def test_from_the_need_to_an_agreement_in_force(house: House, opening: Opener) -> None:
    house.now = at("2025-01-13 09:00")
    registration.create(house.database, read(HARBOUR, "partnership"), house.settings, house.now)
    page = opening(DESK)
    sign_in(house, page, FIONA)

    # Step 1: what the gate wants is read first, then the need assessment is written in its form.
    page.get_by_role("link", name="Confirm the need").first.click()
    expect(page.get_by_text("The gate is shut", exact=True)).to_be_visible()
    expect(page.locator("#N1")).to_contain_text("not met")
    page.get_by_role("link", name="Documents").click()
    page.get_by_role("link", name=re.compile("Begin.*Need assessment")).click()
    fill_document(page, read(HARBOUR, "need_assessment"))
    assert content_of(house, "need_assessment") == read(HARBOUR, "need_assessment")
    house.now = at("2025-01-15 15:00")
    sign_in(house, page, FIONA)
    ask(page, "confirm_need", "starting")

    # Step 2: the convening in its form; every partner assents by the link of its email.
    house.now = at("2025-01-24 10:00")
    sign_in(house, page, FIONA)
    page.goto(f"{house.host}{HERE}/documents/convening/edit")
    fill_document(page, read(HARBOUR, "convening"))
    assert content_of(house, "convening") == read(HARBOUR, "convening")
    page.locator('[name="/read"]').check()
    page.get_by_role("button", name="Sign revision 1").click()
    expect(page.get_by_role("status")).to_have_text("Signed. Everybody can see it now.")
    house.pass_time(hours=1)
    for email in ("amira.haddad@harbour-clinic.example", "isla.drummond@morning-larder.example"):
        sign(house, opening, email)
    ask(page, "agree_to_partner", "setting up")

    # Step 3: the agreement has 520 fields, which takes minutes; a form writes what follows, and one of its eight promises.
    house.now = at("2025-02-18 10:00")
    agreement = read(HARBOUR, "agreement")
    by_form = ("term", "vision", "exit")
    rest = {name: one for name, one in agreement.items() if name not in by_form}
    rest["obligations"] = agreement["obligations"][:-1]
    putting.put(house.database, HARBOUR, "agreement", rest, "fiona-kerr", house.now)
    sign_in(house, page, FIONA)
    page.goto(f"{house.host}{HERE}/documents/agreement/edit")
    for name in by_form:
        fill_part(page, name, agreement[name])
    fill_part(page, "obligations", agreement["obligations"][-1:])
    assert content_of(house, "agreement") == agreement
    house.pass_time(hours=1)
    for email in (
        "margaret.innes@city-of-harbour.example",
        "ewan.ross@harbour-clinic.example",
        "sandra.okafor@trustees.morning-larder.example",
    ):
        sign(house, opening, email)
    ask(page, "activate", "maintaining")
    assert stage(house) == "maintaining"
    with house.database.read() as connection:
        taken = [(one["event"], one["state"]) for one in partnerships.requests(connection, HARBOUR)]
    assert sorted(taken) == [("activate", "taken"), ("agree_to_partner", "taken"), ("confirm_need", "taken")]
    page.goto(f"{house.host}{HERE}/promises")
    expect(page.get_by_role("heading", name="Promises")).to_be_visible()
