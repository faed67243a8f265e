"""Health, readiness, metrics and the log: they tell the truth, and no personal data."""

import json
import logging

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from lifecycle.access import tokens
from lifecycle.api.app import create
from lifecycle.db import Database
from lifecycle.embedded import free_port
from tests.api.clients import Client, Clients, settings_of, today
from tests.builders import registered


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Name and labels → value, as Prometheus reads them."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_ready_is_what_has_its_database(sqlite_api: Clients) -> None:
    answer = sqlite_api.nobody.get("/readyz")
    assert (answer.status_code, answer.json()) == (
        200,
        {"status": "ready", "database": "ok", "prefect": "not configured"},
    )


@pytest.mark.parametrize(
    ("url", "said"), [("sqlite://", "of another version"), ("postgresql://x@127.0.0.1:1/x", "unreachable")]
)
def test_without_its_database_it_lives_and_is_not_ready(url: str, said: str) -> None:
    database = Database(settings_of(url).database_url.get_secret_value())
    with TestClient(create(settings_of(url), database), raise_server_exceptions=False) as http:
        nobody = Client(http, None)
        assert nobody.get("/healthz").json() == {"status": "ok"}
        answer = nobody.get("/readyz")
        assert (answer.status_code, answer.json()["status"], answer.json()["database"]) == (
            503,
            "not ready",
            said,
        )
        refused = Client(http, "plc_0000000000_x").get("/partnerships")
        assert (refused.status_code, refused.json()["title"]) == (503, "Unavailable")
        assert refused.headers["Retry-After"]
    database.close()


def test_a_prefect_that_does_not_answer_is_told_and_stops_nothing(
    sqlite_api: Clients, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{free_port()}/api"
    monkeypatch.setattr(sqlite_api.http.app.state, "prefect_url", url)  # type: ignore[attr-defined]
    answer = sqlite_api.nobody.get("/readyz")
    assert (answer.status_code, answer.json()["prefect"]) == (200, "unreachable")


def test_a_request_is_kept_though_prefect_does_not_answer(
    sqlite_api: Clients, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    registered(sqlite_api.database, today())
    url = f"http://127.0.0.1:{free_port()}/api"
    monkeypatch.setattr(sqlite_api.http.app.state, "prefect_url", url)  # type: ignore[attr-defined]
    monkeypatch.setattr(
        "lifecycle.deciding.ask_prefect",
        _with(url, PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings),
    )
    answer = sqlite_api.speaking_for("clinic-primary").post(
        "/partnerships/harbour/transitions", {"event": "confirm_need"}, prefer="wait=1"
    )
    assert (answer.status_code, answer.json()["state"]) == (202, "pending")
    assert "waits for gate-check's schedule" in caplog.text


def _with(url, setting, retries, temporary):  # type: ignore[no-untyped-def]
    """The real function, in the settings of this test alone: Prefect reads its environment once a process."""
    from lifecycle.deciding import ask_prefect

    async def asked(request_id: str) -> None:
        with temporary({setting: url, retries: 0}):
            await ask_prefect(request_id)

    return asked


def test_metrics_count_requests_by_route_and_the_record_by_stage(sqlite_api: Clients) -> None:
    registered(sqlite_api.database, today())
    registered(sqlite_api.database, today(), "mill", stage="maintaining")
    administrator = sqlite_api.of("administrator")
    asking = sqlite_api.speaking_for("clinic-primary")
    asking.post("/partnerships/harbour/transitions", {"event": "confirm_need"}, prefer="wait=5")
    for id_ in ("harbour", "mill", "nowhere"):
        administrator.get(f"/partnerships/{id_}")
    sqlite_api.http.get("/no-such-page")
    found = samples(administrator.get("/metrics").text)
    routes = {key[2]: value for key, value in found.items() if key[0] == "lifecycle_http_requests_total"}
    assert sum(value for route, value in routes.items() if route.endswith("/partnerships/{id}")) > 0
    assert not any(
        id_ in " ".join(key) for key in found for id_ in ("harbour", "mill", "nowhere", "no-such-page")
    )
    assert found["lifecycle_partnerships", "maintaining"] == 1
    assert found["lifecycle_partnerships", "need_definition"] == 1
    assert found["lifecycle_notices", "pending"] > 0
    assert found[("lifecycle_undecided_transitions",)] == 0


def test_the_log_has_ids_and_no_secret_name_or_address(
    sqlite_api: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "lifecycle.api.requests")
    registered(sqlite_api.database, today())
    client = sqlite_api.speaking_for("clinic-primary")
    client.get("/partnerships/harbour", fields="secret")
    made = client.post("/partnerships/harbour/calendar-links").json()
    sqlite_api.http.get(made["url"].partition("127.0.0.1:8080")[2], headers={"X-Request-ID": "request-one"})
    records = [record for record in caplog.records if record.name == "lifecycle.api.requests"]
    last = vars(records[-1])
    assert (last["request_id"], last["method"], last["status"]) == ("request-one", "GET", 200)
    assert last["route"].endswith("/partnerships/{id}/timeline.ics")
    assert last["token"] == made["prefix"]
    told = json.dumps([{k: str(v) for k, v in vars(record).items()} for record in records])
    assert client.token is not None
    for secret in (
        client.token,
        made["url"].rpartition("=")[2],
        "clinic.example",
        "fields=secret",
        "Clinic Primary",
    ):
        assert secret not in told


def test_last_use_is_shown_to_the_hour(sqlite_api: Clients) -> None:
    administrator = sqlite_api.of("administrator")
    administrator.get("/partnerships")
    found = administrator.get("/tokens").json()["items"]
    assert [bool(one["last_used_at"]) for one in found] == [True]
    assert "token" not in found[0]


def test_a_token_expires_is_revoked_and_is_kept_as_its_hash(api: Clients) -> None:
    administrator = api.of("administrator")
    viewer = api.of("viewer")
    assert viewer.get("/partnerships").status_code == 200
    assert viewer.token is not None
    prefix = tokens.prefix_of(viewer.token)
    with api.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM api_token").all()
    assert not any(viewer.token in str(row) for row in rows)
    assert administrator.send("DELETE", f"/tokens/{prefix}").status_code == 204
    assert viewer.get("/partnerships").status_code == 401
    assert administrator.send("DELETE", "/tokens/0000000000").status_code == 404
    old = tokens.create(api.database, "old", "viewer", today().replace(year=2020), 1, "main")
    assert Client(api.http, old).get("/partnerships").status_code == 401


@pytest.mark.parametrize(
    ("given", "pointers"),
    [
        ({"name": "x", "role": "owner"}, {"/portfolio"}),
        ({"name": "x", "role": "manager"}, {"/partnership", "/contact"}),
        ({"name": "x", "role": "administrator", "portfolio": "main"}, {"/portfolio"}),
        ({"name": "x", "role": "viewer", "portfolio": "main", "scopes": ["write"]}, {"/scopes"}),
        ({"name": "x", "role": "viewer", "portfolio": "main", "contact_id": "clinic-primary"}, {"/contact"}),
    ],
)
def test_a_token_that_cannot_be_names_every_fault(
    sqlite_api: Clients, given: dict[str, object], pointers: set[str]
) -> None:
    answer = sqlite_api.of("administrator").post("/tokens", given)
    assert answer.status_code == 422
    assert {one["pointer"] for one in answer.json()["errors"]} == pointers
