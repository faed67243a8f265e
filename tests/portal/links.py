"""What holds for the page behind every link, whatever it is for."""

from datetime import datetime, timedelta
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.partnerships import doors
from lifecycle.partnerships.doors import PURPOSES, Purpose
from tests.builders import contents
from tests.portal.conftest import link

PROMISE = {"performance": "lists/1"}


def main_of(response: Response) -> str:
    """What a page says between its frame's header and footer."""
    return response.text.partition("<main")[2].partition("</main>")[0]


def dead_links(settings: Settings, purpose: Purpose, contact: str, now: datetime) -> dict[str, str]:
    """Paths that must open nothing: each looks like a link of this purpose, and is not, or not any more."""
    good = link(settings, purpose, "harbour", contact, now, PROMISE)
    other: Purpose = next(one for one in PURPOSES if one != purpose)
    foreign = link(settings, other, "harbour", contact, now, PROMISE).removeprefix(f"/{other}/")
    return {
        "changed": good[:-1] + ("A" if good[-1] != "A" else "B"),
        "cut": good[:-5],
        "made for something else": f"/{purpose}/{foreign}",
        "of nobody": link(settings, purpose, "harbour", "nobody", now, PROMISE),
        "expired": link(settings, purpose, "harbour", contact, now - timedelta(days=91), PROMISE),
        "made up": f"/{purpose}/made-up",
    }


def require_dead(
    browser: TestClient,
    database: Database,
    settings: Settings,
    purpose: Purpose,
    contact: str,
    now: datetime,
    posts: dict[str, dict[str, Any]],
) -> None:
    """Neither reading nor sending by a dead link shows or changes anything; revoked ones are dead too.

    Args:
        posts: what follows the link in the addresses that its forms post to, and what they send.
    """
    dead = dead_links(settings, purpose, contact, now)
    doors.revoke(database, "harbour", contact, contact, now)
    dead["revoked"] = link(settings, purpose, "harbour", contact, now, PROMISE)
    before = contents(database)
    for why, path in dead.items():
        answers = [browser.get(path), *(browser.post(path + rest, data=sent) for rest, sent in posts.items())]
        for answer in answers:
            assert answer.status_code == 409, (why, answer.url)
            assert "Lists on time" not in answer.text, why
            assert contact.replace("-", " ").title() not in answer.text, why
    assert contents(database) == before
