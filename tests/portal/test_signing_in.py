"""Signing in by an emailed link, signing out, and the page about oneself."""

import logging
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from sqlalchemy import update

from lifecycle import languages, web
from lifecycle.access import accounts, sessions
from lifecycle.access.models import session, sign_in_link
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.notices import sign_in
from lifecycle.partnerships.models import contact, partnership
from lifecycle.portal.signing_in import EMAILS_AN_HOUR, POSTS_AN_HOUR, own_path
from tests.api.clients import settings_of
from tests.builders import contents, count, registered

EMAIL = "clinic-primary@clinic.example"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Emails go into a folder of the test's."""
    return settings_of("sqlite://").model_copy(update={"mailbox": tmp_path / "mailbox"})


@pytest.fixture
def harbour(site: TestClient, store: Database, now: datetime) -> TestClient:
    """The site, with a partnership in it."""
    registered(store, now)
    return site


def emails(settings: Settings) -> list[Any]:
    """What was sent, oldest first."""
    found = sorted(settings.mailbox.glob("*.eml"), key=lambda one: one.stat().st_mtime_ns)
    return [message_from_bytes(one.read_bytes(), policy=policy.default) for one in found]


def asked(site: TestClient, email: str = EMAIL, **more: str) -> Response:
    return site.post("/sign-in", data={"/email": email, **more})


def link_in(settings: Settings) -> str:
    """The path of the link in the newest email, the same in both of its forms."""
    newest = emails(settings)[-1]
    text = newest.get_body(("plain",)).get_content()
    [found] = re.findall(r"http://127\.0\.0\.1:8080(/sign-in/\S+)", text)
    [button] = html.fromstring(newest.get_body(("html",)).get_content()).xpath("//a/@href")
    assert button == f"http://127.0.0.1:8080{found}"
    return str(found)


def signed_in(site: TestClient, settings: Settings, email: str = EMAIL) -> TestClient:
    asked(site, email)
    assert site.post(link_in(settings), follow_redirects=False).status_code == 303
    return site


def csrf_of(page: Response) -> str:
    return str(html.fromstring(page.text).xpath("//input[@name='csrf']/@value")[0])


def test_an_emailed_link_signs_in_by_a_press_of_its_button(
    harbour: TestClient, settings: Settings, store: Database
) -> None:
    assert "on its way" in asked(harbour, f" {EMAIL.upper()} ").text
    [sent] = emails(settings)
    assert sent["to"] == EMAIL
    link = link_in(settings)
    before = contents(store)
    page = harbour.get(link)
    assert f"Sign in as {EMAIL}" in page.text
    assert contents(store) == before
    assert harbour.cookies.get("session") is None
    gone = harbour.post(link, follow_redirects=False)
    assert (gone.status_code, gone.headers["location"]) == (303, "/")
    assert EMAIL in harbour.get("/account").text


def test_the_cookie_is_for_our_server_alone(harbour: TestClient, settings: Settings) -> None:
    asked(harbour)
    cookie = harbour.post(link_in(settings), follow_redirects=False).headers["set-cookie"]
    kept = cookie.lower().split("; ")
    assert {"httponly", "samesite=lax", "path=/", "max-age=43200"} <= set(kept)
    assert "secure" not in kept


def test_over_https_the_cookie_leaves_by_https_alone(
    store: Database, settings: Settings, travel: Callable[[datetime], None], now: datetime
) -> None:
    registered(store, now)
    public = settings.model_copy(update={"public_url": "https://partnerships.example/"})
    with TestClient(web.create(public, store), base_url="https://partnerships.example") as site:
        asked(site)
        text = emails(settings)[-1].get_body(("plain",)).get_content()
        [link] = re.findall(r"https://partnerships\.example(/sign-in/\S+)", text)
        cookie = site.post(link, follow_redirects=False).headers["set-cookie"]
    assert "secure" in cookie.lower().split("; ")


def test_known_or_not_the_answer_is_the_same(
    harbour: TestClient, settings: Settings, store: Database
) -> None:
    stranger = "city-nobody@clinic.example"
    known, unknown = asked(harbour), asked(harbour, stranger)
    assert known.status_code == unknown.status_code == 200
    assert known.text.replace(EMAIL, "…") == unknown.text.replace(stranger, "…")
    assert [one["to"] for one in emails(settings)] == [EMAIL]
    assert count(store, sign_in_link) == 1


