"""Events of partnerships are events of a real Prefect server, once each, and automations react to them."""

import asyncio
import importlib
import json
import re
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from lifecycle.db import Database
from lifecycle.partnerships import changes
from lifecycle.subscriptions import service
from tests.builders import registered


def publish() -> Any:
    """Run the flow. Imported only now: Prefect reads its settings as it is imported, after the server was started."""
    return asyncio.run(importlib.import_module("flows.publish_events").publish_events())


def posted(api: str, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(
        f"{api}/{path}", json.dumps(body or {}).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def events_of(api: str, partnership_id: str) -> list[dict[str, Any]]:
    only = {"resource": {"id": [f"partnership.{partnership_id}"]}}
    found: list[dict[str, Any]] = posted(api, "events/filter", {"filter": only})["events"]
    return sorted(found, key=lambda one: int(one["payload"]["seq"]))


soon = retry(
    retry=retry_if_exception_type(AssertionError),
    wait=wait_fixed(0.2),
    stop=stop_after_delay(60),
    reraise=True,
)
"""The server keeps events, and reacts to them, a moment after it took them."""


def activated(database: Database, partnership_id: str) -> None:
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, datetime.now(UTC))
        change.log(
            "stage_changed", "city-sponsor", event="activate", source="setting_up", target="maintaining"
        )
        changes.write(connection, change)


def test_an_event_of_a_partnership_becomes_one_of_the_servers_once(
    installation: Database, prefect_api: str
) -> None:
    id_ = f"events-{installation.engine.dialect.name}"
    registered(installation, datetime.now(UTC), id_=id_)
    assert publish().delivered == 0, "nothing of the past"
    activated(installation, id_)
    summary = publish()
    assert summary.delivered_by_type == {"partnership.activated": 1}
    service.replay(installation, service.PREFECT, id_, datetime.now(UTC), from_seq=1)
    assert publish().delivered == 2

    @soon
    def kept() -> None:
        found = events_of(prefect_api, id_)
        assert len(found) == 2
        first, second = found
        assert first["event"] == "partnership.registered"
        assert second["event"] == "partnership.activated"
        assert second["resource"]["prefect.resource.name"] == "Harbour Falls Prevention"
        assert second["payload"]["payload"]["target"] == "maintaining"

    kept()


def test_the_documented_automation_runs_a_deployment(installation: Database, prefect_api: str) -> None:
    """The example of docs/webhooks.md, as it stands there."""
    id_ = f"welcome-{installation.engine.dialect.name}"
    flow = posted(prefect_api, "flows/", {"name": "welcome"})
    deployment = posted(
        prefect_api,
        "deployments/",
        {"name": "welcome", "flow_id": flow["id"], "enforce_parameter_schema": False},
    )
    page = Path("docs/webhooks.md").read_text(encoding="utf-8")
    [example] = [
        block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "Automation(" in block
    ]
    exec(example, {})
    registered(installation, datetime.now(UTC), id_=id_)
    publish()

    # An automation is heeded from a moment after it was made: what comes before that, it never hears of.
    @soon
    def reacted() -> None:
        activated(installation, id_)
        assert publish().delivered >= 1
        runs = posted(prefect_api, "flow_runs/filter", {"deployments": {"id": {"any_": [deployment["id"]]}}})
        assert {"partnership_id": id_} in [run["parameters"] for run in runs]

    reacted()
