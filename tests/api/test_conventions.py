"""What holds on every route: problems, idempotency, versions, pages, limits, headers."""

import gzip
import json
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.access import once, tokens
from lifecycle.api.app import create
from lifecycle.api.limits import MAX_BODY, BodyLimits
from lifecycle.db import Database
from tests.api.clients import Client, Clients, settings_of, today
from tests.builders import organisation, registered

HARBOUR = "/partnerships/harbour"
ENTRY: Mapping[str, Any] = {
    "id": "harbour",
    "title": "Harbour Falls Prevention",
    "proposed_by": "clinic",
    "coordinator": "clinic-primary",
    "partners": [organisation("clinic"), organisation("city")],
}


@pytest.fixture
def harbour(api: Clients) -> Client:
    """A service that speaks for the clinic in a partnership that has just been registered."""
    registered(api.database, today())
    return api.speaking_for("clinic-primary")


def seqs(client: Client) -> list[int]:
    """The events there are."""
    return [one["seq"] for one in client.get(f"{HARBOUR}/events", limit=200).json()["items"]]


# Problems


def test_a_problem_names_every_fault_with_its_place_rule_and_mend(harbour: Client) -> None:
    answer = harbour.put(f"{HARBOUR}/documents/need_assessment", {"goals": "many", "colour": "red"})
    problem = answer.json()
    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["status"] == 422
    assert {(one["pointer"], one["rule"]) for one in problem["errors"]} >= {
        ("/goals", "type"),
        ("/colour", "additionalProperties"),
    }
    assert all(one["mend"] for one in problem["errors"])
    assert problem["request_id"] == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("body", [[], "text", 3, None])
def test_a_body_of_another_shape_is_a_fault_of_its_own(harbour: Client, body: Any) -> None:
    answer = harbour.post(f"{HARBOUR}/transitions", body)
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_json_that_is_broken_says_where(harbour: Client) -> None:
    answer = harbour.http.post(
        f"/v1{HARBOUR}/transitions",
        content=b'{"event": ',
        headers={"Authorization": f"Bearer {harbour.token}", "Content-Type": "application/json"},
    )
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert (fault["pointer"], fault["mend"]) == ("", "Mend the JSON at character 10: Expecting value.")


def test_what_is_wrong_comes_with_its_mend(harbour: Client) -> None:
    answer = harbour.post(f"{HARBOUR}/waivers", {"event": "confirm", "code": "N1", "criterion": "N1"})
    mends = {one["pointer"]: one["mend"] for one in answer.json()["errors"]}
    assert mends["/reason"] == "Add it."
    assert mends["/code"] == "Leave it out: nothing here has this name."
    assert mends["/event"].startswith("Write 'confirm_need', ")


def test_what_a_body_does_not_know_is_refused(harbour: Client) -> None:
    answer = harbour.post(f"{HARBOUR}/transitions", {"event": "withdraw", "reasn": "Typed in haste."})
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/reasn"]


def test_a_shut_gate_is_409_with_its_whole_report(harbour: Client) -> None:
    answer = harbour.post(f"{HARBOUR}/transitions", {"event": "confirm_need"}, prefer="wait=5")
    problem = answer.json()
    assert (answer.status_code, problem["title"]) == (409, "The gate is shut")
    report = harbour.get(f"{HARBOUR}/gates/confirm_need").json()
    codes = [(one["code"], one["outcome"]) for one in problem["report"]["findings"]]
    assert codes == [(one["code"], one["outcome"]) for one in report["findings"]]
    assert not report["open"]


