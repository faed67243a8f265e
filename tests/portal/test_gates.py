"""The gates' pages: the checklist with its evidence, waivers, asking once, and what became of it."""

import re
from datetime import datetime, timedelta

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import insert

from lifecycle.access.models import account
from lifecycle.db import Database
from lifecycle.documents import service as documents
from lifecycle.partnerships import changes, queries, service
from lifecycle.portal import gates
from tests.builders import contents, organisation, registered
from tests.obligations import agreements
from tests.portal.conftest import sign_in

CLINIC = "clinic-primary@clinic.example"
SPONSOR = "clinic-sponsor@clinic.example"
CITY_SPONSOR = "city-sponsor@city.example"
HERE = "/partnerships/harbour/gates"


def stage_of(database: Database) -> str:
    with database.read() as connection:
        return changes.find(connection, "harbour").stage


def requests_of(database: Database) -> list[str]:
    with database.read() as connection:
        return [one["state"] for one in queries.requests(connection, "harbour")]


def key_in(page: Response) -> str:
    found = re.search(r'name="key" value="([0-9a-f]{32})"', page.text)
    assert found is not None
    return found[1]


def ask(site: TestClient, csrf: str, event: str, **fields: str) -> Response:
    key = key_in(site.get(f"{HERE}/{event}"))
    sent = {"csrf": csrf, "key": key} | {f"/{name}": value for name, value in fields.items()}
    return site.post(f"{HERE}/{event}", data=sent, follow_redirects=False)


@pytest.mark.parametrize("path", ["", "/confirm_need", "/confirm_need?request=0123"])
def test_others_learn_nothing(site: TestClient, store: Database, now: datetime, path: str) -> None:
    registered(store, now)
    elsewhere = [organisation("north"), organisation("south")]
    who = {"proposed_by": "north", "coordinator": "north-primary", "partners": elsewhere}
    registered(store, now, "other", **who)
    assert site.get(f"{HERE}{path}", follow_redirects=False).status_code == 303
    sign_in(site, "north-primary@north.example")
    assert site.get(f"{HERE}{path}").status_code == 404


def test_a_request_of_another_partnership_looks_like_none(
    site: TestClient, store: Database, now: datetime
) -> None:
    registered(store, now)
    registered(store, now, "second")
    id_ = service.request_transition(store, "second", "confirm_need", "clinic-primary", now)
    sign_in(site, CLINIC)
    assert site.get(f"{HERE}/confirm_need?request={id_}").status_code == 404
    assert site.get(f"/partnerships/second/gates/confirm_need?request={id_}").status_code == 200


def test_the_checklist_says_what_blocks_first_and_what_to_do(
    site: TestClient, store: Database, now: datetime
) -> None:
    registered(store, now)
    sign_in(site, CLINIC)
    before = contents(store)
    shown = site.get(f"{HERE}/confirm_need").text
    assert contents(store) == before
    report = service.check(store, "harbour", "confirm_need", now)
    order = [shown.index(f'id="{one.code}"') for one in report.findings if one.blocks]
    assert "The gate is shut" in shown
    assert max(order) < shown.index("met</span>", max(order))
    for one in report.blocking:
        assert one.name in shown
        assert one.question in shown.replace("&#39;", "'")


def test_evidence_leads_into_the_document(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now, stage="setting_up")
    documents.put(store, "harbour", "agreement", agreements.agreement(), "clinic-primary", now)
    sign_in(site, CLINIC)
    shown = site.get(f"{HERE}/activate").text
    assert re.search(r'href="/partnerships/harbour/documents/agreement\?revision=1#at/[a-z_/0-9]+"', shown)


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("review/3", "/reviews/3"),
        ("review", "/reviews"),
        ("corrective action 2", "/reviews/actions/2"),
        ("agreement", "/documents/agreement?revision=4#at/term"),
        ("decision_record/terminate", "/documents/decision_record?revision=4#at/term"),
        ("registry", None),
    ],
)
def test_each_kind_of_evidence_has_its_place(document: str, place: str | None) -> None:
    evidence = {"document": document, "revision": 4, "pointer": "/term"}
    assert gates.place_of(evidence) == place


def test_no_command_is_told_to_who_has_buttons(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now, stage="maintaining")
    sign_in(site, CLINIC)
    for event in ("suspend", "amend", "terminate", "begin_evaluation"):
        assert "`" not in site.get(f"{HERE}/{event}").text


