"""Paper: what is printed is read without a screen's navigation and buttons, and kept as a picture."""

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import DESK, SCREENSHOTS, House, Opener
from tests.browser.places import FIONA, HEALTHY, sign_in

SHEETS = {
    "partnership": "",
    "document": "/documents/agreement",
    "pictures": "/pictures",
    "dossier": "/dossier",
}


@pytest.fixture
def desk(rich_to_see: House, opening: Opener) -> Page:
    page = opening(DESK)
    sign_in(rich_to_see, page, FIONA)
    return page


@pytest.mark.parametrize("name", SHEETS)
def test_a_page_is_printed_without_navigation(desk: Page, rich_to_see: House, name: str) -> None:
    desk.goto(f"{rich_to_see.host}{HEALTHY}{SHEETS[name]}")
    desk.emulate_media(media="print")
    for unneeded in ("nav", "button", ".skip", ".actions"):
        shown = desk.locator(unneeded).evaluate_all(
            "all => all.filter(one => one.checkVisibility()).map(one => one.outerHTML)"
        )
        assert shown == [], f"{unneeded} is printed"
    assert desk.pdf(format="A4").startswith(b"%PDF-")
    folder = SCREENSHOTS / "print"
    folder.mkdir(parents=True, exist_ok=True)
    desk.screenshot(path=folder / f"{name}.png", full_page=True)