def test_a_fault_of_ours_tells_nobody_why(sqlite_api: Clients, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("lifecycle.partnerships.queries.portfolio", broken)
    answer = sqlite_api.of("owner").get("/partnerships")
    assert answer.status_code == 500
    assert answer.json()["title"] == "A fault of the engine"
    assert "secret" not in answer.text


def test_no_page_and_no_method_is_a_problem_too(sqlite_api: Clients) -> None:
    nowhere, wrong = sqlite_api.http.get("/v1/nowhere"), sqlite_api.http.patch("/v1/partnerships")
    assert (nowhere.status_code, wrong.status_code) == (404, 405)
    for answer in (nowhere, wrong):
        assert answer.headers["Content-Type"] == "application/problem+json"


# Idempotency


def test_the_same_key_and_request_get_the_same_answer_and_one_effect(harbour: Client) -> None:
    ask = {"event": "confirm_need"}
    first = harbour.post(f"{HARBOUR}/transitions", ask, prefer="wait=5", Idempotency_Key="k1")
    again = harbour.post(f"{HARBOUR}/transitions", ask, prefer="wait=5", Idempotency_Key="k1")
    assert first.headers["Location"] == again.headers["Location"]
    unlike = {"request_id"}
    assert {k: v for k, v in first.json().items() if k not in unlike} == {
        k: v for k, v in again.json().items() if k not in unlike
    }
    assert len(harbour.get(f"{HARBOUR}/transitions").json()["items"]) == 1


def test_the_same_key_with_another_body_is_422(harbour: Client) -> None:
    harbour.post(f"{HARBOUR}/transitions", {"event": "confirm_need"}, Idempotency_Key="k1")
    other = harbour.post(f"{HARBOUR}/transitions", {"event": "decline"}, Idempotency_Key="k1")
    assert (other.status_code, other.json()["title"]) == (422, "The key was used for another request")
    put = harbour.post(f"{HARBOUR}/calendar-links", None, Idempotency_Key="k2")
    elsewhere = harbour.post(f"{HARBOUR}/signals", {"obligation": "a", "note": "b"}, Idempotency_Key="k2")
    assert (put.status_code, elsewhere.status_code) == (201, 422)


def test_a_request_that_failed_keeps_no_key(api: Clients) -> None:
    owner = api.of("owner")
    wrong = owner.post("/partnerships", ENTRY | {"title": ""}, Idempotency_Key="k1")
    right = owner.post("/partnerships", ENTRY, Idempotency_Key="k1")
    again = owner.post("/partnerships", ENTRY, Idempotency_Key="k1")
    assert (wrong.status_code, right.status_code, again.status_code) == (422, 201, 201)
    assert right.json() == again.json()
    assert owner.post("/partnerships", ENTRY, Idempotency_Key="k2").status_code == 409


def test_keys_of_one_token_are_not_those_of_another(api: Clients) -> None:
    registered(api.database, today())
    clinic, city = api.speaking_for("clinic-primary"), api.speaking_for("city-primary")
    made = [
        client.post(f"{HARBOUR}/transitions", {"event": "confirm_need"}, Idempotency_Key="k1")
        for client in (clinic, city)
    ]
    assert made[0].headers["Location"] != made[1].headers["Location"]


def test_a_secret_is_answered_once_and_never_remembered(api: Clients) -> None:
    registered(api.database, today())
    ask = {"name": "grants", "role": "viewer", "portfolio": "main"}
    administrator = api.of("administrator")
    first = administrator.post("/tokens", ask, Idempotency_Key="k1").json()
    again = administrator.post("/tokens", ask, Idempotency_Key="k1").json()
    assert first["token"].startswith("plc_")
    assert again == {"prefix": first["prefix"], "token": None}
    with api.database.read() as connection:
        rows = connection.exec_driver_sql("SELECT body FROM idempotent_answer").all()
    assert rows
    assert not any(first["token"].encode() in bytes(row[0]) for row in rows)


def test_answers_are_forgotten_after_thirty_days(api: Clients) -> None:
    now = today()
    given = once.Answer(201, {}, b"{}")
    with api.database.write() as connection:
        assert once.claim(connection, "t", "k", "0" * 64, now) is None
        once.answer(connection, "t", "k", given)
        once.forget(connection, "t", now + once.KEPT)
        assert once.claim(connection, "t", "k", "0" * 64, now) == given
        once.forget(connection, "t", now + once.KEPT + timedelta(seconds=1))
        assert once.claim(connection, "t", "k", "1" * 64, now) is None


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["signal", "transition", "calendar", "partner"]),
        st.integers(0, 2),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=15)
