"""What one partnership learnt is found by others: by words, and where a like need is being defined."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lifecycle.db import Database
from lifecycle.demo.story import ENDS_AT, HARBOUR, SCHOOL, STORY
from lifecycle.documents import service as documents
from lifecycle.errors import Usage
from lifecycle.evaluation import lessons
from lifecycle.evaluation.models import lesson
from lifecycle.notices.models import notice
from lifecycle.partnerships import changes, registration
from lifecycle.partnerships.readiness import sweep_readiness
from tests.builders import SETTINGS, count, registered
from tests.examples.reading import read
from tests.journeys.test_story import Told

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def renewed(database: Database, tmp_path: Path) -> Database:
    """The demo's partnership, evaluated and renewed."""
    Told(database, tmp_path).play(STORY, ENDS_AT)
    return database


def found(database: Database, text: str = "", limit: int = 20) -> list[str]:
    with database.read() as connection:
        return [one.lesson for one in lessons.search(connection, text, limit)]


def test_lessons_are_kept_with_the_decision_and_found_by_their_words(renewed: Database) -> None:
    assert len(found(renewed)) == 4
    (one,) = found(renewed, "KITCHEN key")
    assert one.startswith("Write the opening of a kitchen down")
    assert found(renewed, "healthy start volunteers") == [one], "the title counts too"
    assert len(found(renewed, limit=2)) == 2
    assert found(renewed, "100%") == [], "a sign of the database's own is a sign"
    assert found(renewed, "_") == []
    with renewed.read() as connection, pytest.raises(Usage, match="too many"):
        lessons.search(connection, "a " * 11)


def test_a_like_need_meets_them_when_it_is_defined(renewed: Database) -> None:
    entry = read(SCHOOL, "partnership")
    registration.create(renewed, entry | {"id": "second-breakfast"}, SETTINGS, NOW)
    need = read(SCHOOL, "need_assessment-r2")
    documents.put(renewed, "second-breakfast", "need_assessment", need, entry["coordinator"], NOW)
    with renewed.read() as connection:
        shown = lessons.of_similar(connection, "second-breakfast")
    assert {one.partnership_id for one in shown} == {HARBOUR}
    sweep_readiness(renewed, NOW + timedelta(minutes=5))
    with renewed.read() as connection:
        told = [
            row.facts
            for row in connection.execute(
                notice.select().where(notice.c.partnership_id == "second-breakfast")
            )
            if row.template == "gate_ready"
        ]
    assert all(one["lessons"] for one in told)


def test_before_its_need_is_assessed_nothing_is_like_it(renewed: Database) -> None:
    registered(renewed, NOW)
    with renewed.read() as connection:
        assert lessons.of_similar(connection, "harbour") == []


def test_what_was_kept_before_is_not_kept_twice(database: Database) -> None:
    registered(database, NOW, stage="maintaining")

    def learn(at: datetime, *texts: str) -> None:
        content: dict[str, Any] = {"lessons": [{"lesson": text} for text in texts]}
        documents.put(database, "harbour", "evaluation", content, "clinic-primary", at)
        with database.write() as connection:
            lessons.keep(connection, changes.begin(connection, "harbour", at))

    learn(NOW, "Count without names.", "Count without names.", "Name a stand-in.")
    learn(NOW + timedelta(days=300), "Name a stand-in.", "Ask in January.")
    assert found(database) == ["Ask in January.", "Count without names.", "Name a stand-in."]
    assert count(database, lesson) == 3


def test_a_draft_is_no_lesson_yet(database: Database) -> None:
    registered(database, NOW, stage="maintaining")
    content = {"lessons": [{"lesson": "Count without names."}]}
    documents.put(database, "harbour", "evaluation", content, "clinic-primary", NOW)
    assert found(database) == []
