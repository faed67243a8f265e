"""Each flow as a real flow run: a typed summary, an artifact a person can read, and no harm when it runs again."""

import asyncio
import importlib
import json
import urllib.request
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import yaml

from lifecycle.db import Database
from lifecycle.documents import service as documents
from lifecycle.errors import Unavailable, Usage
from lifecycle.partnerships import service
from tests.builders import contents, registered, reviewed
from tests.obligations.agreements import in_force

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
MODULES = (
    "gate_check",
    "gate_readiness",
    "scheduled_reviews",
    "obligation_monitor",
    "escalations",
    "portfolio_digest",
    "send_notices",
    "publish_events",
)


def run(name: str, as_of: datetime = NOW, **parameters: Any) -> Any:
    flow = getattr(importlib.import_module(f"flows.{name}"), name)
    return asyncio.run(flow(as_of=as_of, **parameters))


def artifacts(api: str, key: str) -> list[dict[str, Any]]:
    """The artifacts of this key, newest first: the tests share one Prefect server."""
    body = json.dumps({"artifacts": {"key": {"any_": [key]}}}).encode()
    request = urllib.request.Request(f"{api}/artifacts/filter", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return sorted(found, key=lambda one: one["created"], reverse=True)


def test_gate_check_decides_a_kept_request_and_shows_its_report(
    installation: Database, prefect_api: str
) -> None:
    registered(installation, NOW)
    request_id = service.request_transition(installation, "harbour", "confirm_need", "clinic-primary", NOW)
    summary = run("gate_check", transition_id=request_id)
    assert (summary.taken, summary.refused, summary.decisions) == (0, 1, {request_id: "refused"})
    shown = artifacts(prefect_api, "gate-report-harbour")[0]["data"]
    assert "the gate is shut" in shown
    assert "| N1 |" in shown


def test_gate_check_decides_everything_that_was_kept_while_prefect_was_down(installation: Database) -> None:
    registered(installation, NOW)
    registered(installation, NOW, id_="second")
    for partnership_id in ("harbour", "second"):
        service.request_transition(
            installation, partnership_id, "withdraw", "clinic-primary", NOW, "No money."
        )
    assert run("gate_check", NOW + timedelta(days=7)).taken == 2
    before = contents(installation)
    assert run("gate_check", NOW + timedelta(days=7)).taken == 0
    assert contents(installation) == before


def test_gate_check_asks_and_decides_in_one_run(installation: Database) -> None:
    registered(installation, NOW)
    summary = run(
        "gate_check",
        partnership_id="harbour",
        event="withdraw",
        requested_by="city-sponsor",
        reason="The city has no money for it.",
    )
    assert summary.taken == 1


def test_gate_readiness_looks_at_what_changed_once(installation: Database, prefect_api: str) -> None:
    registered(installation, NOW)
    need = {"title": "Falls", "purpose": "Fewer older people fall at home."}
    documents.put(installation, "harbour", "need_assessment", need, "clinic-primary", NOW)
    summary = run("gate_readiness")
    assert (summary.checked, summary.ready) == (1, ())
    assert run("gate_readiness").checked == 0
    assert "N1" in artifacts(prefect_api, "gate-readiness")[-1]["data"]


def test_reviews_escalations_and_emails_run_as_of_an_instant(
    installation: Database, prefect_api: str, tmp_path: Path
) -> None:
    registered(installation, NOW, stage="maintaining")
    reviewed(installation, "harbour", NOW)
    assert run("scheduled_reviews").opened == 1
    assert run("send_notices").sent_by_template == {"review_opened": 2}
    later = NOW + timedelta(days=8)
    assert run("escalations", later).notices == {"review_unanswered": 2}
    assert run("send_notices", later).sent == 2
    assert run("portfolio_digest", later).digests == 1
    assert run("send_notices", later).sent_by_template == {"portfolio_digest": 1}
    run("publish_events", later)
    before = contents(installation)
    for module in MODULES:
        run(module, later)
    assert contents(installation) == before
    mails = [
        message_from_bytes(p.read_bytes(), policy=policy.default)
        for p in (tmp_path / "mailbox").glob("*.eml")
    ]
    assert sorted(str(mail["To"].addresses[0].addr_spec) for mail in mails) == [
        "city-primary@city.example",
        "city-primary@city.example",
        "clinic-primary@clinic.example",
        "clinic-primary@clinic.example",
        "clinic-primary@clinic.example",  # who coordinates it, and reads the digest
    ]
    for key in ("scheduled-reviews", "escalations", "send-notices"):
        assert json.loads(artifacts(prefect_api, key)[-1]["data"])


def test_performances_fall_due_and_overdue_as_of_an_instant(installation: Database, prefect_api: str) -> None:
    in_force(installation, NOW)
    due = datetime(2026, 3, 31, 23, tzinfo=UTC)
    summary = run("obligation_monitor", due)
    assert summary.performances == {"scheduled": 1}
    summary = run("obligation_monitor", due + timedelta(days=6))
    assert summary.performances == {"overdue": 1}
    before = contents(installation)
    assert run("obligation_monitor", due + timedelta(days=6)).performances == {}
    assert contents(installation) == before
    assert "overdue" in str(artifacts(prefect_api, "obligation-monitor")[0]["data"])


def test_an_instant_that_has_not_come_is_refused(installation: Database) -> None:
    registered(installation, NOW)
    before = contents(installation)
    with pytest.raises(Usage, match="has not come yet"):
        run("escalations", datetime.now(UTC) + timedelta(days=1))
    assert contents(installation) == before


def test_a_request_that_cannot_be_decided_holds_up_no_other(
    installation: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = (
        service.request_transition(
            installation,
            registered(installation, NOW, id_=id_),
            "withdraw",
            "clinic-primary",
            at,
            "No money.",
        )
        for id_, at in (("first", NOW), ("second", NOW + timedelta(seconds=1)))
    )
    decide = service.decide

    def fail(database: Database, request_id: str, now: datetime) -> Any:
        if request_id == first:
            raise ValueError("a row that cannot be read")
        return decide(database, request_id, now)

    monkeypatch.setattr(service, "decide", fail)
    with pytest.raises(Unavailable, match=f"1 requests.*{first}: ValueError"):
        run("gate_check", NOW + timedelta(hours=1))
    assert service.pending_requests(installation) == [first]
    assert second != first


def test_a_wrong_setting_fails_the_run_in_words(
    installation: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIFECYCLE_MAIL_TRANSPORT", "sendgrid")
    with pytest.raises(Exception, match="LIFECYCLE_SENDGRID_API_KEY"):
        run("send_notices")


def test_every_deployment_names_a_flow_of_its_own_name() -> None:
    found = yaml.safe_load(Path("prefect.yaml").read_text(encoding="utf-8"))["deployments"]
    assert [d["name"].replace("-", "_") for d in found] == list(MODULES)
    for deployment in found:
        path, _, function = deployment["entrypoint"].partition(":")
        module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
        flow = getattr(module, function)
        assert flow.name == deployment["name"]
        assert "as_of" in flow.parameters.properties
        for trigger in deployment.get("triggers", ()):
            assert set(trigger["parameters"]) <= set(flow.parameters.properties)
        assert deployment["concurrency_limit"]["limit"] >= 1
        assert deployment["schedules"]
        assert deployment["tags"]