@given(steps=STEPS)
def test_repeating_any_history_of_requests_changes_nothing(
    api: Clients, steps: list[tuple[str, int, int]]
) -> None:
    """Whatever was sent with a key, sent again in any order, gets the answer it got and adds nothing to the record."""
    id_ = f"p{abs(hash((tuple(steps), today())))}"
    registered(api.database, today(), id_)
    client, place = api.speaking_for("clinic-primary"), f"/partnerships/{id_}"

    def send(kind: str, key: int, body: int) -> tuple[int, Any]:
        headers = {"Idempotency_Key": f"k{key}"}
        if kind == "transition":
            event = ("confirm_need", "decline")[body]
            found = client.post(f"{place}/transitions", {"event": event}, prefer="wait=5", **headers)
        elif kind == "calendar":
            found = client.post(f"{place}/calendar-links", None, **headers)
        elif kind == "partner":
            entry = organisation("clinic") | {"name": ("Clinic", "The Clinic")[body]}
            found = client.put(f"{place}/partners/clinic", entry, **headers)
        else:
            found = client.post(f"{place}/signals", {"obligation": f"o{body}", "note": "Late."}, **headers)
        said = found.json()
        return found.status_code, {k: v for k, v in said.items() if k not in {"request_id", "url"}}

    first = [(step, send(*step)) for step in steps]
    before = client.get(f"{place}/events", limit=200).json()
    for step, answered in reversed(first):
        if answered[0] < 300 or answered[0] == 409:
            assert send(*step) == answered
    assert client.get(f"{place}/events", limit=200).json() == before


@pytest.mark.parametrize("same", [True, False])
def test_two_at_once_take_effect_once(api: Clients, same: bool) -> None:
    """One key: one request and one answer. Two keys: one is decided, the other by what the first left."""
    registered(api.database, today())
    client = api.speaking_for("clinic-primary")
    together = threading.Barrier(6)

    def ask(number: int) -> tuple[int, str]:
        together.wait(10)
        found = client.post(
            f"{HARBOUR}/transitions", {"event": "withdraw", "reason": "No money."}, prefer="wait=10",
            Idempotency_Key="k" if same else f"k{number}",
        )  # fmt: skip
        return found.status_code, found.headers.get("Location", "")

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(ask, range(6)))
    events = client.get(f"{HARBOUR}/events").json()["items"]
    assert sum(one["type"] == "stage_changed" for one in events) == 1
    if same:
        assert len(set(found)) == 1
        assert found[0][0] == 200
    else:
        assert sorted(status for status, _ in found) == [200, 409, 409, 409, 409, 409]


ASKED = st.lists(
    st.tuples(st.sampled_from(["suspend", "resume", "amend"]), st.integers(0, 2)), min_size=2, max_size=6
)


