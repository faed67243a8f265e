"""Signing in with an OpenID Connect provider: a certified one, running on this machine."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from httpx import Response
from lxml import html
from pydantic import SecretStr

from lifecycle import clock, web
from lifecycle.access.models import session
from lifecycle.config import Settings, load_settings
from lifecycle.db import Database
from lifecycle.embedded import free_port
from lifecycle.errors import Invalid
from tests.api.clients import settings_of
from tests.builders import contents, count, registered

IDP = Path(__file__).with_name("idp")
EMAIL = "clinic-primary@clinic.example"
SITE = "http://127.0.0.1:8080"
CALLBACK = f"{SITE}/sign-in/oidc/callback"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A running provider, which lets anybody in as whom they say they are."""
    node = shutil.which("node")
    if node is None or not (IDP / "node_modules").is_dir():
        pytest.skip(
            "no provider on this machine: install Node.js, then run `npm ci --prefix tests/portal/idp`"
        )
    port = free_port()
    command = [node, "provider.mjs", str(port), CALLBACK]
    running = subprocess.Popen(command, cwd=IDP, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert running.stdout is not None
        assert running.stdout.readline() == f"listening at http://127.0.0.1:{port}\n"
        yield f"http://127.0.0.1:{port}"
    finally:
        running.kill()
        running.communicate()


def known_to(issuer: str, **more: object) -> Settings:
    provider = {
        "oidc_issuer": issuer,
        "oidc_client_id": "partnerships",
        "oidc_client_secret": SecretStr("a-secret-of-the-tests-that-is-long-enough"),
    }
    return settings_of("sqlite://").model_copy(update=provider | more)


@pytest.fixture
def linked(store: Database, issuer: str, now: datetime) -> TestClient:
    """A site that knows the provider, with a partnership; its time is the provider's, which cannot be set."""
    registered(store, now)
    return browser_of(store, known_to(issuer))


def browser_of(store: Database, settings: Settings) -> TestClient:
    return TestClient(web.create(settings, store), base_url=SITE, raise_server_exceptions=False)


def gone_to_provider(site: TestClient, wanted: str = "/account") -> str:
    """Where the button on the page of signing in leads."""
    page = html.fromstring(site.get("/sign-in", params={"next": wanted}).text)
    [button] = page.xpath("//a[contains(@href, '/sign-in/oidc')]/@href")
    answer = site.get(button, follow_redirects=False)
    assert answer.status_code == 302
    return str(answer.headers["location"])


def come_back_as(login: str, address: str) -> str:
    """Sign in at the provider in a browser of its own, as a person would; the address that it sends one back to."""
    with httpx.Client() as browser:
        answer = browser.get(address)
        for _ in range(12):
            if answer.status_code in {302, 303}:
                onward = urljoin(str(answer.url), answer.headers["location"])
                if onward.startswith(CALLBACK):
                    return onward
                answer = browser.get(onward)
            else:
                form = html.fromstring(answer.text).forms[0]
                data = dict(form.form_values()) | (
                    {"login": login, "password": "x"} if "login" in form.fields else {}
                )
                answer = browser.post(urljoin(str(answer.url), form.action), data=data)
    raise AssertionError("the provider sent nobody back")


def tried(site: TestClient, login: str, wanted: str = "/account") -> Response:
    return site.get(come_back_as(login, gone_to_provider(site, wanted)), follow_redirects=False)


def test_somebody_who_is_registered_signs_in_and_comes_to_what_they_wanted(linked: TestClient) -> None:
    answer = tried(linked, EMAIL)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert EMAIL in linked.get("/account").text


def test_the_way_there_has_a_code_challenge_a_state_and_a_nonce(linked: TestClient, issuer: str) -> None:
    address = gone_to_provider(linked)
    asked = {name: value for name, [value] in parse_qs(urlsplit(address).query).items()}
    assert address.startswith(f"{issuer}/auth?")
    assert (asked["response_type"], asked["code_challenge_method"], asked["scope"]) == (
        "code",
        "S256",
        "openid email",
    )
    assert asked["redirect_uri"] == CALLBACK
    assert all(len(asked[name]) >= 20 for name in ("state", "nonce", "code_challenge"))


def test_going_there_changes_nothing_here(linked: TestClient, store: Database) -> None:
    before = contents(store)
    answer = linked.get("/sign-in/oidc", follow_redirects=False)
    cookie = answer.headers["set-cookie"].lower()
    assert {"httponly", "samesite=lax", "path=/sign-in/oidc", "max-age=600"} <= set(cookie.split("; "))
    assert contents(store) == before


def test_an_address_that_was_not_verified_does_not_count(linked: TestClient, store: Database) -> None:
    answer = tried(linked, f"unverified:{EMAIL}")
    assert answer.status_code == 409
    assert "no email address that was verified" in answer.text
    assert count(store, session) == 0


def test_somebody_who_is_not_registered_stays_outside(linked: TestClient, store: Database) -> None:
    answer = tried(linked, "stranger@elsewhere.example")
    assert answer.status_code == 409
    assert "Nobody is registered here with this address" in answer.text
    assert 'href="/sign-in?next=/account"' in answer.text
    assert count(store, session) == 0


def test_a_code_with_the_state_of_somebody_else_is_refused(linked: TestClient, store: Database) -> None:
    """Else an attacker's own code could be slipped in, and the victim would work in the attacker's name."""
    other = TestClient(linked.app, base_url=SITE)
    attackers = come_back_as(EMAIL, gone_to_provider(other))
    gone_to_provider(linked)
    for site in (linked, TestClient(linked.app, base_url=SITE)):
        answer = site.get(attackers, follow_redirects=False)
        assert answer.status_code == 409
        assert "Signing in did not work" in answer.text
    assert count(store, session) == 0


def test_a_callback_is_good_once(linked: TestClient, store: Database) -> None:
    address = gone_to_provider(linked)
    remembered = linked.cookies["oidc"]
    callback = come_back_as(EMAIL, address)
    assert linked.get(callback, follow_redirects=False).status_code == 303
    assert linked.get(callback, follow_redirects=False).status_code == 409
    # Also where the browser kept what it was told to forget: the provider takes its code once.
    replaying = TestClient(linked.app, base_url=SITE, cookies={"oidc": remembered})
    assert replaying.get(callback, follow_redirects=False).status_code == 409
    assert count(store, session) == 1


def test_who_takes_too_long_begins_again(linked: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    callback = come_back_as(EMAIL, gone_to_provider(linked))
    later = clock.now() + timedelta(minutes=11)
    monkeypatch.setattr("lifecycle.clock.now", lambda: later)
    assert linked.get(callback, follow_redirects=False).status_code == 409


def test_who_turns_back_at_the_provider_finds_the_other_way_in(linked: TestClient) -> None:
    state = parse_qs(urlsplit(gone_to_provider(linked)).query)["state"][0]
    answer = linked.get(f"/sign-in/oidc/callback?error=access_denied&state={state}", follow_redirects=False)
    assert answer.status_code == 409
    assert "have a link emailed to you" in answer.text


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?code=x&state=x", "?code=&state="])
def test_a_callback_out_of_nowhere_is_a_plain_page(linked: TestClient, query: str) -> None:
    answer = linked.get(f"/sign-in/oidc/callback{query}", follow_redirects=False)
    assert (answer.status_code, "Signing in did not work" in answer.text) == (409, True)


def test_a_provider_that_is_down_is_a_plain_page(store: Database) -> None:
    site = browser_of(store, known_to(f"http://127.0.0.1:{free_port()}"))
    answer = site.get("/sign-in/oidc?next=/account", follow_redirects=False)
    assert answer.status_code == 503
    assert "does not answer" in answer.text
    assert 'href="/sign-in?next=/account"' in answer.text


def test_a_provider_that_goes_down_midway_is_a_plain_page(
    linked: TestClient, store: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    callback = come_back_as(EMAIL, gone_to_provider(linked))

    async def refused(*_: object, **__: object) -> None:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(httpx.AsyncHTTPTransport, "handle_async_request", refused)
    assert linked.get(callback, follow_redirects=False).status_code == 409
    assert count(store, session) == 0


def test_a_provider_that_calls_itself_otherwise_is_not_believed(
    store: Database, issuer: str, now: datetime
) -> None:
    registered(store, now)
    site = browser_of(store, known_to(issuer.replace("127.0.0.1", "localhost")))
    answer = tried(site, EMAIL)
    assert answer.status_code == 409
    assert count(store, session) == 0


def test_nobody_is_sent_elsewhere_afterwards(linked: TestClient) -> None:
    linked.get("/sign-in/oidc", params={"next": "//evil.example"}, follow_redirects=False)
    address = linked.get("/sign-in/oidc?next=//evil.example", follow_redirects=False).headers["location"]
    assert linked.get(come_back_as(EMAIL, address), follow_redirects=False).headers["location"] == "/"


def test_no_code_and_no_token_is_in_a_log(linked: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    callback = come_back_as(EMAIL, gone_to_provider(linked))
    caplog.clear()
    with caplog.at_level("INFO"):
        linked.get(callback, follow_redirects=False)
        linked.get(callback, follow_redirects=False)
    code = parse_qs(urlsplit(callback).query)["code"][0]
    # The tests' own browser names the addresses that it asks for.
    said = [json.dumps(vars(one), default=str) for one in caplog.records]
    assert not [one for one in said if code in one and CALLBACK not in one]
    assert "sign-in with the provider failed" in caplog.text


def test_without_a_provider_there_is_no_button_and_no_page(site: TestClient) -> None:
    assert "/sign-in/oidc" not in site.get("/sign-in").text
    assert site.get("/sign-in/oidc").status_code == 404
    assert site.get("/sign-in/oidc/callback?code=x&state=x").status_code == 404


def test_the_button_says_what_the_provider_is_called(
    store: Database, travel: Callable[[datetime], None]
) -> None:
    named = browser_of(store, known_to("https://login.clinic.example", oidc_name="<Clinic> account"))
    assert "Sign in with &lt;Clinic&gt; account" in named.get("/sign-in").text
    nameless = browser_of(store, known_to("https://login.clinic.example"))
    assert "Sign in with your organisation" in nameless.get("/sign-in").text


PARTS = {
    "LIFECYCLE_OIDC_ISSUER": "https://login.clinic.example",
    "LIFECYCLE_OIDC_CLIENT_ID": "partnerships",
    "LIFECYCLE_OIDC_CLIENT_SECRET": "secret",
    "LIFECYCLE_SECRET_KEY": "k" * 48,
}


@pytest.mark.parametrize("missing", PARTS)
def test_settings_that_are_not_whole_are_refused_by_name(
    missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in PARTS.items():
        monkeypatch.setenv(name, value)
    assert load_settings().oidc
    monkeypatch.delenv(missing)
    with pytest.raises(Invalid) as refused:
        load_settings()
    assert [one.pointer for one in refused.value.faults] == [missing]


@pytest.mark.parametrize(
    "issuer",
    ["http://login.clinic.example", "login.clinic.example", "https://x.example?a=b", "ftp://[", "https://"],
)
def test_an_issuer_that_anybody_could_speak_for_is_refused(
    issuer: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (PARTS | {"LIFECYCLE_OIDC_ISSUER": issuer}).items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Invalid, match="LIFECYCLE_OIDC_ISSUER"):
        load_settings()
