"""What a form sent, read as a document: names are JSON pointers (RFC 6901), and what is empty is not there. Pure.

A wrong value stays the text that was sent, so that the schema finds the fault at its field and the form can show both.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lifecycle.documents.limits import MAX_DEPTH
from lifecycle.portal.schema_shapes import Schema, parts_of, shape_of, types_of

ABSENT: Any = object()
"""What was read where nothing was sent."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,40}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,40}(\.[0-9]{1,40})?([eE][+-]?[0-9]{1,4})?")
_INDEX = re.compile(r"[0-9]{1,6}")
_TRUTHS = {"true": True, "false": False}


@dataclass
class _Sent:
    """What was sent for one place and for those below it."""

    texts: list[str] = field(default_factory=list)
    below: dict[str, "_Sent"] = field(default_factory=dict)
    grows: bool = False


def decode(schema: Schema, pairs: Iterable[tuple[str, str]], pointer: str = "") -> Any:
    """The content that these names and values stand for; `ABSENT` where all is empty.

    Names that the schema does not know are ignored.

    Args:
        schema: of the place that the form is about.
        pointer: that place.
    """
    return _read(schema, _sorted(pairs, pointer))


def decode_with(schema: Schema, pairs: Iterable[tuple[str, str]], pointer: str, add: str, remove: str) -> Any:
    """The same, with one empty item more in the list at `add`, and without the item at `remove`, where these are named."""
    sent = _sorted(pairs, pointer)
    if remove:
        parent, _, item = remove.rpartition("/")
        held = _place(sent, parent, pointer)
        if held is not None:
            held.below.pop(item, None)
    if add and (grown := _place(sent, add, pointer, make=True)) is not None:
        grown.grows = True
    return _read(schema, sent)


def _sorted(pairs: Iterable[tuple[str, str]], pointer: str) -> _Sent:
    sent = _Sent()
    for name, value in pairs:
        if isinstance(value, str) and (found := _place(sent, name, pointer, make=True)) is not None:
            found.texts.append(value.replace("\r\n", "\n"))
    return sent


def _place(sent: _Sent, name: str, pointer: str, make: bool = False) -> _Sent | None:
    """Where a name leads; None for one that is no pointer below `pointer`, or deeper than any document."""
    if name != pointer and not name.startswith(f"{pointer}/"):
        return None
    steps = name[len(pointer) :].split("/")[1:]
    if len(steps) > MAX_DEPTH:
        return None
    for step in steps:
        key = step.replace("~1", "/").replace("~0", "~")
        found = sent.below.setdefault(key, _Sent()) if make else sent.below.get(key)
        if found is None:
            return None
        sent = found
    return sent


def _read(schema: Schema, sent: _Sent) -> Any:
    shape = shape_of(schema)
    if shape == "group":
        return _filled({name: _read(one, sent.below[name]) for name, one, _ in _known(schema, sent)})
    if shape == "by_name":
        return _filled({key: _read(one, sent.below[key]) for key, one in _named(schema, sent)})
    if shape in {"items", "texts", "lines", "ticks"}:
        return _list(schema, sent)
    return next((value for text in sent.texts if (value := scalar(schema, text)) is not ABSENT), ABSENT)


def _filled(found: dict[str, Any]) -> Any:
    return {name: value for name, value in found.items() if value is not ABSENT} or ABSENT


def _known(schema: Schema, sent: _Sent) -> Iterable[tuple[str, Schema, bool]]:
    return (part for part in parts_of(schema) if part[0] in sent.below)


def _named(schema: Schema, sent: _Sent) -> Iterable[tuple[str, Schema]]:
    for pattern, below in schema["patternProperties"].items():
        yield from ((key, below) for key in sent.below if re.search(pattern, key))


def _list(schema: Schema, sent: _Sent) -> Any:
    below = schema["items"]
    cut = shape_of(schema) in {"texts", "lines"}
    whole = [line for text in sent.texts for line in (text.split("\n") if cut else [text])]
    found = [scalar(below, text) for text in whole] if shape_of(below) != "group" else []
    places = sorted((key for key in sent.below if _INDEX.fullmatch(key)), key=int)
    found += [_read(below, sent.below[key]) for key in places]
    kept = [value for value in found if value is not ABSENT]
    if sent.grows:
        kept.append({} if shape_of(below) == "group" else "")
    return kept or ABSENT


def scalar(schema: Schema, text: str) -> Any:
    """The value of one field: a number or a truth where the schema has one and the text is one, else the text."""
    if not text.strip():
        return ABSENT
    types = types_of(schema)
    if "boolean" in types and text in _TRUTHS:
        return _TRUTHS[text]
    number = _number(text.strip()) if {"integer", "number"} & set(types) else None
    if number is not None:
        return number
    # Nothing with a form of its own begins or ends with a blank, but telephones like to add one.
    return text.strip() if "format" in schema else text


def _number(text: str) -> int | float | None:
    if _INTEGER.fullmatch(text):
        return int(text)
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    return value if math.isfinite(value) else None


def written(value: Any) -> str:
    """A scalar as a field shows it, so that reading it gives the same value."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return "" if value is None else str(value)
