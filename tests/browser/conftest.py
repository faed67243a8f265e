"""A real Chromium on the whole site, served on a free port of 127.0.0.1, at a time that the test sets."""

import asyncio
import os
import re
import shutil
import socket
import threading
from collections.abc import Callable, Collection, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from pydantic import SecretStr
from rich.console import Console
from tenacity import retry, stop_after_delay, wait_fixed

from lifecycle import web
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.demo.acts import Office
from lifecycle.demo.player import SWEEPS, play
from lifecycle.demo.screen import Screen
from lifecycle.demo.story import ENDS_AT, STORY
from lifecycle.migrations import upgrade
from lifecycle.partnerships.correspondence import send_notices
from tests.api.clients import SECRET, started
from tests.journeys.in_process import InProcess

HERE = Path(__file__).parent
SCREENSHOTS = Path(os.environ.get("SCREENSHOTS", HERE.parents[1] / "screenshots"))
AXE = HERE / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = {"width": 360, "height": 740}
DESK = {"width": 1200, "height": 900}
PATIENCE = 8000
"""Milliseconds that an element may take; the default of 30 seconds makes a failure slow."""


@dataclass
class House:
    """The site, its database and its mailbox, at the time that the test sets."""

    database: Database
    settings: Settings
    now: datetime
    host: str = ""

    def post(self) -> None:
        """Send what is owed by now."""
        send_notices(self.database, self.settings, self.now)

    def pass_time(self, **span: float) -> None:
        """Let time pass; then the flows do what has become due, and its emails are sent."""
        self.now += timedelta(**span)
        flows = InProcess(self.database, self.settings)
        for sweep in SWEEPS:
            _run(flows.run(sweep, self.now))
        self.post()

    def letters(self, to: str) -> list[EmailMessage]:
        """The emails to an address, oldest first."""
        found = []
        for path in sorted(self.settings.mailbox.glob("*.eml")):
            message = message_from_bytes(path.read_bytes(), policy=policy.default)
            assert isinstance(message, EmailMessage)
            if to in str(message["To"]):
                found.append(message)
        return found

    def link(self, to: str, purpose: str) -> str:
        """The newest link of a purpose that was emailed to somebody."""
        for message in reversed(self.letters(to)):
            if found := [one for one in self.links_in(message) if one.startswith(f"{self.host}/{purpose}/")]:
                return found[0]
        raise AssertionError(f"no email to {to} has a link to {purpose}")

    @retry(wait=wait_fixed(0.05), stop=stop_after_delay(10), reraise=True)
    def sign_in_link(self, to: str, besides: Collection[str] = ()) -> str:
        """The link to sign in that somebody asked for; it is sent after its page is answered.

        Args:
            besides: those that had come before.
        """
        found = self.link(to, "sign-in")
        assert found not in besides
        return found

    def links_in(self, message: EmailMessage) -> list[str]:
        """Our links in the text form of an email, in their order."""
        body = message.get_body(("plain",))
        assert body is not None
        return re.findall(rf"{re.escape(self.host)}/[^\s<>]*[^\s<>.,]", body.get_content())


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as started_one:
        yield started_one


def chromium_path() -> str | None:
    """Where the system's Chromium is."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The system's Chromium."""
    path = chromium_path()
    if path is None:
        pytest.skip("no Chromium on this machine: install Debian's package `chromium`")
    expect.set_options(timeout=PATIENCE)
    browser = playwright.chromium.launch(executable_path=path)
    yield browser
    browser.close()


