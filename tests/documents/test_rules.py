"""Validation, reading and the canonical form of documents."""

import copy
import json
import math
import time
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.documents import limits, rules
from lifecycle.documents.formats import FORMATS
from lifecycle.errors import Fault, Invalid, NotFound

DRAFT = {"title": "Harbour Falls Prevention", "purpose": "Fewer falls at home."}


def example(kind: str) -> Any:
    return copy.deepcopy(rules.load_schema(kind)["examples"][0])


def faults_of(kind: str, content: Any) -> tuple[Fault, ...]:
    with pytest.raises(Invalid) as caught:
        rules.validate(kind, content)
    return caught.value.faults


def found_in(text: str | bytes) -> tuple[Fault, ...]:
    with pytest.raises(Invalid) as caught:
        rules.parse(text)
    return caught.value.faults


def objects(value: Any, pointer: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(value, dict):
        yield pointer, value
        for key, child in value.items():
            yield from objects(child, f"{pointer}/{key}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from objects(child, f"{pointer}/{index}")


# Validation


def test_every_fault_is_found_at_once_and_says_where_which_rule_and_what_to_do() -> None:
    content = {
        "titel": "Falls",
        "goals": [{"id": "Not an id", "statement": "Fewer falls", "target": "many", "by": "2026-02-30"}],
        "decision": {"appropriate": "yes"},
    }
    faults = {(fault.pointer, fault.rule) for fault in faults_of("need_assessment", content)}
    assert faults == {
        ("/titel", "additionalProperties"),
        ("/title", "required"),
        ("/purpose", "required"),
        ("/goals/0/id", "format: slug"),
        ("/goals/0/target", "type"),
        ("/goals/0/by", "format: date"),
        ("/decision/appropriate", "type"),
    }


def test_an_unknown_field_suggests_the_nearest_known_one() -> None:
    (fault,) = faults_of("need_assessment", DRAFT | {"starts_onn": "2027-01-01"})
    assert "“starts_on”" in fault.mend


def test_a_missing_field_says_what_belongs_there() -> None:
    (fault,) = faults_of("need_assessment", {"title": "Falls"})
    assert (fault.pointer, fault.rule) == ("/purpose", "required")
    assert "What the partnership is to change" in fault.mend


def test_a_wrong_choice_names_the_choices_and_the_nearest() -> None:
    (fault,) = faults_of("need_assessment", DRAFT | {"commitments": [{"organisation": "a", "kind": "mony"}]})
    assert fault.pointer == "/commitments/0/kind"
    assert "“money” is the nearest" in fault.mend


def test_a_pointer_escapes_slash_and_tilde() -> None:
    (fault,) = faults_of("need_assessment", DRAFT | {"a/b~c": 1})
    assert fault.pointer == "/a~1b~0c"


def test_large_values_are_not_echoed() -> None:
    (fault,) = faults_of("need_assessment", DRAFT | {"population": "x" * 9000})
    assert "xxx" not in fault.mend
    assert "500" in fault.mend
    (fault,) = faults_of("need_assessment", DRAFT | {"y" * 9000: 1})
    assert len(fault.mend) + len(fault.pointer) < 600


def test_a_partner_in_the_redress_levels_is_named_by_its_id() -> None:
    content = {"redress": {"levels": [{"name": "First", "people": {"Harbour Clinic": ["amira-haddad"]}}]}}
    (fault,) = faults_of("agreement", content)
    assert fault.pointer == "/redress/levels/0/people/Harbour Clinic"
    assert "an id" in fault.mend


@pytest.mark.parametrize("kind", rules.KINDS)
@given(data=st.data(), name=st.text(min_size=1, max_size=20))
def test_an_unknown_field_is_refused_wherever_it_stands(kind: str, data: st.DataObject, name: str) -> None:
    content = example(kind)
    pointer, where = data.draw(st.sampled_from([o for o in objects(content) if not o[0].endswith("/people")]))
    name = "unknown " + name
    where[name] = "x"
    faults = [fault for fault in faults_of(kind, content) if fault.rule == "additionalProperties"]
    assert [fault.pointer for fault in faults] == [pointer + limits.escaped(name)]


@pytest.mark.parametrize("content", [None, [], "text", 3, True])
def test_a_document_is_an_object(content: Any) -> None:
    assert ("", "type") in {(fault.pointer, fault.rule) for fault in faults_of("agreement", content)}


def test_an_empty_document_is_refused() -> None:
    assert [fault.rule for fault in faults_of("agreement", {})] == ["minProperties"]


def test_what_json_cannot_carry_is_refused_with_its_place() -> None:
    content = DRAFT | {"goals": [{"id": "a", "statement": "b", "target": math.nan, "baseline": 2**60}]}
    rules_broken = {(fault.pointer, fault.rule) for fault in faults_of("need_assessment", content)}
    assert {("/goals/0/target", "number"), ("/goals/0/baseline", "number")} <= rules_broken
    assert faults_of("need_assessment", DRAFT | {"place": ("a",)})[0].rule == "json"
    assert faults_of("need_assessment", DRAFT | {"population": "a\x00b"})[0].rule == "characters"
    assert faults_of("need_assessment", DRAFT | {"population": "\ud800"})[0].rule == "characters"
    assert faults_of("need_assessment", DRAFT | {"title\n": "b"})[0].rule == "additionalProperties"


def test_over_deep_content_is_refused() -> None:
    content: Any = "x"
    for _ in range(100_000):
        content = [content]
    assert [fault.rule for fault in faults_of("need_assessment", DRAFT | {"goals": content})] == ["depth"]


def test_over_large_content_is_refused() -> None:
    content = {"answers": [{"question": "q1", "comment": "x" * 1999}] * 50, "round": 1}
    rules.validate("review_response", content)
    finding = "x" * 4000
    need = {
        **DRAFT,
        "consultations": [{"organisation": "a", "note": finding[:2000], "resolved_by": finding[:2000]}] * 200,
    }
    rules.validate("need_assessment", need)
    need["alternatives"] = [{"option": "y" * 1000, "why_rejected": "z" * 2000}] * 30
    need["benefits"] = [{"organisation": "a", "benefit": "é" * 1000}] * 100
    assert [fault.rule for fault in faults_of("need_assessment", need)] == ["size"]


def test_the_search_stops_after_very_many_faults() -> None:
    faults = faults_of("need_assessment", DRAFT | {f"field-{n}": n for n in range(2000)})
    assert len(faults) == limits.MAX_FAULTS + 1
    assert "more follow" in faults[-1].mend


def test_a_long_list_of_different_types_does_not_hold_the_validator_up() -> None:
    mixed = [n if n % 2 else str(n) for n in range(40_000)]
    pointers = {fault.pointer for fault in faults_of("evaluation", {"respondents": mixed})}
    assert "/respondents" in pointers


def test_doubled_entries_are_refused() -> None:
    faults = faults_of("evaluation", {"respondents": ["amira-haddad", "amira-haddad"]})
    assert [(fault.pointer, fault.rule) for fault in faults] == [("/respondents", "uniqueItems")]


def test_an_unknown_kind_or_version_names_the_known_ones() -> None:
    with pytest.raises(NotFound, match="agreement"):
        rules.validate("agrement", {})
    with pytest.raises(NotFound, match="Known versions: 1"):
        rules.load_schema("agreement", 2)
    with pytest.raises(NotFound, match="need_assessment, convening"):
        rules.load_schema("../../etc/passwd")


def test_the_validator_is_built_once() -> None:
    assert rules._validator("agreement", 1) is rules._validator("agreement", 1)


# Formats

RIGHT = {
    "date": ["2028-02-29"],
    "date-time": ["2027-03-31T09:00:00Z", "2027-03-31t09:00:00.25+01:00"],
    "email": ["amira.haddad@harbour-clinic.example"],
    "holidays": ["", "GB-SCT", "NL", "US-CO"],
    "rrule": [
        "FREQ=MONTHLY;INTERVAL=3",
        "FREQ=WEEKLY;BYDAY=MO,TH",
        "FREQ=MONTHLY;BYMONTHDAY=-1",
        "FREQ=YEARLY;COUNT=3",
    ],
    "sha256": ["0" * 64],
    "contact-id": ["amira-haddad"],
    "partner-id": ["harbour-clinic"],
    "slug": ["harbour-clinic", "q1", "a" * 64],
    "time-zone": ["Europe/London", "UTC"],
    "uri": ["https://harbour-clinic.example/a?b=c#d"],
}
WRONG = {
    "date": ["2027-02-29", "20270201", "2027-W01-1", "1 May", "2027-01-01\n", "٢٠٢٧-01-01"],
    "date-time": ["2027-03-31", "2027-03-31T09:00:00", "2027-03-31T25:00:00Z", "2027-03-31 09:00:00Z"],
    "email": [
        "a@",
        "a b@x.example",
        "a@localhost",
        "a@x.example\r\nBcc: b@x.example",
        "é@x.example",
        "A <a@x.example>",
    ],
    "holidays": ["XX", "GB-XXX", "gb", "Scotland"],
    "rrule": [
        "monthly",
        "FREQ=HOURLY",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;INTERVAL=99999999999",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY\nDTSTART:20270101",
        "FREQ=DAILY;BYHOUR=9",
        "RRULE:FREQ=DAILY",
        "FREQ=DAILY;NONSENSE=1",
    ],
    "sha256": ["0" * 63, "F" * 64, "g" * 64],
    "contact-id": ["Amira Haddad", ""],
    "partner-id": ["Harbour Clinic", ""],
    "slug": ["Harbour", "a--b", "-a", "a_b", "", "a\n", "a" * 65],
    "time-zone": ["Europe", "Mars/Phobos", "../etc/passwd", "GMT+25", ""],
    "uri": [
        "javascript:alert(1)",
        "harbour.example",
        "https://",
        "https://a b",
        "ftp://x.example",
        "http://x:99999/",
    ],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in RIGHT.items() for text in texts])
def test_a_format_accepts(name: str, text: str) -> None:
    assert FORMATS[name].accepts(text)


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in WRONG.items() for text in texts])
def test_a_format_refuses(name: str, text: str) -> None:
    assert not FORMATS[name].accepts(text)


