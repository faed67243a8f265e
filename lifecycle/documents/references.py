"""Whom a document names: the contact and partner ids in it, found by the formats of its schema. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from lifecycle.documents import rules
from lifecycle.documents.limits import escaped
from lifecycle.errors import Fault, Invalid

_KNOWN_AS = {"contact-id": "contact", "partner-id": "partner"}


def require_known(kind: str, content: Any, contacts: Collection[str], partners: Collection[str]) -> None:
    """Refuse a document that names people or organisations who are not registered in its partnership.

    Raises:
        Invalid: every unknown name, each with its JSON pointer.
    """
    known = {"contact": contacts, "partner": partners}
    faults = [
        Fault(
            pointer, f"known {what}", f"“{name}” is not registered: register this {what}, or correct the id."
        )
        for pointer, what, name in references(rules.load_schema(kind), content)
        if name not in known[what]
    ]
    if faults:
        raise Invalid(faults, f"The {kind}")


def references(schema: Mapping[str, Any], content: Any, pointer: str = "") -> Iterator[tuple[str, str, str]]:
    """Every (JSON pointer, `contact` or `partner`, id) that valid content holds where its schema says so."""
    if isinstance(content, str):
        what = _KNOWN_AS.get(schema.get("format", ""))
        if what is not None:
            yield pointer, what, content
    elif isinstance(content, list):
        for index, item in enumerate(content):
            yield from references(schema.get("items", {}), item, f"{pointer}/{index}")
    elif isinstance(content, dict):
        for name, value in content.items():
            yield from references(_property(schema, name), value, f"{pointer}{escaped(name)}")


def _property(schema: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = schema.get("properties", {}).get(name, {})
    if found:
        return found
    return next(
        (child for pattern, child in schema.get("patternProperties", {}).items() if re.search(pattern, name)),
        {},
    )
