"""Rounds by occasion, and with other questions than the default's."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from lifecycle.audit.queries import trail
from lifecycle.db import Database
from lifecycle.documents import service as documents
from lifecycle.errors import Invalid
from lifecycle.notices.models import notice
from lifecycle.partnerships import changes, registration
from lifecycle.redress import service as redress
from lifecycle.reviews import occasions, queries
from lifecycle.reviews import service as reviews
from tests.builders import contents, organisation, person
from tests.obligations.agreements import agreement, in_force
from tests.redress.cases import days, lodged
from tests.redress.cases import redress as procedure

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
ASKED = {"respondents": ["clinic-primary", "city-primary"], "open_working_days": 5}


def agreed(database: Database, **more: Any) -> None:
    content = agreement() | {"reviews": ASKED | more, "redress": procedure()}
    in_force(database, START, content)


def rounds(database: Database) -> list[queries.Round]:
    with database.read() as connection:
        return queries.rounds(connection, "harbour")


def test_half_time_opens_a_round_once(database: Database) -> None:
    agreed(database)
    with database.write() as connection:
        change = changes.begin(connection, "harbour", START)
        occasions.follow_term(change, {"starts_on": "2026-03-01", "ends_on": "2026-12-31"})
        changes.write(connection, change)
    middle = datetime(2026, 7, 31, 8, tzinfo=UTC)
    assert occasions.sweep_half_times(database, middle - timedelta(minutes=1)) == 0
    assert occasions.sweep_half_times(database, middle) == 1
    assert occasions.sweep_half_times(database, middle) == 0
    (one,) = rounds(database)
    assert (one.occasion, one.asked) == ("half_time", ("city-primary", "clinic-primary"))


def test_an_upheld_complaint_that_is_put_right_opens_a_round(database: Database) -> None:
    from lifecycle.obligations import service as promises

    agreed(database)
    lodged(database, days(0), about={"obligation": "lists"})
    for who in ("clinic-primary", "city-primary"):
        redress.agree(database, "harbour", 1, who, days(1))
    promises.report(database, "harbour", "remedy:1/1", {"outcome": "kept"}, "clinic-primary", days(2))
    promises.accept(database, "harbour", "remedy:1/1", "city-primary", days(2))
    redress.close(database, "harbour", 1, None, "city-primary", days(3))
    assert [one.occasion for one in rounds(database)] == ["complaint"]


def test_another_sponsor_opens_a_round_and_another_deputy_does_not(database: Database) -> None:
    agreed(database)
    city = organisation("city")
    entry = city | {"contacts": [person("city-second", "deputy", "city")]}
    registration.put_partner(database, "harbour", entry, "city-primary", days(0))
    assert rounds(database) == []
    entry = city | {"contacts": [person("city-new", "sponsor", "city")]}
    registration.put_partner(database, "harbour", entry, "city-primary", days(1))
    assert [one.occasion for one in rounds(database)] == ["sponsor"]


def test_a_round_nearby_serves_the_occasion_too_and_the_trail_says_so(database: Database) -> None:
    agreed(database)
    for at in (days(0), days(10)):
        with database.write() as connection:
            change = changes.begin(connection, "harbour", at)
            occasions.open_for(connection, change, "half_time")
            changes.write(connection, change)
    assert len(rounds(database)) == 1
    with database.read() as connection:
        assert trail(connection, "harbour")[-1].type == "review_occasion_covered"


OWN = {"id": "ward", "section": "Our own", "text": "Does the weekly ward round help?"}


def opened(database: Database, **more: Any) -> None:
    agreed(database, every="FREQ=MONTHLY;INTERVAL=3", first_on="2026-03-02", **more)
    with database.write() as connection:
        change = changes.begin(connection, "harbour", START)
        reviews.follow_schedule(
            change, ASKED | {"every": "FREQ=MONTHLY;INTERVAL=3", "first_on": "2026-03-02"} | more
        )
        changes.write(connection, change)
    reviews.sweep_reviews(database, START)


def respond(database: Database, *answers: dict[str, Any]) -> None:
    reviews.respond(
        database,
        "harbour",
        1,
        "city-primary",
        {"round": 1, "answers": list(answers)},
        START + timedelta(days=1),
    )


def test_a_partnership_asks_the_health_check_and_questions_of_its_own(database: Database) -> None:
    opened(database, questionnaire="health-check", questions=[OWN])
    respond(database, {"question": "trust", "score": 1}, {"question": "ward", "score": 3})
    with database.read() as connection:
        (action,) = queries.actions(connection, "harbour")
        rows = connection.execute(select(notice.c.facts).where(notice.c.template == "review_opened"))
        assert {row["questionnaire"]["own"][0]["id"] for row in rows.scalars()} == {"ward"}
    assert action.question == "trust"


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        ({"question": "q1", "score": 3}, "/answers/0/question"),
        ({"question": "trust", "score": 4}, "/answers/0/score"),
        ({"question": "trust-mended", "score": 1}, "/answers/0/question"),
        ({"question": "roles", "score": 1, "cannot_say": True}, "/answers/0/cannot_say"),
    ],
)
def test_what_does_not_answer_the_questionnaire_is_refused(
    database: Database, answer: dict[str, Any], fault: str
) -> None:
    opened(database, questionnaire="health-check")
    before = contents(database)
    with pytest.raises(Invalid, match=fault):
        respond(database, answer)
    assert contents(database) == before


def test_a_question_is_answered_once(database: Database) -> None:
    opened(database)
    with pytest.raises(Invalid, match="/answers/1/question"):
        respond(database, {"question": "q1", "score": 3}, {"question": "q1", "score": 4})


def test_own_questions_have_ids_of_their_own(database: Database) -> None:
    agreed(database)
    changed = agreement() | {"reviews": ASKED | {"questions": [OWN, OWN | {"id": "q3"}, OWN]}}
    from tests.obligations.agreements import move

    move(database, "harbour", "setting_up")
    with pytest.raises(Invalid) as error:
        documents.put(database, "harbour", "agreement", changed, "clinic-primary", days(1))
    assert [fault.pointer for fault in error.value.faults] == [
        "/reviews/questions/1/id", "/reviews/questions/2/id",
    ]  # fmt: skip


def test_open_actions_are_brought_up_again_in_the_next_round(database: Database) -> None:
    opened(database)
    respond(database, {"question": "q8", "score": 1})
    reviews.sweep_reviews(database, START + timedelta(days=95))
    with database.read() as connection:
        rows = connection.execute(
            select(notice.c.facts).where(notice.c.template == "review_opened").order_by(notice.c.id.desc())
        )
        assert [one["question"] for one in rows.scalars().first()["unverified"]] == ["q8"]
