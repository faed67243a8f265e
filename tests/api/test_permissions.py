"""Every route as every role, seen from the outside: one table, one cell a call."""

from collections.abc import Mapping
from typing import Any

import pytest

from lifecycle.api.app import create
from lifecycle.db import Database
from lifecycle.documents import rules
from lifecycle.errors import Invalid
from lifecycle.partnerships import registration
from tests.api.clients import Client, Clients, settings_of, today
from tests.builders import SETTINGS, organisation, registered

ROLES = {
    "A": "administrator",
    "O": "owner",
    "M": "manager",
    "V": "viewer",
    "C": "contact",
    "S": "service",
}

MAY: Mapping[str, str] = {
    "list_partnerships": "AOMVCS",
    "register_partnership": "AO---S",
    "get_partnership": "AOMVCS",
    "put_partner": "AOM-CS",
    "list_events": "AOMVCS",
    "get_dossier": "AOMVCS",
    "list_documents": "AOMVCS",
    "get_document": "AOMVCS",
    "put_need_assessment": "AOM-CS",
    "put_convening": "AOM-CS",
    "put_agreement": "AOM-CS",
    "put_evaluation": "AOM-CS",
    "put_exit_plan": "AOM-CS",
    "put_decision_record": "AOM-CS",
    "list_signoffs": "AOMVCS",
    "sign_document": "AOM-CS",
    "list_objections": "AOMVCS",
    "object_to_document": "AOM-CS",
    "check_gate": "AOMVCS",
    "request_transition": "AOM-CS",
    "list_transitions": "AOMVCS",
    "get_transition": "AOMVCS",
    "waive_criterion": "AOM-CS",
    "list_obligations": "AOMVCS",
    "list_performances": "AOMVCS",
    "get_performance": "AOMVCS",
    "demand_performance": "AOM-CS",
    "report_performance": "AOM-CS",
    "answer_report": "AOM-CS",
    "withhold_performance": "AOM-CS",
    "send_signal": "AOM-CS",
    "list_complaints": "AOMVCS",
    "lodge_complaint": "AOM-CS",
    "get_complaint": "AOMVCS",
    "take_complaint_step": "AOM-CS",
    "propose_settlement": "AOM-CS",
    "decide_complaint": "AOM-CS",
    "list_reviews": "AOMVCS",
    "get_results": "AOMVCS",
    "answer_review": "AOM-CS",
    "pass_review_on": "AOM-CS",
    "decline_review": "AOM-CS",
    "list_actions": "AOMVCS",
    "plan_action": "AOM-CS",
    "verify_action": "AOM-CS",
    "list_indicators": "AOMVCS",
    "record_actual": "AOM-CS",
    "create_calendar_link": "AOM-CS",
    "revoke_calendar_link": "AOM-CS",
    "list_tokens": "A-----",
    "create_token": "A-----",
    "revoke_token": "A-----",
    "list_subscriptions": "AO---S",
    "create_subscription": "AO---S",
    "get_subscription": "AO---S",
    "delete_subscription": "AO---S",
    "list_streams": "AO---S",
    "replay_stream": "AO---S",
    "metrics": "A-----",
}
"""Route → who may call it. A letter in its place: yes; a dash: 403."""

PUBLIC = {"healthz", "readyz", "get_calendar", "take_sendgrid_events"}
"""Without a token. The calendar's key is in its address, the provider's word is signed: both have tests of their own."""

PLACES = {
    "{id}": "harbour",
    "{kind}": "agreement",
    "{event}": "suspend",
    "{transition}": "0" * 32,
    "{obligation}": "breakfast",
    "{indicator}": "reach",
    "{number}": "1",
    "{partner}": "clinic",
    "{prefix}": "0123456789",
    "{subscription}": "0123456789abcdef",
}

