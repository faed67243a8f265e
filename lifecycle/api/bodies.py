"""Bodies that are documents: described by the JSON Schemas of `schemas/`, and validated by them in the services."""

from typing import Any

from lifecycle.documents import rules

NAMES = frozenset(rules.VERSIONS) - {"questionnaire"}
"""The schemas that bodies refer to."""


def body_of(kind: str, *path: str) -> dict[str, Any]:
    """The part of a route's documentation that says: the body is such a document, or a part of it.

    Args:
        kind: whose schema.
        path: where in the schema the part is.
    """
    reference = "/".join(("#/components/schemas", name_of(kind), *path))
    content: dict[str, Any] = {"schema": {"$ref": reference}}
    schema: Any = rules.load_schema(kind)
    if not path:
        content["example"] = schema["examples"][0]
    else:
        content["example"] = schema["examples"][0]["partners"][0]
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def name_of(kind: str) -> str:
    """What the OpenAPI document calls a schema: with its version, and unlike any shape of ours."""
    return f"{kind}_v{rules.VERSIONS[kind]}"


def components() -> dict[str, dict[str, Any]]:
    """The schemas, as the OpenAPI document holds them: their own names and addresses are left out."""
    return {
        name_of(kind): {
            name: value for name, value in rules.load_schema(kind).items() if name not in {"$schema", "$id"}
        }
        for kind in sorted(NAMES)
    }
