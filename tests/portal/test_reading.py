"""A document on a page: everything that it says, in words, in its schema's order, and each part with its own anchor."""

import copy
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle import languages
from lifecycle.documents import rules
from lifecycle.documents.limits import escaped
from lifecycle.documents.queries import Revision
from lifecycle.partnerships.people import Contact, People
from lifecycle.portal import pages, reading
from lifecycle.portal.reading import Rule

EXAMPLES = Path("lifecycle/examples/tram-corridor-research")
PEOPLE = People(
    {"harbour-clinic": "Harbour Clinic"},
    {
        "amira-haddad": Contact(
            "p", "amira-haddad", "harbour-clinic", "primary", "Amira Haddad", "a@clinic.example", "", False
        )
    },
)
_PAGE = """{% from "document_view.html" import document with context -%}
{% from "differences.html" import differences with context -%}
{{ document(part, 2) }}<hr>{{ differences(changes, 2, false) }}"""


def revision(kind: str, content: Any, number: int = 1) -> Revision:
    return Revision(kind, "", number, 1, rules.sha256(content), content, "amira-haddad", datetime.now(UTC))


def shown(part: reading.Part, changes: list[reading.Difference] | None = None, language: str = "en") -> str:
    """The document and its changes as a page has them."""
    page = pages.environment(language).from_string(_PAGE)
    return page.render(part=part, changes=changes or [], language=languages.of(language), zone=UTC)


def leaves(content: Any, pointer: str = "") -> Iterator[str]:
    """The place of every value that is not empty."""
    if isinstance(content, dict):
        for name, child in content.items():
            yield from leaves(child, pointer + escaped(name))
    elif isinstance(content, list):
        for place, child in enumerate(content):
            yield from leaves(child, f"{pointer}/{place}")
    elif content not in ("", None):
        yield pointer


