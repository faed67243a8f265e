"""The example partnerships are what they claim to be: valid, whole, invented, and broken only where they say so."""

import re
from pathlib import Path
from typing import Any

import pytest

from lifecycle.documents import rules
from tests.examples.reading import FILES, FOLDER, PARTNERSHIPS, kind_of, leaves, read, registered

_NAMES = [str(path.relative_to(FOLDER)) for path in FILES]
_AGREEMENTS = [path for path in FILES if kind_of(path) == "agreement"]


every_file = pytest.mark.parametrize("path", FILES, ids=_NAMES)
every_agreement = pytest.mark.parametrize(
    "path", _AGREEMENTS, ids=[f"{p.parent.name}/{p.stem}" for p in _AGREEMENTS]
)


def _content(path: Path) -> Any:
    return read(path.parent.name, path.stem)


def test_there_are_three_partnerships() -> None:
    assert PARTNERSHIPS == ["harbour-healthy-start", "school-breakfasts", "tram-corridor-research"]
    assert [read(one, "partnership")["id"] for one in PARTNERSHIPS] == PARTNERSHIPS


@every_file
def test_every_document_is_valid(path: Path) -> None:
    rules.validate(kind_of(path), _content(path))


@every_file
def test_a_document_names_only_people_and_organisations_that_are_registered(path: Path) -> None:
    partners, contacts = registered(path.parent.name)
    for pointer, value, schema in leaves(_content(path), rules.load_schema(kind_of(path))):
        if schema["description"].endswith("A contact id."):
            assert value in contacts, pointer
        if schema["description"].endswith("A partner id."):
            assert value in partners, pointer
        if pointer.startswith("/redress/levels/") and "/people/" in pointer:
            assert pointer.split("/")[5] in partners, pointer


@every_file
def test_people_are_named_by_their_organisation_only(path: Path) -> None:
    """A `person` beside an `organisation` belongs to it."""
    home = {
        c["id"]: p["id"] for p in read(path.parent.name, "partnership")["partners"] for c in p["contacts"]
    }
    for one in _objects(_content(path)):
        for field in (
            "person",
            "by_whom",
            "confirmed_by",
            "accepted_by",
            "primary_contact",
            "deputy",
            "sponsor",
            "owner",
        ):
            if field in one and "organisation" in one:
                assert home[one[field]] == one["organisation"], one
        if "observer" in one:
            assert home[one["observer"]] == one["obligee"], one["id"]


