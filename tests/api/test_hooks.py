"""SendGrid's event webhook, from the outside: its own signature is the only way in."""

import logging
from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from lifecycle.api.app import create
from lifecycle.db import Database
from tests.api.clients import settings_of, today
from tests.fakes.sendgrid_events import EventWebhook, Post, event

HOOK = "/v1/hooks/sendgrid"


@pytest.fixture
def webhook() -> EventWebhook:
    return EventWebhook()


@pytest.fixture
def http(webhook: EventWebhook, sqlite_template: Path, tmp_path: Path) -> TestClient:
    path = tmp_path / "hooks.db"
    path.write_bytes(sqlite_template.read_bytes())
    settings = settings_of(f"sqlite:///{path}").model_copy(
        update={"sendgrid_webhook_public_key": SecretStr(webhook.public_key)}
    )
    return TestClient(create(settings), raise_server_exceptions=False)


def delivered() -> list[dict[str, object]]:
    return [event("delivered", "0" * 24, "clinic-primary@clinic.example", today())]


def test_a_signed_post_is_taken_and_the_same_again_adds_nothing(
    http: TestClient, webhook: EventWebhook
) -> None:
    headers, body = webhook.post(delivered(), today())
    first, again = (http.post(HOOK, content=body, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()["new"] + first.json()["unmatched"]) == (200, 1)
    assert (again.status_code, again.json()["duplicates"]) == (200, 1)


@pytest.mark.parametrize("wrong", ["unsigned", "another key", "a changed byte", "stale"])
def test_what_is_not_its_own_fresh_word_is_403_and_logged_without_addresses(
    http: TestClient, webhook: EventWebhook, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    posts: dict[str, Post] = {
        "unsigned": ({}, webhook.post(delivered(), today())[1]),
        "another key": EventWebhook().post(delivered(), today()),
        "stale": webhook.post(delivered(), today() - timedelta(hours=1)),
    }
    headers, body = webhook.post(delivered(), today())
    posts["a changed byte"] = (headers, body.replace(b"delivered", b"Delivered"))
    headers, body = posts[wrong]
    with caplog.at_level(logging.INFO):
        answer = http.post(HOOK, content=body, headers=headers)
    assert answer.status_code == 403
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert any(record.levelno >= logging.WARNING for record in caplog.records)
    assert "clinic.example" not in caplog.text


def test_without_a_key_nothing_is_believed(
    sqlite_template: Path, tmp_path: Path, webhook: EventWebhook
) -> None:
    path = tmp_path / "keyless.db"
    path.write_bytes(sqlite_template.read_bytes())
    http = TestClient(create(settings_of("sqlite://"), Database(f"sqlite:///{path}")))
    headers, body = webhook.post(delivered(), today())
    assert http.post(HOOK, content=body, headers=headers).status_code == 503