def test_an_event_that_the_stage_does_not_allow_is_refused_in_its_words(
    site: TestClient, store: Database, now: datetime
) -> None:
    registered(store, now)
    sign_in(site, CLINIC)
    page = site.get(f"{HERE}/renew")
    assert page.status_code == 409
    assert "is not possible while the partnership is in stage" in page.text
    assert site.get(f"{HERE}/no_such_event").status_code == 409


def test_a_shut_gate_refuses_and_the_report_stays(
    both_sites: TestClient, database: Database, now: datetime
) -> None:
    registered(database, now)
    csrf = sign_in(both_sites, CLINIC)
    answer = ask(both_sites, csrf, "confirm_need")
    assert answer.status_code == 303
    result = both_sites.get(answer.headers["location"])
    assert "It was refused: the gate was shut." in result.text
    assert "The gate report, as it was decided" in result.text
    assert (stage_of(database), requests_of(database)) == ("need_definition", ["refused"])


def test_an_open_gate_takes_it_on(both_sites: TestClient, database: Database, now: datetime) -> None:
    registered(database, now, stage="maintaining")
    csrf = sign_in(both_sites, CLINIC)
    answer = ask(both_sites, csrf, "suspend", reason="The building is closed.")
    result = both_sites.get(answer.headers["location"])
    assert "It is done." in result.text
    assert "The building is closed." in result.text
    assert stage_of(database) == "suspended"


def test_the_same_form_sent_twice_asks_once(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now, stage="maintaining")
    csrf = sign_in(site, CLINIC)
    sent = {"csrf": csrf, "key": key_in(site.get(f"{HERE}/suspend")), "/reason": "Closed."}
    first = site.post(f"{HERE}/suspend", data=sent, follow_redirects=False)
    second = site.post(f"{HERE}/suspend", data=sent, follow_redirects=False)
    assert first.headers["location"] == second.headers["location"]
    assert requests_of(store) == ["taken"]


