"""The keyboard alone: what a reader does who cannot point."""

import re

import pytest
from playwright.sync_api import Page, expect

from lifecycle.reviews import queries as reviews
from lifecycle.reviews import service as rounds
from tests.browser.conftest import DESK, PHONE, House, Opener
from tests.browser.places import CITY
from tests.builders import registered, reviewed

FOCUSED = """() => {
  const one = document.activeElement, style = getComputedStyle(one), box = one.getBoundingClientRect();
  return {tag: one.localName, type: one.type || '', name: one.name || '', value: one.value || '',
          text: (one.textContent || '').trim(), outlined: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0,
          seen: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth};
}"""
QUESTIONS = 14


@pytest.fixture
def asked(house: House) -> House:
    """A review round is open, and its invitations are sent."""
    registered(house.database, house.now, stage="maintaining")
    reviewed(house.database, "harbour", house.now)
    rounds.sweep_reviews(house.database, house.now)
    house.post()
    return house


def tab(page: Page) -> dict[str, str]:
    """Go to what comes next; it shows that it is there."""
    page.keyboard.press("Tab")
    found: dict[str, str] = page.evaluate(FOCUSED)
    if found["tag"] != "body":
        assert found["outlined"], f"focus cannot be seen on {found}"
        assert found["seen"], f"focus is out of sight on {found}"
    return found


def tab_to(page: Page, tag: str, text: str) -> None:
    """Go on until something of this kind and text."""
    for _ in range(200):
        found = tab(page)
        if found["tag"] == tag and text in found["text"]:
            return
    raise AssertionError(f"the keyboard does not reach the {tag} “{text}”")


def test_a_review_is_answered_without_pointing(asked: House, opening: Opener) -> None:
    page = opening(DESK)
    page.goto(asked.link(CITY, "review"))
    assert tab(page)["text"] == "Skip to the content"
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    answered, commented = 0, False
    while answered < QUESTIONS:
        found = tab(page)
        if found["type"] == "radio":
            # Blank takes the first, the arrows move on: 1, 2, 3, 4.
            page.keyboard.press("Space")
            for _ in range(3):
                page.keyboard.press("ArrowDown")
            answered += 1
        elif found["tag"] == "summary" and not commented:
            page.keyboard.press("Enter")
            assert tab(page)["tag"] == "textarea"
            page.keyboard.type("The calls help.")
            commented = True
    tab_to(page, "button", "Send my answer")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you: you have answered review round 1")
    with asked.database.read() as connection:
        given = reviews.responses(connection, "harbour", 1)["city-primary"]["answers"]
    assert [one["score"] for one in given] == [4] * QUESTIONS
    assert given[0]["comment"] == "The calls help."


def test_the_focus_is_never_caught(asked: House, opening: Opener) -> None:
    page = opening(PHONE)
    page.goto(asked.link(CITY, "review"))
    stops = page.locator("a[href], button, summary, textarea:visible").count() + QUESTIONS
    for _ in range(stops + 5):
        if tab(page)["tag"] == "body":
            break
    else:
        raise AssertionError("going on never leaves the page")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(FOCUSED)["tag"] != "body", "nor does going back stay outside"


def test_after_a_refused_form_the_focus_is_on_the_list_of_what_to_mend(asked: House, opening: Opener) -> None:
    page = opening(PHONE)
    page.goto(asked.link(CITY, "hand-over"))
    tab_to(page, "button", "Hand over")
    page.keyboard.press("Enter")
    expect(page).to_have_title(re.compile("^Error"))
    expect(page.locator("[data-faults]")).to_be_focused()
    found = tab(page)
    assert found["tag"] == "a"
    page.keyboard.press("Enter")
    expect(page.locator("#f-until")).to_be_focused()