class _Tags(HTMLParser):
    """Whether every element is closed where it should be."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in {"br", "hr"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def examples() -> Iterator[tuple[str, Any]]:
    for kind in rules.KINDS:
        for content in rules.load_schema(kind)["examples"]:
            yield kind, content


@pytest.mark.parametrize(("kind", "content"), list(examples()))
def test_every_value_of_every_kind_has_its_place_once(kind: str, content: Any) -> None:
    page = shown(reading.content_of(revision(kind, content), PEOPLE))
    anchors = re.findall(r'\bid="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    # What an entry is called stands in its heading, and needs no field of its own.
    named = {pointer for pointer in leaves(content) if pointer.endswith("/id")}
    assert {reading.anchor(pointer) for pointer in set(leaves(content)) - named} <= set(anchors)
    tags = _Tags()
    tags.feed(page)
    assert not tags.open


@pytest.mark.parametrize(("kind", "content"), list(examples()))
def test_fields_stand_in_the_order_of_their_schema(kind: str, content: Any) -> None:
    part = reading.content_of(revision(kind, content), PEOPLE)
    known = list(rules.load_schema(kind)["properties"])
    order = [known.index(one.pointer.removeprefix("/")) for one in part.parts]
    assert order == sorted(order)


def test_what_is_empty_is_left_out_and_an_empty_calendar_is_told() -> None:
    content = {"aims": [], "vision": {"goals": []}, "holidays": "", "time_zone": "Europe/London"}
    part = reading.content_of(revision("agreement", content), PEOPLE)
    assert [one.pointer for one in part.parts] == ["/time_zone", "/holidays"]
    assert "weekends only" in shown(part)


def test_a_reference_leads_to_what_it_names() -> None:
    content = {
        "vision": {"goals": [{"id": "fewer-falls", "statement": "Fewer falls."}]},
        "targets": [{"id": "t1", "goal_id": "fewer-falls", "statement": "A fifth."}],
    }
    page = shown(reading.content_of(revision("agreement", content), PEOPLE))
    assert '<a href="#at/vision/goals/0">fewer-falls</a>' in page
    assert 'id="at/vision/goals/0"' in page


@pytest.mark.parametrize(
    ("value", "rule", "said"),
    [
        ("FREQ=DAILY", Rule("DAILY", 1), "every day"),
        ("FREQ=MONTHLY;INTERVAL=3", Rule("MONTHLY", 3), "every 3 months"),
        ("FREQ=MONTHLY;BYMONTHDAY=28", Rule("MONTHLY", 1, day=28), "every month, on day 28"),
        (
            "FREQ=WEEKLY;INTERVAL=2;BYDAY=TH,MO",
            Rule("WEEKLY", 2, (0, 3)),
            "every 2 weeks: Monday and Thursday",
        ),
        ("FREQ=YEARLY", Rule("YEARLY", 1), "every year"),
        (14, Rule("DAILY", 14), "every 14 days"),
        ("FREQ=MONTHLY;BYDAY=-1FR", None, "<code>FREQ=MONTHLY;BYDAY=-1FR</code>"),
        ("FREQ=DAILY;COUNT=3", None, "<code>FREQ=DAILY;COUNT=3</code>"),
    ],
)
def test_a_recurrence_is_told_in_words_where_it_is_simple(value: Any, rule: Rule | None, said: str) -> None:
    assert reading.rule_of(value) == rule
    content = {"obligations": [{"id": "lists", "act": "Sends lists.", "observed_every": value}]}
    assert said in shown(reading.content_of(revision("agreement", content), PEOPLE))


def test_small_entries_become_a_table_and_larger_ones_stand_below_each_other() -> None:
    periods = [{"starts_on": "2027-04-01", "value": 1200.5}, {"ends_on": "2028-03-31", "value": 3}]
    indicator = {"id": "falls", "title": "Falls", "targets": periods}
    page = shown(reading.content_of(revision("agreement", {"indicators": [indicator]}), PEOPLE))
    assert page.count("<table>") == 1
    assert '<td id="at/indicators/0/targets/0/value" class="figure">1,200.5</td>' in page
    assert "<td>–</td>" in page


def test_a_whole_number_says_what_it_counts() -> None:
    page = shown(reading.content_of(revision("agreement", {"exit": {"notice_days": 90}}), PEOPLE))
    assert re.search(r"90 <span[^>]*>– Calendar days of notice\.</span>", page)


def test_the_same_is_said_in_another_language() -> None:
    content = {"term": {"starts_on": "2027-04-01"}, "exit": {"notice_days": 1500}}
    page = shown(reading.content_of(revision("agreement", content), PEOPLE), language="es")
    assert "1 de abril de 2027" in page
    assert "1.500" in page or "1500" in page


def from_file(name: str, number: int) -> Revision:
    return revision("agreement", rules.parse((EXAMPLES / name).read_bytes()), number)


def test_what_changed_is_told_in_the_order_of_the_document_under_its_titles() -> None:
    before, after = from_file("agreement-r1.yaml", 1), from_file("agreement-r2.yaml", 2)
    told = reading.changes_of(before, after, PEOPLE)
    paths = [" › ".join(step.text for step in one.path) for one in told]
    assert "Obligations › wear-forecast › Standard › Measure" in paths
    assert [path.partition(" ")[0] for path in paths] == sorted(path.partition(" ")[0] for path in paths)
    assert all(bool(one.anchor) == (one.what != "removed") for one in told)
    page = shown(reading.content_of(after, PEOPLE), told)
    assert {one.anchor for one in told if one.what == "changed"} <= set(re.findall(r'\bid="([^"]+)"', page))


def test_the_first_revision_has_no_changes() -> None:
    assert reading.changes_of(None, from_file("agreement-r1.yaml", 1), PEOPLE) == []


def test_another_order_of_entries_is_told_by_their_names() -> None:
    goals = [{"id": name, "statement": name} for name in ("one", "two")]
    before, after = (
        revision("agreement", {"vision": {"goals": list(order)}}) for order in (goals, goals[::-1])
    )
    (told,) = reading.changes_of(before, after, PEOPLE)
    assert (told.what, told.order) == ("reordered", ("two", "one"))
    assert "In another order" in shown(reading.content_of(after, PEOPLE), [told])


def test_of_a_long_text_the_words_around_the_change_are_told() -> None:
    long = "word " * 200
    before = revision("agreement", {"decisions": {"method": f"{long}Monday {long}"}})
    after = revision("agreement", {"decisions": {"method": f"{long}Friday {long}"}})
    (told,) = reading.changes_of(before, after, PEOPLE)
    assert [run.what for run in told.runs] == ["same", "deleted", "inserted", "same"]
    assert told.runs[0].text.startswith(" word") is False
    assert told.runs[0].text.startswith("…")
    assert told.runs[0].text.endswith("word ")
    assert told.runs[-1].text.endswith("…")
    assert all(len(run.text) < 100 for run in told.runs)


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)


@settings(max_examples=50)
@given(data=st.data())
def test_whatever_changes_in_an_agreement_can_be_told(data: st.DataObject) -> None:
    content = rules.load_schema("agreement")["examples"][0]
    other = copy.deepcopy(content)
    for _ in range(data.draw(st.integers(1, 6))):
        change(other, data)
    before, after = revision("agreement", content), revision("agreement", other, 2)
    told = reading.changes_of(before, after, PEOPLE)
    assert bool(told) == (before.sha256 != after.sha256)
    tags = _Tags()
    tags.feed(shown(reading.content_of(after, PEOPLE), told))
    assert not tags.open


def change(node: Any, data: st.DataObject) -> None:
    """Change something somewhere, as people do: take out, put in another order, write another text."""
    while True:
        keys = sorted(node) if isinstance(node, dict) else list(range(len(node)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        inner = node[key]
        if isinstance(inner, dict | list) and data.draw(st.booleans()):
            node = inner
            continue
        if isinstance(node, list) and data.draw(st.booleans()):
            data.draw(st.randoms()).shuffle(node)
        elif isinstance(inner, str) and " " in inner and data.draw(st.booleans()):
            node[key] = data.draw(TEXT)
        elif key != "id":
            del node[key]
        return
