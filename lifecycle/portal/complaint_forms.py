"""The forms of redress: what they send as documents of their schemas, their labels, and their faults in plain words."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from starlette.datastructures import FormData

from lifecycle.documents import rules as documents
from lifecycle.errors import Fault, Invalid
from lifecycle.languages import Language
from lifecycle.partnerships.people import People
from lifecycle.portal import pages
from lifecycle.portal.visits import text

_ABOUT = ("performance", "obligation", "term")
_PIECE = re.compile(r"/evidence/(\d{1,3})/(reference|sha256)")


@dataclass(frozen=True)
class Words:
    """What one field of a schema is called, and what may be written into it."""

    title: str
    description: str
    most: int | None
    """The longest text that it takes."""


@cache
def words_of(kind: str) -> Mapping[str, Words]:
    """The fields of a schema by their JSON pointers; entries of lists by their pointer without a number."""
    return dict(_fields(documents.load_schema(kind), ""))


def _fields(schema: Mapping[str, Any], pointer: str) -> list[tuple[str, Words]]:
    found = []
    for name, one in schema.get("properties", {}).items():
        here = f"{pointer}/{name}"
        most = one.get("maxLength") if "format" not in one else None
        found.append((here, Words(one["title"], one.get("description", ""), most)))
        found += _fields(one.get("items", one), here)
    return found


def complaint_of(sent: FormData) -> dict[str, Any]:
    """What the form of a complaint sent, as `schemas/complaint/v1.json` has it; what was left empty is absent."""
    names = ("against", "facts", "wanted_remedy", "in_answer_to")
    content: dict[str, Any] = {name: text(sent, f"/{name}") for name in names if text(sent, f"/{name}")}
    answered = content.get("in_answer_to", "")
    if answered.isdecimal() and len(answered) < 10:
        content["in_answer_to"] = int(answered)
    kind, _, what = text(sent, "/about").partition(":")
    if kind in _ABOUT and what:
        content["about"] = {kind: what}
    evidence = pieces_of(sent)
    return content | ({"evidence": evidence} if evidence else {})


def pieces_of(sent: FormData) -> list[dict[str, str]]:
    """The pieces of evidence in their order, without those that were left empty."""
    found: dict[int, dict[str, str]] = {}
    for name in sent:
        match = _PIECE.fullmatch(name)
        if match and text(sent, name):
            found.setdefault(int(match[1]), {})[match[2]] = text(sent, name)
    return [piece for _, piece in sorted(found.items())]


def settlement_of(sent: FormData, action: str) -> dict[str, Any]:
    """What the form of a proposal or a decision sent, as `schemas/complaint_proposal/v1.json` has it."""
    fields = words_of("complaint_proposal")
    content: dict[str, Any] = {}
    for pointer in fields:
        value = text(sent, f"{action}{pointer}")
        outer, _, name = pointer[1:].rpartition("/")
        if value and outer:
            content.setdefault(outer, {})[name] = value
        elif value and not any(other.startswith(f"{pointer}/") for other in fields):
            content[name] = value
    return content


_PLACES = {
    "/about/performance": "/about",
    "/about/obligation": "/about",
    "/about/term": "/about",
}


def faults_of(
    error: Invalid | None, language: Language, people: People, kind: str, action: str = ""
) -> Mapping[str, Sequence[str]]:
    """What is wrong with a form, by the name of its field in their order, in the reader's language; for `fields.html`.

    Args:
        people: whose names stand for their ids.
        kind: the schema that names its fields.
        action: what the names of its fields begin with, where one page has several forms.
    """
    found: dict[str, list[str]] = {}
    places = list(words_of(kind))
    faults = error.faults if error is not None else ()
    for fault in sorted(faults, key=lambda one: _order(places, _place(one, kind))):
        name = f"{action}{_place(fault, kind)}"
        mend = pages.with_names(pages.spoken(_mend(fault, language, kind)), people)
        if mend not in found.setdefault(name, []):
            found[name].append(mend)
    return found


def _place(fault: Fault, kind: str) -> str:
    """The field that a fault is shown at: that of a whole is shown at its first part."""
    place = _PLACES.get(fault.pointer, fault.pointer)
    if kind == "complaint_proposal" and place == "/evidence":
        return "/evidence/reference"
    return place


def _order(places: Sequence[str], place: str) -> int:
    known = _without_numbers(place)
    return places.index(known) if known in places else len(places)


def _without_numbers(pointer: str) -> str:
    return re.sub(r"/\d+", "", pointer)


def _mend(fault: Fault, language: Language, kind: str) -> str:
    """The mend. A field that a schema misses is asked for by its label, not by its name."""
    known = words_of(kind).get(_without_numbers(fault.pointer))
    if fault.mend.startswith("Add “") and known is not None:
        return language.gettext("Please fill this in: %(field)s.") % {"field": language.label(known.title)}
    return language.sentence(fault.mend)