BODIES: Mapping[str, Any] = {
    "register_partnership": {
        "id": "another",
        "title": "Another one",
        "proposed_by": "clinic",
        "coordinator": "clinic-primary",
        "partners": [organisation("clinic")],
    },
    "put_partner": organisation("clinic"),
    "sign_document": {"kind": "agreement", "revision": 1},
    "object_to_document": {
        "kind": "agreement",
        "revision": 1,
        "reason": "The list has to come on Wednesday.",
    },
    "request_transition": {"event": "suspend", "reason": "The budget is frozen."},
    "waive_criterion": {"event": "activate", "criterion": "T3", "reason": "Agreed by all."},
    "answer_report": {"verdict": "accept"},
    "withhold_performance": {"complaint": 1},
    "send_signal": {"obligation": "breakfast", "note": "Fewer volunteers came."},
    "take_complaint_step": {"step": "acknowledge"},
    "pass_review_on": {"to": "clinic-deputy"},
    "decline_review": {"reason": "New in the post."},
    "plan_action": {"what": "Meet weekly.", "owner": "clinic-primary", "due_on": "2030-01-01"},
    "record_actual": {"starts_on": "2026-01-01", "ends_on": "2026-03-31", "value": 3},
    "create_subscription": {"url": "https://grants.example/hook"},
    "replay_stream": {"partnership_id": "harbour"},
    "create_token": {"name": "another", "role": "viewer", "portfolio": "main"},
}
KINDS = {
    "report_performance": "performance_report",
    "lodge_complaint": "complaint",
    "propose_settlement": "complaint_proposal",
    "decide_complaint": "complaint_proposal",
    "answer_review": "review_response",
}


