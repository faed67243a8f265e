"""Changing one performance: its row, what was said about it, its clocks, and who is told."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, update

from lifecycle import machines
from lifecycle.documents import rules as document_rules
from lifecycle.notices import outbox
from lifecycle.notices.owed import Owed
from lifecycle.obligations import queries
from lifecycle.obligations.models import performance, performance_entry
from lifecycle.obligations.queries import Entry, Performance
from lifecycle.obligations.states import TRANSITIONS
from lifecycle.obligations.terms import Terms
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import BINDING_ROLES, Contact, People
from lifecycle.timers import service as timers
from lifecycle.timers.calendars import Calendar

DUE = "performance"
REPORT_OVERDUE = "report_overdue"
ANSWER = "answer"
ANSWER_MISSING = "answer_missing"
DECISION = "decision"
DECISION_MISSING = "decision_missing"
"""The matters of a performance's clocks; their subject is its name."""


def add(
    connection: Connection, change: Change, agreed: Terms, due_at: datetime, number: int | None = None
) -> Performance:
    """Add a performance that is due at an instant, the obligation's next unless numbered, and start its clocks."""
    obligation = agreed.obligation
    if number is None:
        number = queries.last_numbers(connection, change.partnership.id).get(obligation["id"], 0) + 1
    one = Performance(
        obligation=obligation["id"],
        number=number,
        agreement_revision=agreed.revision,
        obligor=obligation["obligor"],
        obligee=obligation["obligee"],
        weight=obligation.get("weight", 1),
        due_at=due_at,
        state="due",
        outcome=None,
        reported_at=None,
        seen_at=None,
        answered_at=None,
        closed_at=None,
    )
    connection.execute(insert(performance), vars(one) | {"partnership_id": change.partnership.id})
    change.log("performance_scheduled", changes.SYSTEM, performance=one.name, due_at=due_at.isoformat())
    change.arm(DUE, one.name, due_at, agreed.due_ladder())
    change.arm(REPORT_OVERDUE, one.name, due_at, agreed.overdue_ladder())
    return one


def move(
    connection: Connection, change: Change, one: Performance, event: str, actor: str, **values: Any
) -> Performance:
    """Take a performance through one transition of its machine and log it; returns it as it is now.

    Raises:
        NotAllowed: its state has no such event.
    """
    state = machines.next_state(TRANSITIONS, one.state, event, f"Performance {one.name}")
    where = (
        performance.c.partnership_id == change.partnership.id,
        performance.c.obligation == one.obligation,
        performance.c.number == one.number,
    )
    connection.execute(update(performance).where(*where).values(state=state, **values))
    moved = replace(one, state=state, **values)
    change.log(
        "performance_moved", actor, performance=one.name, event=event, state=state, outcome=moved.outcome
    )
    return moved


def enter(
    connection: Connection, change: Change, one: Performance, kind: str, by: str, content: Mapping[str, Any]
) -> None:
    """Keep what was said, and bind it into the trail by its hash."""
    evidence = content.get("evidence", {})
    row = {
        "partnership_id": change.partnership.id,
        "obligation": one.obligation,
        "number": one.number,
        "seq": len(queries.entries(connection, change.partnership.id, one)) + 1,
        "at": change.now,
        "kind": kind,
        "by": by,
        "outcome": content.get("outcome"),
        "note": content.get("note"),
        "evidence": evidence.get("reference"),
        "evidence_sha256": evidence.get("sha256"),
    }
    connection.execute(insert(performance_entry), row)
    digest = document_rules.sha256(dict(content))
    change.log("performance_entry", by, performance=one.name, kind=kind, seq=row["seq"], sha256=digest)


def stop(
    connection: Connection,
    change: Change,
    one: Performance,
    matters: tuple[str, ...],
    reminders: tuple[str, ...],
) -> None:
    """Stop clocks of a performance, and take back what was not sent yet: it has been answered."""
    for matter in matters:
        timers.stop(connection, change.partnership.id, change.now, matter, one.name)
    outbox.withdraw(connection, change.partnership.id, f"performance/{one.name}", reminders)
    if ANSWER in matters and one.reported_at is not None:
        asked = ("report_received", "answer_reminder")
        outbox.withdraw(connection, change.partnership.id, report_fact(one.name, one.reported_at), asked)


def await_answer(
    change: Change,
    people: People,
    one: Performance,
    agreed: Terms,
    reporter: Contact,
    content: Mapping[str, Any],
) -> None:
    change.arm(ANSWER, one.name, change.now, agreed.answer_ladder())
    change.arm(ANSWER_MISSING, one.name, change.now, agreed.reminder_ladder("answer_reminder"))
    facts = facts_of(change.partnership.calendar, one, agreed) | {
        "outcome": one.outcome,
        "by": reporter.id,
        "note": content.get("note"),
        "evidence": content.get("evidence", {}).get("reference"),
        "on_silence": agreed.on_silence,
    }
    closes_at = agreed.answer_by(change.now, change.partnership.calendar)
    change.owe(
        Owed(
            contact_id,
            "report_received",
            report_fact(one.name, change.now),
            facts,
            closes_at,
        )
        for contact_id in answerers(people, one, agreed, reporter.partner_id)
    )


