"""Reading JSON or YAML from people and programs, safely: no duplicate keys, anchors, tags or surprises. Pure.

YAML is read by the types of JSON: `on` and `no` are text, `2027-03-31` is text, and only `true`, `false`, `null` and
numbers in the form of JSON are more than text.
"""

import json
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from lifecycle.documents import limits
from lifecycle.errors import Fault, Invalid

if TYPE_CHECKING:
    from yaml.events import Event, ScalarEvent

# Strings, so that brackets in them do not count; one that never ends is taken to the end, to stay linear.
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_NOT_FINITE = {".nan": "nan", ".inf": "inf", "+.inf": "inf", "-.inf": "-inf"}
_WORDS = {"true": True, "false": False, "null": None, "~": None, "": None}
_TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")


class _Pairs(list[tuple[str, Any]]):
    """An object as it was written, doubled keys included."""


def parse(source: str | bytes) -> Any:
    """The value that a JSON or YAML text stands for. What begins with `{` or `[` is read as JSON.

    Raises:
        Invalid: not UTF-8, over 1 MiB, deeper than 32, doubled keys, numbers that are none, YAML anchors or tags,
            or a mistake of syntax with its line.
    """
    text = _decoded(source)
    written = _read_json(text) if text.lstrip()[:1] in {"{", "["} else _read_yaml(text)
    faults: list[Fault] = []
    value = _built(written, "", faults)
    faults.extend(limits.faults_of(value))
    if faults:
        raise Invalid(limits.capped(faults), "The file")
    return value


def _decoded(source: str | bytes) -> str:
    try:
        encoded = source.encode() if isinstance(source, str) else source
        if len(encoded) > limits.MAX_BYTES:
            raise _wrong(limits.TOO_LARGE)
        text = encoded.decode("utf-8-sig")
    except UnicodeError as error:
        raise _wrong(Fault("", "encoding", "Save the file as UTF-8 text.")) from error
    if not text.strip():
        raise _wrong(Fault("", "empty", "Write the document: the file is empty."))
    return text


def _wrong(fault: Fault) -> Invalid:
    return Invalid([fault], "The file")


def _built(written: Any, pointer: str, faults: list[Fault]) -> Any:
    """Objects from their pairs; doubled keys become faults."""
    if isinstance(written, _Pairs):
        value: dict[str, Any] = {}
        for key, child in written:
            where = pointer + limits.escaped(key)
            if key in value:
                faults.append(Fault(where, "duplicate key", "Keep one of the fields with this name."))
            value[key] = _built(child, where, faults)
        return value
    if isinstance(written, list):
        return [_built(child, f"{pointer}/{index}", faults) for index, child in enumerate(written)]
    return written


def _read_json(text: str) -> Any:
    _require_shallow(text)
    try:
        return json.loads(text, object_pairs_hook=_Pairs, parse_int=_integer)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise _wrong(Fault("", "syntax", f"Mend the JSON at {place}: {error.msg}.")) from error


def _require_shallow(text: str) -> None:
    """The reader of JSON recurses, so the depth is counted before it runs."""
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > limits.MAX_DEPTH:
            raise _wrong(limits.too_deep(""))


def _integer(digits: str) -> int:
    """The integer, or one too large to be accepted: Python refuses to read very long ones at all."""
    return int(digits) if len(digits) <= 17 else limits.MAX_SAFE_INTEGER + 1


def _read_yaml(text: str) -> Any:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return _assembled(yaml.parse(text, Loader=loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else "its end"
        raise _wrong(Fault("", "syntax", f"Mend the YAML at {place}: {error.problem}.")) from error
    except yaml.YAMLError as error:
        raise _wrong(
            Fault("", "syntax", "Remove the control characters that YAML does not allow.")
        ) from error


def _assembled(events: Iterable["Event"]) -> Any:
    """The one document of a stream of YAML events."""
    from yaml.events import DocumentStartEvent

    stream = iter(events)
    documents = [_node(next(stream), stream, 0) for event in stream if isinstance(event, DocumentStartEvent)]
    if len(documents) != 1:
        raise _wrong(Fault("", "syntax", "Write exactly one YAML document in a file."))
    return documents[0]


def _node(event: "Event", stream: Iterator["Event"], depth: int) -> Any:
    """The value that begins with this event. Nothing is built beyond the depth allowed, nor for anchors and tags."""
    from yaml.events import MappingStartEvent, ScalarEvent, SequenceEndEvent, SequenceStartEvent

    _require_plain(event)
    if isinstance(event, ScalarEvent):
        return _scalar(event)
    if depth >= limits.MAX_DEPTH:
        raise _wrong(limits.too_deep(""))
    if isinstance(event, MappingStartEvent):
        return _Pairs(_fields(stream, depth))
    assert isinstance(event, SequenceStartEvent)
    items = []
    while not isinstance(following := next(stream), SequenceEndEvent):
        items.append(_node(following, stream, depth + 1))
    return items


def _fields(stream: Iterator["Event"], depth: int) -> Iterator[tuple[str, Any]]:
    from yaml.events import MappingEndEvent, ScalarEvent

    while not isinstance(key := next(stream), MappingEndEvent):
        _require_plain(key)
        if not isinstance(key, ScalarEvent):
            raise _wrong(Fault("", "syntax", f"Write a text as the name of the field in {_line(key)}."))
        yield key.value, _node(next(stream), stream, depth + 1)


def _require_plain(event: "Event") -> None:
    if getattr(event, "anchor", None) is not None:
        raise _wrong(
            Fault("", "anchor", f"Write the value out in {_line(event)}: anchors and aliases are not read.")
        )
    if getattr(event, "tag", None) not in _TEXT_TAGS:
        raise _wrong(Fault("", "tag", f"Remove the tag (!…) in {_line(event)}."))


def _line(event: "Event") -> str:
    return f"line {event.start_mark.line + 1}" if event.start_mark else "it"


def _scalar(event: "ScalarEvent") -> Any:
    """The value of a scalar by the types of JSON; what is quoted, or tagged as text, is text."""
    text = str(event.value)
    if not event.implicit[0]:
        return text
    if text.lower() in _WORDS and text in {text.lower(), text.upper(), text.capitalize()}:
        return _WORDS[text.lower()]
    if text.lower() in _NOT_FINITE:
        return float(_NOT_FINITE[text.lower()])
    if _INTEGER.fullmatch(text):
        return _integer(text)
    return float(text) if _NUMBER.fullmatch(text) else text
