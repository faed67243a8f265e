"""The mailbox of a trial installation: every email in both forms, to this machine alone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from lxml import html

from lifecycle import web
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.notices.message import Entry, Message
from lifecycle.notices.transports.file import FileTransport
from lifecycle.portal.mailbox import PAGE
from tests.api.clients import settings_of

HERE = "http://127.0.0.1:8080"
LOCAL = ("127.0.0.1", 50000)
CALENDAR = Entry("REQUEST", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//x//EN\r\nEND:VCALENDAR\r\n")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those that `lifecycle up` makes."""
    return settings_of("sqlite://").model_copy(update={"mailbox": tmp_path / "mailbox", "embedded": True})


@pytest.fixture
def local(store: Database, settings: Settings, travel: Callable[[datetime], None]) -> TestClient:
    """A browser on the machine itself."""
    return browser(store, settings)


def browser(store: Database, settings: Settings, **more: Any) -> TestClient:
    given: dict[str, Any] = {"base_url": HERE, "client": LOCAL} | more
    return TestClient(web.create(settings, store), raise_server_exceptions=False, **given)


def written(settings: Settings, now: datetime, **parts: Any) -> str:
    """One email in the folder; its name."""
    given: dict[str, Any] = {
        "reference": f"n-{now.timestamp()}", "to_name": "Ada", "to_address": "ada@clinic.example",
        "from_name": "Partnerships", "from_address": "us@partnerships.example", "reply_to": None,
        "subject": "Please report", "category": "report_reminder",
        "text": f"Hello Ada,\n\nreport here: {HERE}/report/abc.\n",
        "html": f'<html><head><style>p {{ color: red }}</style></head><body><a href="{HERE}/report/abc">Report</a></body></html>',
    } | parts  # fmt: skip
    outcome = FileTransport(settings.mailbox).send(Message(**given), now)
    assert outcome.provider_id
    return outcome.provider_id


def test_every_email_is_listed_newest_first_and_read_in_both_forms(
    local: TestClient, settings: Settings, now: datetime
) -> None:
    older = written(settings, now)
    newer = written(settings, now + timedelta(hours=1), subject="Señora, ¿y <b>ahora</b>?", entry=CALENDAR)
    listed = html.fromstring(local.get("/mailbox").text)
    assert listed.xpath("//main//li/a/@href") == [f"/mailbox/{newer}", f"/mailbox/{older}"]
    page = local.get(f"/mailbox/{newer}")
    found = html.fromstring(page.text)
    assert found.findtext(".//title") == "Señora, ¿y <b>ahora</b>?"
    facts = [one.text_content() for one in found.xpath("//dd")]
    assert facts == ["Ada <ada@clinic.example>", "Monday 2 March 2026, 10:00 (UTC)", "invite.ics"]
    assert found.xpath("//div[contains(@class,'letter-text')]//a/@href") == [f"{HERE}/report/abc"]
    assert found.xpath("//iframe/@src") == [f"/mailbox/{newer}/html"]
    shown = html.fromstring(local.get(f"/mailbox/{newer}/html").text)
    assert shown.xpath("//head/base/@target") == ["_top"]
    assert shown.xpath("//a/@href") == [f"{HERE}/report/abc"]