def answerers(people: People, one: Performance, agreed: Terms, reporting_partner: str) -> list[str]:
    """Who answers a report: on the side that is owed its observer and whoever can be reached, else the other side."""
    other = other_side(one, reporting_partner)
    found = [c.id for c in people.reachable(other, *BINDING_ROLES)]
    observer = people.contacts.get(agreed.obligation.get("observer", ""))
    if observer is not None and observer.partner_id == other and not observer.undeliverable:
        found = [observer.id, *found]
    return list(dict.fromkeys(found))


def other_side(one: Performance, partner_id: str) -> str:
    """The other partner of a performance."""
    return one.obligor if partner_id == one.obligee else one.obligee


def last_report(connection: Connection, partnership_id: str, one: Performance) -> Entry:
    """The report that counts: the newest."""
    return [e for e in queries.entries(connection, partnership_id, one) if e.kind == "report"][-1]


def ask_decider(
    connection: Connection,
    change: Change,
    people: People,
    one: Performance,
    agreed: Terms,
    event: str,
    actor: str,
    reason: str | None,
) -> Performance:
    """A report is disputed: the decider is asked, both sides hear it, and the decision has its own clock."""
    stop(connection, change, one, (ANSWER, ANSWER_MISSING), ("answer_reminder",))
    disputed = move(connection, change, one, event, actor, answered_at=change.now)
    change.arm(DECISION, one.name, change.now, agreed.answer_ladder())
    change.arm(DECISION_MISSING, one.name, change.now, agreed.reminder_ladder("decision_reminder"))
    facts = facts_of(change.partnership.calendar, one, agreed) | {
        "event": event,
        "by": actor,
        "outcome": one.outcome,
        "reason": reason,
    }
    decide_by = agreed.answer_by(change.now, change.partnership.calendar)
    decider = agreed.obligation.get("decider")
    if decider in people.contacts:
        change.owe([Owed(decider, "decision_asked", f"performance/{one.name}", facts, decide_by)])
    tell(change, people, disputed, facts)
    return disputed


def settle(
    connection: Connection,
    change: Change,
    people: People,
    one: Performance,
    agreed: Terms,
    event: str,
    actor: str,
    outcome: str | None,
    reason: str | None = None,
) -> Performance:
    """Close a performance by an event, stop what waited for it, and tell whoever did not do it."""
    matters = (REPORT_OVERDUE, ANSWER, ANSWER_MISSING, DECISION, DECISION_MISSING)
    reminders = ("report_reminder", "performance_escalated", "answer_reminder", "decision_reminder")
    stop(connection, change, one, matters, reminders)
    values: dict[str, Any] = {"outcome": outcome, "closed_at": change.now}
    if event in {"accept", "accept_by_silence"}:
        values["answered_at"] = change.now
    settled = move(connection, change, one, event, actor, **values)
    said = {"event": event, "by": actor, "outcome": outcome, "reason": reason}
    tell(change, people, settled, facts_of(change.partnership.calendar, settled, agreed) | said)
    return settled


def tell(change: Change, people: People, one: Performance, facts: Mapping[str, Any]) -> None:
    """Tell the side that did not act; both, where the agreed procedure or a decider did."""
    actor = people.contacts.get(facts["by"])
    acted = {actor.partner_id} if actor is not None and facts["event"] != "decide" else set()
    told = {
        c.id
        for partner_id in {one.obligor, one.obligee} - acted
        for c in people.reachable(partner_id, *BINDING_ROLES)
        if c.id != facts["by"]
    }
    fact = f"performance/{one.name}/{facts['event']}"
    change.owe(Owed(contact_id, "performance_answered", fact, facts) for contact_id in sorted(told))


def report_fact(name: str, at: datetime) -> str:
    """How notices name one report on a performance; a corrected one is another."""
    return f"performance/{name}/{at:%Y%m%d%H%M%S}"


def facts_of(calendar: Calendar, one: Performance, agreed: Terms) -> dict[str, Any]:
    """What every notice about a performance says."""
    return {
        "obligation": one.obligation,
        "number": one.number,
        "act": agreed.obligation.get("act", ""),
        "standard": agreed.measure(),
        "obligor": one.obligor,
        "obligee": one.obligee,
        "due_on": calendar.local_date(one.due_at).isoformat(),
    }
