"""How promises fare in the demo: most are kept, reported and accepted on the day; three go another way."""

from datetime import datetime

from lifecycle.db import Database
from lifecycle.demo.story import OTHERWISE, PARTNERSHIPS
from lifecycle.obligations import queries, record, service, terms
from lifecycle.obligations.queries import Performance
from lifecycle.partnerships.people import BINDING_ROLES, People, people_of


def keep(database: Database, at: datetime) -> None:
    """At the instant at which promises fall due, whoever owes them reports, and the other side accepts."""
    with database.read() as connection:
        due = [
            (partnership, one, *_who(partnership, one, people, terms.of(connection, partnership, one)))
            for partnership, people in people_of(connection, *PARTNERSHIPS).items()
            for one in queries.performances(connection, partnership)
            if one.state == "due" and one.due_at <= at and (partnership, one.name) not in OTHERWISE
        ]
    for partnership, one, reporter, answerer in due:
        service.report(database, partnership, one.name, {"outcome": "kept"}, reporter, at)
        service.accept(database, partnership, one.name, answerer, at)


def _who(partnership: str, one: Performance, people: People, agreed: terms.Terms) -> tuple[str, str]:
    side = agreed.reporters()[0]
    reporter = people.reachable(side, *BINDING_ROLES)[0].id
    return reporter, record.answerers(people, one, agreed, side)[0]