def test_the_html_form_can_do_nothing_but_be_read(
    local: TestClient, settings: Settings, now: datetime
) -> None:
    name = written(settings, now, html="<p>Hi</p><script>alert(1)</script>", text="<script>alert(2)</script>")
    alone = local.get(f"/mailbox/{name}/html").headers["content-security-policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in alone.split("; ")}
    assert rules == {
        "default-src": ["'none'"], "style-src": ["'unsafe-inline'"], "img-src": ["data:"],
        "form-action": ["'none'"], "base-uri": ["'none'"], "frame-ancestors": ["'self'"],
        "sandbox": ["allow-top-navigation-by-user-activation"],
    }  # fmt: skip
    page = local.get(f"/mailbox/{name}")
    assert "<script>alert" not in page.text
    framing = page.headers["content-security-policy"]
    assert "frame-src 'self'" in framing
    assert "script-src 'self'" in framing
    assert "frame-src" not in local.get("/mailbox").headers["content-security-policy"]


def test_reading_changes_nothing(local: TestClient, settings: Settings, now: datetime) -> None:
    name = written(settings, now)
    before = {one.name: one.read_bytes() for one in settings.mailbox.iterdir()}
    for path in ("/mailbox", f"/mailbox/{name}", f"/mailbox/{name}/html"):
        assert local.get(path).status_code == 200
        assert local.post(path).status_code == 405
    assert {one.name: one.read_bytes() for one in settings.mailbox.iterdir()} == before


def test_many_emails_come_by_the_page(local: TestClient, settings: Settings, now: datetime) -> None:
    names = [written(settings, now + timedelta(seconds=n)) for n in range(PAGE + 1)]
    assert len(html.fromstring(local.get("/mailbox").text).xpath("//main//li")) == PAGE
    last = html.fromstring(local.get("/mailbox?page=2").text)
    assert last.xpath("//main//li/a/@href") == [f"/mailbox/{names[0]}"]
    assert [local.get(f"/mailbox?page={n}").status_code for n in (0, 3, -1, "x")] == [404] * 4


def test_a_folder_that_is_not_there_yet_is_an_empty_mailbox(local: TestClient) -> None:
    assert "No email has been written yet" in local.get("/mailbox").text


def test_the_page_of_signing_in_shows_the_way(local: TestClient) -> None:
    assert 'href="/mailbox"' in local.get("/sign-in").text
    assert 'href="/mailbox"' in local.post("/sign-in", data={"/email": "a@clinic.example"}).text


@pytest.mark.parametrize(
    "changed",
    [{"embedded": False}, {"mail_transport": "smtp"}, {"mail_transport": "sendgrid"}],
)
def test_other_installations_have_no_such_page(
    store: Database, settings: Settings, now: datetime, changed: dict[str, Any]
) -> None:
    name = written(settings, now)
    site = browser(store, settings.model_copy(update=changed))
    for path in ("/mailbox", f"/mailbox/{name}", f"/mailbox/{name}/html"):
        answer = site.get(path)
        assert answer.status_code == 404
        assert "There is no such page" in answer.text
    assert "/mailbox" not in site.get("/sign-in").text


@pytest.mark.parametrize(
    ("client", "base_url"),
    [
        (("192.0.2.7", 50000), HERE),
        (("::ffff:192.0.2.7", 50000), HERE),
        (LOCAL, "http://rebound.example:8080"),
        (LOCAL, "http://192.0.2.1:8080"),
        (("testclient", 50000), HERE),
    ],
)
def test_it_is_shown_to_this_machine_alone_by_its_own_name(
    store: Database, settings: Settings, now: datetime, client: tuple[str, int], base_url: str
) -> None:
    name = written(settings, now)
    site = browser(store, settings, client=client, base_url=base_url)
    for path in ("/mailbox", f"/mailbox/{name}", f"/mailbox/{name}/html"):
        assert site.get(path).status_code == 404
    assert "/mailbox" not in site.get("/sign-in").text


@pytest.mark.parametrize(
    "base_url", [HERE, "http://localhost:9", "http://[::1]:8080", "http://trial.example"]
)
def test_this_machine_may_be_asked_for_by_each_of_its_names(
    store: Database, settings: Settings, base_url: str
) -> None:
    public = settings.model_copy(update={"public_url": "http://trial.example"})
    assert browser(store, public, base_url=base_url, client=("::1", 1)).get("/mailbox").status_code == 200


@pytest.mark.parametrize(
    "name",
    [
        "secret.txt", "..%2Fsecret.eml", "..%2f..%2fsecret.eml", "%2e%2e%2fsecret.eml", "..%5Csecret.eml",
        "%2Fetc%2Fpasswd", ".lock", ".hidden.eml", "a%00.eml", "linked.eml", "folder.eml", "none.eml", "%E2%80%AE.eml",
        "x" * 400 + ".eml",
    ],
)  # fmt: skip
def test_a_name_reaches_nothing_but_an_email_of_the_folder(
    local: TestClient, settings: Settings, now: datetime, name: str
) -> None:
    written(settings, now)
    outside = settings.mailbox.parent / "secret.eml"
    outside.write_text("Subject: secret\r\n\r\nsecret")
    (settings.mailbox / "secret.txt").write_text("secret")
    (settings.mailbox / ".hidden.eml").write_text("secret")
    (settings.mailbox / "linked.eml").symlink_to(outside)
    (settings.mailbox / "folder.eml").mkdir()
    for path in (f"/mailbox/{name}", f"/mailbox/{name}/html"):
        answer = local.get(path)
        assert answer.status_code == 404
        assert "secret" not in answer.text.replace(name, "")
    assert len(html.fromstring(local.get("/mailbox").text).xpath("//main//li")) == 1


def test_emails_of_any_kind_can_be_read(local: TestClient, settings: Settings) -> None:
    """Also those that another program put there."""
    settings.mailbox.mkdir()
    bare = EmailMessage()
    bare["Date"] = datetime(2026, 3, 2, tzinfo=UTC)
    bare.set_content("No subject, no HTML, no receiver.")
    (settings.mailbox / "bare.eml").write_bytes(bare.as_bytes())
    (settings.mailbox / "broken.eml").write_bytes(
        b"Subject: =?utf-8?q?=ff?=\r\nDate: yesterday\r\nContent-Type: text/html; charset=none\r\n\r\n\xff\x00<p>x"
    )
    (settings.mailbox / "empty.eml").write_bytes(b"")
    assert local.get("/mailbox").status_code == 200
    for name in ("bare.eml", "broken.eml", "empty.eml"):
        assert local.get(f"/mailbox/{name}").status_code == 200
        assert local.get(f"/mailbox/{name}/html").status_code == 200
    assert html.fromstring(local.get("/mailbox/bare.eml").text).xpath("//iframe") == []
