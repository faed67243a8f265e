"""Corrective actions: planned, reminded of, and verified by another partner."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, update

from lifecycle.db import Database
from lifecycle.errors import Fault, Invalid, NotAllowed, NotFound
from lifecycle.notices import outbox
from lifecycle.partnerships import changes
from lifecycle.partnerships.people import BINDING_ROLES
from lifecycle.reviews import queries
from lifecycle.reviews.models import corrective_action
from lifecycle.reviews.service import begin
from lifecycle.timers import ladders
from lifecycle.timers import service as timers


def plan_action(
    database: Database,
    partnership_id: str,
    number: int,
    what: str,
    owner: str,
    due_on: date,
    by: str,
    now: datetime,
) -> None:
    """Say what a corrective action is, who owns it and by when; planning it again replaces the plan.

    Raises:
        NotFound: unknown partnership, action or contact.
        NotAllowed: it is verified already, or `by` is an observer or member.
        Invalid: the due date is in the past.
    """
    with database.write() as connection:
        change, people = begin(connection, partnership_id, now)
        people.entitled(by, BINDING_ROLES, "plan a corrective action")
        people.get(owner)
        before = _require_unverified(connection, partnership_id, number)
        if not what.strip() or len(what) > 2000:
            raise Invalid(
                [Fault("/what", "length", "Say what will be done, in at most 2,000 characters.")], "The plan"
            )
        if due_on < change.partnership.calendar.local_date(change.now):
            raise Invalid([Fault("/due_on", "minimum", "Give a day that is not over.")], "The plan")
        _withdraw_reminders(connection, partnership_id, before)
        _update_action(connection, partnership_id, number, what=what, owner=owner, due_on=due_on)
        change.log("corrective_action_planned", by, number=number, owner=owner, due_on=due_on.isoformat())
        due_at = change.partnership.calendar.end_of_day(due_on)
        change.arm("action_overdue", str(number), due_at, ladders.ACTION_OVERDUE)
        change.arm("gate_readiness", "", change.now, ladders.NOW)
        changes.write(connection, change)


def verify_action(database: Database, partnership_id: str, number: int, by: str, now: datetime) -> None:
    """Confirm that a corrective action was carried out; done by a partner other than the owner's.

    Raises:
        NotFound: unknown partnership, action or contact.
        NotAllowed: it has no plan, is verified already, or `by` belongs to the owner's own partner.
    """
    with database.write() as connection:
        change, people = begin(connection, partnership_id, now)
        checker = people.entitled(by, BINDING_ROLES, "verify a corrective action")
        action = _require_unverified(connection, partnership_id, number)
        if action.owner is None:
            raise NotAllowed(
                f"Corrective action {number} has no plan yet.", mend="Plan it first: what, owner, due."
            )
        if people.get(action.owner).partner_id == checker.partner_id:
            raise NotAllowed(
                f"{by} belongs to the partner that owns action {number}.", mend="Another partner verifies it."
            )
        _update_action(connection, partnership_id, number, verified_by=by, verified_at=change.now)
        change.log("corrective_action_verified", by, number=number)
        timers.stop(connection, partnership_id, change.now, "action_overdue", str(number))
        _withdraw_reminders(connection, partnership_id, action)
        changes.write(connection, change)


def _withdraw_reminders(connection: Connection, partnership_id: str, action: queries.Action) -> None:
    outbox.withdraw(connection, partnership_id, action.fact, ("action_reminder", "action_escalated"))


def _require_unverified(connection: Connection, partnership_id: str, number: int) -> queries.Action:
    actions = {action.number: action for action in queries.actions(connection, partnership_id)}
    if number not in actions:
        raise NotFound(
            f"Partnership {partnership_id} has no corrective action {number}.",
            mend="`lifecycle show ID` lists those there are.",
        )
    if actions[number].verified_at is not None:
        raise NotAllowed(f"Corrective action {number} is verified already.", mend="Nothing is left to do.")
    return actions[number]


def _update_action(connection: Connection, partnership_id: str, number: int, **values: Any) -> None:
    connection.execute(
        update(corrective_action)
        .where(corrective_action.c.partnership_id == partnership_id, corrective_action.c.number == number)
        .values(**values)
    )