def test_a_key_with_another_request_is_refused(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    csrf = sign_in(site, CLINIC)
    sent = {"csrf": csrf, "key": key_in(site.get(f"{HERE}/confirm_need"))}
    site.post(f"{HERE}/confirm_need", data=sent)
    again = site.post(f"{HERE}/confirm_need", data=sent | {"/reason": "Another."})
    assert again.status_code == 409
    assert "used for another request" in again.text
    assert "Another." in again.text


def test_a_key_that_is_none_of_ours_is_refused(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    csrf = sign_in(site, CLINIC)
    for key in ("", "x" * 5000, "g" * 32):
        page = site.post(f"{HERE}/confirm_need", data={"csrf": csrf, "key": key})
        assert page.status_code == 409
    assert requests_of(store) == []


def test_a_reason_that_is_missing_is_asked_for_at_its_field(
    site: TestClient, store: Database, now: datetime
) -> None:
    registered(store, now, stage="maintaining")
    csrf = sign_in(site, CLINIC)
    page = ask(site, csrf, "suspend")
    assert page.status_code == 422
    assert "<title>Error: " in page.text
    assert 'aria-invalid="true"' in page.text
    assert requests_of(store) == []


@pytest.mark.parametrize("reason", ["x" * 2001, "null \x00 byte"])
def test_a_reason_that_cannot_be_kept_is_kept_in_its_field(
    both_sites: TestClient, database: Database, now: datetime, reason: str
) -> None:
    registered(database, now, stage="maintaining")
    csrf = sign_in(both_sites, CLINIC)
    page = ask(both_sites, csrf, "suspend", reason=reason)
    assert page.status_code == 422
    assert reason[:5] in page.text
    assert stage_of(database) == "maintaining"


def test_an_end_is_meant_twice(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    csrf = sign_in(site, CLINIC)
    unsure = ask(site, csrf, "withdraw", reason="We do it alone.")
    assert unsure.status_code == 422
    assert "We do it alone." in unsure.text
    assert stage_of(store) == "need_definition"
    ask(site, csrf, "withdraw", reason="We do it alone.", sure="true")
    assert stage_of(store) == "withdrawn"


def test_a_form_of_somewhere_else_changes_nothing(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    csrf = sign_in(site, CLINIC)
    key = key_in(site.get(f"{HERE}/confirm_need"))
    before = contents(store)
    for stolen in ({}, {"csrf": "0" * 64}, {"csrf": csrf[::-1]}):
        for path in (f"{HERE}/confirm_need", f"{HERE}/confirm_need/waivers/N3"):
            page = site.post(path, data={"key": key, "/reason": "x", **stolen})
            assert page.status_code == 403
    assert contents(store) == before


def test_who_only_looks_has_no_form_and_cannot_send_one(
    site: TestClient, store: Database, now: datetime
) -> None:
    registered(store, now)
    with store.write() as connection:
        row = {"email": "owner@main.example", "portfolio": "main", "created_at": now}
        connection.execute(insert(account), row)
    csrf = sign_in(site, "owner@main.example")
    page = site.get(f"{HERE}/confirm_need")
    assert page.status_code == 200
    assert 'name="key"' not in page.text
    refused = site.post(f"{HERE}/confirm_need", data={"csrf": csrf, "key": "0" * 32})
    assert refused.status_code == 403
    assert requests_of(store) == []


def test_sponsors_waive_together(both_sites: TestClient, database: Database, now: datetime) -> None:
    registered(database, now, stage="setting_up")
    documents.put(database, "harbour", "agreement", agreements.agreement(), "clinic-primary", now)
    csrf = sign_in(both_sites, CLINIC)
    assert "Waive it, as a sponsor" not in both_sites.get(f"{HERE}/activate").text
    for email, reason in ((SPONSOR, "It fits."), (CITY_SPONSOR, "So we think.")):
        csrf = sign_in(both_sites, email)
        assert (
            'action="/partnerships/harbour/gates/activate/waivers/T1"'
            in both_sites.get(f"{HERE}/activate").text
        )
        sent = {"csrf": csrf, "/reason": reason}
        answer = both_sites.post(f"{HERE}/activate/waivers/T1", data=sent, follow_redirects=False)
        assert answer.headers["location"] == f"{HERE}/activate?said=waived#T1"
        shown = both_sites.get(answer.headers["location"]).text
        assert "Your consent is recorded" in shown
        assert reason in shown
    finding = next(
        one for one in service.check(database, "harbour", "activate", now).findings if one.code == "T1"
    )
    assert finding.outcome == "waived"


def test_a_waiver_needs_a_reason_and_a_sponsor(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now, stage="setting_up")
    csrf = sign_in(site, SPONSOR)
    page = site.post(f"{HERE}/activate/waivers/T1", data={"csrf": csrf, "/reason": " "})
    assert page.status_code == 422
    assert 'id="f-waive-T1"' in page.text
    assert 'href="#f-waive-T1"' in page.text
    csrf = sign_in(site, CLINIC)
    page = site.post(f"{HERE}/activate/waivers/T1", data={"csrf": csrf, "/reason": "Why not."})
    assert page.status_code == 409
    assert "cannot waive a criterion" in page.text
    csrf = sign_in(site, SPONSOR)
    assert site.post(f"{HERE}/activate/waivers/A1", data={"csrf": csrf, "/reason": "x"}).status_code == 409
    assert site.post(f"{HERE}/activate/waivers/ZZ", data={"csrf": csrf, "/reason": "x"}).status_code == 404


def test_what_prefect_decides_is_kept_and_shown_as_being_decided(
    site: TestClient, store: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def ask_prefect(request_id: str) -> None:
        asked.append(request_id)

    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:1/api")
    monkeypatch.setattr("lifecycle.deciding.ask_prefect", ask_prefect)
    registered(store, now, stage="maintaining")
    csrf = sign_in(site, CLINIC)
    answer = ask(site, csrf, "suspend", reason="Closed.")
    shown = site.get(answer.headers["location"]).text
    assert "It is being decided." in shown
    assert answer.headers["location"].endswith(asked[0])
    assert "It is being decided." in site.get("/partnerships/harbour").text
    service.decide(store, asked[0], now + timedelta(seconds=1))
    assert "It is done." in site.get(answer.headers["location"]).text


def test_what_was_asked_for_stays_to_be_read(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now)
    service.transition(store, "harbour", "confirm_need", "clinic-primary", now)
    sign_in(site, CLINIC)
    shown = site.get(HERE).text
    assert "refused</span>" in shown
    assert "Clinic Primary" in shown


def test_reasons_of_others_do_nothing(site: TestClient, store: Database, now: datetime) -> None:
    registered(store, now, stage="maintaining")
    csrf = sign_in(site, CLINIC)
    answer = ask(site, csrf, "suspend", reason="<script>alert(1)</script>")
    assert "<script>alert" not in site.get(answer.headers["location"]).text
