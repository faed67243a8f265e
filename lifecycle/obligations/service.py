"""Performances: scheduled from the agreement in force, reported, answered, decided, waived, restored."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert

from lifecycle import machines
from lifecycle.db import Database
from lifecycle.documents import rules as document_rules
from lifecycle.errors import Fault, Invalid, NotAllowed
from lifecycle.notices.owed import Owed
from lifecycle.obligations import queries, record, terms
from lifecycle.obligations.models import signal
from lifecycle.obligations.queries import Performance
from lifecycle.obligations.states import BREACHES, OUTCOMES, TRANSITIONS
from lifecycle.obligations.terms import Terms
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import BINDING_ROLES, People, people_of
from lifecycle.redress import steps
from lifecycle.timers import service as timers

ANSWERING_ROLES = (*BINDING_ROLES, "observer")

_DAY = timedelta(days=1)


def demand(
    database: Database, partnership_id: str, obligation_id: str, by: str, now: datetime
) -> Performance:
    """Ask for something that is owed on request; it is then due within the agreed time.

    Raises:
        NotFound: unknown partnership, contact or obligation.
        NotAllowed: the obligation is not owed on request, or `by` does not belong to the side that is owed.
    """
    with database.write() as connection:
        change, people = _begin(connection, partnership_id, now)
        agreed = terms.in_force(connection, partnership_id, obligation_id)
        _of_side(people, by, agreed.obligation["obligee"], BINDING_ROLES, "ask for it")
        within = agreed.obligation.get("due", {}).get("on_request_within_days")
        if within is None:
            raise NotAllowed(
                f"“{obligation_id}” is not owed on request.",
                mend="It falls due by itself: see `lifecycle show`.",
            )
        calendar = change.partnership.calendar
        due_at = calendar.end_of_day(calendar.local_date(change.now) + within * _DAY)
        one = record.add(connection, change, agreed, due_at)
        change.log("performance_demanded", by, performance=one.name)
        facts = record.facts_of(change.partnership.calendar, one, agreed) | {"by": by}
        change.owe(
            Owed(c.id, "performance_demanded", f"performance/{one.name}", facts, due_at)
            for c in people.reachable(one.obligor, *BINDING_ROLES)
        )
        changes.write(connection, change)
        return one


def report(
    database: Database, partnership_id: str, name: str, content: Any, by: str, now: datetime
) -> Performance:
    """Say whether a promise was kept. Reporting again, before it is answered, replaces the report; both are kept.

    The other side hears of it at once and has the agreed window to answer.

    Args:
        name: the performance, such as `breakfast/3`.
        content: as `schemas/performance_report/v1.json` has it.

    Raises:
        Invalid: the content breaks its schema.
        NotFound: unknown partnership, contact or performance.
        NotAllowed: it is not for this side to report, or the performance is answered already.
    """
    document_rules.validate("performance_report", content)
    with database.write() as connection:
        change, people = _begin(connection, partnership_id, now)
        one = queries.find(connection, partnership_id, name)
        agreed = terms.of(connection, partnership_id, one)
        person = people.get(by)
        if person.partner_id not in agreed.reporters():
            raise NotAllowed(
                f"{by} belongs to {person.partner_id}; {one.name} is reported by {' or '.join(agreed.reporters())}.",
                mend="Ask one of their contacts to report it, or send a signal.",
            )
        seen_at = one.seen_at or change.now
        reported = record.move(
            connection, change, one, "report", by,
            outcome=content["outcome"], reported_at=change.now, seen_at=seen_at,
        )  # fmt: skip
        record.enter(connection, change, one, "report", by, content)
        record.stop(
            connection, change, one, (record.REPORT_OVERDUE,), ("report_reminder", "performance_escalated")
        )
        record.await_answer(change, people, reported, agreed, person, content)
        changes.write(connection, change)
        return reported


def accept(database: Database, partnership_id: str, name: str, by: str, now: datetime) -> Performance:
    """Accept the other side's report: the performance is settled as reported.

    Raises:
        NotFound: unknown partnership, contact or performance.
        NotAllowed: there is no report to answer, it is not for this side to answer, or the window is over.
    """
    with database.write() as connection:
        change, people = _begin(connection, partnership_id, now)
        one, agreed = _to_answer(connection, change, people, name, by)
        record.enter(connection, change, one, "accept", by, {"outcome": one.outcome})
        settled = record.settle(connection, change, people, one, agreed, "accept", by, one.outcome)
        steps.follow_remedy(connection, change, people, settled)
        changes.write(connection, change)
        return settled


def dispute(
    database: Database, partnership_id: str, name: str, reason: str, by: str, now: datetime
) -> Performance:
    """Dispute the other side's report; the decider that the agreement names is asked.

    Raises:
        Invalid: no reason is given.
        NotFound, NotAllowed: as `accept`.
    """
    _require_reason(reason)
    with database.write() as connection:
        change, people = _begin(connection, partnership_id, now)
        one, agreed = _to_answer(connection, change, people, name, by)
        record.enter(connection, change, one, "dispute", by, {"note": reason})
        disputed = record.ask_decider(connection, change, people, one, agreed, "dispute", by, reason)
        changes.write(connection, change)
        return disputed


def _to_answer(
    connection: Connection, change: Change, people: People, name: str, by: str
) -> tuple[Performance, Terms]:
    partnership_id = change.partnership.id
    one = queries.find(connection, partnership_id, name)
    agreed = terms.of(connection, partnership_id, one)
    machines.next_state(TRANSITIONS, one.state, "accept", f"Performance {one.name}")
    reporter = people.get(record.last_report(connection, partnership_id, one).by)
    _of_side(people, by, record.other_side(one, reporter.partner_id), ANSWERING_ROLES, "answer this report")
    closes_at = timers.due_of(connection, partnership_id, record.ANSWER, one.name)
    if closes_at is not None and change.now >= closes_at:
        raise NotAllowed(
            f"The window to answer the report on {one.name} closed on {closes_at:%Y-%m-%d %H:%M} UTC: "
            f"silence counts as {agreed.on_silence}.",
            mend="If that is wrong, lodge a complaint.",
        )
    return one, agreed


def decide(
    database: Database, partnership_id: str, name: str, outcome: str, reason: str, by: str, now: datetime
) -> Performance:
    """Decide a disputed performance, as the person whom the agreement names for it.

    Raises:
        Invalid: no such outcome, or no reason.
        NotFound: unknown partnership, contact or performance.
        NotAllowed: it is not disputed, or `by` is not its decider.
    """
    if outcome not in OUTCOMES:
        raise Invalid([Fault("/outcome", "enum", f"Use one of: {', '.join(OUTCOMES)}.")], "The decision")
    _require_reason(reason)
    with database.write() as connection:
        change, people = _begin(connection, partnership_id, now)
        one = queries.find(connection, partnership_id, name)
        agreed = terms.of(connection, partnership_id, one)
        people.get(by)
        decider = agreed.obligation.get("decider")
        if by != decider:
            raise NotAllowed(f"{by} does not decide on {one.name}.", mend=f"The agreement names {decider}.")
        machines.next_state(TRANSITIONS, one.state, "decide", f"Performance {one.name}")
        record.enter(connection, change, one, "decide", by, {"outcome": outcome, "note": reason})
        settled = record.settle(connection, change, people, one, agreed, "decide", by, outcome, reason)
        steps.follow_remedy(connection, change, people, settled)
        changes.write(connection, change)
        return settled


def waive(
    database: Database, partnership_id: str, name: str, reason: str, by: str, now: datetime
) -> Performance:
    """Waive a performance on behalf of the side that is owed.

    Raises:
        Invalid: no reason is given.
        NotFound: unknown partnership, contact or performance.
        NotAllowed: `by` does not belong to the side that is owed, or it is settled already.
    """
    return _close(database, partnership_id, name, "waive", reason, by, now)


def confirm_restored(
    database: Database, partnership_id: str, name: str, how: str, by: str, now: datetime
) -> Performance:
    """Confirm, for the side that was owed, that a breach has been repaired. The record of repair counts.

    Raises:
        Invalid: it is not said how.
        NotFound: unknown partnership, contact or performance.
        NotAllowed: `by` does not belong to the side that is owed, or there is no settled breach.
    """
    return _close(database, partnership_id, name, "restore", how, by, now)


def _close(
    database: Database, partnership_id: str, name: str, event: str, reason: str, by: str, now: datetime
) -> Performance:
    _require_reason(reason)
    with database.write() as connection:
        change, people = _begin(connection, partnership_id, now)
        one = queries.find(connection, partnership_id, name)
        agreed = terms.of(connection, partnership_id, one)
        _of_side(people, by, one.obligee, BINDING_ROLES, f"{event} it")
        if event == "restore" and one.state == "settled" and one.outcome not in BREACHES:
            raise NotAllowed(f"Performance {one.name} is no breach.", mend="There is nothing to restore.")
        machines.next_state(TRANSITIONS, one.state, event, f"Performance {one.name}")
        record.enter(connection, change, one, event, by, {"note": reason})
        closed = record.settle(connection, change, people, one, agreed, event, by, one.outcome, reason)
        steps.follow_remedy(connection, change, people, closed)
        changes.write(connection, change)
        return closed


def send_signal(
    database: Database, partnership_id: str, obligation_id: str, note: str, by: str, now: datetime
) -> int:
    """Send an early, informal note on an obligation to both sides; returns its number. It has no clock.

    Raises:
        Invalid: the note is empty, or longer than one line of 280 characters.
        NotFound: unknown partnership, contact or obligation.
    """
    if not note.strip() or len(note) > 280 or "\n" in note:
        raise Invalid([Fault("/note", "one line", "Write one line of at most 280 characters.")], "The signal")
    with database.write() as connection:
        change, people = _begin(connection, partnership_id, now)
        agreed = terms.in_force(connection, partnership_id, obligation_id)
        people.get(by)
        number = len(queries.signals(connection, partnership_id)) + 1
        row = {"number": number, "obligation": obligation_id, "by": by, "at": change.now, "note": note}
        connection.execute(insert(signal), row | {"partnership_id": partnership_id})
        change.log("signal_sent", by, number=number, obligation=obligation_id)
        sides = (agreed.obligation["obligor"], agreed.obligation["obligee"])
        told = {c.id for side in sides for c in people.reachable(side, *BINDING_ROLES)} - {by}
        facts = {"obligation": obligation_id, "act": agreed.obligation.get("act", ""), "by": by, "note": note}
        change.owe(Owed(c, "signal_received", f"signal/{number}", facts) for c in sorted(told))
        changes.write(connection, change)
        return number


def _begin(connection: Connection, partnership_id: str, now: datetime) -> tuple[Change, People]:
    change = changes.begin(connection, partnership_id, now)
    changes.require_open(change)
    return change, people_of(connection, partnership_id)[partnership_id]


def _of_side(people: People, by: str, partner_id: str, roles: tuple[str, ...], what: str) -> None:
    person = people.entitled(by, roles, what)
    if person.partner_id != partner_id:
        able = ", ".join(c.id for c in people.of(partner_id, roles))
        raise NotAllowed(
            f"{by} belongs to {person.partner_id}; only {partner_id} can {what}.",
            mend=f"Ask {able or partner_id}.",
        )


def _require_reason(reason: str) -> None:
    if not reason.strip() or len(reason) > 2000:
        raise Invalid([Fault("/reason", "minLength", "Say why, in at most 2,000 characters.")], "The entry")
