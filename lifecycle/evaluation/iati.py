"""IATI activity XML (version 2.03): reading the results of an activity without loss, and writing a whole activity.

A result is kept as it came, as nested `[name, attributes, text, children]`, so that what was imported is exported again:
narratives in every language, references, locations, dimensions, document links, extensions of others.
Source: the IATI Activity Standard 2.03, https://iatistandard.org/en/iati-standard/203/activity-standard/.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from lifecycle.errors import Fault, Invalid
from lifecycle.evaluation.queries import Actual

if TYPE_CHECKING:
    from lxml.etree import _Element

MAX_BYTES = 8 * 1024 * 1024
VERSION = "2.03"
OURS = "https://partnership-lifecycle.example/indicators/"
"""The vocabulary that marks the indicators of a partnership's own agreement, before its id."""

Node = list[Any]
"""[name, attributes, text, children]; a name in a namespace is in James Clark's notation, `{uri}name`."""


@dataclass(frozen=True)
class Activity:
    """An activity of a file: its identifier and its results."""

    identifier: str
    results: list[Node]


def read(data: bytes) -> list[Activity]:
    """The activities of an IATI file.

    Nothing is fetched and no entity is resolved: a document type declaration is refused before anything is read of it.

    Raises:
        Invalid: too large, not well-formed, with a document type, or no IATI activities of version 2.
    """
    from lxml import etree

    if len(data) > MAX_BYTES:
        raise _invalid("", "size", f"Keep the file below {MAX_BYTES // 1024 // 1024} MiB.")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise _invalid(
            f"line {line}" if line else "", "xml", f"Write well-formed XML: {_short(error)}."
        ) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise _invalid("", "doctype", "Leave the document type declaration out: no entity is resolved.")
    if any(not isinstance(node.tag, str) for node in root.iter()):
        raise _invalid("", "entity", "Write characters themselves instead of entities.")
    if root.tag == "iati-activities" and not re.fullmatch(r"2\.0[1-3]", root.get("version", "")):
        raise _invalid("/iati-activities/@version", "version", "Give a file of version 2.01 to 2.03.")
    found = root.findall("iati-activity") if root.tag == "iati-activities" else [root]
    if root.tag not in {"iati-activities", "iati-activity"} or not found:
        raise _invalid("", "iati", "Give an IATI activity file: `iati-activities` with an `iati-activity`.")
    return [
        Activity((one.findtext("iati-identifier") or "").strip(), [_node(r) for r in one.findall("result")])
        for one in found
    ]


def _short(error: Exception) -> str:
    return str(error).partition(", line")[0].strip().rstrip(".")[:200]


def _invalid(pointer: str, rule: str, mend: str) -> Invalid:
    return Invalid([Fault(pointer, rule, mend)], "The IATI file")


def _node(element: "_Element") -> Node:
    """An element without the white space that only lays it out."""
    children = list(element)
    text = element.text or ""
    mixed = [child.tail for child in children if child.tail and child.tail.strip()]
    if mixed or (children and text.strip()):
        raise _invalid(
            f"line {element.sourceline}", "mixed", f"Let “{element.tag}” have text or elements, not both."
        )
    return [
        str(element.tag), dict(element.attrib.items()), "" if children else text, [_node(c) for c in children],
    ]  # fmt: skip


def is_ours(result: Node, partnership_id: str) -> bool:
    """Whether a result was exported from the agreement of this very partnership."""
    uri = OURS + partnership_id
    return any(
        child[0] == "reference" and child[1].get("indicator-uri") == uri
        for indicator in result[3]
        if indicator[0] == "indicator"
        for child in indicator[3]
    )


@dataclass(frozen=True)
class About:
    """What an activity says of the partnership itself."""

    identifier: str
    title: str
    description: str
    language: str
    reporting: tuple[str, str]
    """(id, name) of the organisation that reports."""
    partners: Sequence[tuple[str, str, str]]
    """(id, name, role code) of each partner."""
    status: str
    dates: Sequence[tuple[str, str]]
    """(type code, ISO date)."""