@given(text=st.text(max_size=60))
def test_a_format_has_a_verdict_on_any_text(text: str) -> None:
    for one in FORMATS.values():
        assert one.accepts(text) in {True, False}


def test_rules_that_never_recur_do_not_hold_the_validator_up() -> None:
    never = [f"FREQ=DAILY;INTERVAL={n};BYMONTH=2;BYMONTHDAY=30" for n in range(1, 101)]
    obligations = [{"id": "a", "act": "b", "due": {"every": rule}} for rule in never]
    began = time.process_time()
    assert len(faults_of("agreement", {"obligations": obligations})) == 100
    assert time.process_time() - began < 5


def test_every_format_has_its_cases() -> None:
    assert RIGHT.keys() == WRONG.keys() == FORMATS.keys()


def test_a_cadence_in_days_or_as_a_rule_is_accepted_and_nothing_else() -> None:
    for every in (14, "FREQ=WEEKLY"):
        rules.validate("agreement", {"obligations": [{"id": "a", "act": "b", "observed_every": every}]})
    for every, rule in ((0, "minimum"), ("often", "format: rrule"), (1.5, "type")):
        content = {"obligations": [{"id": "a", "act": "b", "observed_every": every}]}
        assert [(f.pointer, f.rule) for f in faults_of("agreement", content)] == [
            ("/obligations/0/observed_every", rule)
        ]


