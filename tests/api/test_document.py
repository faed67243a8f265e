"""The OpenAPI document: whole, stable, with examples that its own schemas accept."""

from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from lifecycle.api.app import create
from lifecycle.db import Database
from lifecycle.documents import rules
from tests.api.clients import settings_of

DOCUMENT: dict[str, Any] = create(settings_of("sqlite://"), Database("sqlite://")).openapi()
REGISTRY: Registry[Any] = Registry().with_resource("urn:document", Resource(DOCUMENT, DRAFT202012))


def media() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every body, answer and error: where it is, and what the document says of it."""
    for name, response in DOCUMENT["components"]["responses"].items():
        yield from ((name, found) for found in response["content"].values())
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            places = {"body": operation.get("requestBody", {}), **operation["responses"]}
            for place, body in places.items():
                yield from ((f"{method} {path} {place}", found) for found in body.get("content", {}).values())


def test_it_is_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")


def resolved(schema: Any) -> Any:
    """A schema whose references lead into the document."""
    if isinstance(schema, dict):
        return {
            key: f"urn:document{value}" if key == "$ref" else resolved(value) for key, value in schema.items()
        }
    return [resolved(one) for one in schema] if isinstance(schema, list) else schema


def test_every_body_answer_and_error_has_an_example_that_its_schema_accepts() -> None:
    wrong = {
        where: error.message
        for where, found in media()
        for error in Draft202012Validator(resolved(found["schema"]), registry=REGISTRY).iter_errors(
            found["example"]
        )
    }
    assert not wrong


def test_operation_ids_are_names_and_each_has_a_sentence() -> None:
    operations = [one for methods in DOCUMENT["paths"].values() for one in methods.values()]
    ids = [one["operationId"] for one in operations]
    assert len(ids) == len(set(ids))
    assert all(id_.isidentifier() for id_ in ids)
    assert all(one["description"].endswith(".") for one in operations)


def test_documents_are_described_by_the_schemas_of_the_engine() -> None:
    for kind in ("convening", "need_assessment", "review_response", "complaint"):
        ours = {
            name: value for name, value in rules.load_schema(kind).items() if name not in {"$id", "$schema"}
        }
        assert DOCUMENT["components"]["schemas"][f"{kind}_v1"] == ours
    put = DOCUMENT["paths"]["/v1/partnerships/{id}/documents/agreement"]["put"]
    content = put["requestBody"]["content"]["application/json"]
    assert content["schema"] == {"$ref": "#/components/schemas/agreement_v1"}


def test_every_post_takes_an_idempotency_key_and_every_change_of_a_partnership_a_version() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            names = {one["name"] for one in operation.get("parameters", ())}
            # A provider's post has an idempotency of its own.
            ours = method != "get" and not path.startswith("/v1/hooks/")
            assert ("idempotency-key" in names) == ours, operation["operationId"]
            if 428 in map(int, operation["responses"]):
                assert "if-match" in names, (path, method)
