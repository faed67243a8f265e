"""Every route of the portal, seen by everybody whom it is not for: one table; a route that is not in it fails."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from lxml import html
from sqlalchemy import func, update

from lifecycle.db import Database
from lifecycle.documents import queries as documents
from lifecycle.documents.models import document
from lifecycle.models import metadata
from lifecycle.partnerships.doors import PURPOSES
from lifecycle.partnerships.models import contact
from lifecycle.portal import app
from tests.api.clients import settings_of
from tests.builders import contents
from tests.portal.conftest import link, sign_in
from tests.portal.routes import (
    LINKS,
    MEMBERS,
    NOW,
    OF_ONESELF,
    PLACES,
    POSTS,
    PUBLIC,
    SECRET,
    TABLE,
    played,
)

SETTINGS = settings_of("sqlite://")


def routes() -> Iterator[str]:
    """Method and path of everything that the portal answers."""

    def walk(found: Any) -> Iterator[str]:
        for route in found:
            inner = getattr(route, "original_router", None)
            if inner is not None:
                yield from walk(inner.routes)
            else:
                yield from (f"{method} {route.path}" for method in getattr(route, "methods", None) or ["GET"])

    yield from walk(app.create(SETTINGS, Database("sqlite://")).routes)


def test_the_table_has_every_route() -> None:
    assert set(routes()) == TABLE.keys() | PUBLIC


@pytest.fixture(scope="module")
def played_out(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> bytes:
    """The whole story as a SQLite file."""
    path = tmp_path_factory.mktemp("permissions") / "played.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    played(database)
    database.close()
    return path.read_bytes()


@pytest.fixture
def played_store(tmp_path: Path, played_out: bytes) -> Iterator[Database]:
    path = tmp_path / "played.db"
    path.write_bytes(played_out)
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture
def portal(played_store: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    monkeypatch.setattr("lifecycle.clock.now", lambda: NOW)
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with TestClient(app.create(SETTINGS, played_store), follow_redirects=False) as browser:
        yield browser


def sha256(database: Database) -> str:
    with database.read() as connection:
        return documents.find(connection, "harbour", "agreement", "").sha256


def token(name: str, contact: str, purpose: str | None = None, partnership: str = "harbour") -> str:
    """The token of a link as the route has it, for anybody and any purpose."""
    wanted: Any = purpose or name.split("/")[1]
    whole = link(SETTINGS, wanted, partnership, contact, NOW - timedelta(minutes=1), TABLE[name].subject)
    return whole.split("/")[2]


def call(
    browser: TestClient, name: str, *, token_: str = "", csrf: str = "", headers: Any = None, **places: str
) -> Response:
    """Use a route as its right person would, but for what is given."""
    one, (method, path) = TABLE[name], name.split(" ")
    known = {**PLACES, **one.path, "token": token_, **places}
    path = re.sub(r"{(\w+)}", lambda found: known[found[1]], path)
    state = browser.app.state  # type: ignore[attr-defined]
    exact = sha256(state.database)
    sent = {key: value.replace("{sha256}", exact) for key, value in one.sent.items()}
    given = f"{path}?{one.path['?']}" if "?" in one.path else path
    data = None if method == "GET" else sent | ({"csrf": csrf} if csrf else {})
    found: Response = browser.request(method, given, data=data, headers=headers)
    return found


def email_of(contact: str) -> str:
    return f"{contact}@{contact.partition('-')[0]}.example"


def shown(name: str) -> int:
    """A page's status: an answer is given by a link, and of an open round there is no picture yet."""
    return 303 if name.endswith("/answer") else 404 if name.endswith("/review.svg") else 200


@pytest.mark.parametrize("name", TABLE)
def test_the_right_person_can(portal: TestClient, played_store: Database, name: str) -> None:
    """Else what nobody else can do would prove nothing."""
    by = TABLE[name].by
    csrf = "" if name in LINKS else sign_in(portal, email_of(by))
    before = contents(played_store)
    found = call(portal, name, token_=token(name, by) if name in LINKS else "", csrf=csrf)
    if name.startswith("GET"):
        assert found.status_code == shown(name)
        assert contents(played_store) == before, "GET changes nothing"
    else:
        assert found.status_code == TABLE[name].status
        assert contents(played_store) != before


@contextmanager
def unchanged(database: Database, name: str) -> Iterator[None]:
    before = contents(database)
    yield
    assert contents(database) == before, name


def test_a_link_is_for_one_purpose_and_one_partnership(portal: TestClient, played_store: Database) -> None:
    for name in LINKS:
        by, purpose = TABLE[name].by, name.split("/")[1]
        tokens = [token(name, by, other) for other in PURPOSES if other != purpose]
        with unchanged(played_store, name):
            for wrong in (*tokens, token(name, by, partnership="tidewell"), "made-up"):
                found = call(portal, name, token_=wrong)
                assert (found.status_code, SECRET in found.text) == (409, False), name


FOR_EVERYBODY = re.compile(
    r"/(hand-over|preferences|complain|sign)/|/(signal|new|sign|object|edit|plan|verify)$|gates"
)
"""What each contact may do for themselves, each organisation for itself, or either about the whole."""


def test_a_third_partner_does_not_act_for_either_side(portal: TestClient, played_store: Database) -> None:
    csrf = sign_in(portal, "charity-primary@charity.example")
    for name in [name for name in POSTS if name not in OF_ONESELF and not FOR_EVERYBODY.search(name)]:
        with unchanged(played_store, name):
            found = call(
                portal, name, token_=token(name, "charity-primary") if name in LINKS else "", csrf=csrf
            )
            # A review sends whoever was not asked back to its page.
            assert found.status_code in {403, 409} or name.startswith("POST /review/"), name


