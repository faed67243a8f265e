"""Forms from schemas: what they show is what is read back; whatever is sent, reading it never fails."""

import random
import string
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import StrictUndefined

from lifecycle import languages
from lifecycle.documents import rules
from lifecycle.errors import Fault, Invalid
from lifecycle.gates.criteria import CRITERIA
from lifecycle.partnerships.people import Contact, People
from lifecycle.portal import form_parts, guide, pages
from lifecycle.portal.document_kinds import READABLE
from lifecycle.portal.form_data import ABSENT, decode, decode_with
from lifecycle.portal.form_parts import part_of
from lifecycle.portal.forms import placed
from lifecycle.portal.schema_forms import Field, Maker
from lifecycle.portal.schema_shapes import shape_of
from tests.examples import reading as examples
from tests.portal.sending import form_of, pairs_of

ENGLISH = languages.of("en")
PEOPLE = People(
    {"clinic": "The Clinic", "city": "The City"},
    {
        f"{partner}-{role}": Contact(
            "p", f"{partner}-{role}", partner, role, f"{partner} {role}", "", "", False
        )
        for partner in ("clinic", "city")
        for role in ("primary", "sponsor")
    },
)
KNOWN_FILES = [path for path in examples.FILES if examples.kind_of(path) in READABLE]
SCHEMAS = {kind: rules.load_schema(kind) for kind in READABLE}


def form(schema: dict[str, Any], content: Any, name: str = "", **more: Any) -> Field:
    whole = content if isinstance(content, dict) else {}
    return Maker(ENGLISH, PEOPLE, whole, **more).form(part_of(schema, name), content)


def shown(made: Field, faults: dict[str, list[str]] | None = None) -> str:
    """The form as HTML, in a page of nothing else."""
    source = (
        '{% from "schema_form.html" import fields with context %}'
        '<form action="/edit">{{ fields(made, faults) }}</form>'
    )
    template = pages.environment("en").from_string(source)
    return template.render(
        made=made, faults=faults or {}, shrunk="", language=ENGLISH, request=StrictUndefined()
    )


def returned(schema: dict[str, Any], content: Any) -> Any:
    """What a browser sends back of a form that nobody touched, read."""
    return decode(schema, pairs_of(form_of(shown(form(schema, content)))))


def kept(content: Any) -> Any:
    """A content without what is empty: a form has no way to write it."""
    if isinstance(content, dict):
        return {name: one for name, inner in content.items() if (one := kept(inner)) is not ABSENT} or ABSENT
    if isinstance(content, list):
        return [one for inner in content if (one := kept(inner)) is not ABSENT] or ABSENT
    return ABSENT if isinstance(content, str) and not content.strip() else content


@pytest.mark.parametrize("path", KNOWN_FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_form_that_nobody_touched_sends_back_the_very_document(path: Any) -> None:
    content = rules.parse(path.read_bytes())
    assert returned(SCHEMAS[examples.kind_of(path)], content) == content


@pytest.mark.parametrize("kind", READABLE)
def test_so_does_the_form_of_the_example_that_a_schema_gives(kind: str) -> None:
    for example in SCHEMAS[kind].get("examples", ()):
        assert returned(SCHEMAS[kind], example) == example


TEXT = st.text(string.ascii_letters + " \n\t<>&\"'äñ—/~%;=", min_size=1, max_size=30).filter(str.strip)
WORDS = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)


def contents(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Contents of a schema's shape; a text may be anything that a JSON text may be."""
    shape = shape_of(schema)
    if shape == "group":
        fields = {name: contents(below) for name, below in schema["properties"].items()}
        return st.fixed_dictionaries({}, optional=fields)
    if shape == "by_name":
        (below,) = schema["patternProperties"].values()
        return st.dictionaries(
            st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8})?", fullmatch=True), contents(below), max_size=2
        )
    if "items" in schema:
        return st.lists(contents(schema["items"]), max_size=2, unique_by=repr)
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if shape == "truth":
        return st.booleans()
    if shape == "number":
        numbers = st.integers(-(2**53) + 1, 2**53 - 1)
        return (
            numbers
            if schema["type"] == "integer"
            else numbers | st.floats(allow_nan=False, allow_infinity=False)
        )
    if schema.get("format") == "date":
        return st.integers(0, 20000).map(lambda days: (date(2000, 1, 1) + timedelta(days)).isoformat())
    return WORDS if "format" in schema else TEXT


