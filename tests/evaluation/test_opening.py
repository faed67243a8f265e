"""The evaluation begins by itself, before the term ends: once, with its gate, and never while suspended."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.audit import queries as audit
from lifecycle.db import Database
from lifecycle.documents import service as documents
from lifecycle.errors import Invalid
from lifecycle.evaluation import opening
from lifecycle.notices.models import notice
from lifecycle.partnerships import changes, service
from lifecycle.partnerships.escalations import sweep_escalations
from lifecycle.partnerships.models import transition_request
from lifecycle.partnerships.readiness import sweep_readiness
from lifecycle.reviews import queries as reviews
from tests.builders import count, organisation, registered

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
TERM = {"starts_on": "2026-01-05", "ends_on": "2026-12-31"}
BEGINS = datetime(2026, 10, 2, 8, tzinfo=UTC)
"""90 days before, 09:00 in London."""

EVALUATION = {"questions": ["Did it help?"], "respondents": ["clinic-primary", "city-primary"]}


@pytest.fixture
def harbour(database: Database) -> Database:
    """A partnership in its term."""
    registered(database, NOW, stage="maintaining")
    follow(database, TERM)
    return database


def follow(database: Database, term: dict[str, Any]) -> None:
    with database.write() as connection:
        change = changes.begin(connection, "harbour", NOW)
        opening.follow_term(change, term)
        changes.write(connection, change)


def stage(database: Database) -> str:
    with database.read() as connection:
        return changes.find(connection, "harbour").stage


def told(database: Database, template: str) -> list[str]:
    with database.read() as connection:
        return list(
            connection.execute(
                notice.select().with_only_columns(notice.c.contact_id).where(notice.c.template == template)
            ).scalars()
        )


def put(database: Database, at: datetime) -> None:
    documents.put(database, "harbour", "evaluation", EVALUATION, "clinic-primary", at)


def test_it_begins_at_its_day_where_its_gate_is_open(harbour: Database) -> None:
    put(harbour, BEGINS - timedelta(days=20))
    sweep_readiness(harbour, BEGINS - timedelta(seconds=1))
    assert stage(harbour) == "maintaining"
    (looked,) = sweep_readiness(harbour, BEGINS)
    assert (looked.taken, looked.event) == (True, "begin_evaluation")
    assert stage(harbour) == "evaluating"
    assert set(told(harbour, "stage_changed")) == {"clinic-primary", "city-primary"}
    with harbour.read() as connection:
        (asked,) = reviews.rounds(connection, "harbour")
        event = next(e for e in audit.trail(connection, "harbour") if e.type == "stage_changed")
        assert audit.verify_all(connection) == []
    assert asked.asked == ("city-primary", "clinic-primary")
    assert event.actor == changes.SYSTEM


def test_shut_it_is_told_and_begins_when_the_evidence_arrives(harbour: Database) -> None:
    (looked,) = sweep_readiness(harbour, BEGINS)
    assert (looked.taken, looked.blocked_by) == (False, ("E1",))
    assert told(harbour, "gate_refused") == ["clinic-primary"]
    documents.put(harbour, "harbour", "evaluation", {"questions": ["Did it help?"]}, "city-primary", BEGINS)
    sweep_readiness(harbour, BEGINS + timedelta(days=1))
    assert told(harbour, "gate_refused") == ["clinic-primary"], "evidence that does not do is no news"
    put(harbour, BEGINS + timedelta(days=2))
    sweep_readiness(harbour, BEGINS + timedelta(days=2))
    assert stage(harbour) == "evaluating"


def test_a_waiver_by_all_sponsors_opens_it_too(harbour: Database) -> None:
    sweep_readiness(harbour, BEGINS)
    later = BEGINS + timedelta(hours=2)
    for partner in ("clinic", "city"):
        service.waive(harbour, "harbour", "begin_evaluation", "E1", f"{partner}-sponsor", "Known.", later)
    sweep_readiness(harbour, later)
    assert stage(harbour) == "evaluating"


def test_every_two_weeks_it_is_asked_for_again_and_after_a_time_down_once(harbour: Database) -> None:
    sweep_readiness(harbour, BEGINS)
    sweep_readiness(harbour, BEGINS + timedelta(days=13))
    assert len(told(harbour, "gate_refused")) == 1
    sweep_readiness(harbour, BEGINS + timedelta(days=15))
    assert len(told(harbour, "gate_refused")) == 2
    sweep_readiness(harbour, BEGINS + timedelta(days=200))
    assert len(told(harbour, "gate_refused")) == 3, "what was missed is made up for once"


def test_before_its_day_evidence_begins_nothing(harbour: Database) -> None:
    put(harbour, NOW)
    assert sweep_readiness(harbour, NOW) == []
    assert stage(harbour) == "maintaining"


def test_suspended_it_waits_for_the_resumption(harbour: Database) -> None:
    put(harbour, NOW)
    service.transition(
        harbour, "harbour", "suspend", "clinic-primary", BEGINS - timedelta(days=1), "The budget is frozen."
    )
    assert sweep_readiness(harbour, BEGINS + timedelta(days=30)) == []
    back = BEGINS + timedelta(days=31)
    service.transition(harbour, "harbour", "resume", "clinic-primary", back, "It was released.")
    assert stage(harbour) == "maintaining"
    sweep_readiness(harbour, back)
    assert stage(harbour) == "evaluating"


def test_two_sweeps_at_once_begin_it_once(harbour: Database) -> None:
    put(harbour, NOW)
    with ThreadPoolExecutor(2) as pool:
        found = [
            one for sweep in pool.map(lambda _: sweep_readiness(harbour, BEGINS), range(2)) for one in sweep
        ]
    assert sum(one.taken for one in found) == 1
    assert count(harbour, transition_request) == 1


def test_begun_by_a_person_it_is_not_asked_for_again(harbour: Database) -> None:
    put(harbour, NOW)
    early = BEGINS - timedelta(days=30)
    service.transition(harbour, "harbour", "begin_evaluation", "city-primary", early)
    sweep_readiness(harbour, BEGINS)
    assert count(harbour, transition_request) == 1
    assert sweep_escalations(harbour, BEGINS + timedelta(days=90)).get("evaluation_due") is None


def test_the_manager_is_asked_to_prepare_it_two_weeks_before(harbour: Database) -> None:
    before = BEGINS - timedelta(days=14)
    assert sweep_escalations(harbour, before - timedelta(hours=1)) == {}
    assert sweep_escalations(harbour, before) == {"evaluation_due": 1}
    with harbour.read() as connection:
        facts = connection.execute(notice.select()).one().facts
    assert facts == {"ends_on": "2026-12-31", "begins_on": "2026-10-02"}


@pytest.mark.parametrize(
    ("term", "day"),
    [
        (TERM, date(2026, 10, 2)),
        (TERM | {"evaluate_days_before_end": 30}, date(2026, 12, 1)),
        ({"starts_on": "2026-11-01", "ends_on": "2026-12-31"}, date(2026, 12, 1)),
        ({"ends_on": "2026-12-31"}, date(2026, 10, 2)),
    ],
)
def test_its_day(term: dict[str, Any], day: date) -> None:
    assert opening.begins_on(term) == day


@given(st.dates(date(2020, 1, 1), date(2100, 1, 1)), st.integers(1, 4000), st.none() | st.integers(14, 730))
def test_it_begins_before_the_end_and_its_ladder_ascends(
    starts_on: date, days: int, agreed: int | None
) -> None:
    term: dict[str, Any] = {
        "starts_on": starts_on.isoformat(),
        "ends_on": (starts_on + timedelta(days=days)).isoformat(),
    }
    if agreed is not None:
        term["evaluate_days_before_end"] = agreed
    ends_on = starts_on + timedelta(days=days)
    before = (ends_on - opening.begins_on(term)).days
    assert before == agreed if agreed is not None else 0 <= before <= 90
    rungs = opening.ladders.evaluation_due(before)["rungs"]
    offsets = [rung["offset"] for rung in rungs]
    assert offsets == sorted(set(offsets))
    assert offsets[-1] == 0


def test_nobody_can_be_called_as_the_engine_is(database: Database) -> None:
    clinic = organisation("clinic")
    clinic["contacts"][1]["id"] = changes.SYSTEM
    with pytest.raises(Invalid, match="is the engine itself"):
        registered(database, NOW, partners=[clinic, organisation("city")])