def test_nobody_who_did_not_sign_in_sees_or_does_anything(portal: TestClient, played_store: Database) -> None:
    for name in {**MEMBERS, **OF_ONESELF}:
        with unchanged(played_store, name):
            found = call(portal, name)
            assert found.status_code == 303, name
            assert found.headers["Location"].startswith("/sign-in?next=/"), name


@pytest.mark.parametrize("email", ["mill-primary@mill.example", "owner@north.example"])
def test_a_stranger_who_signed_in_finds_no_such_partnership(
    portal: TestClient, played_store: Database, email: str
) -> None:
    csrf = sign_in(portal, email)
    for name in MEMBERS:
        with unchanged(played_store, name):
            theirs, nobodys = call(portal, name, csrf=csrf), call(portal, name, csrf=csrf, id="nowhere")
            assert theirs.status_code == nobodys.status_code == 404, name
            assert theirs.text.replace("harbour", "nowhere") == nobodys.text, name
    for name in [name for name in OF_ONESELF if name.startswith("GET")]:
        found = call(portal, name)
        assert found.status_code == 200, name
        assert not re.search(f"{SECRET}|harbour|clinic", found.text), name


def test_what_is_another_partnership_s_is_not_found_in_one_s_own(
    portal: TestClient, played_store: Database
) -> None:
    csrf = sign_in(portal, "mill-primary@mill.example")
    for name in [name for name in MEMBERS if re.search("{number}|{obligation}", name)]:
        with unchanged(played_store, name):
            found = call(portal, name, csrf=csrf, id="tidewell")
            assert (found.status_code, SECRET in found.text) == (404, False), name


def test_who_may_look_at_a_portfolio_changes_nothing(portal: TestClient, played_store: Database) -> None:
    csrf = sign_in(portal, "owner@main.example")
    for name in MEMBERS:
        with unchanged(played_store, name):
            found = call(portal, name, csrf=csrf)
        acts = name.startswith("POST") or name.endswith(("/answer", "/new", "/edit"))
        assert found.status_code == (403 if acts else shown(name)), name


def test_a_form_that_is_not_of_one_s_own_session_does_nothing(
    portal: TestClient, played_store: Database
) -> None:
    foreign = sign_in(portal, email_of("clinic-deputy"))
    for name in [name for name in POSTS if name not in LINKS]:
        sign_in(portal, email_of(TABLE[name].by))
        with unchanged(played_store, name):
            assert [call(portal, name, csrf=csrf).status_code for csrf in ("", foreign)] == [403, 403], name


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_what_another_site_sends_does_nothing(
    portal: TestClient, played_store: Database, headers: dict[str, str]
) -> None:
    for name in POSTS:
        by, is_link = TABLE[name].by, name in LINKS
        csrf = "" if is_link else sign_in(portal, email_of(by))
        with unchanged(played_store, name):
            found = call(portal, name, token_=token(name, by) if is_link else "", csrf=csrf, headers=headers)
            assert found.status_code == 403, name


def test_every_answer_is_confined(portal: TestClient) -> None:
    """Nothing is framed, kept, told to another host or taken for what it is not – refusals included."""
    for name, one in TABLE.items():
        for by in (None, one.by):
            portal.cookies.clear()
            csrf = sign_in(portal, email_of(by)) if by is not None and name not in LINKS else ""
            found = call(
                portal, name, token_=token(name, by) if by and name in LINKS else "x", csrf=csrf
            ).headers
            policy = found["Content-Security-Policy"]
            wanted = ("default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action")
            assert all(one in policy for one in wanted), (name, policy)
            assert (found["Cache-Control"], found["Referrer-Policy"]) == ("no-store", "no-referrer"), name
            assert found["X-Content-Type-Options"] == "nosniff", name


EVIL = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}%(x)s"


def soiled(database: Database) -> None:
    """The same story of people who write markup wherever they can write."""
    written, act = json.dumps(EVIL)[1:-1], "Hands over the list of planned discharges."
    with database.write() as connection:
        content = func.replace(document.c.content, act, written)
        connection.execute(update(document).values(content=content))
        for table in metadata.sorted_tables:
            texts = [name for name in ("title", "name", "note", "reason", "what") if name in table.c]
            if texts:
                connection.execute(update(table).values(dict.fromkeys(texts, EVIL)))


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_people_write_stays_text_on_every_page(
    portal: TestClient, played_store: Database, language: str
) -> None:
    soiled(played_store)
    with played_store.write() as connection:
        connection.execute(update(contact).values(language=language))
    escaped = 0
    for name in [name for name in TABLE if name.startswith("GET")]:
        by = TABLE[name].by
        if name not in LINKS:
            sign_in(portal, email_of(by))
        found = call(portal, name, token_=token(name, by) if name in LINKS else "")
        assert found.status_code == shown(name), name
        escaped += found.text.count("&lt;script&gt;")
        if "html" in found.headers.get("Content-Type", ""):
            page = html.fromstring(found.text)
            assert not page.xpath(
                "//script[not(@src)] | //@onerror | //img[@src='x'] | //a[starts-with(@href, 'java')]"
            ), name
        elif found.text.startswith("<svg"):
            assert b"<script" not in found.content, name
    assert escaped > 500
