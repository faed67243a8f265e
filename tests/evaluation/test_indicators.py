"""What indicators came to: recorded per period, corrected, and refused where nobody could read it."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from lifecycle.db import Database
from lifecycle.documents import service as documents
from lifecycle.errors import Invalid, LifecycleError, NotAllowed, NotFound
from lifecycle.evaluation import indicators, queries
from lifecycle.gates.facts import RequestFact
from lifecycle.partnerships import changes
from lifecycle.partnerships.facts import collect
from lifecycle.partnerships.people import people_of
from tests.builders import contents
from tests.obligations.agreements import agreement, in_force, move

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
NOW = datetime(2026, 7, 2, 9, tzinfo=UTC)
FALLS = {
    "id": "falls",
    "title": "Falls at home",
    "unit": "falls per quarter",
    "ascending": False,
    "level": "outcome",
    "baseline": {"year": 2025, "value": 40},
    "targets": [
        {"starts_on": "2026-04-01", "ends_on": "2026-06-30", "value": 35},
        {"starts_on": "2026-07-01", "ends_on": "2026-09-30", "value": 30},
    ],
}
UNMEASURED = {"id": "trust", "title": "Trust"}
SPRING = (date(2026, 4, 1), date(2026, 6, 30))


@pytest.fixture
def agreed(database: Database) -> Database:
    in_force(database, START, agreement() | {"indicators": [FALLS, UNMEASURED]})
    return database


def record(
    database: Database, value: float = 33, period: Any = SPRING, by: str = "city-primary", **more: Any
) -> None:
    indicator = more.pop("indicator", "falls")
    indicators.record_actual(database, "harbour", indicator, value, period, by, NOW, **more)


def test_the_newest_actual_of_a_period_counts_and_all_are_kept(agreed: Database) -> None:
    record(agreed, 33)
    record(agreed, 31, by="clinic-primary", comment="Two were counted twice.")
    record(agreed, 12, dimensions={"sex": "male"})
    with agreed.read() as connection:
        found = queries.actuals(connection, "harbour")
        assert [(one.value, dict(one.dimensions)) for one in found] == [(31, {}), (12, {"sex": "male"})]
        assert len(queries.all_actuals(connection, "harbour")) == 3


def test_what_was_recorded_counts_at_the_gates(agreed: Database) -> None:
    record(agreed)
    with agreed.read() as connection:
        partnership = changes.find(connection, "harbour")
        people = people_of(connection, "harbour")["harbour"]
        facts = collect(connection, partnership, people, "renew", RequestFact(None, None), NOW)
    assert facts.indicators_with_actual == {"falls"}


REFUSED: dict[str, tuple[type[LifecycleError], str, Callable[[Database], None]]] = {
    "an unknown indicator": (NotFound, "falls, trust", lambda d: record(d, indicator="smiles")),
    "no baseline": (Invalid, "baseline first", lambda d: record(d, indicator="trust")),
    "part of a period": (
        Invalid,
        "overlaps",
        lambda d: record(d, period=(date(2026, 5, 1), date(2026, 7, 15))),
    ),
    "a period turned round": (Invalid, "/ends_on", lambda d: record(d, period=(SPRING[1], SPRING[0]))),
    "a period to come": (
        Invalid,
        "has begun",
        lambda d: record(d, period=(date(2026, 10, 1), date(2026, 12, 31))),
    ),
    "no number": (Invalid, "/value", lambda d: record(d, float("nan"))),
    "by a stranger": (NotFound, "eve", lambda d: record(d, by="eve")),
    "an endless comment": (Invalid, "/comment", lambda d: record(d, comment="x" * 2001)),
    "a nameless dimension": (Invalid, "/dimensions", lambda d: record(d, dimensions={"": "male"})),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_nobody_could_read_is_refused_and_changes_nothing(agreed: Database, what: str) -> None:
    kind, words, attempt = REFUSED[what]
    before = contents(agreed)
    with pytest.raises(kind, match=words):
        attempt(agreed)
    assert contents(agreed) == before


def test_after_the_end_nothing_is_recorded(agreed: Database) -> None:
    move(agreed, "harbour", "closed")
    with pytest.raises(NotAllowed, match="read-only"):
        record(agreed)


def test_a_target_period_that_overlaps_another_is_no_agreement(agreed: Database) -> None:
    move(agreed, "harbour", "setting_up")
    crossed = FALLS | {
        "targets": [
            {"starts_on": "2026-04-01", "ends_on": "2026-06-30", "value": 35},
            {"starts_on": "2026-06-30", "ends_on": "2026-09-30", "value": 30},
            {"starts_on": "2026-12-31", "ends_on": "2026-10-01", "value": 30},
        ]
    }
    with pytest.raises(Invalid) as error:
        documents.put(
            agreed, "harbour", "agreement", agreement() | {"indicators": [crossed]}, "clinic-primary", NOW
        )
    assert [fault.pointer for fault in error.value.faults] == [
        "/indicators/0/targets/1", "/indicators/0/targets/2/ends_on",
    ]  # fmt: skip
