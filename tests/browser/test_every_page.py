"""Every page of the portal, in each state that it can show: for every reader, on every screen."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from starlette.routing import Match, Mount, Route

from lifecycle.portal import app
from lifecycle.portal.signing_in import EMAILS_AN_HOUR
from tests.browser.conftest import DESK, PATIENCE, PHONE, RULES, House, look, serving, watch
from tests.browser.houses import BUSY_AT, make_busy
from tests.browser.places import CITY, NOT_PAGES, PLACES, Place, press, sign_in

LARGEST = 100_000
"""Bytes of a page."""


def routes_of(routes: Any) -> Iterator[Route]:
    """Those that show something, however they are nested."""
    for one in routes:
        if hasattr(one, "original_router"):
            yield from routes_of(one.original_router.routes)
        elif not isinstance(one, Mount) and "GET" in (one.methods or ()):
            yield one


@pytest.fixture(scope="module")
def routes(rich_to_see: House) -> list[Route]:
    return list(routes_of(app.create(rich_to_see.settings, rich_to_see.database).routes))


def test_no_page_is_forgotten(routes: list[Route]) -> None:
    seen = {one.route for one in PLACES} | set(NOT_PAGES)
    assert {one.path for one in routes} - seen == set(), "add them to tests/browser/places.py"
    assert seen - {one.path for one in routes} == {""}
    assert len({one.name for one in PLACES}) == len(PLACES)


@pytest.fixture(scope="module")
def busy_to_see(sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A house in which everything waits for somebody."""
    folder = tmp_path_factory.mktemp("busy")
    (folder / "busy.db").write_bytes(sqlite_template.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        for built in serving(f"sqlite:///{folder}/busy.db", folder / "mailbox", BUSY_AT, patch):
            make_busy(built.database)
            built.post()
            yield built


@pytest.fixture(scope="module")
def screens(chromium: Browser) -> Iterator[list[Page]]:
    """A phone and a desk, used for all pages: the others' tests begin with a browser of their own."""
    phone = chromium.new_context(viewport=PHONE, has_touch=True, is_mobile=True)  # type: ignore[arg-type]
    desk = chromium.new_context(viewport=DESK)  # type: ignore[arg-type]
    for one in (phone, desk):
        one.set_default_timeout(PATIENCE)
    found, faults = [phone.new_page(), desk.new_page()], list[str]()
    for page in found:
        watch(page, faults)
    yield found
    phone.close()
    desk.close()
    assert faults == []


@pytest.mark.parametrize("place", PLACES, ids=lambda one: one.name)
def test_every_reader_can_use_it_on_every_screen(
    place: Place,
    screens: list[Page],
    routes: list[Route],
    rich_to_see: House,
    busy_to_see: House,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    house = rich_to_see if place.which == "rich" else busy_to_see
    # Both houses are open; the time is that of the one which is looked at.
    monkeypatch.setattr("lifecycle.clock.now", lambda: house.now)
    path = place.path(house)
    if place.route:
        scope = {"type": "http", "path": path.partition("?")[0], "method": "GET", "root_path": ""}
        found = [one.path for one in routes if one.matches(scope)[0] == Match.FULL]
        assert found[:1] == [place.route], "the table is wrong"
    for page in screens:
        page.context.clear_cookies()
        if place.email:
            sign_in(house, page, place.email)
        answer = page.goto(house.host + path)
        assert answer is not None
        assert answer.status == place.status
        assert len(answer.body()) < LARGEST
        if place.is_sandboxed:
            content = answer.text()
            page.goto("about:blank")
            page.set_content(content)
        if place.then is not None:
            place.then(page)
        # An email is no page of a site: the best practices of pages, such as landmarks, are not its own.
        look(page, place.name, RULES[:-1] if place.is_sandboxed else RULES)
    _require_room(screens)


def _require_room(screens: list[Page]) -> None:
    """Nothing scrolls sideways on the narrowest screen, nor with letters twice as large."""
    phone, desk = screens
    for page, width, letters in ((phone, 320, "100%"), (desk, 640, "200%")):
        before = page.viewport_size
        page.set_viewport_size({"width": width, "height": 640})
        page.evaluate("size => { document.documentElement.style.fontSize = size }", letters)
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 1, f"{width} px wide, letters at {letters}: scrolls sideways by {overflow} px"
        assert before is not None
        page.set_viewport_size(before)


def test_pages_of_trouble_are_pages_too(
    screens: list[Page], busy_to_see: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of ours, a form that another site sent, too many requests for a link, and the page that says one was sent."""
    house = busy_to_see
    monkeypatch.setattr("lifecycle.clock.now", lambda: house.now)
    for page in screens:
        page.context.clear_cookies()
        for asked in range(EMAILS_AN_HOUR + 1):
            page.goto(f"{house.host}/sign-in")
            page.locator('[name="/email"]').fill("nobody@elsewhere.example")
            press("Send me a link")(page)
            if asked == 0 and page is screens[0]:
                look(page, "sign-in-sent")
        expect(page.get_by_role("heading", level=1)).not_to_have_text("Look into your emails")
        look(page, "sign-in-often")
        page.goto("data:text/html,<title>Win</title>")
        page.set_content(
            f'<form method="post" action="{house.host}/preferences/x"><button>Win</button></form>'
        )
        page.get_by_role("button").click()
        expect(page.get_by_text("This was sent from another site.")).to_be_visible()
        look(page, "refused-from-elsewhere")
        sign_in(house, page, CITY)
        with pytest.MonkeyPatch.context() as broken:
            broken.setattr("lifecycle.portal.members.sessions.find", _break)
            answer = page.goto(f"{house.host}/account")
        assert answer is not None
        assert answer.status == 500
        look(page, "fault")


def _break(*_: Any) -> None:
    raise RuntimeError("broken on purpose")
