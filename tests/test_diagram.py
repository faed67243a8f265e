"""The picture is drawn from the stage table, and says in words what it shows."""

import itertools
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from lifecycle import diagram, stages
from lifecycle.notices import words

SVG = "{http://www.w3.org/2000/svg}"


def test_every_stage_and_every_arrow_has_its_place() -> None:
    assert set(diagram.CENTRES) == set(stages.STAGES)
    assert set(diagram.LINES) == {(arrow.source, arrow.target) for arrow in stages.ARROWS}
    pairs = [(arrow.source, arrow.target) for arrow in stages.ARROWS]
    assert len(pairs) == len(set(pairs)), "two events between the same stages need two lines"


def test_no_two_boxes_touch_and_none_leaves_the_picture() -> None:
    for (_, (x, y)), (_, (u, v)) in itertools.combinations(diagram.CENTRES.items(), 2):
        assert abs(x - u) >= diagram.BOX_WIDTH + 20 or abs(y - v) >= diagram.BOX_HEIGHT + 20
    for x, y in diagram.CENTRES.values():
        assert diagram.BOX_WIDTH / 2 <= x <= diagram.WIDTH - diagram.BOX_WIDTH / 2
        assert diagram.BOX_HEIGHT / 2 <= y <= diagram.HEIGHT - diagram.BOX_HEIGHT / 2


@pytest.mark.parametrize("current", [None, *stages.STAGES])
def test_the_svg_is_well_formed_and_speaks(current: str | None) -> None:
    root = ElementTree.fromstring(diagram.svg(current))
    assert root.attrib["role"] == "img"
    named = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
    assert set(root.attrib["aria-labelledby"].split()) <= named
    assert root.find(f"{SVG}title") is not None
    said = root.findtext(f"{SVG}desc") or ""
    assert all(f"{a.event} leads to {a.target}" in said for a in stages.ARROWS)
    marked = [g for g in root.iter(f"{SVG}g") if "current" in g.attrib.get("class", "").split()]
    assert [g.findtext(f"{SVG}text") for g in marked] == ([current] if current else [])
    if current:
        assert f"The present stage is {current}." in said
        assert "present stage" in "".join(marked[0].itertext())


def test_nothing_is_loaded_from_elsewhere() -> None:
    drawn = diagram.svg("maintaining").replace('xmlns="http://www.w3.org/2000/svg"', "")
    for outside in ("http", "href", "@import", "<script", "<image", "foreignObject"):
        assert outside not in drawn


def _possible(current: str, suspended_from: str | None = None) -> list[str]:
    root = ElementTree.fromstring(diagram.svg(current, suspended_from))
    return [
        str(g.findtext(f"{SVG}text")) for g in root.iter(f"{SVG}g") if g.attrib.get("class") == "possible"
    ]


def test_the_ways_out_of_the_current_stage_stand_out() -> None:
    for stage in stages.STAGES:
        assert set(_possible(stage)) == set(stages.events_allowed(stage))
    assert _possible("suspended", "evaluating").count("resume") == 1


def test_mermaid_has_every_arrow() -> None:
    drawn = diagram.mermaid("starting").splitlines()
    assert drawn[0] == "stateDiagram-v2"
    for arrow in stages.ARROWS:
        assert f"    {arrow.source} --> {arrow.target}: {arrow.event}" in drawn
    assert drawn[-1] == "    class starting current"


def _inline(current: str, suspended_from: str | None = None, say: Callable[[str], str] = str) -> str:
    return diagram.inline(current, suspended_from, "The stages", "In words.", say)


@pytest.mark.parametrize("current", stages.STAGES)
def test_a_page_has_the_picture_without_a_style_of_its_own(current: str) -> None:
    drawn = _inline(current)
    root = ElementTree.fromstring(drawn)
    for forbidden in ("<style", "style=", "<script", "href", "http"):
        assert forbidden not in drawn
    named = {element.attrib["id"] for element in root.iter() if "id" in element.attrib}
    assert set(root.attrib["aria-labelledby"].split()) <= named
    marked = [g for g in root.iter("g") if "current" in g.attrib.get("class", "").split()]
    assert len(marked) == 1
    assert "▶ present stage" in [tspan.text for tspan in marked[0].iter("tspan")]
    assert len(list(marked[0].iter("rect"))) == 2, "a second frame marks it without colour"


@pytest.mark.parametrize("current", stages.STAGES)
def test_the_picture_of_a_page_shows_the_same_ways_out(current: str) -> None:
    root = ElementTree.fromstring(_inline(current))
    ways = [
        " ".join(str(tspan.text) for tspan in g.iter("tspan"))
        for g in root.iter("g")
        if "possible" in g.attrib.get("class", "").split()
    ]
    wanted = {words.EVENTS[event] for event in stages.events_allowed(current)}
    assert set(ways) == wanted


def test_the_picture_of_a_page_speaks_its_readers_language_and_escapes_it() -> None:
    drawn = _inline("starting", say=lambda english: f"<{english}>")
    assert "&lt;starting&gt;" in drawn
    assert "<starting>" not in drawn
