"""What holds of every gate whatever the documents say: it has a verdict, it knows no host, and lag is as in the formula."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle.documents import rules
from lifecycle.errors import Invalid
from lifecycle.gates.criteria import GATES, check
from lifecycle.gates.promptness import detection_lag_days
from tests.gates.complete import documents, facts


def places(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path of everything that a document holds."""
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, child in entries:
        yield (*path, key)
        yield from places(child, (*path, key))


KINDS = ("need_assessment", "convening", "agreement", "evaluation", "exit_plan")
PLACES = {kind: sorted(places(documents()[kind]), key=str) for kind in KINDS}


@settings(max_examples=150)
@given(st.sampled_from(KINDS), st.data())
def test_whatever_is_left_out_of_a_valid_document_every_gate_has_a_verdict(
    kind: str, data: st.DataObject
) -> None:
    contents = documents()
    path = data.draw(st.sampled_from(PLACES[kind]))
    place: Any = contents[kind]
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    try:
        rules.validate(kind, contents[kind])
    except Invalid:
        return
    for event in GATES:
        report = check(event, facts(event, contents))
        assert report.open == (not any(f.blocks for f in report.findings))
        assert all(f.to_do for f in report.findings if f.outcome == "unmet")


_SWAPPED = {"harbour-clinic": "morning-larder", "morning-larder": "harbour-clinic"}


@pytest.mark.parametrize("event", GATES)
@pytest.mark.parametrize("unsigned", ["harbour-clinic", "morning-larder"])
def test_swapping_two_partners_mirrors_the_report(event: str, unsigned: str) -> None:
    """No criterion knows who the host is: the report on a partnership mirrored is the report mirrored (promise 0)."""
    mine = check(event, facts(event, unsigned=unsigned))
    theirs = check(event, facts(event, unsigned=_SWAPPED[unsigned]))
    swapped = [(f.code, f.outcome, _mirrored(f.to_do)) for f in mine.findings]
    assert swapped == [(f.code, f.outcome, f.to_do) for f in theirs.findings]


def _mirrored(text: str) -> str:
    return re.sub("|".join(_SWAPPED), lambda found: _SWAPPED[found[0]], text)


@pytest.mark.parametrize(
    ("obligation", "feedback", "days"),
    [
        # Gap 7; a report within 3 working days takes at most 5 days, an answer within 5 at most 7.
        ({"observed_every": 7, "reported_by": "obligor", "due": {"on": "2026-03-31"}}, (3, 5), 7 + 5 + 7),
        # Whoever is owed reports as well: nobody has to wait for an answer.
        ({"observed_every": 7, "reported_by": "both", "due": {"on": "2026-03-31"}}, (3, 5), 7 + 5),
        # The due date itself is looked at: no gap.
        ({"reported_by": "obligee", "due": {"on": "2026-03-31"}}, (2, 5), 0 + 4),
        # Monthly sampling of a standing duty: up to 31 days.
        ({"reported_by": "both", "due": {"standing": True, "sampled_every": "FREQ=MONTHLY"}}, (1, 5), 31 + 3),
        # Never looked at: nobody would ever know.
        ({"due": {"standing": True}}, (3, 5), None),
    ],
)
def test_the_detection_lag_is_gap_and_report_and_answer(
    obligation: dict[str, Any], feedback: tuple[int, int], days: int | None
) -> None:
    agreed = {"report_due_working_days": feedback[0], "answer_window_working_days": feedback[1]}
    assert detection_lag_days(obligation, agreed) == days


@pytest.mark.parametrize(("agreed", "is_open"), [(12, True), (11, False), (45, True), (46, False)])
def test_the_lag_is_within_what_is_agreed_and_never_beyond_45_days(agreed: int, is_open: bool) -> None:
    contents = documents()
    for one in contents["agreement"]["obligations"]:
        one |= {"observed_every": 7, "reported_by": "both"}
    contents["agreement"]["feedback"] |= {"report_due_working_days": 3, "max_lag_days": agreed}
    report = check("activate", facts("activate", contents))
    assert report.open is is_open, json.dumps([f.to_do for f in report.blocking])
