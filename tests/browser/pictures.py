"""The README's screenshots, made anew from the demo's story: `python -m tests.browser.pictures docs/pictures`."""

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Page, sync_playwright

from lifecycle.demo.story import ENDS_AT, TRAM
from tests.browser.conftest import House, chromium_path, played, serving
from tests.browser.places import FIONA, HEALTHY, sign_in

REFUSED_AT = datetime(2025, 3, 5, 12, tzinfo=UTC)
"""When an agreement of the story has just been refused at its gate."""
WIDE = {"width": 1100, "height": 900}
PHONE = {"width": 390, "height": 760}
LARGEST = 200_000
"""Bytes of a picture: whoever reads the README loads all three."""


def make(folder: Path) -> None:
    """Make the three pictures in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path())
        phone = browser.new_page(viewport=PHONE, device_scale_factor=1.5, reduced_motion="reduce")  # type: ignore[arg-type]
        desk = browser.new_page(viewport=WIDE)  # type: ignore[arg-type]
        with _house(Path(made) / "early", REFUSED_AT) as house:
            _keep(_gate(house, desk), folder / "portal-gate.png")
        with _house(Path(made) / "late", ENDS_AT) as house:
            _keep(_partnership(house, desk), folder / "portal-partnership.png")
            _keep(_review(house, phone), folder / "portal-review-phone.png")
        browser.close()
    for path in folder.glob("portal-*.png"):
        assert path.stat().st_size <= LARGEST, f"{path} is too large"


@contextmanager
def _house(folder: Path, until: datetime) -> Iterator[House]:
    story = played(folder / "story", until)
    url, mailbox = story.copy(folder / "house")
    with pytest.MonkeyPatch.context() as patch:
        yield from serving(url, mailbox, until, patch, story.port)


def _gate(house: House, page: Page) -> Page:
    """What an agreement still lacks."""
    sign_in(house, page, "j.terbeek@maasmond-university.example")
    page.goto(f"{house.host}/partnerships/{TRAM}/gates/activate")
    return page


def _partnership(house: House, page: Page) -> Page:
    """Where a partnership stands, and its ways on."""
    sign_in(house, page, FIONA)
    page.goto(f"{house.host}{HEALTHY}")
    return page


def _review(house: House, page: Page) -> Page:
    """The form of a review, begun, on a phone."""
    house.pass_time(days=40)
    page.goto(house.link("isla.drummond@morning-larder.example", "review"))
    page.locator('input[name="/answers/0/score"][value="4"]').check()
    page.locator('input[name="/answers/1/score"][value="3"]').check()
    page.evaluate("document.documentElement.style.scrollPaddingTop = '1rem'")
    page.evaluate("document.querySelector('form h2').scrollIntoView()")
    return page


def _keep(page: Page, path: Path) -> None:
    page.screenshot(path=path)


if __name__ == "__main__":
    make(Path(sys.argv[1]))
