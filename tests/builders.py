"""Valid things with one call; a test names only what matters to it."""

import signal
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.models import metadata
from lifecycle.partnerships import changes, registration
from lifecycle.partnerships.models import partnership
from lifecycle.reviews import service as reviews

SETTINGS = Settings(_env_file=None)


def person(id_: str, role: str, organisation: str, **more: str) -> dict[str, str]:
    """One contact of a registration."""
    return {
        "id": id_,
        "role": role,
        "name": id_.replace("-", " ").title(),
        "email": f"{id_}@{organisation}.example",
        **more,
    }


def organisation(id_: str) -> dict[str, Any]:
    """A partner with a primary contact, a deputy and a sponsor, called `<partner>-<role>`."""
    contacts = [person(f"{id_}-{role}", role, id_) for role in ("primary", "deputy", "sponsor")]
    return {"id": id_, "name": f"The {id_.title()}", "contacts": contacts}


def registered(
    database: Database, now: datetime, id_: str = "harbour", stage: str = "need_definition", **more: Any
) -> str:
    """A partnership of a clinic and a city; `stage` places it there without passing gates."""
    entry: dict[str, Any] = {
        "id": id_,
        "title": "Harbour Falls Prevention",
        "time_zone": "Europe/London",
        "holidays": "GB-SCT",
        "proposed_by": "clinic",
        "coordinator": "clinic-primary",
        "partners": [organisation("clinic"), organisation("city")],
    } | more
    registration.create(database, entry, SETTINGS, now)
    if stage != "need_definition":
        with database.write() as connection:
            connection.execute(update(partnership).where(partnership.c.id == id_).values(stage=stage))
    return id_


def reviewed(database: Database, partnership_id: str, now: datetime, **more: Any) -> None:
    """Start a quarterly review schedule with a respondent of each partner."""
    schedule: Mapping[str, Any] = {
        "every": "FREQ=MONTHLY;INTERVAL=3",
        "first_on": now.date().isoformat(),
        "respondents": ["clinic-primary", "city-primary"],
        "open_working_days": 10,
    } | more
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        reviews.follow_schedule(change, schedule)
        changes.write(connection, change)


def answer(number: int, score: int = 4, **scores: int) -> dict[str, Any]:
    """A review response: every question gets `score`, but those named (q3=1)."""
    questions = {f"q{n}": score for n in range(1, 15)} | scores
    return {"round": number, "answers": [{"question": q, "score": s} for q, s in questions.items()]}


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, to prove that nothing changed."""
    with database.read() as connection:
        return {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }


def heeding_ctrl_c() -> None:
    """For a child that is to be interrupted: a suite that a script runs in its background has SIGINT ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def count(database: Database, table: Any, *where: Any) -> int:
    """How many rows a table has."""
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table).where(*where)).scalar_one())
