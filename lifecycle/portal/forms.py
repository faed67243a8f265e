"""Forms: what is wrong in them, by field."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lifecycle.errors import Fault, Invalid
from lifecycle.languages import Language
from lifecycle.portal.schema_forms import Field


def by_field(error: Invalid | None, language: Language) -> Mapping[str, Sequence[str]]:
    """The mends of an error's faults by the name of their field, in the reader's language; for `fields.html`."""
    found: dict[str, list[str]] = {}
    for fault in error.faults if error is not None else ():
        found.setdefault(fault.pointer, []).append(language.sentence(fault.mend))
    return found


@dataclass(frozen=True)
class Placed:
    """A fault where a form shows it."""

    pointer: str
    """The field, or what is nearest around it."""
    label: str
    mend: str


def placed(faults: Iterable[Fault], form: Field, language: Language) -> list[Placed]:
    """Every fault at its field; one that has no field here at what is nearest around it, with its own place in words."""
    known = {field.pointer: (field, trail) for field, trail in form.walk()}
    found = []
    for fault in faults:
        pointer = _nearest(fault.pointer, known, form.pointer)
        field, trail = known[pointer]
        found.append(Placed(pointer, trail, _mend(fault, field, language)))
    order = list(known)
    return sorted(found, key=lambda one: order.index(one.pointer))


def _nearest(pointer: str, known: Mapping[str, object], otherwise: str) -> str:
    while pointer and pointer not in known:
        pointer = pointer.rpartition("/")[0]
    return pointer if pointer in known else otherwise


def _mend(fault: Fault, field: Field, language: Language) -> str:
    if fault.rule == "required" and fault.pointer == field.pointer:
        return language.gettext("Please fill this in.")
    mend, rest = language.sentence(fault.mend), fault.pointer.removeprefix(field.pointer).strip("/")
    if not rest:
        return mend
    if field.widget == "lines":
        return language.gettext("Line %(number)s: %(mend)s") % {"number": int(rest) + 1, "mend": mend}
    return f"{mend} ({rest.replace('/', ' › ').replace('_', ' ')})"
