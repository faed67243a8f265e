"""A small agreement between a clinic and a city, put into force."""

from datetime import datetime
from typing import Any

from sqlalchemy import update

from lifecycle.db import Database
from lifecycle.documents import service as documents
from lifecycle.obligations import following, queries
from lifecycle.obligations.monitor import sweep_obligations
from lifecycle.obligations.queries import Performance
from lifecycle.partnerships import changes
from lifecycle.partnerships.models import partnership
from tests.builders import registered

MONTHLY = {"every": "FREQ=MONTHLY", "starting_on": "2026-03-31"}
FEEDBACK = {"report_due_working_days": 3, "answer_window_working_days": 5, "on_silence": "accepted"}


def obligation(id_: str = "lists", **more: Any) -> dict[str, Any]:
    """What the clinic owes the city, every month unless told otherwise."""
    return {
        "id": id_,
        "obligor": "clinic",
        "obligee": "city",
        "act": "Hands over the list of planned discharges.",
        "standard": {"measure": "Lists on time", "unit": "percent", "target": 100},
        "due": MONTHLY,
        "evidence": {"kind": "list", "where": "shared folder"},
        "observer": "city-deputy",
        "decider": "city-sponsor",
        "reported_by": "obligor",
        "weight": 2,
    } | more


def agreement(*obligations: dict[str, Any], **feedback: Any) -> dict[str, Any]:
    return {
        "term": {"starts_on": "2026-03-01", "ends_on": "2026-12-31"},
        "obligations": list(obligations) or [obligation()],
        "feedback": FEEDBACK | feedback,
    }


def in_force(
    database: Database,
    now: datetime,
    content: dict[str, Any] | None = None,
    id_: str = "harbour",
    **more: Any,
) -> None:
    """A partnership in the stage maintaining whose obligations count from `now`; `more` goes into its registration."""
    registered(database, now, stage="setting_up", id_=id_, **more)
    enforce(database, now, content or agreement(), id_)


def enforce(database: Database, now: datetime, content: dict[str, Any], id_: str = "harbour") -> None:
    """Put a (new) revision of the agreement into force, past the gate."""
    move(database, id_, "setting_up")
    revision = documents.put(database, id_, "agreement", content, "clinic-primary", now)
    with database.write() as connection:
        change = changes.begin(connection, id_, now)
        following.follow(connection, change, content, revision.revision)
        changes.write(connection, change)
    move(database, id_, "maintaining")


def move(database: Database, id_: str, stage: str) -> None:
    with database.write() as connection:
        connection.execute(update(partnership).where(partnership.c.id == id_).values(stage=stage))


def performances(database: Database, id_: str = "harbour") -> dict[str, Performance]:
    with database.read() as connection:
        return {one.name: one for one in queries.performances(connection, id_)}


def states(database: Database, id_: str = "harbour") -> dict[str, str]:
    return {name: one.state for name, one in performances(database, id_).items()}


def monitor(database: Database, as_of: datetime) -> dict[str, int]:
    return sweep_obligations(database, as_of)
