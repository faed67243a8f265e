"""Bodies that are documents: described by the JSON Schemas of `schemas/`, and validated by them in the services."""

from functools import cache
from typing import Any

from lifecycle.documents import rules

NAMES = frozenset(rules.VERSIONS) - {"questionnaire"}
"""The schemas that bodies refer to."""


def body_of(kind: str) -> dict[str, Any]:
    """The part of a route's documentation that says: the body is such a document, or `partner`: a part of a registration."""
    schema = _described()[name_of(kind)]
    content = {"schema": {"$ref": f"#/components/schemas/{name_of(kind)}"}, "example": schema["examples"][0]}
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def name_of(kind: str) -> str:
    """What the OpenAPI document calls a schema: with its version, and unlike any shape of ours."""
    return f"{kind}_v{rules.VERSIONS.get(kind, rules.VERSIONS['partnership'])}"


@cache
def _described() -> dict[str, dict[str, Any]]:
    registration = rules.load_schema("partnership")
    partner = registration["properties"]["partners"]["items"]
    kinds = {kind: rules.load_schema(kind) for kind in sorted(NAMES)}
    kinds["partner"] = partner | {"examples": registration["examples"][0]["partners"]}
    return {name_of(kind): schema for kind, schema in kinds.items()}


def components() -> dict[str, dict[str, Any]]:
    """The schemas, as the OpenAPI document holds them: their own addresses are left out."""
    return {
        name: _for_generators({key: value for key, value in schema.items() if key not in {"$schema", "$id"}})
        for name, schema in _described().items()
    }


def _for_generators(node: Any) -> Any:
    """The same in the words that client generators know: of an object's own names, `patternProperties` is not one."""
    if isinstance(node, list):
        return [_for_generators(one) for one in node]
    if not isinstance(node, dict):
        return node
    told = {name: _for_generators(value) for name, value in node.items()}
    if "patternProperties" in told:
        ((pattern, schema),) = told.pop("patternProperties").items()
        told |= {"propertyNames": {"pattern": pattern}, "additionalProperties": schema}
    return told