# Reading


@pytest.mark.parametrize("kind", rules.VERSIONS)
def test_yaml_and_json_of_the_same_content_have_the_same_hash(kind: str) -> None:
    content = example(kind)
    from_json = rules.parse(json.dumps(content))
    from_yaml = rules.parse(yaml.safe_dump(content, allow_unicode=True).encode())
    assert rules.sha256(from_json) == rules.sha256(from_yaml) == rules.sha256(content)


def test_yaml_is_read_by_the_types_of_json() -> None:
    text = "on: 2027-03-31\nno: no\nyes: 'true'\na: true\nb: ~\nc: 1.50\nd: 007\ne: 12:30\nf: 1_000\ng: ''\nh: !!str 1\n"
    assert rules.parse(text) == {
        **{"on": "2027-03-31", "no": "no", "yes": "true", "a": True, "b": None, "c": 1.5},
        **{"d": "007", "e": "12:30", "f": "1_000", "g": "", "h": "1"},
    }


@pytest.mark.parametrize(
    ("text", "rule", "pointer"),
    [
        ('{"a": {"b": 1, "b": 2}}', "duplicate key", "/a/b"),
        ("a:\n  - b: 1\n    b: 2\n", "duplicate key", "/a/0/b"),
        ('{"a": [NaN]}', "number", "/a/0"),
        ('{"a": -Infinity, "b": 1e999}', "number", "/a"),
        ("a: .inf", "number", "/a"),
        ('{"a": ' + "9" * 5000 + "}", "number", "/a"),
        ("a: &x 1\nb: *x\n", "anchor", ""),
        ("a: !!python/object/apply:os.system [ls]\n", "tag", ""),
        ("? [a]\n: b\n", "syntax", ""),
        ("a: 1\n---\nb: 2\n", "syntax", ""),
        ("a: [1\n", "syntax", ""),
        ("a: \x01\n", "syntax", ""),
        ('{"a": 1,}', "syntax", ""),
        ("", "empty", ""),
        (b"\xff\xfe\x00", "encoding", ""),
        ('{"a": "\\ud800"}', "characters", "/a"),
        ("[" * 200_000, "depth", ""),
        ("a: " + "[" * 200_000, "depth", ""),
        ("- " * 100, "depth", ""),
        ("x" * (limits.MAX_BYTES + 1), "size", ""),
        ("{" + '"\\' * 400_000, "syntax", ""),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_unsafe_or_broken_text_is_refused(text: str | bytes, rule: str, pointer: str) -> None:
    assert (rule, pointer) in {(fault.rule, fault.pointer) for fault in found_in(text)}


def test_a_mistake_of_syntax_names_its_line() -> None:
    assert "line 2" in found_in('{"a": 1,\n b: 2}')[0].mend
    assert "line 2" in found_in("a: 1\nb: c: d\n")[0].mend


@given(text=st.one_of(st.text(max_size=200), st.text(alphabet='{}[]:,"&*!?-#|> \nab1', max_size=60)))
def test_any_text_is_read_or_refused_with_faults(text: str) -> None:
    try:
        value = rules.parse(text)
    except Invalid:
        return
    assert list(limits.faults_of(value)) == []
    assert rules.canonical(value)


# The canonical form


@given(data=st.data())
def test_the_hash_does_not_depend_on_the_order_of_fields(data: st.DataObject) -> None:
    content = example("exit_plan")
    shuffled = dict(data.draw(st.permutations(list(content.items()))))
    assert rules.sha256(shuffled) == rules.sha256(content)


def test_the_hash_depends_on_every_value_and_on_the_order_of_lists() -> None:
    content = example("exit_plan")
    changed = example("exit_plan")
    changed["last_obligations"].reverse()
    assert rules.sha256(changed) != rules.sha256(content)


def test_the_canonical_form_is_that_of_rfc_8785() -> None:
    assert (
        rules.canonical({"b": 1.0, "a": "é\n", "aa": [True, None]})
        == '{"a":"é\\n","aa":[true,null],"b":1}'.encode()
    )
