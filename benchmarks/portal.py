"""The portal: time to the first byte of its pages on the demo's data, beside the barest of them, in the same run.

    python -m benchmarks.portal [--rounds 40]

The demo's story is played in process on SQLite; uvicorn serves it in a process of its own at the time when the story ends.
One client asks for one page after the other. The bare page is `/sign-in`: the same frame, and no partnership. To reach
(issue 6): the first byte within 100 ms.
"""

import argparse
import asyncio
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

from pydantic import SecretStr

from benchmarks.api import _up
from benchmarks.stores import report
from lifecycle import clock, web
from lifecycle.access import sessions
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.demo.story import ENDS_AT
from lifecycle.embedded import free_port
from lifecycle.partnerships import doors
from lifecycle.partnerships.doors import Purpose
from lifecycle.portal.members import COOKIE

BARE = "/sign-in"
HARBOUR = "harbour-healthy-start"
MANAGER = "fiona.kerr@city-of-harbour.example"
SECRET = "a-secret-of-the-benchmark-that-is-long-enough-to-sign-links"
HERE = f"/partnerships/{HARBOUR}"
SIGNED_IN = (
    "/", "/pictures", HERE, f"{HERE}/gates", f"{HERE}/gates/begin_evaluation", f"{HERE}/documents",
    f"{HERE}/documents/agreement", f"{HERE}/documents/evaluation/differences?from=1&to=2", f"{HERE}/promises",
    f"{HERE}/promises/check-rooms/3", f"{HERE}/complaints", f"{HERE}/complaints/1", f"{HERE}/complaints/new",
    f"{HERE}/reviews", f"{HERE}/reviews/3", f"{HERE}/reviews/actions/3", f"{HERE}/pictures", f"{HERE}/timeline",
    f"{HERE}/dossier", "/account",
)  # fmt: skip
BY_LINK: tuple[tuple[Purpose, dict[str, object]], ...] = (
    ("review", {"round": 4}),
    ("report", {"performance": "kitchens-open/12"}),
    ("verdict", {"performance": "check-rooms/3"}),
    ("sign", {"kind": "agreement", "subject": "", "revision": 1}),
    ("complain", {}),
    ("complaint", {"number": 1}),
    ("hand-over", {}),
    ("preferences", {}),
)


def served() -> object:
    """The site at the end of the story."""
    clock.now = lambda: ENDS_AT  # type: ignore[assignment]
    return web.create(_settings(Path(os.environ["PORTAL_BENCHMARK"])))


def _settings(folder: Path) -> Settings:
    return Settings(
        database_url=SecretStr(f"sqlite:///{folder}/story.db"),
        secret_key=SecretStr(SECRET),
        mailbox=folder / "mailbox",
    )


def _play(folder: Path) -> None:
    from io import StringIO

    from rich.console import Console

    from lifecycle.demo.acts import Office
    from lifecycle.demo.player import play
    from lifecycle.demo.screen import Screen
    from lifecycle.demo.story import STORY
    from lifecycle.migrations import upgrade
    from tests.journeys.in_process import InProcess

    settings = _settings(folder)
    database = Database(settings.database_url.get_secret_value())
    upgrade(database)
    screen = Screen(Console(file=StringIO(), width=120), settings.mailbox)
    office = Office(database, settings, InProcess(database, settings))
    asyncio.run(play(STORY, office, screen, ENDS_AT))
    database.close()


@contextmanager
def _serving(folder: Path) -> Iterator[int]:
    """The port of the site in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.portal:served",
               "--port", str(port), "--log-level", "error", "--no-access-log"]  # fmt: skip
    child = subprocess.Popen(command, env=os.environ | {"PORTAL_BENCHMARK": str(folder)})
    try:
        asyncio.run(_up(port))
        yield port
    finally:
        child.terminate()
        child.wait()


def _pages(folder: Path) -> list[tuple[str, str, str]]:
    """What each is called, its path, and the cookie to ask with."""
    settings = _settings(folder)
    database = Database(settings.database_url.get_secret_value())
    with database.write() as connection:
        cookie = f"{COOKIE}={sessions.begin(connection, MANAGER, ENDS_AT)}"
    database.close()
    found = [(path, path, cookie) for path in SIGNED_IN]
    for purpose, subject in BY_LINK:
        whole = doors.address(settings, purpose, HARBOUR, "fiona-kerr", ENDS_AT, subject)
        found.append((f"/{purpose}/…", whole.removeprefix(doors.base(settings)), ""))
    return [(BARE, BARE, ""), *found]


def _first_byte(port: int, path: str, cookie: str) -> tuple[float, int]:
    """Milliseconds until a page's first byte has come, and the bytes of its body."""
    connection = HTTPConnection("127.0.0.1", port)
    connection.connect()
    began = time.perf_counter()
    connection.request("GET", path, headers={"Cookie": cookie} if cookie else {})
    answer = connection.getresponse()
    lasted = (time.perf_counter() - began) * 1000
    size = len(answer.read())
    if answer.status != 200:
        raise RuntimeError(f"{path}: {answer.status}")
    connection.close()
    return lasted, size


def main() -> None:
    """Print each page's median, its ratio to the bare page's, and its size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    rows = [("page", "first byte ms", "worst of twenty", "ratio", "KB", "to reach")]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        _play(folder)
        pages = _pages(folder)
        with _serving(folder) as port:
            taken: dict[str, list[tuple[float, int]]] = {name: [] for name, _, _ in pages}
            for turn in range(options.rounds + 2):
                for name, path, cookie in pages:
                    one = _first_byte(port, path, cookie)
                    if turn >= 2:  # The first fill caches.
                        taken[name].append(one)
    bare = statistics.median(ms for ms, _ in taken[BARE])
    for name, ones in taken.items():
        lasted = [ms for ms, _ in ones]
        median, late = statistics.median(lasted), statistics.quantiles(lasted, n=20)[-1]
        rows.append(
            (
                name,
                f"{median:.1f}",
                f"{late:.1f}",
                f"{median / bare:.1f}",
                f"{ones[0][1] / 1000:.0f}",
                "≤ 100 ms",
            )
        )
    report(f"The portal on the demo's data, median of {options.rounds} rounds", rows)


if __name__ == "__main__":
    main()
