"""The parts of a long document: how far each is filled, and what the next gate still wants of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lifecycle import stages
from lifecycle.db import Database
from lifecycle.gates.report import Criterion, Finding
from lifecycle.languages import Language
from lifecycle.partnerships import service
from lifecycle.partnerships.changes import Partnership
from lifecycle.portal import form_parts, guide
from lifecycle.portal.form_data import ABSENT
from lifecycle.portal.form_parts import BASICS
from lifecycle.portal.schema_shapes import Schema, parts_of

GATES: Mapping[str, str] = {
    "need_assessment": "confirm_need",
    "convening": "agree_to_partner",
    "agreement": "activate",
    "exit_plan": "close",
}
"""The gate that reads a kind of document."""


@dataclass(frozen=True)
class Entry:
    """One item of a list that has a page of its own."""

    name: str
    called: str


@dataclass(frozen=True)
class Listed:
    """One part as the list shows it."""

    name: str
    label: str
    hint: str
    asked: tuple[Criterion, ...]
    filled: int
    """How many of its fields, or of its entries, are filled."""
    is_list: bool
    entries: Sequence[Entry] | None
    """Of a list that is edited entry by entry."""
    missing: Sequence[Finding]


def listed(
    language: Language, schema: Schema, content: Mapping[str, Any], missing: Mapping[str, Sequence[Finding]]
) -> list[Listed]:
    """Every part of a document, in the order of its schema.

    Args:
        missing: `missing_in`.
    """
    return [_listed(language, schema, content, name, missing) for name in form_parts.names_of(schema)]


def _listed(
    language: Language,
    schema: Schema,
    content: Mapping[str, Any],
    name: str,
    missing: Mapping[str, Sequence[Finding]],
) -> Listed:
    part = form_parts.part_of(schema, name)
    held = form_parts.found_in(content, part)
    is_basic = name == BASICS
    description = "" if is_basic else part.schema["description"]
    singly = not is_basic and form_parts.one_by_one(part.schema, None if held is ABSENT else held)
    return Listed(
        name,
        language.gettext("General") if is_basic else language.label(part.schema["title"]),
        guide.without_codes(language.label(description)),
        guide.asked(description),
        0 if held is ABSENT else len(held),
        "items" in part.schema,
        list(_entries(name, held)) if singly else None,
        missing.get(name, ()),
    )


def _entries(name: str, held: Any) -> Iterator[Entry]:
    for index, one in enumerate([] if held is ABSENT else held):
        texts = [value for value in one.values() if isinstance(value, str)]
        told = next((one[key] for key in _CALLED if isinstance(one.get(key), str)), (texts or [""])[0])
        yield Entry(f"{name}/{index}", told)


_CALLED = ("act", "name", "statement", "title", "milestone", "measure")
"""What tells one item of a list from another, the best first."""


def missing_in(
    database: Database, record: Partnership, kind: str, schema: Schema, now: datetime
) -> Mapping[str, Sequence[Finding]]:
    """What keeps the next gate shut, by the part in which it is mended; nothing where that gate is not next."""
    event = GATES.get(kind)
    if event is None or event not in stages.events_allowed(record.stage):
        return {}
    report = service.check(database, record.id, event, now)
    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        if finding.outcome == "unmet":
            for name in _parts_of(finding, kind, schema):
                found.setdefault(name, []).append(finding)
    return found


def _parts_of(finding: Finding, kind: str, schema: Schema) -> Sequence[str]:
    """The parts that a finding is read from; else those that say they answer it."""
    places = (one.pointer.split("/")[1] for one in finding.evidence if one.document == kind and one.pointer)
    names = form_parts.names_of(schema)
    read = dict.fromkeys(place if place in names else BASICS for place in places)
    if read:
        return list(read)
    return [
        name
        for name, below, _ in parts_of(schema)
        if name in names and finding.code in {one.code for one in guide.asked(below["description"])}
    ]
