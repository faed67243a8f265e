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

import httpx
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from lifecycle.access import tokens
from lifecycle.db import Database
from lifecycle.embedded import free_port
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
        told = [next(lines), next(lines), next(lines)]
        api = f"http://127.0.0.1:{port}/api"
        asked(f"{api}/deployments/name/gate-check/gate-check")
        v1 = f"http://127.0.0.1:{api_port}/v1"
        assert asked(f"{v1}/readyz") == {"status": "ready", "database": "ok", "prefect": "ok"}
        headers = {"Authorization": f"Bearer {token}", "If-Match": "*", "On-Behalf-Of": "clinic-primary"}
        body = {"event": "withdraw", "reason": "No money."}
        made = httpx.post(f"{v1}/partnerships/harbour/transitions", json=body, headers=headers, timeout=60)
        assert (made.status_code, made.json()["state"]) == (202, "pending")
        withdrawn(database)
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
    assert "Traceback" not in rest
    said = [json.loads(line) for line in (tmp_path / ".prefect" / "api.log").read_text().splitlines()]
    logged = next(one for one in said if one.get("route", "").endswith("/transitions"))
    assert datetime.fromisoformat(logged["at"]).utcoffset() == timedelta(0)
    assert (logged["method"], logged["status"], logged["token"]) == ("POST", 202, token.split("_")[1])
    assert not any(token.split("_", 2)[2] in json.dumps(one) for one in said)
    assert rest.endswith("Stopping …\n")


@retry(
    retry=retry_if_exception_type(AssertionError),
    wait=wait_fixed(0.2),
    stop=stop_after_delay(90),
    reraise=True,
)
def withdrawn(database: Database) -> None:
    with database.read() as connection:
        assert changes.find(connection, "harbour").stage == "withdrawn"
