"""`doctor` finds what is ill and says the mend."""

import pytest
from pytest_httpserver import HTTPServer

from tests.cli.command import ID, Command, example


def _owe_notices(command: Command) -> None:
    command.sql("UPDATE partnership SET stage = 'starting'")
    command.done("put", ID, "convening", command.file("c.json", example("convening")), "--as", "amira-haddad")


def _ill(command: Command) -> dict[str, str]:
    ran = command("doctor", "--json")
    assert ran.status == 1
    assert ran.json["well"] is False
    return {line["what"]: line["mend"] for line in ran.json["lines"] if not line["well"]}


def test_a_healthy_installation(command: Command) -> None:
    _owe_notices(command)
    ran = command.done("doctor")
    assert "ILL" not in ran.out
    assert [line.split()[1] for line in ran.out.splitlines()] == [
        "database:",
        "clocks:",
        "outbox:",
        "mail:",
        "prefect:",
    ]


def test_clocks_that_nobody_fires(command: Command) -> None:
    _owe_notices(command)
    command.sql(
        "UPDATE timer SET due_at = '2026-01-01T00:00:00.000000+00:00' WHERE matter = 'signoff_missing'"
    )
    assert "lifecycle run" in _ill(command)["clocks"]


@pytest.mark.parametrize(
    ("state", "mend"),
    [("failed", "--state failed"), ("unknown", "--not-sent"), ("pending", "lifecycle outbox send")],
)
def test_emails_that_do_not_leave(command: Command, state: str, mend: str) -> None:
    _owe_notices(command)
    command.sql("UPDATE notice SET state = ?, next_attempt_at = '2026-01-01T00:00:00.000000+00:00'", state)
    assert mend in _ill(command)["outbox"]


def test_delivery_events_that_came_too_late(command: Command) -> None:
    _owe_notices(command)
    command.done("outbox", "send")
    at = "2026-01-01T00:00:00.000000+00:00"
    command.sql(
        "INSERT INTO provider_event (dedupe, reference, event, at, received_at, address_at_fault, detail, state)"
        " SELECT 'x', reference, 'delivered', ?, ?, 0, '', 'stale' FROM notice WHERE id = 1",
        at,
        at,
    )
    assert "lifecycle outbox heed" in _ill(command)["outbox"]
    assert command.done("outbox", "heed").out == "1 heeded; 0 about no email of ours, 0 unreadable.\n"
    assert command.done("outbox", "heed", "--json").json["new"] == 0
    assert "sent, delivered" in command.done("outbox", "list").out
    assert "ILL" not in command.done("doctor").out


def test_mail_settings(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFECYCLE_MAIL_TRANSPORT", "sendgrid")
    assert "LIFECYCLE_SENDGRID_API_KEY" in _ill(command)["mail"]
    monkeypatch.setenv("LIFECYCLE_MAIL_TRANSPORT", "pigeon")
    assert "LIFECYCLE_MAIL_TRANSPORT" in _ill(command)["mail"]


def test_a_database_that_is_not_there(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LIFECYCLE_DATABASE_URL", "sqlite:///absent.db")
    assert "lifecycle init-db" in _ill(command)["database"]


def test_prefect_answers(command: Command, monkeypatch: pytest.MonkeyPatch, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/api/health").respond_with_json(True)
    monkeypatch.setenv("PREFECT_API_URL", httpserver.url_for("/api"))
    assert "answers" in command.done("doctor").out


def test_prefect_does_not_answer(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    assert "prefect server start" in _ill(command)["prefect"]
    error = command.refused(1, "run", "escalations", "--as-of", "2026-03-02T09:00:00Z")
    assert "does not answer" in error
    assert "unset PREFECT_API_URL" in error
