"""`lifecycle up`: one command runs everything, and Ctrl-C stops everything without a word too many."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx
import pytest
from lxml import html
from pydantic import SecretStr
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from lifecycle.access import tokens
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.embedded import address_of, free_port, installation, kept_secret
from lifecycle.errors import Unavailable
from lifecycle.migrations import upgrade
from lifecycle.partnerships import changes
from tests.builders import heeding_ctrl_c, registered


@retry(retry=retry_if_exception_type(OSError), wait=wait_fixed(0.5), stop=stop_after_delay(90))
def asked(url: str, **body: Any) -> Any:
    """Ask the Prefect server, which answers 503 when much goes on at once on SQLite."""
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def test_a_request_to_the_api_is_decided_by_a_flow_and_ctrl_c_ends_them_all(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/lifecycle.db")
    upgrade(database)
    registered(database, datetime.now(UTC))
    token = tokens.create(database, "test", "service", datetime.now(UTC), 1, "main")
    port, api_port = free_port(), free_port()
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PREFECT_", "LIFECYCLE_"))
    }
    up = subprocess.Popen(
        [sys.executable, "-m", "lifecycle.cli", "up", "--port", str(port), "--api-port", str(api_port)],
        cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        start_new_session=True, preexec_fn=heeding_ctrl_c,  # noqa: PLW1509 - one system call
    )  # fmt: skip
    try:
        assert up.stdout is not None
        lines = iter(up.stdout.readline, "")
        told = [next(lines) for _ in range(5)]
        api = f"http://127.0.0.1:{port}/api"
        asked(f"{api}/deployments/name/gate-check/gate-check")
        v1 = f"http://127.0.0.1:{api_port}/v1"
        assert asked(f"{v1}/readyz") == {"status": "ready", "database": "ok", "prefect": "ok"}
        headers = {"Authorization": f"Bearer {token}", "If-Match": "*", "On-Behalf-Of": "clinic-primary"}
        body = {"event": "withdraw", "reason": "No money."}
        made = httpx.post(f"{v1}/partnerships/harbour/transitions", json=body, headers=headers, timeout=60)
        assert (made.status_code, made.json()["state"]) == (202, "pending")
        withdrawn(database)
        site = f"http://127.0.0.1:{api_port}"
        asked_for = httpx.post(f"{site}/sign-in", data={"/email": "clinic-primary@clinic.example"})
        assert "is on its way" in asked_for.text
        signed_in_by(f"{site}/mailbox")
        told_to_all = [surroundings(pid) for pid in children_of(up.pid)]
        # As a terminal does: to every process of the group, while runs of other flows may have just begun.
        os.killpg(up.pid, signal.SIGINT)
        rest = up.communicate(timeout=60)[0]
    finally:
        if up.poll() is None:
            os.killpg(up.pid, signal.SIGKILL)
    assert up.returncode == 0, rest
    assert re.match(
        rf"Prefect: http://127.0.0.1:{port} · emails: {re.escape(str(tmp_path))}/mailbox\n", told[0]
    )
    assert told[1].startswith(f"API: http://127.0.0.1:{api_port}/v1 · ")
    assert told[2:4] == [f"Portal: {site}\n", f"Mailbox: {site}/mailbox\n"]
    secret = (tmp_path / ".prefect" / "secret-key").read_text()
    # The flows' runner and the portal: what one signs, the other opens.
    ours = [one for one in told_to_all if "LIFECYCLE_SECRET_KEY" in one]
    assert len(ours) >= 2
    assert {one["LIFECYCLE_SECRET_KEY"] for one in ours} == {secret}
    assert {one["LIFECYCLE_PUBLIC_URL"] for one in ours} == {site}
    assert secret not in "".join((*told, rest, (tmp_path / ".prefect" / "api.log").read_text()))
    assert "Traceback" not in rest
    said = [json.loads(line) for line in (tmp_path / ".prefect" / "api.log").read_text().splitlines()]
    logged = next(one for one in said if one.get("route", "").endswith("/transitions"))
    assert datetime.fromisoformat(logged["at"]).utcoffset() == timedelta(0)
    assert (logged["method"], logged["status"], logged["token"]) == ("POST", 202, token.split("_")[1])
    assert not any(token.split("_", 2)[2] in json.dumps(one) for one in said)
    assert rest.endswith("Stopping …\n")


@retry(
    retry=retry_if_exception_type(ValueError),
    wait=wait_fixed(0.2),
    stop=stop_after_delay(30),
    reraise=True,
)
def signed_in_by(mailbox: str) -> None:
    """The mailbox page has the email, and its link, as it stands there, opens the page that signs one in."""
    with httpx.Client() as browser:
        [email] = html.fromstring(browser.get(mailbox).text).xpath(
            "//a[contains(., 'Your link to sign in')]/@href"
        )
        page = html.fromstring(browser.get(urljoin(mailbox, email)).text)
        [link] = page.xpath("//div[contains(@class, 'letter-text')]//a[contains(@href, '/sign-in/')]/@href")
        assert "Sign in as clinic-primary@clinic.example" in browser.get(link).text


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def surroundings(pid: int) -> dict[str, str]:
    """What a process was told in its environment."""
    pairs = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(pair.split("=", 1) for pair in pairs if "=" in pair)


@retry(
    retry=retry_if_exception_type(AssertionError),
    wait=wait_fixed(0.2),
    stop=stop_after_delay(90),
    reraise=True,
)
def withdrawn(database: Database) -> None:
    with database.read() as connection:
        assert changes.find(connection, "harbour").stage == "withdrawn"


def test_the_secret_is_made_once_and_is_for_its_user_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    secret = kept_secret(home)
    assert len(secret) >= 48
    assert kept_secret(home) == secret
    assert kept_secret(tmp_path / "elsewhere") != secret
    [file] = home.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600


def test_what_is_no_secret_is_not_signed_with(tmp_path: Path) -> None:
    (tmp_path / "secret-key").write_text("short\n")
    with pytest.raises(Unavailable, match="secret-key holds no secret"):
        kept_secret(tmp_path)


def test_an_installation_is_told_only_what_its_operator_has_not_said(tmp_path: Path) -> None:
    told = installation(Settings(_env_file=None), tmp_path, "0.0.0.0", 8080)
    assert told == {
        "LIFECYCLE_SECRET_KEY": kept_secret(tmp_path),
        "LIFECYCLE_PUBLIC_URL": "http://127.0.0.1:8080",
        "LIFECYCLE_EMBEDDED": "true",
    }
    said = Settings(
        _env_file=None, secret_key=SecretStr("k" * 48), public_url="https://x.example", embedded=False
    )
    assert installation(said, tmp_path / "unused", "127.0.0.1", 8080) == {}
    assert not (tmp_path / "unused").exists()


@pytest.mark.parametrize("transport", ["smtp", "sendgrid"])
def test_an_installation_whose_emails_leave_has_no_mailbox(tmp_path: Path, transport: str) -> None:
    settings = Settings(_env_file=None, mail_transport=transport)
    assert "LIFECYCLE_EMBEDDED" not in installation(settings, tmp_path, "127.0.0.1", 8080)


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("::", "http://[::1]:80"),
        ("fe80::1", "http://[fe80::1]:80"),
        ("trial.example", "http://trial.example:80"),
    ],
)
def test_an_address_is_one_that_a_browser_takes(host: str, address: str) -> None:
    assert address_of(host, 80) == address
