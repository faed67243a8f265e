"""Taking charge: the ladder of that matter climbs no further, and nothing else changes."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from lifecycle.audit.models import audit_event
from lifecycle.db import Database
from lifecycle.errors import LifecycleError, NotAllowed, NotFound
from lifecycle.notices.models import notice
from lifecycle.partnerships import registration
from lifecycle.partnerships.escalations import acknowledge, sweep_escalations
from lifecycle.reviews import queries
from lifecycle.reviews.service import sweep_reviews
from tests.builders import contents, organisation, registered, reviewed
from tests.obligations.agreements import agreement, in_force, monitor, obligation, performances

DAY = timedelta(days=1)
REMINDED = datetime(2026, 3, 9, 9, tzinfo=UTC)
"""Five working days before the round closes: the first reminder."""
MUCH_LATER = datetime(2026, 4, 30, 9, tzinfo=UTC)


@pytest.fixture
def opened(database: Database, now: datetime) -> Database:
    """Two partnerships of three partners, each with a round that nobody has answered."""
    for id_ in ("harbour", "tram"):
        partners = [organisation(one) for one in ("clinic", "city", "school")]
        registered(database, now, id_=id_, stage="maintaining", partners=partners)
        reviewed(database, id_, now, respondents=["city-primary"])
    sweep_reviews(database, now)
    return database


def told(database: Database, id_: str, *states: str) -> list[tuple[str, str]]:
    """Reminders and escalations, as (contact, template)."""
    with database.read() as connection:
        found = connection.execute(
            select(notice.c.contact_id, notice.c.template)
            .where(notice.c.partnership_id == id_, notice.c.template.regexp_match("reminder|escalated"))
            .where(notice.c.state.in_(states or ("pending", "sent")))
            .order_by(notice.c.id)
        )
        return [tuple(row) for row in found]


def test_an_acknowledged_ladder_never_fires_again_while_others_do(opened: Database) -> None:
    sweep_escalations(opened, REMINDED)
    acknowledge(opened, "harbour", "review_unanswered", "1", "city-deputy", REMINDED)
    for days in range(50):
        sweep_escalations(opened, REMINDED + days * DAY)
    assert told(opened, "harbour") == []
    assert told(opened, "harbour", "withdrawn") == [("city-primary", "review_reminder")]
    assert [template for _, template in told(opened, "tram")] == ["review_reminder"] * 2 + [
        "review_escalated"
    ] * 3


def test_acknowledging_changes_nothing_about_the_matter_itself(opened: Database) -> None:
    acknowledge(opened, "harbour", "review_unanswered", "1", "city-sponsor", REMINDED)
    sweep_reviews(opened, MUCH_LATER)
    with opened.read() as connection:
        one = queries.find_round(connection, "harbour", 1)
        (kept,) = connection.execute(
            select(audit_event).where(audit_event.c.type == "escalation_acknowledged")
        ).all()
    assert one.extended
    assert (kept.actor, kept.payload) == ("city-sponsor", '{"matter":"review_unanswered","subject":"1"}')


def test_a_round_still_closes_after_somebody_took_charge(opened: Database) -> None:
    acknowledge(opened, "harbour", "review_unanswered", "1", "city-sponsor", REMINDED)
    sweep_reviews(opened, MUCH_LATER)
    sweep_reviews(opened, MUCH_LATER + 30 * DAY)
    with opened.read() as connection:
        assert queries.find_round(connection, "harbour", 1).quorate is False


def test_an_overdue_promise_stays_overdue_when_its_ladder_is_acknowledged(database: Database) -> None:
    in_force(database, datetime(2026, 3, 2, 9, tzinfo=UTC))
    at = datetime(2026, 4, 2, 12, tzinfo=UTC)
    sweep_escalations(database, at)
    acknowledge(database, "harbour", "report_overdue", "lists/1", "city-primary", at)
    monitor(database, MUCH_LATER)
    sweep_escalations(database, MUCH_LATER)
    assert performances(database)["lists/1"].state == "overdue"
    assert {template for _, template in told(database, "harbour")} == {
        "signoff_reminder",
        "signoff_escalated",
    }


def test_only_the_ladder_of_that_subject_stops(database: Database) -> None:
    in_force(database, datetime(2026, 3, 2, 9, tzinfo=UTC), agreement(obligation(), obligation("room")))
    at = datetime(2026, 4, 2, 12, tzinfo=UTC)
    sweep_escalations(database, at)
    acknowledge(database, "harbour", "report_overdue", "lists/1", "city-primary", at)
    sweep_escalations(database, datetime(2026, 4, 9, 12, tzinfo=UTC))
    with database.read() as connection:
        found = select(notice.c.key).where(
            notice.c.template.in_(("report_reminder", "performance_escalated"))
        )
        keys = connection.execute(found.where(notice.c.state == "pending")).scalars()
        assert {(key.split(":")[1], key.split(":")[2].partition("#")[0]) for key in keys} == {
            ("performance/room/1", "report_reminder"),
            ("performance/room/1", "performance_escalated"),
        }


@pytest.mark.parametrize("by", ["city-primary", "city-deputy", "school-sponsor", "clinic-primary"])
def test_who_is_concerned_may_take_charge(opened: Database, by: str) -> None:
    """The side whose answer is missing, those who wait for it, and the coordinator."""
    acknowledge(opened, "harbour", "review_unanswered", "1", by, REMINDED)


@pytest.mark.parametrize(
    ("matter", "subject", "by", "error", "says"),
    [
        ("review_unanswered", "2", "city-primary", NotFound, "Open are: review_unanswered 1."),
        ("review_due", "", "city-primary", NotFound, "Open are: review_unanswered 1."),
        ("nothing", "1", "city-primary", NotFound, "Open are: review_unanswered 1."),
        ("review_unanswered", "1", "nobody", NotFound, "Registered are:"),
    ],
)
def test_what_is_wrong_is_refused_and_changes_nothing(
    opened: Database, matter: str, subject: str, by: str, error: type[LifecycleError], says: str
) -> None:
    before = contents(opened)
    with pytest.raises(error) as refused:
        acknowledge(opened, "harbour", matter, subject, by, REMINDED)
    assert says in str(refused.value)
    assert contents(opened) == before


def test_an_acknowledged_ladder_is_not_open_any_more(opened: Database) -> None:
    acknowledge(opened, "harbour", "review_unanswered", "1", "city-primary", REMINDED)
    with pytest.raises(NotFound, match="None are open there at all"):
        acknowledge(opened, "harbour", "review_unanswered", "1", "city-primary", REMINDED)


def test_a_partner_whose_matter_it_is_not_takes_no_charge(database: Database) -> None:
    in_force(database, datetime(2026, 3, 2, 9, tzinfo=UTC))
    at = datetime(2026, 4, 2, 12, tzinfo=UTC)
    registration.put_partner(database, "harbour", organisation("school"), "clinic-primary", at)
    before = contents(database)
    with pytest.raises(NotAllowed, match="whose matter it is not") as refused:
        acknowledge(database, "harbour", "report_overdue", "lists/1", "school-primary", at)
    assert refused.value.mend.startswith(
        "Ask clinic-deputy or clinic-primary or clinic-sponsor or city-deputy"
    )
    assert contents(database) == before
