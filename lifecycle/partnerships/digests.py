"""The digest: for each manager one email on all the partnerships that they look after, as often as they want it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, or_, select

from lifecycle import stages
from lifecycle.audit import queries as audit
from lifecycle.db import Database
from lifecycle.notices.owed import Owed
from lifecycle.notices.words import NEWS
from lifecycle.partnerships import changes, hints, queries
from lifecycle.partnerships.models import contact, partnership
from lifecycle.timers.calendars import Calendar
from lifecycle.timers.queries import INTERNAL

AHEAD = timedelta(days=14)
BEHIND = timedelta(days=7)
LINES = 5
"""So many lines of a kind are told of a partnership; `lifecycle show` has them all."""

PARTNERSHIPS = 20
"""So many partnerships are told in one email, the worst first."""


@dataclass(frozen=True)
class Owing:
    """How many digests were owed, about how many partnerships."""

    digests: int
    partnerships: int


@dataclass(frozen=True)
class _LookedAfter:
    """A partnership, its coordinator, and how often they want the digest."""

    partnership_id: str
    contact_id: str
    digest: str


def owe_digests(database: Database, as_of: datetime) -> Owing:
    """Owe each manager the digest of the week of `as_of`; whoever has nothing to read, or wants none now, gets none.

    A manager is the coordinator of partnerships; one address is one manager. The notice is that of the first of these
    partnerships, and how often it comes is what its coordinator prefers (`preferences.DIGESTS`). Run twice in a week,
    or late, it owes nothing twice: the notice names the ISO week.
    """
    with database.read() as connection:
        managers = _managers(connection, as_of)
    year, week, _ = as_of.isocalendar()
    owed = Owing(0, 0)
    for looked_after in managers:
        home = looked_after[0]
        if not _comes(home.digest, as_of):
            continue
        with database.write() as connection:
            parts = [
                p for one in looked_after if (p := _part(connection, one.partnership_id, as_of)) is not None
            ]
            if not parts:
                continue
            (change,) = changes.begin_many(connection, [home.partnership_id], as_of).values()
            fact = f"digest/{year}-W{week:02}"
            change.owe([Owed(home.contact_id, "portfolio_digest", fact, _facts(parts, len(looked_after)))])
            changes.write(connection, change)
            owed = Owing(owed.digests + 1, owed.partnerships + len(parts))
    return owed


def _comes(frequency: str, as_of: datetime) -> bool:
    """Whether a digest of this frequency comes in the week of an instant; a monthly one with the month's first Monday."""
    year, week, _ = as_of.isocalendar()
    first_of_month = date.fromisocalendar(year, week, 1).day <= 7
    return frequency == "weekly" or (frequency == "monthly" and first_of_month)


def _managers(connection: Connection, as_of: datetime) -> Iterator[list[_LookedAfter]]:
    """For each address of a coordinator the partnerships that run or have just ended."""
    address = func.lower(contact.c.email)
    rows = connection.execute(
        select(address, partnership.c.id, contact.c.id, contact.c.digest)
        .join(
            contact,
            (contact.c.partnership_id == partnership.c.id) & (contact.c.id == partnership.c.coordinator),
        )
        .where(
            or_(
                partnership.c.stage.not_in(stages.FINAL_STAGES),
                partnership.c.stage_entered_at > as_of - BEHIND,
            )
        )
        .order_by(address, partnership.c.id)
    ).all()
    found: dict[str, list[_LookedAfter]] = {}
    for email, *one in rows:
        found.setdefault(email, []).append(_LookedAfter(*one))
    return iter(found.values())


def _part(connection: Connection, partnership_id: str, as_of: datetime) -> dict[str, Any] | None:
    """What the digest says of one partnership; nothing where there is nothing to say."""
    overview = queries.overview(connection, partnership_id, as_of)
    calendar = Calendar(overview["time_zone"], overview["holidays"])
    found = hints.of(overview, as_of, calendar.local_date(as_of))
    due = [
        {"matter": t["matter"], "subject": t["subject"], "on": calendar.local_date(t["due_at"]).isoformat()}
        for t in overview["timers"]
        if t["matter"] not in INTERNAL and t["due_at"] is not None and t["due_at"] <= as_of + AHEAD
    ]
    changed = _changed(connection, partnership_id, as_of)
    if not (found.missed or found.waiting or due or changed):
        return None
    return {
        "id": partnership_id,
        "title": overview["title"],
        "stage": overview["stage"],
        "missed": found.missed,
        "waiting": found.waiting,
        "due": due,
        "changed": changed,
        "seq": overview["audit_seq"],
        "hash": overview["audit_hash"],
    }


def _changed(connection: Connection, partnership_id: str, as_of: datetime) -> list[dict[str, Any]]:
    """What has happened in the last seven days, by kind of event."""
    events = audit.since(connection, partnership_id, as_of - BEHIND)
    counts = Counter(event.type for event in events if event.type in NEWS)
    return [{"event": name, "count": counts[name]} for name in NEWS if name in counts]


def _facts(parts: Sequence[Mapping[str, Any]], looked_after: int) -> dict[str, Any]:
    worst = sorted(
        parts, key=lambda one: (-len(one["missed"]), -len(one["waiting"]), -len(one["due"]), one["id"])
    )
    return {
        "missed": sum(len(one["missed"]) for one in parts),
        "waiting": sum(len(one["waiting"]) for one in parts),
        "due": sum(len(one["due"]) for one in parts),
        "looked_after": looked_after,
        "left_out": max(0, len(parts) - PARTNERSHIPS),
        "partnerships": [_shortened(one) for one in worst[:PARTNERSHIPS]],
    }


def _shortened(part: Mapping[str, Any]) -> dict[str, Any]:
    kinds = ("missed", "waiting", "due")
    more = sum(max(0, len(part[kind]) - LINES) for kind in kinds)
    return {**part, **{kind: part[kind][:LINES] for kind in kinds}, "more": more}
