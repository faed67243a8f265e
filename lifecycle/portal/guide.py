"""The guide's question beside each field. The descriptions of schemas name the criteria that a field serves, and each
criterion knows its question: neither is written a second time here."""

import re
from collections.abc import Iterator
from functools import cache

from lifecycle.gates.criteria import CRITERIA
from lifecycle.gates.report import Criterion

_CODE = r"[A-Z][0-9]{1,2}"
_NAMED = re.compile(rf"\(([^()]*\b{_CODE}\b[^()]*)\)")
_RANGE = re.compile(rf"({_CODE}) to ({_CODE})")


@cache
def asked(description: str) -> tuple[Criterion, ...]:
    """The criteria that a description names in parentheses, such as “(N1)” or “(C1 to C4, R4)”; in its order."""
    codes = (code for found in _NAMED.findall(description) for code in _codes(found))
    return tuple(CRITERIA[code] for code in dict.fromkeys(codes) if code in CRITERIA)


def _codes(text: str) -> Iterator[str]:
    spelt = _RANGE.sub(lambda ends: ", ".join(_between(ends[1], ends[2])), text)
    return (found[0] for found in re.finditer(rf"\b{_CODE}\b", spelt))


def _between(first: str, last: str) -> Iterator[str]:
    return (f"{first[0]}{number}" for number in range(int(first[1:]), int(last[1:]) + 1))


def without_codes(description: str) -> str:
    """A description, in any language, without the criteria that it names: they stand beside it."""
    return re.sub(rf"\s*{_NAMED.pattern}", "", description).strip()