def test_the_answer_waits_for_nothing_that_depends_on_who_is_known(
    harbour: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it, the look-up too, comes after the last byte of the answer."""
    order: list[str] = []
    made = sessions.make_link

    def watched(*given: Any) -> Any:
        order.append("looked up")
        return made(*given)

    monkeypatch.setattr(sessions, "make_link", watched)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        async def sending(message: Any) -> None:
            if message["type"] == "http.response.body" and not message.get("more_body"):
                order.append("answered")
            await send(message)

        await harbour.app(scope, receive, sending)  # type: ignore[operator, arg-type]

    TestClient(app).post("/sign-in", data={"/email": EMAIL})
    assert order == ["answered", "looked up"]


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@b", "two@a.example, three@b.example", "x" * 400 + "@a.example"]
)
def test_what_is_no_address_is_said_at_its_field(harbour: TestClient, settings: Settings, email: str) -> None:
    page = asked(harbour, email, next="/partnerships/harbour")
    assert page.status_code == 422
    found = html.fromstring(page.text)
    assert found.findtext(".//title").startswith("Error: ")
    [field] = found.xpath("//input[@name='/email']")
    assert field.get("aria-invalid") == "true"
    assert field.get("value") == email[:320].strip()
    assert found.xpath("//input[@name='next']/@value") == ["/partnerships/harbour"]
    assert emails(settings) == []


def test_a_link_is_used_up_and_shows_the_way_to_another(harbour: TestClient, settings: Settings) -> None:
    asked(harbour, next="/partnerships/harbour")
    link = link_in(settings)
    assert harbour.post(link, follow_redirects=False).status_code == 303
    harbour.cookies.clear()
    for answer in (harbour.get(link), harbour.post(link, data={"next": "/partnerships/harbour"})):
        assert answer.status_code == 409
        assert "used already" in answer.text
        assert 'href="/sign-in?next=/partnerships/harbour"' in answer.text
    assert harbour.cookies.get("session") is None


def test_an_expired_and_an_unknown_link_look_alike(
    harbour: TestClient, settings: Settings, travel: Callable[[datetime], None], now: datetime
) -> None:
    asked(harbour)
    link = link_in(settings)
    travel(now + timedelta(minutes=21))
    expired, unknown = harbour.get(link), harbour.get("/sign-in/never-made")
    assert (expired.status_code, expired.text) == (unknown.status_code, unknown.text)


def test_one_comes_to_the_page_that_one_wanted(harbour: TestClient, settings: Settings) -> None:
    sent_away = harbour.get("/account", follow_redirects=False)
    assert (sent_away.status_code, sent_away.headers["location"]) == (303, "/sign-in?next=/account")
    form = html.fromstring(harbour.get("/sign-in?next=/account").text)
    asked(harbour, next=form.xpath("//input[@name='next']/@value")[0])
    link = link_in(settings)
    wanted = html.fromstring(harbour.get(link).text).xpath("//input[@name='next']/@value")
    gone = harbour.post(link, data={"next": wanted[0]}, follow_redirects=False)
    assert gone.headers["location"] == "/account"


ELSEWHERE = [
    "https://evil.example/", "//evil.example", "///evil.example", "/\\evil.example", "\\\\evil.example",
    "/\t/evil.example", "/\n/evil.example", " //evil.example", "javascript:alert(1)", "evil.example",
    "/ok\r\nSet-Cookie: a=b", "", "/\\/evil.example", "/a\\b", "/ünlaut",
]  # fmt: skip


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_nobody_is_sent_elsewhere_after_signing_in(
    harbour: TestClient, settings: Settings, wanted: str
) -> None:
    page = harbour.get("/sign-in", params={"next": wanted})
    assert html.fromstring(page.text).xpath("//input[@name='next']/@value") == ["/"]
    asked(harbour, next=wanted)
    link = link_in(settings)
    assert "?" not in link
    shown = harbour.get(link, params={"next": wanted})
    assert html.fromstring(shown.text).xpath("//input[@name='next']/@value") == ["/"]
    gone = harbour.post(link, data={"next": wanted}, follow_redirects=False)
    assert gone.headers["location"] == "/"


@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("/\\:?#@%.\t\n "))))
def test_every_path_that_is_kept_is_one_of_ours(wanted: str) -> None:
    kept = own_path(wanted)
    # As the URL standard has it: blanks and controls at the ends fall away, tabs and line ends anywhere; \ counts as /.
    read = re.sub(r"[\t\r\n]", "", kept).replace("\\", "/")
    assert read.startswith("/")
    assert not read.startswith("//")
    assert kept in {wanted, "/"}


def test_signing_in_makes_a_new_session_and_ends_the_one_before(
    harbour: TestClient, settings: Settings, store: Database
) -> None:
    harbour.cookies.set("session", "chosen-by-somebody-else")
    signed_in(harbour, settings)
    first = {one.value for one in harbour.cookies.jar if one.domain == "testserver.local"}
    assert "chosen-by-somebody-else" not in first
    harbour.cookies.clear()
    [mine] = first
    harbour.cookies.set("session", str(mine))
    asked(harbour)
    harbour.post(link_in(settings), follow_redirects=False)
    assert count(store, session) == 1


def test_too_many_emails_to_one_address_are_refused_known_or_not(
    harbour: TestClient, settings: Settings
) -> None:
    for email in (EMAIL, "stranger@elsewhere.example"):
        answers = [asked(harbour, email).status_code for _ in range(EMAILS_AN_HOUR + 1)]
        assert answers == [200] * EMAILS_AN_HOUR + [429]
    assert "try again in an hour" in asked(harbour).text
    assert len(emails(settings)) == EMAILS_AN_HOUR


def test_too_many_posts_of_one_client_are_refused(harbour: TestClient, settings: Settings) -> None:
    answers = [asked(harbour, f"n{n}@elsewhere.example").status_code for n in range(POSTS_AN_HOUR + 1)]
    assert answers == [200] * POSTS_AN_HOUR + [429]
    other = TestClient(harbour.app, client=("192.0.2.7", 50000))
    assert asked(other).status_code == 200
    assert len(emails(settings)) == 1


def test_the_email_is_in_the_readers_language_and_the_session_too(
    harbour: TestClient, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[str] = []
    with store.write() as connection:
        connection.execute(update(contact).where(contact.c.email == EMAIL).values(language="es"))
    monkeypatch.setattr(
        sign_in, "write", lambda settings, email, link, minutes, language: written.append(language.code)
    )
    monkeypatch.setattr(sign_in, "send", lambda *_: True)
    asked(harbour)
    assert written == ["es"]


def test_an_account_alone_reads_in_the_language_of_its_browser(
    harbour: TestClient, store: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages.Language, "catalogue", languages.of("en").catalogue)
    accounts.add(store, "owner@clinic.example", "main", now)
    secret = sessions.make_link(store, "owner@clinic.example", now)
    harbour.post(f"/sign-in/{secret}", headers={"accept-language": "es-MX,en;q=0.5"}, follow_redirects=False)
    with store.read() as connection:
        found = sessions.find(connection, harbour.cookies["session"], now)
    assert found.language == "es"


def test_what_cannot_be_sent_is_in_the_log_without_address_or_link(
    harbour: TestClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.mailbox.write_text("no folder")
    with caplog.at_level(logging.DEBUG):
        answer = asked(harbour)
    assert answer.status_code == 200
    said = [vars(one) for one in caplog.records if one.name == "lifecycle.notices.sign_in"]
    assert [(one["msg"], one["outcome"]) for one in said] == [("sign-in email not sent", "retry")]
    everything = repr([vars(one) for one in caplog.records if not one.name.startswith("httpx")])
    assert EMAIL not in everything


def test_the_links_secret_is_in_no_log(
    harbour: TestClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        asked(harbour)
        link = link_in(settings)
        harbour.get(link)
        harbour.post(link, follow_redirects=False)
        harbour.post(link)
    secret = link.removeprefix("/sign-in/")
    # `httpx` is the tests' own browser.
    ours = [vars(one) for one in caplog.records if not one.name.startswith(("httpx", "httpcore"))]
    assert ours
    assert secret not in repr(ours)


def test_a_setting_that_is_missing_for_sending_is_the_operators_matter(
    store: Database, settings: Settings, travel: Callable[[datetime], None], now: datetime,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    registered(store, now)
    broken = settings.model_copy(update={"mail_transport": "sendgrid"})
    with TestClient(web.create(broken, store)) as site:
        assert asked(site).status_code == 200
    [said] = [vars(one) for one in caplog.records if one.name == "lifecycle.notices.sign_in"]
    assert "LIFECYCLE_SENDGRID_API_KEY" in said["detail"]


def test_another_site_can_neither_ask_for_emails_nor_sign_anybody_in(
    harbour: TestClient, settings: Settings, store: Database, now: datetime
) -> None:
    secret = sessions.make_link(store, EMAIL, now)
    before = contents(store)
    elsewhere = {"sec-fetch-site": "cross-site"}
    for path in ("/sign-in", f"/sign-in/{secret}", "/sign-out", "/account"):
        assert harbour.post(path, data={"/email": EMAIL}, headers=elsewhere).status_code == 403
    assert contents(store) == before
    assert emails(settings) == []


def test_signing_out_ends_the_session_at_the_server_too(
    harbour: TestClient, settings: Settings, store: Database
) -> None:
    signed_in(harbour, settings)
    page = harbour.get("/account")
    secret = harbour.cookies["session"]
    gone = harbour.post("/sign-out", data={"csrf": csrf_of(page)})
    assert "You have signed out" in gone.text
    assert harbour.cookies.get("session") is None
    harbour.cookies.set("session", secret)
    assert harbour.get("/account", follow_redirects=False).status_code == 303
    assert count(store, session) == 0


def test_signing_out_everywhere_ends_the_sessions_of_all_browsers(
    harbour: TestClient, settings: Settings
) -> None:
    other = signed_in(TestClient(harbour.app), settings)
    signed_in(harbour, settings)
    harbour.post("/sign-out", data={"csrf": csrf_of(harbour.get("/account")), "everywhere": "true"})
    assert other.get("/account", follow_redirects=False).status_code == 303


def test_a_form_of_another_session_does_nothing(
    harbour: TestClient, settings: Settings, store: Database
) -> None:
    other = csrf_of(signed_in(TestClient(harbour.app), settings, "city-primary@city.example").get("/account"))
    signed_in(harbour, settings)
    before = contents(store)
    for path, data in (("/sign-out", {}), ("/account", {"language": "es"})):
        for csrf in ({}, {"csrf": other}):
            assert harbour.post(path, data=data | csrf).status_code == 403
    assert contents(store) == before


def test_the_page_about_oneself_says_who_one_is_where(
    harbour: TestClient, settings: Settings, store: Database, now: datetime
) -> None:
    registered(store, now, "pier")
    accounts.add(store, EMAIL, "main", now)
    with store.write() as connection:
        titled = partnership.c.id == "pier"
        connection.execute(update(partnership).where(titled).values(title="<script>alert(1)</script>"))
    page = signed_in(harbour, settings).get("/account")
    rows = [one.text_content().split() for one in html.fromstring(page.text).xpath("//main//li")]
    me = ["Clinic", "Primary", "·", "The", "Clinic", "·", "primary"]
    assert rows == [["<script>alert(1)</script>", *me], ["Harbour", "Falls", "Prevention", *me]]
    assert "<script>alert" not in page.text
    assert "the portfolio “main”" in page.text


def test_a_language_is_chosen_for_the_session(
    harbour: TestClient, settings: Settings, store: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages.Language, "catalogue", languages.of("en").catalogue)
    csrf = csrf_of(signed_in(harbour, settings).get("/account"))
    assert harbour.post("/account", data={"csrf": csrf, "language": "tlh"}).status_code == 422
    page = harbour.post("/account", data={"csrf": csrf, "language": "es"})
    assert page.headers["content-language"] == "es"
    assert harbour.cookies["language"] == "es"
    harbour.post("/sign-out", data={"csrf": csrf})
    assert harbour.get("/sign-in").headers["content-language"] == "es"
    with store.read() as connection:
        assert sessions.language_of(connection, EMAIL) == "en"


def test_pages_of_signing_in_are_not_kept_and_load_nothing_from_elsewhere(
    harbour: TestClient, settings: Settings
) -> None:
    asked(harbour)
    for path in ("/sign-in", link_in(settings)):
        page = harbour.get(path)
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "no-referrer"
        addresses = html.fromstring(page.text).xpath("//@href | //@src | //@action")
        assert all(one.startswith(("/", "#")) for one in addresses)
        assert len(page.content) < 100_000
