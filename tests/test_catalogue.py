"""Every word that people read is in the catalogues, and every catalogue is whole."""

import ast

import pytest
from babel.messages.catalog import Catalog

from lifecycle import catalogue
from lifecycle.gates.criteria import CRITERIA
from lifecycle.languages import DOMAINS


def test_every_message_has_its_translation_and_the_files_are_current() -> None:
    assert list(catalogue.faults()) == []


@pytest.mark.parametrize("domain", DOMAINS)
def test_each_domain_says_something(domain: str) -> None:
    assert len(catalogue.messages(domain)) > 300


def test_sentences_are_read_off_the_code_with_gaps_where_it_has_expressions() -> None:
    source = '''
"""No docstring."""
KEYS = {"a key of it": f"Goal {goal['id']} needs {listed(missing)}."}
raise Refused(f"“{event}” is shut: {len(blocking)} of {len(blocking)}.", mend="Ask " "again.")
QUIET = frozenset(("not of these", "or these"))
'''
    assert list(catalogue.sentences(source)) == [
        "Goal {id} needs {missing}.",
        "“{event}” is shut: {blocking} of {blocking2}.",
        "Ask again.",
    ]


def test_a_lost_gap_or_a_missing_form_is_a_fault() -> None:
    made = Catalog(locale="es")
    made.add("Ask {name}.", "Pregunte.")
    made.add(("%(n)s day", "%(n)s days"), ("%(n)s día", ""))
    made.add("Fine {a}.", "Bien {a}.")
    assert [fault.split(" of ")[0] for fault in catalogue._faults_of(made)] == [
        "other gaps in the translation",
        "no translation",
    ]


def test_a_catalogue_is_written_the_same_for_the_same_messages() -> None:
    made = catalogue._translated("es", "schemas")
    assert catalogue.written(made) == catalogue.written(catalogue._translated("es", "schemas"))
    assert b"1970-01-01" in catalogue.compiled(catalogue.written(made))


def test_no_message_hides_in_an_f_string_where_the_extractor_does_not_look() -> None:
    hidden = [
        f"{path.name}: {ast.unparse(call)}"
        for folder in ("portal", "notices")
        for path in sorted((catalogue.HERE / folder).rglob("*.py"))
        for joined in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(joined, ast.JoinedStr)
        for call in ast.walk(joined)
        if isinstance(call, ast.Call) and catalogue._name_of(call.func) in {"gettext", "ngettext", "say"}
        if any(isinstance(argument, ast.Constant) for argument in call.args)
    ]
    assert hidden == []


def test_every_criterion_is_said_in_the_readers_language() -> None:
    known = catalogue.messages("domain")
    assert [one.code for one in CRITERIA.values() if not {one.name, one.question} <= known.keys()] == []
