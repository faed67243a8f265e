"""As often as they want, a manager reads in one email what was missed, what waits on whom, and what falls due."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from lifecycle.audit.queries import trail
from lifecycle.db import Database
from lifecycle.notices.models import notice
from lifecycle.partnerships.digests import LINES, Owing, owe_digests
from lifecycle.partnerships.models import contact, partnership
from lifecycle.partnerships.preferences import unsubscribe
from tests.builders import registered
from tests.obligations.agreements import in_force, monitor
from tests.redress.cases import BROKEN, broken, days, lodged

MONDAY = datetime(2026, 4, 6, 6, tzinfo=UTC)


def digests(database: Database) -> list[dict[str, Any]]:
    with database.read() as connection:
        rows = connection.execute(
            select(notice.c.contact_id, notice.c.facts).where(notice.c.template == "portfolio_digest")
        )
        return [{"to": row.contact_id, **row.facts} for row in rows]


def test_one_address_is_one_manager_and_gets_one_email_on_all_of_theirs(
    database: Database, now: datetime
) -> None:
    in_force(database, now, id_="alpha")
    in_force(database, now, id_="beta")
    with database.write() as connection:
        shouting = update(contact).where(contact.c.partnership_id == "beta", contact.c.id == "clinic-primary")
        connection.execute(shouting.values(email="CLINIC-PRIMARY@clinic.example"))
    assert owe_digests(database, now) == Owing(1, 2)
    (only,) = digests(database)
    assert {one["id"] for one in only["partnerships"]} == {"alpha", "beta"}
    assert only["looked_after"] == 2


def test_a_week_has_one_digest_whenever_it_is_asked_for(database: Database, now: datetime) -> None:
    in_force(database, now)
    for at in (now, now, now + timedelta(days=3)):
        owe_digests(database, at)
    assert len(digests(database)) == 1
    owe_digests(database, now + timedelta(days=7))
    assert len(digests(database)) == 2


def wanted(database: Database, digest: str, id_: str = "harbour") -> None:
    with database.write() as connection:
        who = update(contact).where(contact.c.partnership_id == id_, contact.c.id == "clinic-primary")
        connection.execute(who.values(digest=digest))


@pytest.mark.parametrize("hour", [timedelta(hours=0), timedelta(days=3), timedelta(days=6, hours=23)])
@pytest.mark.parametrize(
    ("monday", "comes"),
    [
        ("2026-04-06", True),
        ("2026-04-13", False),
        ("2026-03-30", False),
        ("2026-06-01", True),
        ("2026-09-07", True),
    ],
)
def test_a_monthly_digest_comes_in_the_week_of_the_months_first_monday(
    database: Database, now: datetime, monday: str, comes: bool, hour: timedelta
) -> None:
    in_force(database, now)
    wanted(database, "monthly")
    at = datetime.fromisoformat(monday).replace(tzinfo=UTC) + hour
    for _ in range(2):
        owe_digests(database, at)
    assert len(digests(database)) == comes


def test_a_year_of_mondays_has_twelve_monthly_digests(database: Database, now: datetime) -> None:
    in_force(database, now)
    wanted(database, "monthly")
    months = []
    for week in range(52):
        at = MONDAY + timedelta(weeks=week)
        if owe_digests(database, at).digests:
            months.append(at.month)
    assert sorted(months) == list(range(1, 13))


def test_whoever_wants_none_gets_none_and_others_theirs(database: Database, now: datetime) -> None:
    in_force(database, now)
    unsubscribe(database, "harbour", "clinic-primary", now)
    assert owe_digests(database, MONDAY) == Owing(0, 0)
    in_force(database, now, id_="tram", coordinator="city-primary")
    assert owe_digests(database, MONDAY) == Owing(1, 1)


def test_of_several_partnerships_the_first_ones_preference_counts(database: Database, now: datetime) -> None:
    for id_ in ("alpha", "beta"):
        in_force(database, now, id_=id_)
    wanted(database, "never", "beta")
    assert owe_digests(database, MONDAY) == Owing(1, 2)
    wanted(database, "never", "alpha")
    wanted(database, "weekly", "beta")
    assert owe_digests(database, MONDAY + timedelta(days=7)) == Owing(0, 0)


def test_it_tells_what_was_missed_what_waits_and_what_falls_due_the_worst_first(database: Database) -> None:
    in_force(database, days(-20), id_="alpha")
    broken(database, "harbour")
    lodged(database)
    monitor(database, BROKEN + timedelta(days=10))
    owe_digests(database, BROKEN + timedelta(days=10))
    (only,) = digests(database)
    first = only["partnerships"][0]
    assert first["id"] == "alpha"
    assert "No report on lists/1" in first["missed"][0]
    other = only["partnerships"][1]
    assert "Complaint 1 of city against clinic is open for 10 days" in " ".join(other["waiting"])
    assert {one["matter"] for one in other["due"]} >= {"complaint_resolve"}
    assert {"event": "complaint_lodged", "count": 1} not in other["changed"], "ten days ago is not last week"
    assert only["missed"] == 1


def test_it_carries_the_head_of_each_trail(database: Database, now: datetime) -> None:
    in_force(database, now)
    owe_digests(database, now)
    with database.read() as connection:
        head = trail(connection, "harbour")[-1]
    part = digests(database)[0]["partnerships"][0]
    assert (part["seq"], part["hash"]) == (head.seq, head.hash)


def test_where_there_is_nothing_to_say_nothing_is_said(database: Database, now: datetime) -> None:
    registered(database, now)
    assert owe_digests(database, now + timedelta(days=60)) == Owing(0, 0)


@pytest.mark.parametrize(("ended_days_ago", "told"), [(3, 1), (30, 0)])
def test_what_has_ended_is_told_once_more(
    database: Database, now: datetime, ended_days_ago: int, told: int
) -> None:
    in_force(database, now)
    at = now + timedelta(days=30)
    with database.write() as connection:
        ended = at - timedelta(days=ended_days_ago)
        values = {"stage": "closed", "stage_entered_at": ended}
        connection.execute(update(partnership).values(**values))
    assert len(digests(database)) == 0
    owe_digests(database, at)
    assert len(digests(database)) == told


def test_long_lists_are_cut_and_say_so(database: Database, now: datetime) -> None:
    from tests.obligations.agreements import agreement, obligation

    many = [obligation(f"o{n}") for n in range(LINES + 3)]
    in_force(database, now, agreement(*many))
    owe_digests(database, datetime(2026, 3, 25, 6, tzinfo=UTC))
    part = digests(database)[0]["partnerships"][0]
    assert (len(part["due"]), part["more"]) == (LINES, 4), "and one of what waits"
    assert digests(database)[0]["due"] == LINES + 4
