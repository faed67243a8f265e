"""A clinic and a city with an agreement in force, a broken promise, and the redress procedure that they agreed to."""

from datetime import UTC, datetime, timedelta
from typing import Any

from lifecycle.db import Database
from lifecycle.obligations import service as promises
from lifecycle.partnerships.escalations import sweep_escalations
from lifecycle.redress import queries, service
from lifecycle.redress.monitor import sweep_complaints
from lifecycle.redress.queries import Complaint, Entry
from tests.builders import organisation
from tests.obligations.agreements import agreement, in_force, monitor, obligation

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
BROKEN = datetime(2026, 3, 31, 23, tzinfo=UTC)
"""When `lists/1`, which the clinic owes to the city, has been reported as not kept, and accepted."""

REMEDIES = [
    {"id": "explanation", "remedy": "The reason is given in writing."},
    {"id": "correction", "remedy": "What was wrong is put right."},
    {"id": "suspension", "remedy": "The matching promise is suspended.", "kind": "withholding"},
    {"id": "end", "remedy": "The partnership is ended.", "kind": "ending"},
]


def level(name: str, role: str, days: int, on_expiry: str = "next") -> dict[str, Any]:
    people = {partner: [f"{partner}-{role}"] for partner in ("clinic", "city")}
    return {
        "name": name,
        "people": people,
        "acknowledge_working_days": 2,
        "working_days": days,
        "on_expiry": on_expiry,
    }


def redress(**more: Any) -> dict[str, Any]:
    return {
        "who_may_complain": ["Any partner"],
        "how": "By the command line.",
        "levels": [
            level("Operational", "primary", 10),
            level("Sponsors", "sponsor", 15),
            level("Independent", "sponsor", 30),
        ],
        "independent": {"body": "The Arbiter", "how_appointed": "By the chamber.", "working_days": 30},
        "remedies": REMEDIES,
        "no_withholding": True,
        "pause_needs_both": True,
        "after_closure": "It is not raised again.",
    } | more


ROOM = obligation(
    "room", obligor="city", obligee="clinic", observer="clinic-deputy", decider="clinic-sponsor"
)


def broken(database: Database, id_: str = "harbour", **more: Any) -> None:
    """The clinic has broken its first promise to the city, and both say so."""
    content = agreement(obligation(), ROOM) | {"redress": redress(**more)}
    partners = [organisation(one) for one in ("clinic", "city", "charity")]
    in_force(database, START, content, id_, partners=partners)
    monitor(database, BROKEN)
    promises.report(database, id_, "lists/1", {"outcome": "not_kept"}, "clinic-primary", BROKEN)
    promises.report(database, id_, "room/1", {"outcome": "kept"}, "city-primary", BROKEN)
    promises.accept(database, id_, "lists/1", "city-primary", BROKEN)
    promises.accept(database, id_, "room/1", "clinic-primary", BROKEN)


def grievance(**more: Any) -> dict[str, Any]:
    return {"against": "clinic", "about": {"performance": "lists/1"}, "facts": "No list came."} | more


def lodged(database: Database, now: datetime = BROKEN, id_: str = "harbour", **more: Any) -> Complaint:
    return service.lodge(database, id_, grievance(**more), "city-primary", now)


def remedy(id_: str = "correction", **more: Any) -> dict[str, Any]:
    return {"settlement": "remedy", "remedy": id_} | more


def days(number: float) -> datetime:
    """So many calendar days after the breach."""
    return BROKEN + timedelta(days=number)


def pass_time(database: Database, until: datetime) -> None:
    """Let everything happen that is due until then, as the flows do, day by day."""
    at = BROKEN
    while at <= until:
        sweep_escalations(database, at)
        monitor(database, at)
        sweep_complaints(database, at)
        at += timedelta(days=1)


def complaint(database: Database, number: int = 1, id_: str = "harbour") -> Complaint:
    with database.read() as connection:
        return queries.find(connection, id_, number)


def said(database: Database, number: int = 1, id_: str = "harbour") -> list[Entry]:
    with database.read() as connection:
        return queries.entries(connection, id_, number)


def kinds(database: Database, number: int = 1, id_: str = "harbour") -> list[str]:
    return [entry.kind for entry in said(database, number, id_)]