@pytest.mark.parametrize("kind", READABLE)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_content_of_a_schema_comes_back_as_it_was(kind: str, data: st.DataObject) -> None:
    content = data.draw(contents(SCHEMAS[kind]))
    if kind == "agreement":
        # One that is drawn whole is larger than a page ever is.
        names = random.Random(repr(content)).sample(sorted(content), min(3, len(content)))
        content = {name: content[name] for name in names}
    assert returned(SCHEMAS[kind], content) == kept(content)


NAMES = st.lists(
    st.sampled_from(["goals", "0", "7", "-", "statement", "obligations", "redress", "levels", "people", "clinic", "aims",
                     "~1", "~", "", "²", "999999999999", "term", "starts_on", "reviews", "anonymous"]),
    max_size=40,
).map(lambda steps: "".join(f"/{step}" for step in steps))  # fmt: skip


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(READABLE),
    st.lists(
        st.tuples(
            NAMES | st.text(max_size=20), st.text(max_size=20) | st.sampled_from(["1e999", "9" * 50, "true"])
        ),
        max_size=30,
    ),
    NAMES,
    NAMES,
)
def test_whatever_is_sent_can_be_read_and_judged(kind: str, pairs: Any, add: str, remove: str) -> None:
    found = decode_with(SCHEMAS[kind], pairs, "", add, remove)
    content = {} if found is ABSENT else found
    made = form(SCHEMAS[kind], found)
    faults = faults_of(kind, content)
    found_at = placed(faults, made, ENGLISH)
    assert len(found_at) == len(faults)
    assert {one.pointer for one in found_at} <= {field.pointer for field, _ in made.walk()}
    shown(made, {one.pointer: [one.mend] for one in found_at})


def faults_of(kind: str, content: Any) -> tuple[Fault, ...]:
    try:
        rules.validate(kind, content)
    except Invalid as error:
        return error.faults
    return ()


def test_names_that_the_schema_does_not_know_are_ignored() -> None:
    sent = [
        ("/term/starts_on", "2027-04-01"),
        ("/term/nonsense", "x"),
        ("csrf", "y"),
        ("/term/starts_on/0", "z"),
    ]
    assert decode(SCHEMAS["agreement"], sent) == {"term": {"starts_on": "2027-04-01"}}


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("118", 118), (" 0.5 ", 0.5), ("-3", -3), ("1e3", 1000.0), ("twelve", "twelve"), ("1,5", "1,5"), ("1e999", "1e999"),
        ("NaN", "NaN"), ("٣", "٣"), ("  ", ABSENT),
    ],
)  # fmt: skip
def test_a_number_is_one_and_anything_else_stays_what_was_typed(sent: str, read: Any) -> None:
    found = decode(SCHEMAS["agreement"], [("/targets/0/baseline", sent)])
    assert found == (ABSENT if read is ABSENT else {"targets": [{"baseline": read}]})


def test_an_answer_that_is_not_given_is_not_a_no() -> None:
    read = SCHEMAS["agreement"]
    assert decode(read, [("/reviews/anonymous", "")]) is ABSENT
    assert decode(read, [("/reviews/anonymous", "false")]) == {"reviews": {"anonymous": False}}


def test_entries_that_are_wholly_blank_vanish_and_those_partly_filled_stay() -> None:
    sent = [
        ("/plan/0/id", ""),
        ("/plan/0/milestone", " "),
        ("/plan/1/owner", "x"),
        ("/plan/10/id", "z"),
        ("/plan/9/id", "y"),
    ]
    assert decode(SCHEMAS["agreement"], sent) == {"plan": [{"owner": "x"}, {"id": "y"}, {"id": "z"}]}


def test_adding_and_taking_out_count_by_what_was_shown() -> None:
    sent = [("/plan/0/id", ""), ("/plan/1/id", "a"), ("/plan/2/id", "b")]
    assert decode_with(SCHEMAS["agreement"], sent, "", "", "/plan/1") == {"plan": [{"id": "b"}]}
    assert decode_with(SCHEMAS["agreement"], sent, "", "/plan", "") == {
        "plan": [{"id": "a"}, {"id": "b"}, {}]
    }
    assert decode_with(SCHEMAS["agreement"], [], "", "/redress/levels", "") == {"redress": {"levels": [{}]}}


