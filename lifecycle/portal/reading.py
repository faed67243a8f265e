"""A document as a page shows it: its content in the order and under the titles of its schema, and what has changed.

Only structure is made here; the templates `document_view.html` and `differences.html` say it in the reader's language.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from itertools import groupby
from typing import Any, Literal

from lifecycle.documents import rules
from lifecycle.documents.differences import Change, Run, differences, words
from lifecycle.documents.limits import escaped
from lifecycle.documents.queries import Revision
from lifecycle.partnerships.people import People

Form = Literal[
    "text", "day", "instant", "number", "truth", "choice", "person", "organisation",
    "rule", "rule_text", "reference", "web", "code", "holidays", "empty",
    "values", "entries", "table", "section",
]  # fmt: skip
"""How a part is shown: what is not a value by itself is a list of values, of entries, or a section."""

MAX_COLUMNS = 4
"""More columns than a narrow screen has room for: such entries are shown one below the other."""

KEPT_AROUND = 80
"""So many characters around a change are shown of a text that stayed."""

_FORMATS: Mapping[str, Form] = {
    "contact-id": "person",
    "partner-id": "organisation",
    "date": "day",
    "email": "text",
    "holidays": "holidays",
    "sha256": "code",
    "slug": "code",
    "time-zone": "text",
    "uri": "web",
}
_SHORT = frozenset({"day", "instant", "number", "truth", "choice", "person", "organisation", "rule"})
_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_DAY = f"(?:{'|'.join(_DAYS)})"
_RULES = tuple(
    re.compile(rf"FREQ=(?P<unit>{units})(?:;INTERVAL=(?P<every>\d{{1,4}}))?{more}")
    for units, more in (
        ("DAILY|WEEKLY|MONTHLY|YEARLY", ""),
        ("WEEKLY", rf";BYDAY=(?P<weekdays>{_DAY}(?:,{_DAY})*)"),
        ("MONTHLY", r";BYMONTHDAY=(?P<day>\d{1,2})"),
    )
)


@dataclass(frozen=True)
class Rule:
    """A recurrence rule that has simple words."""

    unit: str
    """`DAILY`, `WEEKLY`, `MONTHLY` or `YEARLY`."""
    every: int
    weekdays: tuple[int, ...] = ()
    """0 for Monday."""
    day: int | None = None
    """Of the month."""


@dataclass(frozen=True)
class Part:
    """A value of a document with its place and title, or a list or section of such parts."""

    pointer: str
    title: str
    """The schema's, in English; a name of ours or theirs where `is_named`."""
    form: Form
    value: Any = None
    parts: tuple["Part", ...] = ()
    number: int | None = None
    """Of an entry of a list: which it is, from 1."""
    name: str = ""
    """Of an entry of a list: what the document calls it (its id)."""
    is_named: bool = False
    meaning: str = ""
    """Of a whole number: what it counts, as the schema describes it."""

    @property
    def anchor(self) -> str:
        """Its id on the page."""
        return anchor(self.pointer)

    @property
    def is_fact(self) -> bool:
        """Whether it stands beside its title, without a heading of its own."""
        return self.form not in {"entries", "table", "section"}

    @property
    def is_line(self) -> bool:
        """Whether it is a value by itself, told within a line."""
        return self.is_fact and self.form != "values"

    @property
    def stretches(self) -> list[tuple[bool, list["Part"]]]:
        """Its parts, those that follow each other as facts together: (are they facts?, parts)."""
        return [(facts, list(parts)) for facts, parts in groupby(self.parts, key=lambda part: part.is_fact)]

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The titles of a table."""
        return tuple(dict.fromkeys(cell.title for row in self.parts for cell in row.parts))

    def cell(self, title: str) -> "Part | None":
        """The part of this title; None where it was left out."""
        return next((part for part in self.parts if part.title == title), None)


@dataclass(frozen=True)
class Step:
    """One step of the way to a place: a title of the schema, or a name of theirs; of an entry without one its number."""

    text: str
    is_named: bool = False
    number: int | None = None


@dataclass(frozen=True)
class Difference:
    """One change between two revisions, as a page tells it."""

    what: Literal["added", "removed", "changed", "reordered"]
    path: tuple[Step, ...]
    anchor: str
    """Where it stands in the newer revision; empty of what was taken out."""
    before: Part | None = None
    after: Part | None = None
    runs: tuple[Run, ...] = ()
    """Of a changed text: its words."""
    order: tuple[str, ...] = ()
    """Of a list in another order: what its entries are called, as they stand now."""


def anchor(pointer: str) -> str:
    """The id on the page of a JSON pointer, such as `at/obligations/3/act`; gates' evidence links to it."""
    return f"at{pointer}"


