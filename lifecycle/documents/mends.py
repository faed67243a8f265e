"""One plain sentence for each rule of a schema: what to write instead. Values are never echoed at length. Pure."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from lifecycle.documents.formats import FORMATS

_TYPES = {
    "string": "text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "null": "null",
    "array": "a list",
    "object": "an object of named fields",
}


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that a mistyped one most likely means."""
    from rapidfuzz import process

    found = process.extractOne(name[:80], list(known), score_cutoff=70)
    return found[0] if found else None


def short(text: str) -> str:
    """A name, cut if it is too long to be shown."""
    plain = "".join(character if character.isprintable() else "\ufffd" for character in text[:41])
    return plain if len(plain) <= 40 else plain[:39] + "…"


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    more = f" and {len(names) - 15} more" if len(names) > 15 else ""
    return ", ".join(names[:15]) + more


def unknown_field(name: str, known: Iterable[str], named_by_pattern: bool) -> str:
    """What to do about a field that the schema does not have."""
    if named_by_pattern:
        return (
            f"Rename “{short(name)}” to an id: lower-case letters and digits with single hyphens, at most 64."
        )
    known = list(known)
    guess = nearest(name, known)
    if guess is not None:
        return f"Rename “{short(name)}” to “{guess}”, or remove it."
    return f"Remove “{short(name)}”; the fields here are {_listed(known)}."


def missing_field(name: str, schema: Mapping[str, Any]) -> str:
    """What to write into a field that is missing; `schema` is the field's own."""
    return f"Add “{name}”: {schema['description']}" if "description" in schema else f"Add “{name}”."


def _type(wanted: Any, value: Any, schema: Mapping[str, Any]) -> str:
    names = [wanted] if isinstance(wanted, str) else list(wanted)
    hint = ""
    if "string" in names and isinstance(value, int | float):
        hint = " In YAML, put it in quotes."
    return f"Write {' or '.join(_TYPES[name] for name in names)}.{hint}"


def _enum(wanted: Any, value: Any, schema: Mapping[str, Any]) -> str:
    guess = nearest(value, map(str, wanted)) if isinstance(value, str) else None
    hint = f" “{guess}” is the nearest." if guess else ""
    return f"Write one of: {_listed(map(str, wanted))}.{hint}"


def _max_length(wanted: Any, value: Any, schema: Mapping[str, Any]) -> str:
    return f"Shorten it to at most {wanted} characters; it has {len(value)}."


def _max_items(wanted: Any, value: Any, schema: Mapping[str, Any]) -> str:
    return f"Shorten the list to at most {wanted}; it has {len(value)}."


def _format(wanted: Any, value: Any, schema: Mapping[str, Any]) -> str:
    return FORMATS[wanted].mend


MENDS: Mapping[str, Callable[[Any, Any, Mapping[str, Any]], str]] = {
    "type": _type,
    "enum": _enum,
    "format": _format,
    "maxLength": _max_length,
    "maxItems": _max_items,
    "minLength": lambda *_: "Write something here, or leave the field out.",
    "minItems": lambda wanted, *_: f"List at least {wanted}.",
    "minimum": lambda wanted, *_: f"Write a number of at least {wanted}.",
    "maximum": lambda wanted, *_: f"Write a number of at most {wanted}.",
    "minProperties": lambda wanted, *_: f"Fill in at least {wanted} field.",
    "maxProperties": lambda wanted, *_: f"Keep at most {wanted} fields.",
    "uniqueItems": lambda *_: "Name each entry only once.",
}
"""For each keyword of a schema: (the keyword's value, the wrong value, the schema around it) → what to write."""