def _objects(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [found for child in value for found in _objects(child)]
    if isinstance(value, dict):
        return [value, *(found for child in value.values() for found in _objects(child))]
    return []


@every_file
def test_no_name_of_a_person_stands_in_a_document(path: Path) -> None:
    if kind_of(path) == "partnership":
        return
    people = [c for p in read(path.parent.name, "partnership")["partners"] for c in p["contacts"]]
    text = path.read_text(encoding="utf-8")
    words = {word for person in people for word in person["name"].split()}
    assert [word for word in words if re.search(rf"\b{word}\b", text)] == []


@every_file
def test_every_address_is_invented(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    hosts = re.findall(r"@([\w.-]+)", text) + re.findall(r"https?://([\w.-]+)", text)
    assert [host for host in hosts if not host.endswith(".example")] == []


@pytest.mark.parametrize("partnership_id", PARTNERSHIPS)
def test_every_partner_has_a_primary_contact_a_deputy_and_a_sponsor(partnership_id: str) -> None:
    for partner in read(partnership_id, "partnership")["partners"]:
        roles = [contact["role"] for contact in partner["contacts"]]
        assert {"primary", "deputy", "sponsor"} <= set(roles)
        assert all("time_zone" in contact for contact in partner["contacts"])


@every_agreement
def test_an_agreement_has_six_to_ten_obligations(path: Path) -> None:
    assert 6 <= len(_content(path)["obligations"]) <= 10


@every_agreement
def test_every_section_of_an_agreement_is_filled(path: Path) -> None:
    content, schema = _content(path), rules.load_schema("agreement")
    assert content.keys() == schema["properties"].keys()
    wanted = schema["properties"]["obligations"]["items"]["properties"].keys() - {"choice"}
    for obligation in content["obligations"]:
        assert wanted <= obligation.keys(), obligation["id"]


@every_file
def test_references_within_a_document_resolve(path: Path) -> None:
    content = _content(path)
    goals = {g["id"] for g in content.get("goals", content.get("vision", {}).get("goals", []))}
    remedies = {r["id"] for r in content.get("redress", {}).get("remedies", [])}
    milestones = {m["id"] for m in content.get("plan", [])}
    for one in _objects(content):
        assert set(one.get("goal_ids", [])) | {one.get("goal_id")} - {None} <= goals
        assert "remedy_ref" not in one or one["remedy_ref"] in remedies
        assert "after_milestone" not in one or one["after_milestone"] in milestones


def test_the_evaluation_and_the_exit_plan_refer_to_the_agreement() -> None:
    agreement = read("harbour-healthy-start", "agreement")
    indicators = {one["id"] for one in agreement["indicators"]}
    measured = [
        one["indicator"] for one in read("harbour-healthy-start", "evaluation-r2")["indicator_actuals"]
    ]
    assert set(measured) == indicators
    obligations = {one["id"] for one in agreement["obligations"]}
    left = {one["obligation"] for one in read("harbour-healthy-start", "exit_plan")["last_obligations"]}
    assert left <= obligations


def test_every_respondent_answers_every_round_once_in_full() -> None:
    asked = read("harbour-healthy-start", "agreement")["reviews"]["respondents"]
    files = sorted(path.stem for path in FILES if kind_of(path) == "review_response")
    assert files == sorted(f"review_response-{number}-{who}" for number in (1, 2, 3, 4) for who in asked)
    for file in files:
        response = read("harbour-healthy-start", file)
        assert response["round"] == int(file.split("-")[1])
        assert [a["question"] for a in response["answers"]] == [f"q{n}" for n in range(1, 15)]


def test_three_answers_are_negative_and_say_why() -> None:
    negative = []
    for path in FILES:
        if kind_of(path) == "review_response":
            low = [a for a in _content(path)["answers"] if (a["score"] or 5) <= 2]
            assert all(a["comment"] for a in low)
            negative += [(path.stem.removeprefix("review_response-"), a["question"]) for a in low]
    assert negative == [("1-amira-haddad", "q8"), ("1-isla-drummond", "q11"), ("4-isla-drummond", "q13")]


def test_the_first_agreement_on_trams_has_the_defects_that_the_second_mends() -> None:
    first, second = (read("tram-corridor-research", f"agreement-r{n}") for n in (1, 2))
    assert "in a timely manner" in first["obligations"][0]["act"]
    assert [o["id"] for o in first["obligations"] if "best efforts" in o["act"]] == ["track-closures"]
    assert [o["id"] for o in first["obligations"] if o["observed_every"] == "FREQ=MONTHLY"] == [
        "thickness-measured"
    ]
    assert "kaisla-sensing" not in {o["obligor"] for o in first["obligations"]}
    assert len(first["redress"]["levels"]) == 2
    assert {o["observed_every"] for o in second["obligations"]} == {7}
    assert {o["obligor"] for o in second["obligations"]} == registered("tram-corridor-research")[0]
    assert len(second["redress"]["levels"]) == 4
    differing = {part for part in first if first[part] != second[part]}
    assert differing == {"obligations", "redress"}


def test_no_document_is_dated_before_what_it_rests_on() -> None:
    for partnership_id, need in [
        ("harbour-healthy-start", "need_assessment"),
        ("school-breakfasts", "need_assessment-r2"),
        ("tram-corridor-research", "need_assessment"),
    ]:
        content = read(partnership_id, need)
        decided = content["decision"]["on"]
        earlier = [c["on"] for c in content["consultations"]] + [c["on"] for c in content["commitments"]]
        assert max([*earlier, content["duplicate_research"]["searched_on"]]) <= decided
