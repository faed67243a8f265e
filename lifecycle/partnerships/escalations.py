"""Ladders that fire: who hears of what has been left undone, rung by rung, until somebody takes charge of it."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from lifecycle.db import Database
from lifecycle.documents import queries as documents
from lifecycle.documents import service as signing
from lifecycle.errors import NotAllowed, NotFound
from lifecycle.evaluation import dossier as dossiers
from lifecycle.evaluation import exiting, lessons, opening
from lifecycle.gates import criteria
from lifecycle.gates.facts import RequestFact
from lifecycle.notices import outbox
from lifecycle.notices.owed import Owed
from lifecycle.obligations import queries as performances
from lifecycle.obligations import record, terms
from lifecycle.obligations.queries import Performance
from lifecycle.obligations.terms import Terms
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.facts import collect
from lifecycle.partnerships.people import BINDING_ROLES, People, people_of
from lifecycle.partnerships.sweeps import sweep
from lifecycle.redress import queries as complaints
from lifecycle.redress import record as redress
from lifecycle.redress.states import IN_DISCUSSION
from lifecycle.reviews import queries as reviews
from lifecycle.reviews import service as rounds
from lifecycle.reviews.rules import quorate
from lifecycle.timers import ladders
from lifecycle.timers import queries as clocks
from lifecycle.timers import service as timers
from lifecycle.timers.service import Fired


@dataclass(frozen=True)
class Case:
    """What a ladder is about: how notices name it, what they say, whose matter it is, and its deadline."""

    fact: str
    facts: Mapping[str, Any]
    contacts: Sequence[str] = ()
    """The people who are to act."""
    partners: Sequence[str] = field(default_factory=tuple)
    """The partners they belong to."""
    due_at: datetime | None = None
    other_side: Sequence[str] = ()
    """The partners who wait for it."""


Describe = Callable[[Connection, Fired, People], Case | None]


def _unsigned(connection: Connection, fired: Fired, people: People) -> Case | None:
    kind, subject, number = fired.subject.split("/")
    revision = documents.find(connection, fired.partnership_id, kind, subject, int(number))
    partners = signing.missing(connection, fired.partnership_id, people, revision)
    if not partners:
        return None
    roles = signing.SIGNED_BY[kind]
    contacts = [c.id for partner_id in partners for c in people.reachable(partner_id, *roles)]
    facts = {"kind": kind, "subject": subject, "revision": int(number), "sha256": revision.sha256}
    return Case(fired.subject, facts | {"missing": contacts}, contacts, partners)


def _unanswered(connection: Connection, fired: Fired, people: People) -> Case | None:
    number = int(fired.subject)
    contacts = rounds.unanswered(connection, fired.partnership_id, number)
    one = reviews.find_round(connection, fired.partnership_id, number)
    asked = {contact_id: people.get(contact_id).partner_id for contact_id in one.asked}
    over = fired.due[-1][1] >= one.closes_at
    if not contacts or (over and quorate(asked, asked.keys() - set(contacts))):
        return None
    closes_at = one.closes_at
    partners = sorted({people.get(contact_id).partner_id for contact_id in contacts})
    facts = {"round": number, "missing": contacts}
    waiting = sorted(people.partners.keys() - set(partners))
    return Case(f"review/{number}", facts, contacts, partners, closes_at, waiting)


def _action_overdue(connection: Connection, fired: Fired, people: People) -> Case | None:
    number = int(fired.subject)
    action = next(a for a in reviews.actions(connection, fired.partnership_id) if a.number == number)
    if action.owner is None or action.due_on is None or action.verified_at is not None:
        return None
    asked_in = reviews.find_round(connection, fired.partnership_id, action.round)
    facts = {
        "number": number,
        "questionnaire": asked_in.questionnaire,
        "round": action.round,
        "question": action.question,
        "what": action.what,
        "owner": action.owner,
        "due_on": action.due_on.isoformat(),
    }
    return Case(action.fact, facts, [action.owner], [people.get(action.owner).partner_id], fired.anchor_at)


def _undeliverable(_connection: Connection, fired: Fired, people: People) -> Case | None:
    person = people.get(fired.subject)
    if not person.undeliverable:
        return None
    facts = {
        "contact": person.id,
        "failed_template": "",
        "detail": "Emails are refused, or were reported as spam.",
    }
    return Case(f"contact/{person.id}/{fired.anchor_at:%Y%m%d}", facts, [person.id], [person.partner_id])


def _gate_ready(connection: Connection, fired: Fired, people: People) -> Case | None:
    """Evidence ages: a gate that was open may have shut since."""
    event, _, target = fired.subject.partition("/")
    record = changes.find(connection, fired.partnership_id)
    facts = collect(connection, record, people, event, RequestFact(None, None), fired.due[-1][1])
    if not criteria.check(event, facts).open:
        return None
    told = {"event": event, "target": target, "lessons": lessons.for_gate(connection, record.id, event)}
    return Case(f"gate/{event}/{fired.anchor_at:%Y%m%d%H%M}", told)


def _evaluation_due(connection: Connection, fired: Fired, people: People) -> Case:
    begins = timers.find_open(
        connection, fired.partnership_id, opening.BEGINS, fired.subject, fired.due[-1][1]
    )
    begins_on = fired.subject if begins is None else begins.schedule["first_on"]
    return Case(
        f"evaluation/{fired.subject}",
        {"ends_on": fired.subject, "begins_on": begins_on},
        (),
        sorted(people.partners),
        fired.anchor_at,
    )


def _undecided(connection: Connection, fired: Fired, people: People) -> Case:
    """The sponsors who have not signed a decision; once all have, the case is still open until it is carried out."""
    found = dossiers.gather(connection, fired.partnership_id, fired.due[-1][1])
    decided = found.content("evaluation").get("decision", {}).get("outcome")
    signed = found.documents["evaluation"].signed_by if decided else ()
    missing = sorted(people.partners.keys() - set(signed))
    contacts = _of_partners(people, missing, "sponsor", "deputy", "primary")
    facts = {
        "round": int(fired.subject),
        "decided": decided,
        "unsigned": missing,
        "dossier": dossiers.summary(found),
    }
    ends_on = found.term.get("ends_on")
    calendar = changes.find(connection, fired.partnership_id).calendar
    ends_at = None if ends_on is None else calendar.end_of_day(date.fromisoformat(ends_on))
    return Case(f"outcome/{fired.subject}", facts, contacts, missing, ends_at)


def _exit_task(connection: Connection, fired: Fired, people: People) -> Case | None:
    task = exiting.find_open(connection, fired.partnership_id, fired.subject)
    if task is None:
        return None
    contacts = task.contacts(people, changes.find(connection, fired.partnership_id).coordinator)
    partners = sorted({people.get(contact_id).partner_id for contact_id in contacts})
    return Case(task.fact, task.facts() | {"contacts": contacts}, contacts, partners, fired.anchor_at)


def _report_overdue(connection: Connection, fired: Fired, people: People) -> Case | None:
    one, agreed, facts = _performance(connection, fired)
    if one.state not in {"due", "overdue"}:
        return None
    contacts = [
        c.id for partner_id in agreed.reporters() for c in people.reachable(partner_id, *BINDING_ROLES)
    ]
    return Case(
        f"performance/{one.name}",
        facts | {"missing": contacts},
        contacts,
        [one.obligor],
        one.due_at,
        [one.obligee],
    )


def _answer_missing(connection: Connection, fired: Fired, people: People) -> Case | None:
    one, agreed, facts = _performance(connection, fired)
    if one.state != "reported":
        return None
    entry = record.last_report(connection, fired.partnership_id, one)
    reporting = people.get(entry.by).partner_id
    said = {"outcome": entry.outcome, "by": entry.by, "note": entry.note, "evidence": entry.evidence}
    contacts = record.answerers(people, one, agreed, reporting)
    closes_at = timers.due_of(connection, fired.partnership_id, record.ANSWER, one.name)
    facts |= said | {"on_silence": agreed.on_silence, "missing": contacts}
    partner = record.other_side(one, reporting)
    return Case(record.report_fact(one.name, fired.anchor_at), facts, contacts, [partner], closes_at)


def _decision_missing(connection: Connection, fired: Fired, people: People) -> Case | None:
    one, agreed, facts = _performance(connection, fired)
    decider = people.contacts.get(agreed.obligation.get("decider", ""))
    if one.state != "disputed" or decider is None:
        return None
    closes_at = timers.due_of(connection, fired.partnership_id, record.DECISION, one.name)
    facts |= {"outcome": one.outcome, "by": "", "reason": None}
    return Case(f"performance/{one.name}", facts, [decider.id], [decider.partner_id], closes_at)


def _complaint(connection: Connection, fired: Fired, people: People) -> Case | None:
    """The time that the procedure gives is running out: for the level, or to confirm that the matter is put right."""
    number, _, level_number = fired.subject.partition("/")
    one = complaints.find(connection, fired.partnership_id, int(number))
    if one.level != int(level_number) or not one.open:
        return None
    procedure = redress.procedure_of(connection, fired.partnership_id, one)
    level = procedure.level(one.level)
    discussed = one.state in IN_DISCUSSION
    partners = [one.complainant, one.respondent] if discussed else [one.complainant]
    contacts = [c.id for partner_id in partners for c in level.handlers(partner_id, people)]
    matter = redress.RESOLVE if discussed else redress.CLOSING
    ends_at = timers.due_of(connection, fired.partnership_id, matter, fired.subject)
    calendar = changes.find(connection, fired.partnership_id).calendar
    facts = redress.facts_of(connection, calendar, fired.partnership_id, one, procedure)
    return Case(
        one.warning,
        facts | {"discussed": discussed},
        contacts,
        partners,
        ends_at,
    )


def _performance(connection: Connection, fired: Fired) -> tuple[Performance, Terms, dict[str, Any]]:
    one = performances.find(connection, fired.partnership_id, fired.subject)
    agreed = terms.of(connection, fired.partnership_id, one)
    calendar = changes.find(connection, fired.partnership_id).calendar
    return one, agreed, record.facts_of(calendar, one, agreed)


DESCRIBE: Mapping[str, Describe] = {
    "signoff_missing": _unsigned,
    rounds.UNANSWERED: _unanswered,
    "action_overdue": _action_overdue,
    "contact_undeliverable": _undeliverable,
    "gate_ready": _gate_ready,
    "evaluation_due": _evaluation_due,
    rounds.OUTCOME_UNDECIDED: _undecided,
    exiting.TASK: _exit_task,
    record.REPORT_OVERDUE: _report_overdue,
    record.ANSWER_MISSING: _answer_missing,
    record.DECISION_MISSING: _decision_missing,
    redress.WARNING: _complaint,
}
"""The matters that climb ladders, and how each describes its case; None when it has been settled meanwhile."""


def sweep_escalations(database: Database, as_of: datetime) -> dict[str, int]:
    """Climb every ladder whose next rung is due at `as_of`; returns the notices owed, by matter."""
    owed: Counter[str] = Counter()
    for matter, count in sweep(database, list(DESCRIBE), as_of, _climb_all):
        owed[matter] += count
    return dict(owed)


def _climb_all(
    connection: Connection, locked: Mapping[str, Change], fired: Sequence[Fired]
) -> Iterator[tuple[str, int]]:
    everybody = people_of(connection, *locked)
    for one in fired:
        yield one.matter, _climb(connection, locked[one.partnership_id], everybody[one.partnership_id], one)


def _climb(connection: Connection, change: Change, people: People, fired: Fired) -> int:
    """Owe the notices of the rungs that fired. Of rungs missed together, each audience gets its latest only."""
    case = DESCRIBE[fired.matter](connection, fired, people)
    if case is None:
        return 0
    rungs = [(number, ladders.Rung.from_json(fired.schedule["rungs"][number])) for number, _ in fired.due]
    owed = [
        Owed(contact_id, rung.notice, case.fact, case.facts, case.due_at, number)
        for number, rung in ladders.collapse(rungs)
        for contact_id in _audience(connection, rung.whom, case, change, people)
    ]
    told = sorted({one.contact_id for one in owed})
    numbers = [number for number, _ in fired.due]
    change.log(
        "escalated", changes.SYSTEM, matter=fired.matter, subject=fired.subject, rungs=numbers, told=told
    )
    change.owe(owed)
    return len(owed)


def _audience(connection: Connection, whom: str, case: Case, change: Change, people: People) -> list[str]:
    """The contacts whom a rung addresses, looked up now. Where a role has nobody reachable, the next one hears;
    where nobody does, the coordinator."""
    coordinator = [change.partnership.coordinator]
    if whom == "manager":
        return coordinator
    if whom == "contact":
        reachable = [c for c in case.contacts if not people.get(c).undeliverable]
        return reachable or _of_partners(people, case.partners, "deputy", "sponsor") or coordinator
    found: list[str] = []
    if whom in {"lead", "lead_and_sponsors"}:
        found += _of_partners(people, [_lead(connection, change)], *BINDING_ROLES)
    if whom in {"sponsor", "lead_and_sponsors"}:
        waiting = case.other_side if whom == "lead_and_sponsors" else ()
        found += _of_partners(people, [*case.partners, *waiting], "sponsor", "deputy", "primary")
    if whom == "deputy":
        # Nobody is told about themselves.
        found += [
            c for c in _of_partners(people, case.partners, "deputy", "sponsor") if c not in case.contacts
        ]
    return list(dict.fromkeys(found)) or coordinator


def _lead(connection: Connection, change: Change) -> str:
    """The partner that leads: the one the convening named; before it, the one that proposes the partnership."""
    found = documents.latest(connection, change.partnership.id, ["convening"])
    named = [one.content.get("lead", {}).get("organisation") for one in found]
    return next((str(partner_id) for partner_id in named if partner_id), change.partnership.proposed_by)


def _of_partners(people: People, partners: Sequence[str], *roles: str) -> list[str]:
    return [person.id for partner_id in partners for person in people.reachable(partner_id, *roles)]


def acknowledge(
    database: Database, partnership_id: str, matter: str, subject: str, by: str, now: datetime
) -> None:
    """Take charge of what has been left undone: its ladder climbs no further, and what it has not sent is taken back.

    Changes nothing about the matter itself: what is overdue stays overdue, what closes still closes.

    Raises:
        NotFound: unknown partnership or contact, or no such ladder is open.
        NotAllowed: `by` is an observer or member, or neither the coordinator nor of a partner whose matter it is; or the
            matter has been settled meanwhile.
    """
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        people = people_of(connection, partnership_id)[partnership_id]
        ladder = _open_ladder(connection, change, matter, subject)
        case = DESCRIBE[matter](connection, ladder, people)
        if case is None:
            raise NotAllowed(
                f"{matter} {subject} has been settled meanwhile.",
                mend="Leave it: nobody is reminded any more.",
            )
        _require_concerned(change, people, case, by)
        timers.stop(connection, partnership_id, change.now, matter, subject)
        told = {rung["notice"] for rung in ladder.schedule["rungs"]} - {""}
        outbox.withdraw(connection, partnership_id, case.fact, sorted(told))
        change.log("escalation_acknowledged", by, matter=matter, subject=subject)
        changes.write(connection, change)


def _open_ladder(connection: Connection, change: Change, matter: str, subject: str) -> Fired:
    partnership_id = change.partnership.id
    found = timers.find_open(connection, partnership_id, matter, subject, change.now)
    if matter in DESCRIBE and found is not None:
        return found
    ladders_open = [
        f"{one.matter} {one.subject}"
        for one in clocks.open_timers(connection, partnership_id)
        if one.matter in DESCRIBE
    ]
    raise NotFound(
        f"No reminders are open about {matter[:32]} {subject[:200]} in {partnership_id}.",
        mend=f"Open are: {', '.join(ladders_open)}." if ladders_open else "None are open there at all.",
    )


def _require_concerned(change: Change, people: People, case: Case, by: str) -> None:
    coordinator = change.partnership.coordinator
    if by == coordinator:
        return
    person = people.entitled(by, BINDING_ROLES, "take charge of it")
    concerned = [*case.partners, *case.other_side]
    if person.partner_id not in concerned:
        able = [c.id for partner_id in concerned for c in people.of(partner_id, BINDING_ROLES)]
        raise NotAllowed(
            f"{by} belongs to {person.partner_id}, whose matter it is not.",
            mend=f"Ask {' or '.join(dict.fromkeys([*able, coordinator]))}.",
        )
