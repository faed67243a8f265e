"""A portfolio over time is what the trail says, at the end of each month."""

from datetime import UTC, date, datetime, timedelta

from sqlalchemy import true

from lifecycle.db import Database
from lifecycle.partnerships import history, service
from lifecycle.partnerships.models import partnership
from tests.builders import registered


def counted(database: Database, months: int, now: datetime) -> list[tuple[date, dict[str, int]]]:
    with database.read() as connection:
        found = history.stages_by_month(connection, true(), months, now)
    return [(day, dict(counts)) for day, counts in found]


def test_each_month_counts_the_stage_that_was_on_its_last_instant(database: Database, now: datetime) -> None:
    registered(database, now)
    service.transition(
        database, "harbour", "withdraw", "clinic-primary", now + timedelta(days=40), reason="No need."
    )
    assert counted(database, 6, datetime(2026, 5, 5, 12, tzinfo=UTC)) == [
        (date(2026, 3, 31), {"need_definition": 1}),
        (date(2026, 4, 30), {"withdrawn": 1}),
        (date(2026, 5, 5), {"withdrawn": 1}),
    ]


def test_the_present_counts_a_partnership_that_begins_now(database: Database, now: datetime) -> None:
    registered(database, now)
    assert counted(database, 3, now) == [(now.date(), {"need_definition": 1})]


def test_only_those_that_are_meant_count(database: Database, now: datetime) -> None:
    registered(database, now)
    with database.read() as connection:
        assert history.stages_by_month(connection, partnership.c.id == "other", 3, now) == []
