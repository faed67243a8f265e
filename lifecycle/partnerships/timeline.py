"""The dates that a contact lives with: what their organisation owes and is owed, when rounds close, when the term ends."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection

from lifecycle.documents import queries as documents
from lifecycle.evaluation import exiting
from lifecycle.notices import words
from lifecycle.obligations import queries as obligations
from lifecycle.partnerships.changes import Partnership
from lifecycle.partnerships.people import Contact, people_of
from lifecycle.reviews import queries as reviews
from lifecycle.timers import queries as timers

FOR_EVERYBODY = frozenset({"review_due", "evaluation_begins"})
"""Clocks that concern the whole partnership."""


@dataclass(frozen=True)
class Entry:
    """A date: an instant (UTC) or a whole day. Its name stays when it moves."""

    name: str
    what: str
    at: datetime | date


def of(connection: Connection, record: Partnership, contact_id: str) -> list[Entry]:
    """What lies ahead of, and is open for, one contact, in the order of their names.

    Raises:
        NotFound: nobody of this id is registered there.
    """
    person = people_of(connection, record.id)[record.id].get(contact_id)
    found = [
        *_promises(connection, record.id, person),
        *_rounds(connection, record.id, person),
        *_tasks(connection, record.id, person),
        *_clocks(connection, record.id),
        *_term(connection, record.id),
    ]
    return sorted(found, key=lambda entry: entry.name)


def _promises(connection: Connection, partnership_id: str, person: Contact) -> Iterator[Entry]:
    agreement = documents.latest(connection, partnership_id, ["agreement"])
    agreed = agreement[0].content.get("obligations", ()) if agreement else ()
    acts = {one["id"]: one["act"] for one in agreed}
    for one in obligations.performances(connection, partnership_id):
        if one.closed_at is None and person.partner_id in {one.obligor, one.obligee}:
            owed = "You owe" if one.obligor == person.partner_id else "Owed to you"
            yield Entry(f"promise/{one.name}", f"{owed}: {acts.get(one.obligation, one.name)}", one.due_at)


def _rounds(connection: Connection, partnership_id: str, person: Contact) -> Iterator[Entry]:
    for one in reviews.rounds(connection, partnership_id):
        if one.closed_at is None and person.id in one.asked and person.id not in one.declined:
            yield Entry(f"review/{one.number}", f"Review {one.number} closes", one.closes_at)


def _tasks(connection: Connection, partnership_id: str, person: Contact) -> Iterator[Entry]:
    for one in reviews.actions(connection, partnership_id):
        if one.owner == person.id and one.due_on is not None and one.verified_at is None:
            yield Entry(f"action/{one.number}", f"Action {one.number}: {one.what}", one.due_on)
    plan = exiting.plan_of(connection, partnership_id)
    for task in exiting.tasks_of(plan.content) if plan is not None else ():
        if task.owner == person.id and task.by is not None and task.done_on is None:
            yield Entry(f"handover/{task.number}", f"Hand over: {task.what}", task.by)


def _clocks(connection: Connection, partnership_id: str) -> Iterator[Entry]:
    for clock in timers.open_timers(connection, partnership_id):
        if clock.matter in FOR_EVERYBODY and clock.due_at is not None:
            what = words.MATTERS[clock.matter]
            yield Entry(f"{clock.matter}/{clock.subject}", f"{what[:1].upper()}{what[1:]}", clock.due_at)


def _term(connection: Connection, partnership_id: str) -> Iterator[Entry]:
    agreement = documents.latest(connection, partnership_id, ["agreement"])
    ends_on = agreement[0].content.get("term", {}).get("ends_on") if agreement else None
    if ends_on is not None:
        yield Entry("term", "The agreed term ends", date.fromisoformat(ends_on))
