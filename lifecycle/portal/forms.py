"""Forms: what is wrong in them, by field."""

from collections.abc import Mapping, Sequence

from lifecycle.errors import Invalid
from lifecycle.languages import Language


def by_field(error: Invalid | None, language: Language) -> Mapping[str, Sequence[str]]:
    """The mends of an error's faults by the name of their field, in the reader's language; for `fields.html`."""
    found: dict[str, list[str]] = {}
    for fault in error.faults if error is not None else ():
        found.setdefault(fault.pointer, []).append(language.sentence(fault.mend))
    return found
