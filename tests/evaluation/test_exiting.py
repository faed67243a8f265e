"""An exit plan is carried out as tasks: asked for, reminded of, escalated, done; only while it is really closing."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from lifecycle.db import Database
from lifecycle.documents import queries
from lifecycle.documents import service as documents
from lifecycle.errors import Invalid, NotAllowed, NotFound
from lifecycle.evaluation import exiting
from lifecycle.evaluation import service as evaluation
from lifecycle.notices.models import notice
from lifecycle.partnerships import service
from lifecycle.partnerships.escalations import sweep_escalations
from tests.builders import contents, registered

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
CLOSE = {
    "questions": ["Did it help?"],
    "respondents": ["clinic-primary", "city-primary"],
    "decision": {"outcome": "close"},
}
KEYS = {"what": "The keys", "from": "clinic", "to": "city", "by": "2026-03-20"}
LISTS = {
    "what": "The lists",
    "from": "city",
    "to": "Strandshire Health Board",
    "by": "2026-03-20",
    "owner": "city-deputy",
}


@pytest.fixture
def closing(database: Database) -> Database:
    """A partnership that is evaluated, and decided to be closed."""
    registered(database, NOW, stage="maintaining")
    documents.put(database, "harbour", "evaluation", CLOSE, "clinic-primary", NOW)
    service.transition(database, "harbour", "begin_evaluation", "clinic-primary", NOW)
    return database


def plan(database: Database, *handover: dict[str, Any], at: datetime = NOW) -> None:
    documents.put(database, "harbour", "exit_plan", {"handover": list(handover)}, "clinic-primary", at)


def told(database: Database, template: str) -> list[str]:
    statement = select(notice.c.contact_id).where(notice.c.template == template, notice.c.state == "pending")
    with database.read() as connection:
        return sorted(connection.execute(statement).scalars())


def test_each_line_is_asked_for_reminded_of_and_escalated(closing: Database) -> None:
    plan(closing, KEYS, LISTS)
    assert told(closing, "exit_task_asked") == ["city-deputy", "clinic-primary"]
    assert sweep_escalations(closing, NOW) == {}
    sweep_escalations(closing, datetime(2026, 3, 18, 9, tzinfo=UTC))
    assert told(closing, "exit_task_reminder") == ["city-deputy", "clinic-primary"]
    sweep_escalations(closing, datetime(2026, 3, 27, 9, tzinfo=UTC))
    assert told(closing, "exit_task_escalated") == ["city-sponsor", "clinic-sponsor"]
    sweep_escalations(closing, datetime(2026, 4, 9, 9, tzinfo=UTC))
    assert told(closing, "exit_task_escalated").count("clinic-primary") == 2, "the manager, of both lines"


def test_a_line_that_is_done_is_reminded_of_no_more_and_the_others_run_on(closing: Database) -> None:
    plan(closing, KEYS, LISTS)
    later = NOW + timedelta(days=3)
    done = evaluation.hand_over(closing, "harbour", 1, "city-primary", later)
    assert done.content["handover"][0]["done_on"] == "2026-03-05"
    assert told(closing, "exit_task_asked") == ["city-deputy"], "what has not left is taken back"
    sweep_escalations(closing, datetime(2026, 3, 18, 9, tzinfo=UTC))
    assert told(closing, "exit_task_reminder") == ["city-deputy"]
    evaluation.hand_over(closing, "harbour", 2, "city-deputy", datetime(2026, 3, 19, 9, tzinfo=UTC))
    assert "exit_task" not in sweep_escalations(closing, datetime(2026, 5, 1, 9, tzinfo=UTC))


def blocking(database: Database, at: datetime) -> set[str]:
    return {one.code for one in service.check(database, "harbour", "close", at).blocking}


def test_the_gate_to_closing_waits_for_the_last_line(closing: Database) -> None:
    rest = {"data": "Deleted.", "assets": "None.", "told": [{"who": "Parents"}]}
    content = {"handover": [KEYS], **rest}
    documents.put(closing, "harbour", "exit_plan", content, "clinic-primary", NOW)
    assert "X4" in blocking(closing, NOW)
    evaluation.hand_over(closing, "harbour", 1, "clinic-primary", NOW)
    assert "X4" not in blocking(closing, NOW)


def test_another_day_is_asked_for_anew_and_the_same_plan_twice_is_not(closing: Database) -> None:
    plan(closing, KEYS)
    plan(closing, KEYS, {"what": "A poster"})
    assert told(closing, "exit_task_asked") == ["clinic-primary"], "without a day nobody is held to it"
    plan(closing, KEYS | {"by": "2026-04-10"})
    assert told(closing, "exit_task_asked") == ["clinic-primary"]
    assert "exit_task" not in sweep_escalations(closing, datetime(2026, 3, 25, 9, tzinfo=UTC))
    plan(closing, at=datetime(2026, 3, 26, 9, tzinfo=UTC))
    assert told(closing, "exit_task_asked") == [], "what is planned no more is asked of nobody"


def test_a_plan_is_only_a_plan_until_it_is_decided_to_close(database: Database) -> None:
    registered(database, NOW, stage="maintaining")
    plan(database, KEYS)
    open_ended = {name: value for name, value in CLOSE.items() if name != "decision"}
    documents.put(database, "harbour", "evaluation", open_ended, "clinic-primary", NOW)
    service.transition(database, "harbour", "begin_evaluation", "clinic-primary", NOW)
    assert told(database, "exit_task_asked") == []
    documents.put(database, "harbour", "evaluation", CLOSE, "clinic-primary", NOW)
    assert told(database, "exit_task_asked") == ["clinic-primary"]
    renew = CLOSE | {"decision": {"outcome": "renew"}}
    documents.put(database, "harbour", "evaluation", renew, "clinic-primary", NOW)
    assert told(database, "exit_task_asked") == []
    assert "exit_task" not in sweep_escalations(database, datetime(2026, 3, 30, 9, tzinfo=UTC))


def test_a_decision_on_record_before_the_evaluation_counts_from_its_beginning(database: Database) -> None:
    registered(database, NOW, stage="maintaining")
    plan(database, KEYS)
    documents.put(database, "harbour", "evaluation", CLOSE, "clinic-primary", NOW)
    assert told(database, "exit_task_asked") == []
    service.transition(database, "harbour", "begin_evaluation", "clinic-primary", NOW)
    assert told(database, "exit_task_asked") == ["clinic-primary"]


def test_suspended_a_plan_may_change_and_its_clocks_stand_still(closing: Database) -> None:
    plan(closing, KEYS)
    service.transition(closing, "harbour", "suspend", "clinic-primary", NOW, "The budget is frozen.")
    plan(closing, KEYS, LISTS)
    assert sweep_escalations(closing, datetime(2026, 4, 30, 9, tzinfo=UTC)) == {}


@pytest.mark.parametrize(
    ("number", "by", "done_on", "error", "says"),
    [
        (3, "clinic-primary", None, NotFound, "has no line 3"),
        (0, "clinic-primary", None, NotFound, "has no line 0"),
        (2, "clinic-deputy", None, NotAllowed, "neither gives nor takes"),
        (1, "nobody", None, NotFound, "nobody"),
        (1, "city-primary", date(2026, 3, 3), Invalid, "day that has come"),
    ],
)
def test_what_is_refused_changes_nothing(
    closing: Database, number: int, by: str, done_on: date | None, error: type[Exception], says: str
) -> None:
    plan(closing, KEYS, LISTS)
    before = contents(closing)
    with pytest.raises(error, match=says):
        evaluation.hand_over(closing, "harbour", number, by, NOW, done_on)
    assert contents(closing) == before


def test_what_is_done_is_done_once(closing: Database) -> None:
    plan(closing, KEYS)
    evaluation.hand_over(closing, "harbour", 1, "clinic-primary", NOW)
    with pytest.raises(NotAllowed, match="already"):
        evaluation.hand_over(closing, "harbour", 1, "clinic-primary", NOW)
    with closing.read() as connection:
        assert queries.latest(connection, "harbour", ["exit_plan"])[0].revision == 2


@given(st.lists(st.text(min_size=1, max_size=100), max_size=8))
def test_every_line_has_a_name_of_its_own_that_its_place_does_not_change(whats: list[str]) -> None:
    tasks = exiting.tasks_of({"handover": [{"what": what} for what in whats]})
    names = [one.name for one in tasks]
    assert len(set(names)) == len(names)
    assert all(0 < len(name) <= 70 for name in names)
    if len(set(whats)) == len(whats) == len({name.rstrip("0123456789-") for name in names}):
        again = exiting.tasks_of({"handover": [{"what": what} for what in reversed(whats)]})
        assert {one.what: one.name for one in tasks} == {one.what: one.name for one in again}
