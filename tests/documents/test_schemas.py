"""The schemas themselves: valid, documented, closed, bounded, and good enough to render a form from."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from lifecycle.documents import rules
from lifecycle.documents.formats import FORMATS
from lifecycle.documents.mends import MENDS

KINDS = tuple(rules.VERSIONS)
KEYWORDS_WITHOUT_VERDICT = {"$schema", "$id", "title", "description", "examples", "properties", "items"}
KEYWORDS_REPORTED_ELSEWHERE = {"required", "additionalProperties", "patternProperties"}


def nodes(schema: dict[str, Any], pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every subschema with the pointer of the values it describes."""
    yield pointer, schema
    for name, child in (schema.get("properties", {}) | schema.get("patternProperties", {})).items():
        yield from nodes(child, f"{pointer}/{name}")
    if "items" in schema:
        yield from nodes(schema["items"], f"{pointer}/-")


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def schema(kind: str) -> dict[str, Any]:
    return rules.load_schema(kind)


def test_every_schema_is_a_valid_2020_12_schema_with_its_own_address(
    kind: str, schema: dict[str, Any]
) -> None:
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"https://partnership-lifecycle.example/schemas/{kind}/v1.json"


def test_every_schema_has_an_example_and_every_example_is_valid(kind: str, schema: dict[str, Any]) -> None:
    assert schema["examples"]
    for example in schema["examples"]:
        rules.validate(kind, example)


def test_the_example_of_a_document_fills_every_top_level_field(kind: str, schema: dict[str, Any]) -> None:
    unused = schema["properties"].keys() - schema["examples"][0].keys() - {"notice_given_on"}
    assert not unused


def test_everything_has_a_title_and_a_description(schema: dict[str, Any]) -> None:
    bare = [pointer for pointer, node in nodes(schema) if not (node.get("title") and node.get("description"))]
    assert bare == []


def test_every_example_of_a_field_is_valid_for_that_field(schema: dict[str, Any]) -> None:
    for pointer, node in nodes(schema):
        for example in node.get("examples", ()):
            accepted = Draft202012Validator(node).is_valid(example)
            well_formed = (
                not isinstance(example, str)
                or "format" not in node
                or FORMATS[node["format"]].accepts(example)
            )
            assert accepted, pointer
            assert well_formed, pointer


def test_nothing_allows_unknown_fields(schema: dict[str, Any]) -> None:
    open_ones = [
        pointer
        for pointer, node in nodes(schema)
        if node.get("type") == "object" and node.get("additionalProperties") is not False
    ]
    assert open_ones == []


def test_everything_is_bounded(schema: dict[str, Any]) -> None:
    bounds = {"string": "maxLength", "array": "maxItems"}
    unbounded = [
        pointer
        for pointer, node in nodes(schema)
        for type_name, bound in bounds.items()
        if type_name in node.get("type", "") and bound not in node
    ]
    assert unbounded == []


def test_every_format_is_really_checked_and_every_rule_has_its_mend(schema: dict[str, Any]) -> None:
    known = MENDS.keys() | KEYWORDS_WITHOUT_VERDICT | KEYWORDS_REPORTED_ELSEWHERE
    for pointer, node in nodes(schema):
        assert node.keys() <= known, pointer
        assert node.get("format") in {None, *FORMATS}, pointer


def test_a_draft_with_a_title_and_a_purpose_can_be_stored() -> None:
    rules.validate("need_assessment", {"title": "Draft", "purpose": "To be written"})


@pytest.mark.parametrize(
    "missing", ["standard", "observer", "obligor", "obligee", "due", "evidence", "decider"]
)
def test_what_a_gate_checks_is_not_a_matter_of_the_schema(missing: str) -> None:
    agreement = copy.deepcopy(rules.load_schema("agreement")["examples"][0])
    del agreement["obligations"][0][missing]
    del agreement["redress"]["levels"][1:]
    rules.validate("agreement", agreement)


def test_a_single_alternative_is_stored_and_left_to_the_gate() -> None:
    rules.validate(
        "need_assessment", {"title": "T", "purpose": "P", "alternatives": [{"option": "Do nothing"}]}
    )