def test_the_reader_goes_on_in_the_entry_that_was_added() -> None:
    made = form(SCHEMAS["agreement"], {"plan": [{"id": "a"}, {}]}, grown="/plan")
    assert [one.pointer for one, _ in made.walk() if one.fresh] == ["/plan/1/id"]
    assert form_of(shown(made)).xpath("string(//*[@autofocus]/@name)") == "/plan/1/id"


def test_a_list_that_is_full_cannot_grow() -> None:
    levels = [{"name": str(number)} for number in range(10)]
    made = {one.pointer: one for one, _ in form(SCHEMAS["agreement"], {"redress": {"levels": levels}}).walk()}
    assert not made["/redress/levels"].can_grow
    assert made["/redress/remedies"].can_grow


@pytest.mark.parametrize(
    ("pointer", "typed"), [("/targets/0/baseline", "twelve"), ("/targets/0/by", "31 May")]
)
def test_a_wrong_number_or_date_is_shown_as_it_was_typed(pointer: str, typed: str) -> None:
    name = pointer.rpartition("/")[2]
    page = form_of(shown(form(SCHEMAS["agreement"], {"targets": [{name: typed}]})))
    (field,) = page.xpath(f"//input[@name='{pointer}']")
    assert (field.get("type"), field.get("value")) == ("text", typed)


def test_a_fault_stands_at_its_field_or_at_what_is_nearest() -> None:
    content = {
        "reporting": {"to": ["Board", "x" * 201]},
        "plan": [{"id": "a"}],
        "roles": [{"organisation": "clinic"}],
    }
    faults = [
        Fault("/plan/0/milestone", "required", "Add “milestone”: What is reached."),
        Fault("/reporting/to/1", "maxLength", "Shorten it to at most 200 characters; it has 201."),
        Fault("/roles/0/nobody/knows", "x", "Remove it."),
        Fault("/elsewhere/0", "y", "Mend it."),
    ]
    found = {one.pointer: one.mend for one in placed(faults, form(SCHEMAS["agreement"], content), ENGLISH)}
    assert found == {
        "/plan/0/milestone": "Please fill this in.",
        "/reporting/to": "Line 2: Shorten it to at most 200 characters; it has 201.",
        "/roles/0": "Remove it. (nobody › knows)",
        "": "Mend it. (elsewhere › 0)",
    }


def test_a_fault_says_which_entry_it_is_in() -> None:
    content = {"redress": {"levels": [{"name": "A"}, {"name": "B"}]}}
    called = {
        one.pointer: trail for one, trail in form(SCHEMAS["agreement"], content["redress"], "redress").walk()
    }
    assert called["/redress/levels/1/working_days"] == "Redress › Level 2 › Resolve within"


def test_what_is_empty_and_may_be_is_folded_away_but_not_where_something_is_wrong() -> None:
    made = form(SCHEMAS["agreement"], {"obligations": [{"id": "a"}]})
    folded = form_of(shown(made)).xpath("//details[.//input[@name='/obligations/0/choice/by']]")
    assert len(folded) == 1
    wrong = form_of(shown(made, {"/obligations/0/choice/by": ["Write a date."]}))
    assert not wrong.xpath("//details[.//input[@name='/obligations/0/choice/by']]")


def test_every_field_has_a_label_and_every_id_is_there_once() -> None:
    page = form_of(shown(form(SCHEMAS["agreement"], SCHEMAS["agreement"]["examples"][0])))
    ids = page.xpath("//@id")
    assert len(ids) == len(set(ids))
    named = set(page.xpath("//label/@for"))
    for field in page.xpath("//input[not(@type='checkbox' or @type='radio')] | //select | //textarea"):
        assert field.get("id") in named, field.get("name")
    for described in page.xpath("//@aria-describedby"):
        assert set(described.split()) <= set(ids)


def test_the_text_of_users_is_never_markup() -> None:
    evil = "<script>alert(1)</script></textarea>"
    page = shown(
        form(SCHEMAS["agreement"], {"vision": {"statement": evil}, "aims": [evil], "time_zone": evil})
    )
    assert "<script" not in page


def test_goals_are_chosen_among_those_of_the_document() -> None:
    content = {
        "vision": {"goals": [{"id": "g1", "statement": "Fewer falls."}]},
        "plan": [{"id": "a", "goal_ids": ["gone"]}],
    }
    made = {one.pointer: one for one, _ in form(SCHEMAS["agreement"], content).walk()}
    assert made["/plan/0/goal_ids"].options == [("gone", "gone"), ("g1", "Fewer falls.")]


