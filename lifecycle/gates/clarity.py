"""`activate`, clarity of obligations: can a kept promise be told from a broken one? Criteria C1–C4."""

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from lifecycle.gates.facts import DocumentFact, Facts
from lifecycle.gates.reading import Problem, items, lacks, listed, on, part, settle
from lifecycle.gates.report import Criterion, Judgement

DUE_FORMS = ("on", "every", "after_milestone", "on_request_within_days", "standing")


def measurable(obligation: Mapping[str, Any]) -> bool:
    """Whether the standard can be checked: a measured target, or a deliverable with its acceptance test."""
    standard = part(obligation, "standard")
    return not lacks(standard, ("measure", "unit", "target")) or not lacks(
        standard, ("deliverable", "acceptance_test")
    )


def complete(_facts: Facts, document: DocumentFact) -> Judgement:
    """C1."""
    return settle(document, "/obligations", "Complete the obligations", _incomplete(document))


def _incomplete(document: DocumentFact) -> Iterator[Problem]:
    obligations = items(document.content, "obligations")
    if not obligations:
        yield "/obligations", "list what each partner owes"
    for index, obligation in enumerate(obligations):
        missing = lacks(obligation, ("obligor", "obligee", "evidence"))
        if not measurable(obligation):
            missing.append("a measurable standard")
        if not any(part(obligation, "due").get(form) for form in DUE_FORMS):
            missing.append("a due date or cadence")
        if missing:
            yield f"/obligations/{index}", f"{obligation['id']} needs {listed(missing)}"
        if obligation.get("obligor") and obligation.get("obligor") == obligation.get("obligee"):
            yield f"/obligations/{index}/obligee", f"{obligation['id']} is owed to the partner that owes it"


@cache
def vague_terms() -> re.Pattern[str]:
    """The terms that stand where a measure belongs, in every language of the list, as one pattern."""
    data = json.loads((Path(__file__).parent / "vague_terms.json").read_text(encoding="utf-8"))
    terms = sorted((term for language in data.values() for term in language), key=len, reverse=True)
    return re.compile(rf"(?<!\w)(?:{'|'.join(terms)})(?!\w)", re.IGNORECASE)


def no_vague_terms(_facts: Facts, document: DocumentFact) -> Judgement:
    """C2."""
    return settle(document, "/obligations", "Say how much and by when instead", _vague(document))


def _vague(document: DocumentFact) -> Iterator[Problem]:
    for index, obligation in enumerate(items(document.content, "obligations")):
        if not _defined(obligation):
            for where, text in _texts(obligation):
                if found := vague_terms().search(text):
                    yield f"/obligations/{index}{where}", f"{obligation['id']} says “{found.group()}”"


def _defined(obligation: Mapping[str, Any]) -> bool:
    """Whether the standard makes a vague word elsewhere harmless: by a number, or by a test that is not vague itself."""
    standard = part(obligation, "standard")
    if not lacks(standard, ("measure", "unit", "target")):
        return True
    tested = not lacks(standard, ("deliverable", "acceptance_test"))
    return tested and not any(
        vague_terms().search(standard[name]) for name in ("deliverable", "acceptance_test")
    )


def _texts(obligation: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name in ("act", "tolerance"):
        if obligation.get(name):
            yield f"/{name}", obligation[name]
    for section in ("standard", "evidence"):
        yield from (
            (f"/{section}/{name}", t) for name, t in part(obligation, section).items() if isinstance(t, str)
        )


def owes_and_is_owed(facts: Facts, document: DocumentFact) -> Judgement:
    """C3."""
    obligations = items(document.content, "obligations")
    owing = {one.get("obligor") for one in obligations}
    owed = {one.get("obligee") for one in obligations}
    problems = [("/obligations", f"{p} owes nothing") for p in sorted(facts.partners.keys() - owing)]
    problems += [("/obligations", f"{p} is owed nothing") for p in sorted(facts.partners.keys() - owed)]
    return settle(document, "/obligations", "Let every partner owe and be owed", problems)


def who_decides(_facts: Facts, document: DocumentFact) -> Judgement:
    """C4."""
    problems: list[Problem] = [
        (f"/obligations/{index}", f"name who decides on {one['id']}")
        for index, one in enumerate(items(document.content, "obligations"))
        if not one.get("decider")
    ]
    if not part(document.content, "feedback").get("when_sides_disagree"):
        problems.append(("/feedback", "say what counts when the two sides disagree"))
    return settle(document, "/feedback", "Say who decides whether it was done", problems)


_KIND = "agreement"
CLARITY = (
    Criterion(
        "C1", "complete obligations", "blocking",
        "Who owes what to whom, measured how, by when, shown by what?", True, on(_KIND, complete),
    ),
    Criterion(
        "C2", "no vague term in place of a measure", "blocking",
        "Can a cooperative choice be distinguished from a defection?", True, on(_KIND, no_vague_terms),
    ),
    Criterion(
        "C3", "every partner owes and is owed", "blocking",
        "Does each side have obligations, and something owed to it?", True, on(_KIND, owes_and_is_owed),
    ),
    Criterion(
        "C4", "who decides whether it was done", "blocking",
        "Who decides, and what counts when the two sides disagree?", True, on(_KIND, who_decides),
    ),
)  # fmt: skip
