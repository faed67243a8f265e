"""Lists and pages read the same on SQLite and PostgreSQL."""

from datetime import datetime, timedelta

import pytest

from lifecycle import export
from lifecycle.audit.queries import trail, verify_all
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.documents import rules
from lifecycle.errors import NotFound
from lifecycle.notices import queries as notices
from lifecycle.partnerships import changes, queries, registration
from lifecycle.partnerships.changes import SYSTEM
from lifecycle.timers import ladders
from lifecycle.timers import queries as timers


def _register(database: Database, now: datetime, *names: str) -> None:
    for name in names:
        entry = rules.load_schema("partnership")["examples"][0] | {"id": name}
        registration.create(database, entry, Settings(), now)


def _arm(database: Database, name: str, now: datetime, *clocks: tuple[str, timedelta]) -> None:
    with database.write() as connection:
        change = changes.begin(connection, name, now)
        for matter, later in clocks:
            change.arm(matter, "", now + later, ladders.AT_ANCHOR)
        change.log("armed", SYSTEM)
        changes.write(connection, change)


def test_a_portfolio_is_read_page_by_page_with_what_is_due_next(database: Database, now: datetime) -> None:
    _register(database, now, "alpha", "beta", "gamma")
    week = timedelta(days=7)
    _arm(
        database,
        "beta",
        now,
        ("gate_readiness", timedelta(0)),
        ("review_due", 2 * week),
        ("review_closes", week),
    )
    with database.read() as connection:
        first = queries.portfolio(connection, limit=2)
        rest = queries.portfolio(connection, after=first[-1]["id"])
        assert [row["id"] for row in [*first, *rest]] == ["alpha", "beta", "gamma"]
        assert first[0]["next_due"] is None
        assert (first[1]["next_due"].matter, first[1]["next_due"].due_at) == ("review_closes", now + week)
        assert queries.portfolio(connection, stage="closed") == []
        assert [one.matter for one in timers.open_timers(connection, "beta")] == [
            "gate_readiness",
            "review_closes",
            "review_due",
        ]
        assert queries.known(connection, ["alpha", "delta"]) == {"alpha"}


def test_one_partnership_is_read_whole(database: Database, now: datetime) -> None:
    _register(database, now, "alpha", "beta")
    _arm(database, "alpha", now, ("review_closes", timedelta(0)))
    with database.read() as connection:
        found = queries.overview(connection, "alpha", now + timedelta(hours=2))
        assert found["step"] == "1 Defining the need"
        assert found["hints"] == [
            f"Clocks overdue since {now:%Y-%m-%d %H:%M} UTC: 1. Do the flows run? `lifecycle doctor`"
        ]
        assert found["notices"] == {}
        assert [row["seq"] for row in export.everything(connection, "alpha")["audit_event"]] == [1, 2]
        for read in (queries.overview, export.everything):
            with pytest.raises(NotFound):
                read(connection, "delta", *([now] if read is queries.overview else []))


def test_every_trail_is_proved_on_every_database(database: Database, now: datetime) -> None:
    _register(database, now, "alpha", "beta", "beta-2")
    _arm(database, "alpha", now, ("review_closes", timedelta(0)))
    with database.read() as connection:
        assert verify_all(connection) == []
        assert [event.type for event in trail(connection, "alpha")] == ["partnership_created", "armed"]
        assert notices.oldest_pending(connection) is None
        assert notices.in_state(connection) == {}