def content_of(document: Revision, people: People) -> Part:
    """The whole document; what is empty in it is left out."""
    schema = rules.load_schema(document.kind, document.schema_version)
    reader = _Reader(people, _places_of_ids(document.content))
    return reader.part(schema, document.content, "") or Part("", schema["title"], "section")


def changes_of(before: Revision | None, after: Revision, people: People) -> list[Difference]:
    """What changed from one revision to another, in the order of the document; nothing where there was none before."""
    if before is None:
        return []
    reader = _Reader(people, {})
    found = []
    for change in differences(before.content, after.content):
        was = _way(reader, before, change.before_pointer)
        now = _way(reader, after, change.after_pointer)
        found.append(((now or was or _NOWHERE).order, _told(change, was, now, reader)))
    return [told for _, told in sorted(found, key=lambda one: one[0])]


@dataclass(frozen=True)
class _Way:
    """What leads to a place: the steps, its own schema, and its rank in the order of the document."""

    steps: tuple[Step, ...]
    schema: Mapping[str, Any]
    order: tuple[int, ...]


_NOWHERE = _Way((), {}, ())


def _way(reader: "_Reader", revision: Revision, pointer: str | None) -> _Way | None:
    if pointer is None:
        return None
    schema: Mapping[str, Any] = rules.load_schema(revision.kind, revision.schema_version)
    content: Any = revision.content
    steps: list[Step] = []
    order: list[int] = []
    for raw in pointer.split("/")[1:]:
        name = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(content, list):
            place = int(name)
            schema, content = schema.get("items", {}), content[place]
            name = _id_of(content)
            steps.append(Step(name, True) if name else Step(schema.get("title", ""), number=place + 1))
            order.append(place)
        else:
            order.append(_rank(schema, name))
            schema, title, is_named = reader.field(schema, name)
            content = content[name]
            steps.append(Step(title, is_named))
    return _Way(tuple(steps), schema, tuple(order))


def _told(change: Change, was: _Way | None, now: _Way | None, reader: "_Reader") -> Difference:
    path = (now or was or _NOWHERE).steps
    here = "" if change.after_pointer is None else anchor(change.after_pointer)
    if change.what == "reordered":
        return Difference("reordered", path, here, order=tuple(change.after))
    before, after = (
        None if way is None else _without_id(reader.shown(way.schema, value, ""))
        for way, value in ((was, change.before), (now, change.after))
    )
    runs: Sequence[Run] = ()
    if before is not None and after is not None and before.form == after.form == "text":
        runs = _shortened(words(change.before, change.after))
    return Difference(change.what, path, here, before, after, tuple(runs))


def _shortened(runs: Sequence[Run]) -> list[Run]:
    """Without what stayed far from any change."""
    last = len(runs) - 1
    return [
        replace(run, text=_ends(run.text, place > 0, place < last))
        if run.what == "same" and len(run.text) > 3 * KEPT_AROUND
        else run
        for place, run in enumerate(runs)
    ]


def _ends(text: str, follows: bool, precedes: bool) -> str:
    """Of a text between changes the words next to the one that it follows, and to the one that it precedes."""
    start = text[:KEPT_AROUND].rpartition(" ")[0] + " " if follows else ""
    end = " " + text[-KEPT_AROUND:].partition(" ")[2] if precedes else ""
    return f"{start}…{end}"


def _rank(schema: Mapping[str, Any], name: str) -> int:
    known = list(schema.get("properties", {}))
    return known.index(name) if name in known else len(known)


def _places_of_ids(content: Any) -> dict[str, str]:
    """What the document calls its entries → where each stands; an id that two entries have leads nowhere."""
    found: dict[str, list[str]] = {}
    for name, pointer in _ids(content, ""):
        found.setdefault(name, []).append(pointer)
    return {name: pointers[0] for name, pointers in found.items() if len(pointers) == 1}


