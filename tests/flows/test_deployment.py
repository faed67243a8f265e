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

import pytest
from sqlalchemy import select

from lifecycle import clock, embedded
from lifecycle.db import Database
from lifecycle.migrations import upgrade
from lifecycle.notices.models import notice
from lifecycle.partnerships import changes, service
from tests.builders import registered

CHECKOUT = Path(__file__).parents[2]
PATIENCE = timedelta(seconds=150)


def prefect(*words: str) -> list[str]:
    return [sys.executable, "-m", "prefect", "--no-prompt", *words]


def test_deploy_all_and_a_worker_decide_what_was_asked_for_while_prefect_was_down(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    database = Database(f"sqlite:///{tmp_path / 'engine.db'}")
    upgrade(database)
    registered(database, clock.now())
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
    with database.read() as connection:
        assert changes.find(connection, "harbour").stage == "withdrawn"
        states = set(connection.execute(select(notice.c.state)).scalars())
    assert states == {"sent"}
    assert len(list((tmp_path / "mailbox").glob("*.eml"))) == 3
    database.close()


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