def write(about: About, results: Sequence[Node], written_at: datetime) -> bytes:
    """A whole activity file with these results, fit for the published schema where they are."""
    from lxml import etree

    root = etree.Element("iati-activities", {"version": VERSION, "generated-datetime": _instant(written_at)})
    language = {"{http://www.w3.org/XML/1998/namespace}lang": about.language}
    activity = etree.SubElement(root, "iati-activity", language)
    for node in (*_head(about), *results):
        _append(activity, node)
    etree.indent(root)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _append(parent: "_Element", node: Node) -> None:
    from lxml import etree

    name, attributes, text, children = node
    element = etree.SubElement(parent, name, dict(attributes))
    element.text = text or None
    for child in children:
        _append(element, child)


def _head(about: About) -> Iterator[Node]:
    ref, name = about.reporting
    yield ["iati-identifier", {}, about.identifier, []]
    yield ["reporting-org", {"ref": ref, "type": "90"}, "", [_narrative(name)]]
    yield ["title", {}, "", [_narrative(about.title)]]
    yield ["description", {}, "", [_narrative(about.description)]]
    for partner_id, partner_name, role in about.partners:
        yield ["participating-org", {"ref": partner_id, "role": role}, "", [_narrative(partner_name)]]
    yield ["activity-status", {"code": about.status}, "", []]
    for kind, day in about.dates:
        yield ["activity-date", {"type": kind, "iso-date": day}, "", []]


def _narrative(text: str) -> Node:
    return ["narrative", {}, _NOT_XML.sub("", text), []]


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML document can hold (XML 1.0, production 2)."""


TYPES = {"output": "1", "outcome": "2", "impact": "3"}


def result_of(indicator: Mapping[str, Any], actuals: Sequence[Actual], partnership_id: str) -> Node:
    """An agreed indicator with its actuals, as a result."""
    title = ["title", {}, "", [_narrative(indicator["title"])]]
    unit = str(indicator.get("unit", ""))
    measured = " – ".join(filter(None, (indicator.get("measure"), unit)))
    described = [["description", {}, "", [_narrative(measured)]]] if measured else []
    reference = {"vocabulary": "99", "code": indicator["id"], "indicator-uri": OURS + partnership_id}
    inner: list[Node] = [title, *described, ["reference", reference, "", []]]
    baseline = indicator.get("baseline", {})
    if "value" in baseline:
        year = {"year": str(baseline["year"])} if "year" in baseline else {"year": "1900"}
        inner.append(["baseline", {**year, "value": _number(baseline["value"])}, "", []])
    inner += _periods(indicator, actuals)
    attributes = {
        "measure": "2" if "percent" in unit or "%" in unit else "1",
        "ascending": "1" if indicator.get("ascending", True) else "0",
    }
    outer = {"type": TYPES[indicator.get("level", "outcome")], "aggregation-status": "0"}
    return ["result", outer, "", [title, ["indicator", attributes, "", inner]]]


def _periods(indicator: Mapping[str, Any], actuals: Sequence[Actual]) -> list[Node]:
    targets = {
        (target["starts_on"], target["ends_on"]): target["value"]
        for target in indicator.get("targets", ())
        if {"starts_on", "ends_on"} <= target.keys()
    }
    recorded: dict[tuple[str, str], list[Actual]] = {}
    for one in actuals:
        recorded.setdefault((one.starts_on.isoformat(), one.ends_on.isoformat()), []).append(one)
    return [
        ["period", {}, "", [
            ["period-start", {"iso-date": period[0]}, "", []],
            ["period-end", {"iso-date": period[1]}, "", []],
            *([["target", {"value": _number(targets[period])}, "", []]] if period in targets else []),
            *(_actual(one) for one in recorded.get(period, ())),
        ]]
        for period in sorted({*targets, *recorded})
    ]  # fmt: skip


def _actual(one: Actual) -> Node:
    dimensions = [
        ["dimension", {"name": name, "value": value}, "", []]
        for name, value in sorted(one.dimensions.items())
    ]
    comment = [["comment", {}, "", [_narrative(one.comment)]]] if one.comment else []
    return ["actual", {"value": _number(one.value)}, "", [*dimensions, *comment]]


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else repr(float(value))