def _ids(content: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(content, dict):
        if isinstance(content.get("id"), str):
            yield content["id"], pointer
        for name, child in content.items():
            yield from _ids(child, pointer + escaped(name))
    elif isinstance(content, list):
        for place, child in enumerate(content):
            yield from _ids(child, f"{pointer}/{place}")


@dataclass(frozen=True)
class _Reader:
    """Who knows the names that ids stand for."""

    people: People
    places: Mapping[str, str]

    def shown(self, schema: Mapping[str, Any], value: Any, pointer: str) -> Part:
        """A value by itself, an empty one too."""
        return self.part(schema, value, pointer) or Part(pointer, schema.get("title", ""), "empty")

    def part(self, schema: Mapping[str, Any], value: Any, pointer: str, title: str = "") -> Part | None:
        """A value at its place; None of what is empty."""
        title = title or schema.get("title", "")
        if isinstance(value, dict):
            parts = tuple(self._fields(schema, value, pointer))
            return Part(pointer, title, "section", parts=parts) if parts else None
        if isinstance(value, list):
            return self._list(schema, value, pointer, title)
        form, shown = self._leaf(schema, value)
        # “5” says nothing by itself: whether days, working days or points, only the description says.
        meaning = schema.get("description", "") if schema.get("type") == "integer" else ""
        return None if form == "empty" else Part(pointer, title, form, shown, meaning=meaning)

    def field(self, schema: Mapping[str, Any], name: str) -> tuple[Mapping[str, Any], str, bool]:
        """A field's schema and title, and whether that is a name instead of words."""
        known: Mapping[str, Any] | None = schema.get("properties", {}).get(name)
        if known is not None:
            return known, known.get("title") or _spoken(name), False
        for pattern, child in schema.get("patternProperties", {}).items():
            if re.search(pattern, name):
                return child, self._name_of(name), True
        return {}, _spoken(name), False

    def _name_of(self, name: str) -> str:
        person = self.people.contacts.get(name)
        return person.name if person is not None else self.people.partners.get(name, name)

    def _fields(self, schema: Mapping[str, Any], value: Mapping[str, Any], pointer: str) -> Iterator[Part]:
        for name in sorted(value, key=lambda name: (_rank(schema, name), name)):
            child, title, is_named = self.field(schema, name)
            part = self.part(child, value[name], pointer + escaped(name), title)
            if part is not None:
                yield replace(part, is_named=is_named)

    def _list(self, schema: Mapping[str, Any], value: list[Any], pointer: str, title: str) -> Part | None:
        items = schema.get("items", {})
        parts = []
        for place, item in enumerate(value):
            part = self.part(items, item, f"{pointer}/{place}")
            if part is not None:
                parts.append(replace(_without_id(part), number=place + 1, name=_id_of(item)))
        if not parts:
            return None
        form: Form = "values" if all(not isinstance(item, dict | list) for item in value) else "entries"
        if form == "entries" and _fits_in_a_table(parts):
            form = "table"
        return Part(pointer, title, form, parts=tuple(parts))

    def _leaf(self, schema: Mapping[str, Any], value: Any) -> tuple[Form, Any]:
        if isinstance(value, bool):
            return "truth", value
        format_ = schema.get("format", "")
        if isinstance(value, int | float):
            return ("rule", rule_of(int(value))) if format_ == "rrule" else ("number", value)
        if value is None or (value == "" and format_ != "holidays"):
            return "empty", None
        if "enum" in schema:
            return "choice", _spoken(value)
        return self._text(format_, value)

    def _text(self, format_: str, value: str) -> tuple[Form, Any]:
        if format_ == "rrule":
            rule = rule_of(value)
            return ("rule_text", value) if rule is None else ("rule", rule)
        if format_ in {"contact-id", "partner-id"}:
            return _FORMATS[format_], self._name_of(value)
        if format_ == "slug" and value in self.places:
            return "reference", (value, anchor(self.places[value]))
        if format_ == "date-time":
            return "instant", datetime.fromisoformat(value.upper())
        return _FORMATS.get(format_, "text"), value


def rule_of(value: str | int) -> Rule | None:
    """A recurrence rule that has simple words, or a number of days; None of another rule."""
    if isinstance(value, int):
        return Rule("DAILY", value)
    found = next(filter(None, (form.fullmatch(value) for form in _RULES)), None)
    if found is None:
        return None
    said = found.groupdict()
    weekdays = {_DAYS.index(day) for day in (said.get("weekdays") or "").split(",") if day}
    day = said.get("day")
    return Rule(
        said["unit"], int(said["every"] or 1), tuple(sorted(weekdays)), None if day is None else int(day)
    )


def _id_of(entry: Any) -> str:
    return str(entry.get("id", "")) if isinstance(entry, dict) else ""


def _without_id(entry: Part) -> Part:
    """An entry without the field that it is named by: its name stands above it."""
    return replace(entry, parts=tuple(one for one in entry.parts if one.pointer != f"{entry.pointer}/id"))


def _spoken(name: Any) -> str:
    return str(name).replace("_", " ")


def _fits_in_a_table(entries: Sequence[Part]) -> bool:
    cells = [cell for entry in entries for cell in entry.parts]
    titles = {cell.title for cell in cells}
    return len(entries) > 1 and len(titles) <= MAX_COLUMNS and all(cell.form in _SHORT for cell in cells)
