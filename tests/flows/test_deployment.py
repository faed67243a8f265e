"""Deployed as an operator does it: `deploy --all` to a real server, a real worker, and the partnership moves."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from tenacity import retry, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed

from lifecycle import clock, embedded
from lifecycle.access import tokens
from lifecycle.db import Database
from lifecycle.migrations import upgrade
from lifecycle.notices.models import notice
from lifecycle.partnerships import changes, service
from tests.builders import registered

CHECKOUT = Path(__file__).parents[2]
PATIENCE = timedelta(seconds=150)


def prefect(*words: str) -> list[str]:
    return [sys.executable, "-m", "prefect", "--no-prompt", *words]


def test_deploy_all_and_a_worker_decide_what_is_asked_for_by_each_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'engine.db'}")
    upgrade(database)
    for name in ("harbour", "mill", "pier"):
        registered(database, clock.now(), name)
    token = tokens.create(database, "test", "service", clock.now(), 1, "main")
    # No server runs yet: the request is kept.
    service.request_transition(
        database, "harbour", "withdraw", "city-sponsor", clock.now(), "The city has no money."
    )
    with embedded.prefect_server(tmp_path / "prefect") as api:
        env = os.environ | embedded.environment(tmp_path / "prefect", api)
        env |= {
            "LIFECYCLE_DATABASE_URL": f"sqlite:///{tmp_path / 'engine.db'}",
            "LIFECYCLE_MAILBOX": str(tmp_path / "mailbox"),
            "PREFECT_WORKER_QUERY_SECONDS": "1",
            "PREFECT_LOGGING_LEVEL": "WARNING",
        }
        for words in (("work-pool", "create", "lifecycle", "--type", "process"), ("deploy", "--all")):
            done = subprocess.run(
                prefect(*words), cwd=CHECKOUT, env=env, capture_output=True, text=True, check=False
            )
            assert done.returncode == 0, done.stdout + done.stderr
        assert {
            "gate-check",
            "gate-readiness",
            "scheduled-reviews",
            "obligation-monitor",
            "escalations",
            "portfolio-digest",
            "send-notices",
            "publish-events",
        } == {deployment["name"] for deployment in post(api, "deployments/filter")}
        with (tmp_path / "worker.log").open("wb") as log:
            worker = subprocess.Popen(
                prefect("worker", "start", "--pool", "lifecycle", "--limit", "2"),
                cwd=CHECKOUT, env=env, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            for name in ("gate-check", "send-notices"):
                words = prefect("deployment", "run", f"{name}/{name}")
                subprocess.run(words, cwd=CHECKOUT, env=env, check=True, capture_output=True)
                until(lambda: any(run["state_type"] == "COMPLETED" for run in runs_of(api, name)), tmp_path)  # noqa: B023
            asks_through_the_api(api, env, token)
            asks_prefect_itself(api)
            until(lambda: stage(database, "pier") == "withdrawn", tmp_path)
        finally:
            embedded.stop(worker)
        with capsys.disabled():
            listed = subprocess.run(
                prefect("flow-run", "ls", "--state-type", "COMPLETED"),
                env=env | {"COLUMNS": "130"},
                capture_output=True,
                text=True,
                check=True,
            )
            print(listed.stdout)  # noqa: T201 - shown in CI: the server's list of runs
        assert not [
            run for run in post(api, "flow_runs/filter") if run["state_type"] in {"FAILED", "CRASHED"}
        ]
    assert {stage(database, name) for name in ("harbour", "mill", "pier")} == {"withdrawn"}
    with database.read() as connection:
        states = set(connection.execute(select(notice.c.state)).scalars())
    assert "sent" in states
    database.close()


def asks_through_the_api(api: str, env: dict[str, str], token: str) -> None:
    """A request to the HTTP API is decided by a flow run of its own, however often it is repeated."""
    port = embedded.free_port()
    serving = [sys.executable, "-m", "lifecycle.api", "--port", str(port)]
    served = subprocess.Popen(serving, cwd=CHECKOUT, env=env, stderr=subprocess.DEVNULL)
    headers = {
        "Authorization": f"Bearer {token}",
        "On-Behalf-Of": "city-sponsor",
        "If-Match": "*",
        "Idempotency-Key": "k1",
        "Prefer": "wait=30",
    }
    asked = {"event": "withdraw", "reason": "The city has no money."}
    try:
        client = httpx.Client(base_url=f"http://127.0.0.1:{port}/v1", headers=headers, timeout=60)
        ready(client)
        # The worker is busy with scheduled runs too: it may take longer than one wait.
        taken = decided(client, asked)
        assert (taken.status_code, taken.json()["state"]) == (200, "taken")
        again = client.post("/partnerships/mill/transitions", json=asked)
        assert again.json() == taken.json()
        shut = client.post(
            "/partnerships/pier/transitions",
            json={"event": "confirm_need"},
            headers={"Prefer": "", "Idempotency-Key": "k2"},
        )
        assert (shut.status_code, shut.json()["state"]) == (202, "pending")
        assert client.get(shut.headers["Location"].removeprefix("/v1")).json()["event"] == "confirm_need"
    finally:
        served.terminate()
        served.wait(30)
    request = taken.json()["id"]
    runs = [run for run in runs_of(api, "gate-check") if run["parameters"].get("transition_id") == request]
    assert [run["idempotency_key"] for run in runs] == [f"transition/{request}"]


@retry(wait=wait_fixed(0.2), stop=stop_after_delay(60), retry=retry_if_exception_type(httpx.TransportError))
def ready(client: httpx.Client) -> None:
    assert client.get("/readyz").json() == {"status": "ready", "database": "ok", "prefect": "ok"}


@retry(
    wait=wait_fixed(0.2),
    stop=stop_after_delay(150),
    retry=retry_if_result(lambda found: found.status_code == 202),
)
def decided(client: httpx.Client, asked: dict[str, str]) -> httpx.Response:
    return client.post("/partnerships/mill/transitions", json=asked)


def asks_prefect_itself(api: str) -> None:
    """The deployment of gate-check, given partnership, event and who asks, as the README shows."""
    with urllib.request.urlopen(f"{api}/deployments/name/gate-check/gate-check", timeout=10) as answer:
        deployment = json.load(answer)["id"]
    parameters = {
        "partnership_id": "pier",
        "event": "withdraw",
        "requested_by": "city-sponsor",
        "reason": "The city has no money.",
    }
    post(
        api, f"deployments/{deployment}/create_flow_run", {"parameters": parameters, "idempotency_key": "k1"}
    )


def stage(database: Database, partnership: str) -> str:
    with database.read() as connection:
        return changes.find(connection, partnership).stage


def post(api: str, path: str, body: Any = None) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"{api}/{path}", json.dumps(body or {}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return found


def runs_of(api: str, flow: str) -> list[dict[str, Any]]:
    return post(api, "flow_runs/filter", {"flows": {"name": {"any_": [flow]}}})


def until(happened: Any, folder: Path) -> None:
    """Poll the API, for a bounded time."""
    deadline = time.monotonic() + PATIENCE.total_seconds()
    while not happened():
        assert time.monotonic() < deadline, (folder / "worker.log").read_text()[-3000:]
        time.sleep(0.5)