def test_the_guide_asks_what_the_criteria_ask() -> None:
    assert [one.code for one in guide.asked("Terms (C1 to C4, R4), and more (P1).")] == [
        "C1",
        "C2",
        "C3",
        "C4",
        "R4",
        "P1",
    ]
    assert (
        guide.without_codes("The terms (C1 to C4, R4), if any (advisory).") == "The terms, if any (advisory)."
    )
    assert guide.asked("For (GB-SCT) and (Z9).") == ()


def test_every_question_of_the_guide_on_a_document_stands_beside_a_field() -> None:
    asked = {
        one.code
        for schema in SCHEMAS.values()
        for field, _ in form(schema, example_of(schema)).walk()
        for one in field.asked
    }
    # The others are asked of what is no document: signatures, answers, complaints, who asks.
    assert set(CRITERIA) - asked == {"V2", "X2", "Y1", "Y2", "Y3", "Y4"}


def example_of(schema: dict[str, Any]) -> Any:
    """The example that a schema gives: every field of it that one can have."""
    return schema.get("examples", [{}])[0]


def test_a_question_is_asked_once_and_not_again_inside() -> None:
    asked = [
        (one.pointer, [c.code for c in one.asked])
        for one, _ in form(SCHEMAS["agreement"], {}, "vision").walk()
    ]
    assert asked[0] == ("/vision", ["T1"])
    assert all("T1" not in codes for _, codes in asked[1:])


@pytest.mark.parametrize("kind", READABLE)
def test_every_place_of_every_schema_has_a_form(kind: str) -> None:
    known = {"$schema", "$id", "title", "description", "type", "additionalProperties", "properties", "patternProperties",
             "items", "enum", "format", "examples", "required", "minProperties", "maxProperties", "minItems", "maxItems",
             "minLength", "maxLength", "minimum", "maximum", "uniqueItems"}  # fmt: skip

    def walk(schema: dict[str, Any]) -> None:
        assert set(schema) <= known
        assert "title" in schema
        shape_of(schema)
        for below in [*schema.get("properties", {}).values(), *schema.get("patternProperties", {}).values()]:
            walk(below)
        if "items" in schema:
            walk(schema["items"])

    walk(SCHEMAS[kind])
    assert form_parts.BASICS not in SCHEMAS[kind]["properties"]


def test_a_part_takes_its_place_in_the_whole() -> None:
    schema = SCHEMAS["agreement"]
    whole = {"time_zone": "UTC", "obligations": [{"id": "a"}, {"id": "b"}], "aims": ["x"]}
    put = lambda name, value: form_parts.put_into(whole, part_of(schema, name), value)  # noqa: E731
    assert put("obligations/1", {"id": "c"}) == (
        {**whole, "obligations": [{"id": "a"}, {"id": "c"}]},
        "/obligations/1",
    )
    assert put("obligations/-", {"id": "c"})[0]["obligations"] == [{"id": "a"}, {"id": "b"}, {"id": "c"}]
    assert put("obligations/-", {"id": "c"})[1] == "/obligations/2"
    assert put("obligations/0", ABSENT)[0]["obligations"] == [{"id": "b"}]
    assert put("basics", ABSENT)[0] == {key: whole[key] for key in ("obligations", "aims")}
    assert put("term", {"starts_on": "x"})[0] == whole | {"term": {"starts_on": "x"}}
    assert "aims" not in put("aims", ABSENT)[0]


@pytest.mark.parametrize(
    ("after", "name"),
    [([{"id": "b"}, {"id": "a"}], "obligations/1"), ([{"id": "x"}], "obligations/-"), ([], "obligations/-")],
)
def test_an_entry_is_found_again_by_its_id(after: list[Any], name: str) -> None:
    part = part_of(SCHEMAS["agreement"], "obligations/0")
    before = {"obligations": [{"id": "a", "act": "old"}]}
    assert form_parts.moved(part, before, {"obligations": after}).name == name


def test_no_part_of_the_example_agreement_is_larger_than_a_page() -> None:
    schema = SCHEMAS["agreement"]
    content = examples.read("harbour-healthy-start", "agreement")
    for name in form_parts.names_of(schema):
        part = part_of(schema, name)
        held = form_parts.found_in(content, part)
        if name != form_parts.BASICS and form_parts.one_by_one(part.schema, held):
            part, held = part_of(schema, f"{name}/0"), held[0]
        made = Maker(ENGLISH, PEOPLE, content).form(part, held)
        assert len(shown(made).encode()) < 60_000, name
