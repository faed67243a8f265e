"""A long document is edited part by part: which parts there are, and how one takes its place in the whole. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lifecycle.documents.limits import escaped
from lifecycle.errors import NotFound
from lifecycle.portal.form_data import ABSENT
from lifecycle.portal.schema_shapes import Schema, at, fields_in, parts_of, shape_of

PAGE = 120
"""As many fields as a page may have; it stays under 100 KB then."""

LONG_KIND = 40
"""A kind of document with more fields than this is edited in parts from its first draft on."""

LONG_ITEM = 15
"""Items with more fields than this are edited one by one."""

WHOLE, BASICS, NEW = "", "basics", "-"
"""Names of parts: all of it; the fields at its top that are in no group; and what follows a list's last item."""


@dataclass(frozen=True)
class Part:
    """One page of a document's form."""

    name: str
    """In addresses: a JSON pointer without its first slash, or one of the names above."""
    pointer: str
    """The place that it fills; empty for the whole, and for the basics."""
    schema: Schema


def are_parts(schema: Schema, content: Any) -> bool:
    """Whether a document is too long for one page."""
    return fields_in(schema) > LONG_KIND or fields_in(schema, content) > PAGE


def one_by_one(schema: Schema, content: Any) -> bool:
    """Whether a list's items have pages of their own."""
    if shape_of(schema) != "items":
        return False
    return fields_in(schema["items"]) > LONG_ITEM or fields_in(schema, content) > PAGE


def names_of(schema: Schema) -> list[str]:
    """The parts of a document, in the order of its schema; lists whose items have pages of their own are one."""
    groups = [name for name, below, _ in parts_of(schema) if _is_a_part(below)]
    return [BASICS, *groups] if len(groups) < len(schema["properties"]) else groups


def _is_a_part(schema: Schema) -> bool:
    return shape_of(schema) in {"group", "items", "texts"}


def part_of(schema: Schema, name: str) -> Part:
    """A part by its name.

    Raises:
        NotFound: the document has none of this name.
    """
    if name == WHOLE:
        return Part(name, "", schema)
    if name == BASICS:
        loose = {key: below for key, below, _ in parts_of(schema) if not _is_a_part(below)}
        return Part(name, "", {**schema, "properties": loose})
    pointer = f"/{name}"
    try:
        return Part(name, pointer, at(schema, pointer))
    except KeyError:
        raise NotFound(
            "This document has no such part.", mend="Choose a part from the list of its parts."
        ) from None


def found_in(content: Any, part: Part) -> Any:
    """What a document holds of a part; `ABSENT` where it holds nothing."""
    if part.name == BASICS:
        names = part.schema["properties"]
        return {key: value for key, value in content.items() if key in names} or ABSENT
    return look_up(content, part.pointer)


def look_up(content: Any, pointer: str) -> Any:
    """What stands at a place of a document; `ABSENT` where nothing does."""
    for step in pointer.split("/")[1:]:
        if isinstance(content, dict):
            content = content.get(step, ABSENT)
        elif isinstance(content, list) and step.isdigit() and int(step) < len(content):
            content = content[int(step)]
        else:
            return ABSENT
    return content


def put_into(content: Mapping[str, Any], part: Part, value: Any) -> tuple[dict[str, Any], str]:
    """The whole document with a part as it is now, and the place that the part has there.

    Args:
        value: `ABSENT` takes the part out.
    """
    if part.name == WHOLE:
        return ({} if value is ABSENT else value), ""
    if part.name == BASICS:
        kept = {name: one for name, one in content.items() if name not in part.schema["properties"]}
        return kept | ({} if value is ABSENT else value), ""
    steps = part.pointer.split("/")[1:]
    whole, place = _put(content, steps, value)
    return ({} if whole is ABSENT else whole), "".join(map(escaped, place))


def _put(content: Any, steps: list[str], value: Any) -> tuple[Any, list[str]]:
    """The content with the value at the steps; what is empty then is `ABSENT`."""
    if not steps:
        return value, []
    first, rest = steps[0], steps[1:]
    if first == NEW or first.isdigit():
        return _put_into_list(list(content) if isinstance(content, list) else [], first, rest, value)
    held = dict(content) if isinstance(content, dict) else {}
    inner, place = _put(held.pop(first, ABSENT), rest, value)
    return (held if inner is ABSENT else held | {first: inner}) or ABSENT, [first, *place]


def _put_into_list(held: list[Any], first: str, rest: list[str], value: Any) -> tuple[Any, list[str]]:
    index = len(held) if first == NEW else min(int(first), len(held))
    before = held[index] if index < len(held) else ABSENT
    inner, place = _put(before, rest, value)
    held[index : index + 1] = [] if inner is ABSENT else [inner]
    return held or ABSENT, [str(index), *place]


def moved(part: Part, before: Any, after: Any) -> Part:
    """The same part where it stands in a newer revision: an item of a list keeps its id, not its number.

    Args:
        before: the document that the form was filled from.
        after: the newest.
    """
    head, _, index = part.pointer.rpartition("/")
    mine = look_up(before, part.pointer)
    others = look_up(after, head)
    if not index.isdigit() or not isinstance(others, list) or mine is ABSENT:
        return part
    same = [place for place, other in enumerate(others) if _is_same(mine, other)]
    place = str(same[0]) if same else NEW
    pointer = f"{head}/{place}"
    return Part(pointer[1:], pointer, part.schema)


def _is_same(mine: Any, other: Any) -> bool:
    if isinstance(mine, dict) and isinstance(other, dict) and "id" in mine:
        return bool(mine["id"] == other.get("id"))
    return bool(mine == other)