@pytest.fixture
def now() -> datetime:
    """A Monday morning, in UTC."""
    return datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def house(
    tmp_path: Path, sqlite_template: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """An empty house."""
    path = tmp_path / "house.db"
    path.write_bytes(sqlite_template.read_bytes())
    yield from serving(f"sqlite:///{path}", tmp_path / "mailbox", now, monkeypatch)


@dataclass(frozen=True)
class Story:
    """The demo's story as it was played once: three partnerships after a year, with all their emails."""

    folder: Path
    port: int
    """The links in its emails lead to this one."""

    def copy(self, folder: Path) -> tuple[str, Path]:
        """A database of its own for a test, and its mailbox."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return f"sqlite:///{folder}/story.db", folder / "mailbox"


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Everybody's acts until the end of January 2026, in seconds, without Prefect."""
    return played(tmp_path_factory.mktemp("story"))


def played(folder: Path, until: datetime = ENDS_AT) -> Story:
    """Play the demo's story into a folder, as far as it had come at an instant."""
    folder.mkdir(parents=True, exist_ok=True)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    settings = _settings(f"sqlite:///{folder}/story.db", folder / "mailbox", port)
    database = Database(settings.database_url.get_secret_value())
    upgrade(database)
    screen = Screen(Console(file=StringIO(), width=120), settings.mailbox)
    flows = InProcess(database, settings)
    acts = [act for act in STORY if act.at <= until]
    _run(play(acts, Office(database, settings, flows), screen, until))
    # Closing the last connection folds the write-ahead log into the file.
    database.close()
    return Story(folder, port)


def _run(work: Coroutine[Any, Any, None]) -> None:
    """Run it in a thread of its own: this one has Playwright's loop running."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()


@pytest.fixture
def rich(story: Story, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """A house of three partnerships after a year, for a test to change."""
    url, mailbox = story.copy(tmp_path)
    yield from serving(url, mailbox, ENDS_AT, monkeypatch, story.port)


@pytest.fixture(scope="module")
def rich_to_see(story: Story, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """The same for the tests of a module that change nothing. It has the port of `rich`: not both in one module."""
    url, mailbox = story.copy(tmp_path_factory.mktemp("rich"))
    with pytest.MonkeyPatch.context() as patch:
        yield from serving(url, mailbox, ENDS_AT, patch, story.port)


def _settings(url: str, mailbox: Path, port: int) -> Settings:
    return Settings(
        _env_file=None,
        database_url=SecretStr(url),
        secret_key=SecretStr(SECRET),
        public_url=f"http://127.0.0.1:{port}",
        mailbox=mailbox,
        embedded=True,
    )


def serving(
    url: str, mailbox: Path, now: datetime, monkeypatch: pytest.MonkeyPatch, port: int = 0
) -> Iterator[House]:
    """Serve a database while a test lasts."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    settings = _settings(url, mailbox, listener.getsockname()[1])
    database = Database(url)
    built = House(database, settings, now, settings.public_url)
    monkeypatch.setattr("lifecycle.clock.now", lambda: built.now)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    server = uvicorn.Server(
        uvicorn.Config(web.create(settings, database), log_level="warning", access_log=False)
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    started(server)
    yield built
    server.should_exit = True
    thread.join(10)
    database.close()


Opener = Callable[..., Page]


@pytest.fixture
def opening(chromium: Browser) -> Iterator[Opener]:
    """Opens a page in a browser of its own; a request that leaves for another host, or a script's error, fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def opened(size: dict[str, int] = PHONE, **options: Any) -> Page:
        touch = {"has_touch": True, "is_mobile": True} if size == PHONE else {}
        # Whatever moves by itself would only be waited for.
        still = {"reduced_motion": "reduce"}
        context = chromium.new_context(viewport=size, **touch, **(still | options))  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        watch(page, faults)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def watch(page: Page, faults: list[str]) -> None:
    """Keep every request that leaves for another host, every script's error, and whatever the page's policy stops."""
    page.on("request", lambda one: _require_near(one.url, faults))
    page.on("pageerror", lambda error: faults.append(f"script: {error}"))
    page.on("console", lambda one: faults.append(one.text) if "Content Security Policy" in one.text else None)


def _require_near(url: str, faults: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "data:", "blob:", "about:", "chrome-error:")):
        faults.append(f"left for {url}")


def look(page: Page, name: str, rules: Any = RULES) -> None:
    """Check a page as a reader with any ability meets it, in light and in dark, and keep a picture of it."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth + 1"), (
        f"{name} scrolls sideways"
    )
    assert barriers(page, rules) == [], name
    _keep(page, name)
    # Only colours differ in the dark.
    page.emulate_media(color_scheme="dark")
    assert barriers(page, {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}) == [], (
        f"{name}, dark"
    )
    _keep(page, f"{name}-dark")
    page.emulate_media(color_scheme="light")


def barriers(page: Page, rules: Any = RULES) -> list[str]:
    """What axe finds, a line each."""
    if not AXE.exists():
        pytest.skip("axe-core is missing: `npm ci --prefix tests/browser`")
    if not page.evaluate("'axe' in window"):
        # Evaluated by the browser's driver, which the page's policy does not bind.
        page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']})", rules)
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def _keep(page: Page, name: str) -> None:
    size = page.viewport_size or DESK
    folder = SCREENSHOTS / ("phone" if size["width"] < 500 else "desk")
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{name}.png", full_page=True)