@settings(max_examples=12)
@given(asked=ASKED)
def test_whatever_is_asked_at_once_is_decided_as_if_in_some_order(
    postgres_api: Clients, asked: list[tuple[str, int]]
) -> None:
    """On PostgreSQL, where requests really run beside each other: each key is one request, and each stage follows."""
    id_ = f"p{abs(hash((tuple(asked), today())))}"
    registered(postgres_api.database, today(), id_, stage="maintaining")
    client, place = postgres_api.speaking_for("clinic-primary"), f"/partnerships/{id_}"
    together = threading.Barrier(len(asked))

    def ask(one: tuple[str, int]) -> tuple[int, str, str]:
        together.wait(10)
        body = {"event": one[0], "reason": "The budget is frozen."}
        found = client.post(f"{place}/transitions", body, prefer="wait=20", Idempotency_Key=f"k{one[1]}")
        return found.status_code, one[0], found.headers.get("Location", "")

    with ThreadPoolExecutor(len(asked)) as pool:
        answered = list(pool.map(ask, asked))
    assert {status for status, _, _ in answered} <= {200, 409, 422}
    taken = {place: event for status, event, place in answered if status == 200}
    kept = client.get(f"{place}/transitions", limit=200).json()["items"]
    assert sorted(one["event"] for one in kept if one["state"] == "taken") == sorted(taken.values())
    assert len({key for _, key in asked}) >= len(kept)
    changed = [
        one
        for one in client.get(f"{place}/events", limit=200).json()["items"]
        if one["type"] == "stage_changed"
    ]
    assert len(changed) == len(taken)
    stage = "maintaining"
    for one in changed:
        assert one["payload"]["source"] == stage
        stage = one["payload"]["target"]
    assert client.get(place).json()["stage"] == stage


# Versions


def test_a_change_says_which_version_it_was_made_for(harbour: Client) -> None:
    etag = harbour.get(HARBOUR).headers["ETag"]
    entry = organisation("clinic")
    missing = harbour.put(f"{HARBOUR}/partners/clinic", entry, If_Match="")
    right = harbour.put(f"{HARBOUR}/partners/clinic", entry | {"name": "Clinic"}, If_Match=etag)
    stale = harbour.put(f"{HARBOUR}/partners/clinic", entry | {"name": "Another"}, If_Match=etag)
    assert (missing.status_code, right.status_code, stale.status_code) == (428, 200, 412)
    assert right.headers["ETag"] == harbour.get(HARBOUR).headers["ETag"] != etag
    assert harbour.put(f"{HARBOUR}/partners/clinic", entry, If_Match='"x"').status_code == 422
    ask = {"event": "confirm_need"}
    assert harbour.post(f"{HARBOUR}/transitions", ask, If_Match="").status_code == 428
    assert harbour.post(f"{HARBOUR}/transitions", ask, If_Match=etag).status_code == 412


def test_a_repeated_request_is_answered_though_its_version_is_old(harbour: Client) -> None:
    etag = harbour.get(HARBOUR).headers["ETag"]
    ask = ({"event": "withdraw", "reason": "No money."},)
    headers = {"prefer": "wait=5", "If_Match": etag, "Idempotency_Key": "k"}
    assert [harbour.post(f"{HARBOUR}/transitions", *ask, **headers).status_code for _ in range(2)] == [
        200,
        200,
    ]


# Lists


