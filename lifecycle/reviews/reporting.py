"""The results of a partnership's rounds, read from what was answered."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from lifecycle.partnerships.people import People
from lifecycle.reviews import queries, questionnaire
from lifecycle.reviews.results import Answered, Results, Score, evaluate


def results_of(connection: Connection, people: People, number: int, partnership_id: str) -> Results:
    """The results of a round, with the change since the last one before it that asked the same questionnaire.

    Raises:
        NotFound: this partnership has no such round.
    """
    one = queries.find_round(connection, partnership_id, number)
    pinned = one.questionnaire or questionnaire.reference()
    earlier = [
        before.number
        for before in queries.rounds(connection, partnership_id)
        if before.number < number
        and (before.questionnaire or questionnaire.reference())["id"] == pinned["id"]
    ]
    before = _evaluated(connection, people, earlier[-1], partnership_id, None) if earlier else None
    return _evaluated(connection, people, number, partnership_id, before)


def _evaluated(
    connection: Connection, people: People, number: int, partnership_id: str, before: Results | None
) -> Results:
    one = queries.find_round(connection, partnership_id, number)
    counted = queries.responses(connection, partnership_id, number)
    answers = [
        Answered(people.contacts[contact_id].partner_id, content)
        for contact_id, content in sorted(counted.items())
        if contact_id in people.contacts
    ]
    return evaluate(
        number,
        questionnaire.of(one.questionnaire),
        answers,
        people_asked=len(one.asked),
        declined=len(set(one.declined) - counted.keys()),
        late=len(queries.late(connection, partnership_id, number)),
        anonymous=bool((one.questionnaire or {}).get("anonymous")),
        before=before,
    )


def as_facts(results: Results) -> dict[str, Any]:
    """What the email about a closed round says of its results."""
    return {
        "highest": results.highest,
        "cannot_say": results.cannot_say,
        "hidden": list(results.hidden),
        "sections": [_fact(one) for one in results.sections],
        "questions": [_fact(one) for one in results.questions],
    }


def _fact(one: Score) -> Mapping[str, Any]:
    return {
        "title": one.title,
        "mean": one.mean,
        "spread": one.spread,
        "change": one.change,
        "answers": one.answers,
        "cannot_say": one.cannot_say,
    }
