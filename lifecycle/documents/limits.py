"""What any document must be before its schema is asked: plain JSON, neither too large nor too deep. Pure."""

import math
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

from lifecycle.errors import Fault

MAX_BYTES = 1024 * 1024
"""The largest document, in bytes of UTF-8 (1 MiB)."""

MAX_DEPTH = 32
"""How deep lists and objects may be nested."""

MAX_FAULTS = 500
"""More faults than a person reads: the search stops there, so that a hostile input costs little."""

MAX_SAFE_INTEGER = 2**53 - 1
"""Beyond it, JSON readers do not agree on an integer's value (RFC 7493)."""

# Control characters other than tab, line feed and carriage return, and halves of surrogate pairs.
_UNFIT_CHARACTERS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
# In a field's name, no control character at all.
_UNFIT_IN_NAMES = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")

TOO_LARGE = Fault("", "size", f"Shorten the document to at most {MAX_BYTES // 1024} KiB.")


def too_deep(pointer: str) -> Fault:
    """The fault of a value nested deeper than `MAX_DEPTH`."""
    return Fault(pointer, "depth", f"Flatten it: lists and objects may be nested {MAX_DEPTH} deep.")


def escaped(key: str | int) -> str:
    """One step of a JSON pointer (RFC 6901), shortened if it is very long and safe to print."""
    step = _UNFIT_IN_NAMES.sub("\ufffd", str(key))
    step = step if len(step) <= 80 else step[:79] + "…"
    return "/" + step.replace("~", "~0").replace("/", "~1")


def faults_of(value: Any, pointer: str = "", depth: int = 0) -> Iterator[Fault]:
    """What keeps a value from being a JSON document that every reader understands alike."""
    if isinstance(value, dict | list):
        if depth >= MAX_DEPTH:
            yield too_deep(pointer)
            return
        yield from _faults_of_children(value, pointer, depth)
    elif isinstance(value, str):
        if _UNFIT_CHARACTERS.search(value):
            yield Fault(
                pointer, "characters", "Remove the control characters or broken characters from the text."
            )
    elif isinstance(value, float):
        if not math.isfinite(value):
            yield Fault(pointer, "number", "Write an ordinary number: NaN and Infinity are none.")
    elif isinstance(value, int):
        if abs(value) > MAX_SAFE_INTEGER:
            yield Fault(
                pointer, "number", f"Write a number between -{MAX_SAFE_INTEGER} and {MAX_SAFE_INTEGER}."
            )
    elif value is not None:
        yield Fault(pointer, "json", "Write text, a number, true, false, null, a list or an object.")


def _faults_of_children(value: dict[Any, Any] | list[Any], pointer: str, depth: int) -> Iterator[Fault]:
    if isinstance(value, list):
        for index, child in enumerate(value):
            yield from faults_of(child, f"{pointer}/{index}", depth + 1)
        return
    for key, child in value.items():
        where = pointer + escaped(key)
        if not isinstance(key, str):
            yield Fault(where, "json", "Write the field's name as text.")
        elif _UNFIT_IN_NAMES.search(key):
            yield Fault(where, "characters", "Remove the control characters from the field's name.")
        yield from faults_of(child, where, depth + 1)


def capped(faults: Iterable[Fault]) -> list[Fault]:
    """The faults in the order of their pointers; of very many, the first ones found and a word that more follow."""
    found = list(islice(faults, MAX_FAULTS + 1))
    ordered = sorted(found[:MAX_FAULTS], key=lambda fault: (fault.pointer, fault.rule))
    if len(found) > MAX_FAULTS:
        ordered.append(Fault("", "more faults", f"Mend these {MAX_FAULTS} first; more follow."))
    return ordered