def test_pages_join_to_the_whole_list(api: Clients) -> None:
    now = today()
    ids = [f"p{number:02}" for number in range(7)]
    for id_ in ids:
        registered(api.database, now, id_)
    owner, found, cursor = api.of("owner"), [], None
    while True:
        page = owner.get("/partnerships", limit=3, **({"cursor": cursor} if cursor else {})).json()
        found += [one["id"] for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == ids
    assert owner.get("/partnerships", cursor="nonsense!").status_code == 422
    assert owner.get("/partnerships", limit=0).status_code == 422


def test_a_trail_pages_by_its_numbers(harbour: Client) -> None:
    for _ in range(3):
        harbour.post(f"{HARBOUR}/transitions", {"event": "confirm_need"}, prefer="wait=5")
    whole, cursor, found = seqs(harbour), None, []
    while True:
        page = harbour.get(f"{HARBOUR}/events", limit=2, **({"cursor": cursor} if cursor else {})).json()
        found += [one["seq"] for one in page["items"]]
        if (cursor := page["next_cursor"]) is None:
            break
    assert found == whole == sorted(whole)
    assert len(whole) > 3


def test_lists_are_filtered_and_sparse(api: Clients) -> None:
    now = today()
    registered(api.database, now, "one")
    registered(api.database, now, "two", stage="maintaining")
    registered(api.database, now, "three", partners=[organisation("clinic")])
    owner = api.of("owner")

    def ids(**query: Any) -> list[str]:
        return [one["id"] for one in owner.get("/partnerships", **query).json()["items"]]

    assert ids() == ["one", "three", "two"]
    assert ids(stage="maintaining") == ["two"]
    assert ids(partner="city") == ["one", "two"]
    assert ids(health="good") == ["one", "three", "two"]
    assert ids(health="critical") == []
    assert ids(due_before="2000-01-01T00:00:00Z") == []
    assert owner.get("/partnerships", due_before="2000-01-01T00:00:00").status_code == 422
    sparse = owner.get("/partnerships", fields="stage", limit=1).json()["items"]
    assert sparse == [{"id": "one", "stage": "need_definition"}]
    assert owner.get("/partnerships", fields="colour").status_code == 422


# Headers and limits


def test_every_answer_carries_its_request_s_id_and_is_kept_by_no_cache(sqlite_api: Clients) -> None:
    own = sqlite_api.http.get("/v1/healthz", headers={"X-Request-ID": "from-a-caller-1"})
    other = sqlite_api.http.get("/v1/healthz", headers={"X-Request-ID": "bad id\twith spaces"})
    assert own.headers["X-Request-ID"] == "from-a-caller-1"
    assert len(other.headers["X-Request-ID"]) == 32
    assert own.headers["Cache-Control"] == "no-store"
    assert own.headers["X-Content-Type-Options"] == "nosniff"


def test_large_answers_are_compressed(sqlite_api: Clients) -> None:
    with sqlite_api.http.stream("GET", "/openapi.json", headers={"Accept-Encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(raw))["openapi"].startswith("3.1")


def test_a_token_has_so_many_requests_a_minute(sqlite_template: Any, tmp_path: Any) -> None:
    path = tmp_path / "limited.db"
    path.write_bytes(sqlite_template.read_bytes())
    database = Database(f"sqlite:///{path}")
    token = tokens.create(database, "a", "owner", today(), 1, "main")
    other = tokens.create(database, "b", "owner", today(), 1, "main")
    with TestClient(create(settings_of("sqlite://"), database, per_minute=3)) as http:
        clients = [Client(http, one) for one in (token, other)]
        found = [clients[0].get("/partnerships") for _ in range(4)]
        assert [one.status_code for one in found] == [200, 200, 200, 429]
        assert found[0].headers["RateLimit-Policy"] == '"token";q=3;w=60'
        assert found[0].headers["RateLimit"].startswith('"token";r=2;t=')
        assert int(found[3].headers["Retry-After"]) <= 60
        assert clients[1].get("/partnerships").status_code == 200
    database.close()


def test_a_body_that_is_too_large_is_refused(sqlite_api: Clients) -> None:
    client = sqlite_api.of("owner")
    text = "x" * MAX_BODY
    assert client.post("/partnerships", {"title": text}).status_code == 413

    def pieces() -> Any:
        for _ in range(20):
            yield b"x" * (MAX_BODY // 10)

    chunked = sqlite_api.http.post(
        "/v1/partnerships", content=pieces(), headers={"Authorization": f"Bearer {client.token}"}
    )
    assert chunked.status_code == 413
    assert chunked.headers["Content-Type"] == "application/problem+json"


def test_a_body_that_does_not_arrive_is_not_waited_for() -> None:
    import asyncio

    from starlette.exceptions import HTTPException
    from starlette.types import Message, Receive, Scope, Send

    async def reads(_: Scope, receive: Receive, __: Send) -> None:
        await receive()

    async def never() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    async def nobody(_: Message) -> None:
        raise AssertionError

    with pytest.raises(HTTPException) as refused:
        asyncio.run(BodyLimits(reads, seconds=0)({"type": "http"}, never, nobody))
    assert refused.value.status_code == 408
