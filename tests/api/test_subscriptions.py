"""Subscriptions through the API: who may have them, what is shown of them, where they may lead."""

from typing import Any

import pytest

from lifecycle.partnerships import registration
from tests.api.clients import Clients, today
from tests.builders import SETTINGS, organisation, registered

ASKED: dict[str, Any] = {
    "url": "https://grants.example/hook",
    "event_types": ["partnership.activated"],
    "description": "Grants",
}


def test_its_secret_is_shown_once(api: Clients) -> None:
    owner = api.of("owner")
    made = owner.post("/subscriptions", ASKED, Idempotency_Key="k")
    again = owner.post("/subscriptions", ASKED, Idempotency_Key="k")
    assert made.status_code == again.status_code == 201
    assert made.json()["secret"].startswith("whsec_")
    assert again.json() == {"id": made.json()["id"], "secret": None}
    shown = owner.get(made.headers["Location"].removeprefix("/v1"))
    listed = owner.get("/subscriptions").json()["items"]
    assert listed == [shown.json()]
    assert (shown.json()["portfolio"], shown.json()["event_types"]) == ("main", ["partnership.activated"])
    assert made.json()["secret"] not in shown.text
    with api.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT body FROM idempotent_answer").all()
    assert not any(made.json()["secret"].encode() in bytes(row[0]) for row in rows)


@pytest.mark.parametrize(
    "url",
    [
        "http://grants.example/hook",
        "https://10.0.0.1/hook",
        "https://127.0.0.1/hook",
        "https://169.254.169.254/latest/meta-data",
        "https://user:password@grants.example/hook",
        "https://nowhere.invalid/hook",
        "ftp://grants.example/hook",
        "grants.example",
    ],
)
def test_a_target_that_may_not_be_is_a_fault_of_its_field(sqlite_api: Clients, url: str) -> None:
    answer = sqlite_api.of("owner").post("/subscriptions", ASKED | {"url": url})
    assert answer.status_code == 422
    assert {one["pointer"] for one in answer.json()["errors"]} == {"/url"}


def test_another_portfolio_s_subscription_looks_like_none(api: Clients) -> None:
    entry = {
        "id": "others-mill",
        "title": "In another portfolio",
        "proposed_by": "mill",
        "coordinator": "mill-primary",
        "partners": [organisation("mill")],
    }
    registration.create(api.database, entry, SETTINGS, today(), portfolio="others")
    registered(api.database, today())
    ours, theirs = api.of("owner"), api.of("owner", portfolio="others")
    one = ours.post("/subscriptions", ASKED).json()["id"]
    place = f"/subscriptions/{one}"
    assert theirs.get("/subscriptions").json()["items"] == []
    found = [theirs.get(place), theirs.get(f"{place}/streams"), theirs.send("DELETE", place),
             theirs.post(f"{place}/replays", {"partnership_id": "harbour"}),
             theirs.post("/subscriptions", ASKED | {"partnership_id": "harbour"})]  # fmt: skip
    assert [answer.status_code for answer in found] == [404] * 5
    assert theirs.post("/subscriptions", ASKED | {"portfolio": "main"}).status_code == 403
    narrow = api.of("service", partnership_id="harbour")
    assert narrow.get(place).status_code == 404
    own = narrow.post("/subscriptions", ASKED).json()["id"]
    assert narrow.get(f"/subscriptions/{own}").json()["partnership_id"] == "harbour"
    assert ours.send("DELETE", place).status_code == 204
    assert ours.get(place).status_code == 404


def test_a_stream_is_replayed_from_an_event_that_there_is(api: Clients) -> None:
    registered(api.database, today())
    owner = api.of("owner")
    place = f"/subscriptions/{owner.post('/subscriptions', ASKED | {'event_types': None}).json()['id']}"
    assert owner.get(f"{place}/streams").json()["items"] == []
    assert owner.post(f"{place}/replays", {"partnership_id": "harbour", "from_seq": 99}).status_code == 422
    assert owner.post(f"{place}/replays", {"partnership_id": "harbour", "from_seq": 1}).status_code == 201
    (stream,) = owner.get(f"{place}/streams").json()["items"]
    assert (stream["partnership_id"], stream["state"], stream["backlog"]) == ("harbour", "due", 1)
