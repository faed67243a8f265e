"""A house in which everything waits for somebody: what the pages by link look like while they still ask for something."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lifecycle.db import Database
from lifecycle.documents import objections
from lifecycle.documents import service as documents
from lifecycle.obligations import service as promises
from lifecycle.reviews import service as reviews
from tests.builders import answer, registered, reviewed
from tests.obligations.agreements import agreement, in_force, monitor, obligation
from tests.redress import cases

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
BUSY_AT = datetime(2026, 4, 1, 9, tzinfo=UTC)
"""When it is looked at: a round is open, and the promises of March have fallen due."""


def make_busy(database: Database) -> None:
    """Fill an empty database.

    `harbour` has a complaint and an open review round; `promises` has one that is overdue, one that is reported and one
    that is disputed; `papers` has an agreement that the city has signed, and a newer revision to which it objects.
    """
    cases.broken(database)
    cases.lodged(database, evidence=[{"reference": "https://city.example/minutes/2026-03-27"}])
    reviewed(database, "harbour", BUSY_AT)
    reviews.sweep_reviews(database, BUSY_AT)
    reviews.respond(database, "harbour", 1, "clinic-primary", answer(1, q6=2), BUSY_AT)
    _promises(database)
    _papers(database)


def _promises(database: Database) -> None:
    owed = [obligation(one) for one in ("lists", "counts", "rooms")]
    in_force(database, START, agreement(*owed), "promises")
    monitor(database, BUSY_AT)
    said: dict[str, Any] = {
        "outcome": "kept",
        "note": "All four came.",
        "evidence": {"reference": "https://clinic.example/lists/march"},
    }
    for one in ("counts/1", "rooms/1"):
        promises.report(database, "promises", one, said, "clinic-primary", BUSY_AT)
    promises.dispute(database, "promises", "rooms/1", "The last one never came.", "city-primary", BUSY_AT)


def _papers(database: Database) -> None:
    registered(database, START, "papers", stage="setting_up")
    for number, act in enumerate(("Hands over the list on Thursdays.", "Hands over the list on Wednesdays.")):
        at, content = START + timedelta(hours=number), agreement(obligation(act=act))
        documents.put(database, "papers", "agreement", content, "clinic-primary", at)
        if number == 0:
            documents.sign(database, "papers", "agreement", 1, "city-sponsor", at)
    reason = "Thursday was agreed in February."
    objections.object_to(database, "papers", "agreement", 2, "city-sponsor", reason, at)
