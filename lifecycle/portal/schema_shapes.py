"""What the places of a JSON Schema (draft 2020-12) are to a form: the shapes that our schemas use. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

Schema = Mapping[str, Any]
Shape = Literal["group", "by_name", "items", "ticks", "texts", "lines", "choice", "truth", "number", "text"]
"""`group`: named fields. `by_name`: lists under names that the schema does not know. `items`: a list of groups. `ticks`: a
list of what can be chosen. `texts`: a list of long texts. `lines`: a list of short ones, each on its line. `choice`: one of
several. `truth`: yes or no. The others are what they are called."""

LINE = 200
"""Up to so many characters, a text is written into one line."""

REGISTERED = frozenset({"partner-id", "contact-id"})
"""Formats whose values are chosen among what is registered."""

# What may be a text or a number is written as a text.
_BY_TYPE: tuple[tuple[str, Shape], ...] = (
    ("string", "text"),
    ("boolean", "truth"),
    ("number", "number"),
    ("integer", "number"),
)
_BELOW: Mapping[str, Shape] = {"group": "items", "choice": "ticks"}


def shape_of(schema: Schema) -> Shape:
    """How this place is asked for.

    Raises:
        ValueError: no form can: the schema says nothing of what it holds.
    """
    if "properties" in schema:
        return "group"
    if "patternProperties" in schema:
        return "by_name"
    if "items" in schema:
        return _BELOW.get(shape_of(schema["items"]), "texts" if is_long(schema["items"]) else "lines")
    if "enum" in schema or schema.get("format") in REGISTERED:
        return "choice"
    return _of_type(schema)


def _of_type(schema: Schema) -> Shape:
    types = types_of(schema)
    for wanted, shape in _BY_TYPE:
        if wanted in types:
            return shape
    raise ValueError(f"No form can ask for what this describes: {sorted(schema)}")


def types_of(schema: Schema) -> tuple[str, ...]:
    """The types that this place may have; none where the schema does not say."""
    named = schema.get("type", ())
    return (named,) if isinstance(named, str) else tuple(named)


def is_long(schema: Schema) -> bool:
    """Whether a text may be longer than one line."""
    return bool(schema.get("maxLength", LINE + 1) > LINE) and "format" not in schema


def parts_of(schema: Schema) -> Iterator[tuple[str, Schema, bool]]:
    """The fields of a group: name, schema, whether it must be there."""
    required = schema.get("required", ())
    for name, below in schema["properties"].items():
        yield name, below, name in required


def at(schema: Schema, pointer: str) -> Schema:
    """The schema of the place that a JSON pointer (RFC 6901) leads to; `-` is what follows a list's last.

    Raises:
        KeyError: it leads nowhere.
    """
    found = schema
    for step in pointer.split("/")[1:]:
        if "items" in found:
            if not (step == "-" or (step.isascii() and step.isdigit())):
                raise KeyError(step)
            found = found["items"]
        else:
            found = found.get("properties", {})[step]
    return found


def fields_in(schema: Schema, content: Any = None) -> int:
    """How many fields a form of this has with this content; a list that is empty counts as one of its items."""
    shape = shape_of(schema)
    if shape == "group":
        inside = content if isinstance(content, dict) else {}
        return sum(fields_in(below, inside.get(name)) for name, below, _ in parts_of(schema))
    if shape == "items":
        return sum(fields_in(schema["items"], one) for one in content or [None])
    return max(1, len(content or ())) if shape == "texts" else 1
