"""Objections by API: the same service as the link's page."""

from tests.api.clients import Clients, today
from tests.builders import registered
from tests.obligations.agreements import agreement

ASKED = {"kind": "agreement", "revision": 1, "reason": "The list has to come on Wednesday."}


def test_an_objection_is_recorded_once_and_listed_until_it_is_settled(api: Clients) -> None:
    registered(api.database, today(), stage="setting_up")
    api.speaking_for("clinic-primary").put("/partnerships/harbour/documents/agreement", agreement())
    city = api.speaking_for("city-sponsor")
    made = [city.post("/partnerships/harbour/objections", ASKED) for _ in range(2)]
    assert [one.status_code for one in made] == [201, 201]
    assert made[0].json() == made[1].json()
    listed = city.get("/partnerships/harbour/objections").json()["items"]
    assert [(one["contact_id"], one["reason"], one["state"]) for one in listed] == [
        ("city-sponsor", ASKED["reason"], "open")
    ]
    city.post("/partnerships/harbour/signoffs", {"kind": "agreement", "revision": 1})
    assert city.get("/partnerships/harbour/objections").json()["items"][0]["state"] == "signed"


def test_what_is_wrong_with_an_objection_is_said_at_its_field(api: Clients) -> None:
    registered(api.database, today(), stage="setting_up")
    api.speaking_for("clinic-primary").put("/partnerships/harbour/documents/agreement", agreement())
    city = api.speaking_for("city-sponsor")
    for reason in ("", "   "):
        answer = city.post("/partnerships/harbour/objections", ASKED | {"reason": reason})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/reason")
    assert city.get("/partnerships/harbour/objections").json()["items"] == []
    answer = city.post("/partnerships/harbour/objections", ASKED | {"revision": 2})
    assert answer.status_code == 404