def operations() -> dict[str, tuple[str, str]]:
    """Operation id → method and path under `/v1`."""
    document = create(settings_of("sqlite://"), Database("sqlite://")).openapi()
    return {
        operation["operationId"]: (method.upper(), path.removeprefix("/v1"))
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


OPERATIONS = operations()


def call(client: Client, name: str) -> int:
    """Call a route with what it needs to be understood; the answer's status."""
    method, path = OPERATIONS[name]
    for place, value in PLACES.items():
        path = path.replace(place, value)
    if method == "GET":
        return client.get(path).status_code
    kind = KINDS.get(name) or (name.removeprefix("put_") if name.startswith("put_") else "")
    body = BODIES.get(name) or (rules.load_schema(kind)["examples"][0] if kind in rules.VERSIONS else None)
    return client.send(method, path, body).status_code


@pytest.fixture
def clients(sqlite_api: Clients) -> Clients:
    """A partnership in each of two portfolios."""
    now = today()
    registered(sqlite_api.database, now, stage="maintaining")
    other = {
        "id": "others-mill",
        "title": "In another portfolio",
        "proposed_by": "mill",
        "coordinator": "mill-primary",
        "partners": [organisation("mill")],
    }
    registration.create(sqlite_api.database, other, SETTINGS, now, portfolio="others")
    return sqlite_api


def caller(
    clients: Clients, role: str, partnership: str = "harbour", contact: str = "clinic-primary"
) -> Client:
    """A caller of a role, acting as or for a contact."""
    if role in {"manager", "contact"}:
        return clients.of(role, partnership_id=partnership, contact_id=contact)
    confined = (
        {} if role == "administrator" else {"portfolio": "main" if partnership == "harbour" else "others"}
    )
    client = clients.of(role, **confined)
    client.headers["On-Behalf-Of"] = contact
    return client


def test_the_table_has_every_route() -> None:
    assert OPERATIONS.keys() == MAY.keys() | PUBLIC


@pytest.mark.parametrize("letter", ROLES)
def test_every_cell(clients: Clients, letter: str) -> None:
    client = caller(clients, ROLES[letter])
    found = {name: call(client, name) for name in MAY}
    wrong = {
        name: status
        for name, status in found.items()
        if (status == 403) != (letter not in MAY[name])
        or status in {401, 428, 500}
        # The schemas' own examples speak of partners that are not in this partnership.
        or (status == 422 and not name.startswith("put_") and name != "answer_review")
    }
    assert not wrong


def test_without_a_token_nothing_but_health_is_told(clients: Clients) -> None:
    assert {name: call(clients.nobody, name) for name in MAY} == dict.fromkeys(MAY, 401)
    assert {call(clients.nobody, name) for name in ("healthz", "readyz")} == {200}


ABOUT_ONE = {name for name, (_, path) in OPERATIONS.items() if "{id}" in path} - PUBLIC


@pytest.mark.parametrize("role", ["owner", "manager", "viewer", "contact", "service"])
def test_another_portfolio_s_partnership_looks_like_none(clients: Clients, role: str) -> None:
    stranger = caller(clients, role, "others-mill", "mill-primary")
    theirs = {name: call(stranger, name) for name in ABOUT_ONE}
    assert {name for name, status in theirs.items() if status not in {403, 404}} == set()
    one = stranger.get("/partnerships/harbour")
    none = stranger.get("/partnerships/nowhere")
    assert one.status_code == none.status_code == 404
    unlike = {"request_id", "detail"}
    assert {k: v for k, v in one.json().items() if k not in unlike} == {
        k: v for k, v in none.json().items() if k not in unlike
    }
    assert one.json()["detail"] == none.json()["detail"].replace("nowhere", "harbour")
    listed = [item["id"] for item in stranger.get("/partnerships").json()["items"]]
    assert listed == ["others-mill"]
    assert stranger.get("/partnerships", portfolio="main").json()["items"] == []


def test_another_portfolio_s_transition_looks_like_none(clients: Clients) -> None:
    made = caller(clients, "owner").post(
        "/partnerships/harbour/transitions", {"event": "suspend", "reason": "The budget is frozen."}
    )
    place = made.headers["Location"].removeprefix("/v1")
    stranger = caller(clients, "owner", "others-mill", "mill-primary")
    assert caller(clients, "owner").get(place).status_code == 200
    assert stranger.get(place).status_code == 404
    assert stranger.get(place).json()["title"] == stranger.get(f"/transitions/{'0' * 32}").json()["title"]


@pytest.mark.parametrize("role", ["manager", "contact"])
def test_nobody_acts_on_another_s_behalf(clients: Clients, role: str) -> None:
    client = caller(clients, role)
    client.headers["On-Behalf-Of"] = "city-sponsor"
    answer = client.post("/partnerships/harbour/signoffs", {"kind": "agreement", "revision": 1})
    assert (answer.status_code, answer.json()["title"]) == (403, "Forbidden")


def test_a_token_of_nobody_s_says_in_whose_name(clients: Clients) -> None:
    client = clients.of("service")
    answer = client.post("/partnerships/harbour/signoffs", {"kind": "agreement", "revision": 1})
    assert answer.status_code == 422
    assert "On-Behalf-Of" in answer.json()["mend"]


def test_addresses_are_for_those_who_may_see_people(clients: Clients) -> None:
    def addresses(role: str) -> set[str | None]:
        found = caller(clients, role).get("/partnerships/harbour").json()
        return {one["email"] for partner in found["partners"] for one in partner["contacts"]}

    assert addresses("viewer") == addresses("contact") == addresses("service") == {None}
    assert "clinic-primary@clinic.example" in addresses("owner")


def test_a_scope_narrows_a_role(clients: Clients) -> None:
    narrow = clients.of("administrator", scopes=["observe"])
    assert call(narrow, "metrics") == 200
    assert {call(narrow, name) for name in ("get_partnership", "create_token", "put_partner")} == {403}


def test_a_manager_s_and_a_contact_s_token_reach_their_partnership_alone(clients: Clients) -> None:
    registered(clients.database, today(), "harbour-two")
    for role in ("manager", "contact"):
        client = caller(clients, role)
        assert [one["id"] for one in client.get("/partnerships").json()["items"]] == ["harbour"]
        assert client.get("/partnerships/harbour-two").status_code == 404


def test_answers_to_reviews_are_read_as_results_alone(clients: Clients) -> None:
    for role in ROLES.values():
        client = caller(clients, role)
        assert client.get("/partnerships/harbour/documents/review_response").status_code == 422


def test_whether_an_id_is_free_tells_nothing_of_another_portfolio(clients: Clients) -> None:
    entry = BODIES["register_partnership"]
    mill = clients.of("owner", portfolio="others")
    main = clients.of("owner")
    found = {id_: mill.post("/partnerships", entry | {"id": id_}) for id_ in ("harbour", "free")}
    assert [one.status_code for one in found.values()] == [422, 422]
    assert found["harbour"].json()["errors"] == found["free"].json()["errors"]
    found = {id_: main.post("/partnerships", entry | {"id": id_}) for id_ in ("others-mill", "others-free")}
    assert [one.status_code for one in found.values()] == [422, 422]
    assert found["others-mill"].json()["errors"] == found["others-free"].json()["errors"]
    assert mill.post("/partnerships", entry | {"id": "others-free"}).status_code == 201
    with pytest.raises(Invalid, match="choose another name"):
        clients.of("owner", portfolio="harbour")
