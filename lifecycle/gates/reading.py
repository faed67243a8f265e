"""How criteria read documents: the latest revision or a request to put one, and problems gathered into one sentence."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from lifecycle.gates.facts import DocumentFact, Facts
from lifecycle.gates.report import Judgement, at, met, unmet

Problem = tuple[str, str]
"""A JSON pointer and what is wrong there, as part of a sentence."""

NAMED = 3
"""So many problems are named in a finding; the rest is counted."""


def on(
    kind: str, judge: Callable[[Facts, DocumentFact], Judgement], subject: str = ""
) -> Callable[[Facts], Judgement]:
    """Judge the latest revision of a document; unmet, with the command that mends it, when there is none."""

    def judged(facts: Facts) -> Judgement:
        document = facts.document(kind, subject)
        if document is None:
            what = kind.replace("_", " ")
            return unmet(f"Put the {what}: `lifecycle put {facts.partnership_id} {kind} FILE --as CONTACT`.")
        return judge(facts, document)

    return judged


def settle(document: DocumentFact, pointer: str, task: str, problems: Iterable[Problem]) -> Judgement:
    """Met at `pointer` without problems; else unmet: the task, then the first problems in one sentence."""
    found = list(problems)
    if not found:
        return met(at(document, pointer))
    named = "; ".join(text for _, text in found[:NAMED])
    more = f"; and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return unmet(f"{task}: {named}{more}.", *(at(document, where) for where, _ in found))


def items(content: Mapping[str, Any], *path: str) -> list[Mapping[str, Any]]:
    """The list of objects at a path, empty where it is absent."""
    found: Any = content
    for step in path:
        found = found.get(step, {}) if isinstance(found, Mapping) else {}
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def part(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The object of a field, empty where it is absent."""
    found = content.get(name)
    return found if isinstance(found, Mapping) else {}


def lacks(item: Mapping[str, Any], fields: Sequence[str]) -> list[str]:
    """The fields that an item does not fill; 0 and false are values."""
    return [name for name in fields if item.get(name) in (None, "", [], {})]


def needs(label: str, item: Mapping[str, Any], pointer: str, *fields: str) -> list[Problem]:
    """A problem if the item lacks fields: "goal falls needs measure and unit"."""
    missing = lacks(item, fields)
    return [(pointer, f"{label} needs {listed(missing)}")] if missing else []


def listed(names: Iterable[str]) -> str:
    """Field names as words: `a, b and c`."""
    words = [name.replace("_", " ") for name in names]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""


def day(value: Any) -> date | None:
    """A date of a document, None where it is absent."""
    return date.fromisoformat(value) if isinstance(value, str) and value else None
