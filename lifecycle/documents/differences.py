"""What has changed between two contents of a document, and between two texts. Pure.

Entries of a list are the same entry where they have the same `id`; without ids, where they are equal or alike. So an
entry that is put in between does not make everything behind it look changed. Comparing the other way round says the
mirror image: what was added is taken out.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Literal

from lifecycle.documents.limits import escaped
from lifecycle.documents.rules import canonical

LIKENESS = 0.5
"""Two entries, or two texts, that share less of their words than this are told as one taken out and one added."""

MAX_PAIRS = 40_000
"""A stretch of lists with more possible pairs is not searched for alike entries: the search is quadratic."""

_WORDS = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True)
class Change:
    """One change. Of equal contents there is none."""

    what: Literal["added", "removed", "changed", "reordered"]
    before_pointer: str | None
    """Where it was (JSON pointer); None of what was added."""
    after_pointer: str | None
    """Where it is; None of what was removed."""
    before: Any = None
    """The value; of a list that was reordered, the ids of the entries that stayed, in their order."""
    after: Any = None


@dataclass(frozen=True)
class Run:
    """A stretch of text that is the same, was inserted, or was deleted."""

    what: Literal["same", "inserted", "deleted"]
    text: str


def differences(before: Any, after: Any) -> list[Change]:
    """What turns one JSON content into another, by place; numbers are equal by their value (`5` is `5.0`)."""
    return list(_changes(before, after, "", ""))


def _changes(before: Any, after: Any, was: str, now: str) -> Iterator[Change]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted(before.keys() | after.keys()):
            step = escaped(name)
            if name not in after:
                yield Change("removed", was + step, None, before=before[name])
            elif name not in before:
                yield Change("added", None, now + step, after=after[name])
            else:
                yield from _changes(before[name], after[name], was + step, now + step)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _changes_of_lists(before, after, was, now)
    elif canonical(before) != canonical(after):
        yield Change("changed", was, now, before, after)


def _changes_of_lists(before: list[Any], after: list[Any], was: str, now: str) -> Iterator[Change]:
    pairs = _pairs(before, after)
    of_before, of_after = dict(pairs), {there: here for here, there in pairs}
    for here, item in enumerate(before):
        if here not in of_before:
            yield Change("removed", f"{was}/{here}", None, before=item)
    if [of_before[here] for here in sorted(of_before)] != sorted(of_after):
        stayed = [before[here]["id"] for here in sorted(of_before)]
        stayed_now = [after[there]["id"] for there in sorted(of_after)]
        yield Change("reordered", was, now, stayed, stayed_now)
    for there, item in enumerate(after):
        if there in of_after:
            yield from _changes(before[of_after[there]], item, f"{was}/{of_after[there]}", f"{now}/{there}")
        else:
            yield Change("added", None, f"{now}/{there}", after=item)


def _pairs(before: list[Any], after: list[Any]) -> list[tuple[int, int]]:
    """Which entries are the same: pairs of places."""
    ids, ids_after = _ids(before), _ids(after)
    if ids is not None and ids_after is not None:
        return [(ids[name], ids_after[name]) for name in ids if name in ids_after]
    first, second = [canonical(item) for item in before], [canonical(item) for item in after]
    # The search is done in one direction only, so that comparing the other way round finds the same pairs.
    if first > second:
        return [(here, there) for there, here in _aligned(after, before, second, first)]
    return list(_aligned(before, after, first, second))


def _ids(items: list[Any]) -> dict[str, int] | None:
    """Id → place, where every entry has an id of its own."""
    found = {
        item["id"]: place
        for place, item in enumerate(items)
        if isinstance(item, dict) and isinstance(item.get("id"), str)
    }
    return found if len(found) == len(items) else None


def _aligned(
    before: list[Any], after: list[Any], first: Sequence[bytes], second: Sequence[bytes]
) -> Iterator[tuple[int, int]]:
    """Pairs of equal entries, and of alike ones between them, in the order of both lists."""
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    for what, here, here_end, there, there_end in matcher.get_opcodes():
        if what == "equal":
            yield from zip(range(here, here_end), range(there, there_end), strict=True)
        elif what == "replace" and (here_end - here) * (there_end - there) <= MAX_PAIRS:
            for one, other in _alike(before[here:here_end], after[there:there_end]):
                yield here + one, there + other


def _alike(before: list[Any], after: list[Any]) -> list[tuple[int, int]]:
    """The pairs in the order of both lists that are most alike together (the heaviest common subsequence)."""
    words, words_after = [_words_in(item) for item in before], [_words_in(item) for item in after]
    likeness = [[_likeness(one, other) for other in words_after] for one in words]
    best = [[0.0] * (len(after) + 1) for _ in range(len(before) + 1)]
    for here in reversed(range(len(before))):
        for there in reversed(range(len(after))):
            paired = likeness[here][there] and likeness[here][there] + best[here + 1][there + 1]
            best[here][there] = max(paired, best[here + 1][there], best[here][there + 1])
    found, here, there = [], 0, 0
    while here < len(before) and there < len(after):
        if best[here][there] == best[here + 1][there]:
            here += 1
        elif best[here][there] == best[here][there + 1]:
            there += 1
        else:
            found.append((here, there))
            here, there = here + 1, there + 1
    return found


def _words_in(value: Any, name: str = "") -> Counter[tuple[str, str]]:
    """The words of a value, each with the field that it stands in."""
    found: Counter[tuple[str, str]] = Counter()
    if isinstance(value, dict):
        for key, child in value.items():
            found += _words_in(child, key)
    elif isinstance(value, list):
        for child in value:
            found += _words_in(child, name)
    elif isinstance(value, str):
        found.update((name, word) for word in value.lower().split())
    else:
        found[name, repr(value)] += 1
    return found


def _likeness(one: Counter[tuple[str, str]], other: Counter[tuple[str, str]]) -> float:
    """The share of their words that both have (Dice); 0 below `LIKENESS`."""
    total = one.total() + other.total()
    share = 2 * (one & other).total() / total if total else 0.0
    return share if share >= LIKENESS else 0.0


def words(before: str, after: str) -> list[Run]:
    """Two texts as one: what stayed, and what was deleted and inserted, by whole words.

    Texts that have little in common are one deletion and one insertion: scraps that stayed by chance help nobody.
    """
    if before > after:
        mirrored: dict[str, Literal["inserted", "deleted"]] = {"inserted": "deleted", "deleted": "inserted"}
        return _deletions_first(
            [Run(mirrored.get(run.what, "same"), run.text) for run in words(after, before)]
        )
    first, second = _WORDS.findall(before), _WORDS.findall(after)
    matcher = SequenceMatcher(None, first, second, autojunk=False)
    if matcher.ratio() < LIKENESS:
        return _runs(("deleted", before), ("inserted", after))
    found: list[Run] = []
    for what, here, here_end, there, there_end in matcher.get_opcodes():
        gone, come = "".join(first[here:here_end]), "".join(second[there:there_end])
        found += [Run("same", gone)] if what == "equal" else _runs(("deleted", gone), ("inserted", come))
    return found


def _runs(*parts: tuple[Literal["inserted", "deleted"], str]) -> list[Run]:
    return [Run(what, text) for what, text in parts if text]


def _deletions_first(runs: list[Run]) -> list[Run]:
    """An insertion directly before a deletion changes places with it."""
    found: list[Run] = []
    for run in runs:
        if run.what == "deleted" and found and found[-1].what == "inserted":
            found.insert(-1, run)
        else:
            found.append(run)
    return found
