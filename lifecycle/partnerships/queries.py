"""Reading partnerships for lists and pages."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, or_, select

from lifecycle import stages
from lifecycle.access.models import account
from lifecycle.documents import queries as documents
from lifecycle.documents.service import SIGNED_BY
from lifecycle.evaluation import exiting, indicators
from lifecycle.measures import reading
from lifecycle.notices import queries as notices
from lifecycle.obligations import queries as obligations
from lifecycle.partnerships import changes, hints
from lifecycle.partnerships.health import Level, health_of
from lifecycle.partnerships.health import is_ as health_is
from lifecycle.partnerships.models import contact, partnership, transition_request, waiver
from lifecycle.partnerships.models import partner as partner_table
from lifecycle.partnerships.people import People, people_of
from lifecycle.redress import queries as redress
from lifecycle.reviews import queries as reviews
from lifecycle.timers import queries as timers
from lifecycle.timers.calendars import Calendar


def portfolio(
    connection: Connection,
    stage: str | None = None,
    after: str = "",
    limit: int = 100,
    *,
    portfolio: str | None = None,
    partnership_id: str | None = None,
    partner: str | None = None,
    due_before: datetime | None = None,
    health: Level | None = None,
    reader: str | None = None,
    text: str | None = None,
) -> list[dict[str, Any]]:
    """Partnerships in the order of their ids, each with what is due next.

    Args:
        stage: only those in this stage.
        after: only those whose id comes after this one (the next page).
        portfolio: only those of this portfolio.
        partnership_id: only this one.
        partner: only those that this organisation is a partner of.
        due_before: only those in which something that people wait for is due before this instant (UTC).
        health: only those that fare so.
        reader: only those that whoever has this address reaches (`reached_by`).
        text: only those whose title, id or a partner's name contains this, in small letters or large.
    """
    names = ("id", "title", "stage", "stage_entered_at", "time_zone", "coordinator", "version")
    statement = select(*(partnership.c[name] for name in names)).where(partnership.c.id > after)
    if stage is not None:
        statement = statement.where(partnership.c.stage == stage)
    if portfolio is not None:
        statement = statement.where(partnership.c.portfolio == portfolio)
    if partnership_id is not None:
        statement = statement.where(partnership.c.id == partnership_id)
    if partner is not None:
        in_it = select(partner_table.c.id).where(
            partner_table.c.partnership_id == partnership.c.id, partner_table.c.id == partner
        )
        statement = statement.where(in_it.exists())
    if due_before is not None:
        statement = statement.where(partnership.c.id.in_(timers.due_in(due_before)))
    if health is not None:
        statement = statement.where(health_is(health))
    if reader is not None:
        statement = statement.where(reached_by(reader))
    if text is not None:
        statement = statement.where(_says(text))
    rows = connection.execute(statement.order_by(partnership.c.id).limit(limit)).all()
    ids = [row.id for row in rows]
    due, healths = timers.next_due(connection, ids), health_of(connection, ids)
    return [dict(row._mapping) | {"next_due": due.get(row.id), "health": healths[row.id]} for row in rows]


def reached_by(email: str) -> ColumnElement[bool]:
    """Whether somebody signed in reaches a partnership: as a contact of it, or by an account for its portfolio.

    Args:
        email: in small letters, as sessions keep it.
    """
    in_it = select(contact.c.partnership_id).where(func.lower(contact.c.email) == email)
    looks_at = select(account.c.portfolio).where(account.c.email == email)
    return or_(partnership.c.id.in_(in_it), partnership.c.portfolio.in_(looks_at))


def _says(text: str) -> ColumnElement[bool]:
    named = select(partner_table.c.partnership_id).where(
        partner_table.c.name.icontains(text, autoescape=True)
    )
    return or_(
        partnership.c.title.icontains(text, autoescape=True),
        partnership.c.id.icontains(text, autoescape=True),
        partnership.c.id.in_(named),
    )


def stage_counts(connection: Connection, reader: str) -> dict[str, int]:
    """How many partnerships whoever has this address reaches, by stage; stages without any are absent."""
    statement = (
        select(partnership.c.stage, func.count()).where(reached_by(reader)).group_by(partnership.c.stage)
    )
    return {row[0]: row[1] for row in connection.execute(statement)}


def known(connection: Connection, partnership_ids: Iterable[str]) -> set[str]:
    """Which of these ids are taken."""
    statement = select(partnership.c.id).where(partnership.c.id.in_(list(partnership_ids)))
    return set(connection.execute(statement).scalars())


def pending_requests(connection: Connection, partnership_id: str) -> list[dict[str, Any]]:
    """The transitions of one partnership that were asked for and not decided yet, oldest first."""
    names = ("id", "event", "requested_by", "requested_at", "reason")
    statement = (
        select(*(transition_request.c[name] for name in names))
        .where(transition_request.c.partnership_id == partnership_id, transition_request.c.state == "pending")
        .order_by(transition_request.c.requested_at)
    )
    return [dict(row._mapping) for row in connection.execute(statement)]


def requests(connection: Connection, partnership_id: str) -> list[dict[str, Any]]:
    """All transitions of one partnership that were asked for, oldest first, with what became of them."""
    statement = (
        select(*transition_request.c)
        .where(transition_request.c.partnership_id == partnership_id)
        .order_by(transition_request.c.requested_at, transition_request.c.id)
    )
    return [dict(row._mapping) for row in connection.execute(statement)]


def waivers(
    connection: Connection, partnership_id: str, event: str, since: datetime
) -> dict[str, list[tuple[str, str]]]:
    """Who has consented since an instant to waive which criterion of a gate, as code → (contact, reason)."""
    statement = (
        select(waiver.c.criterion, waiver.c.contact_id, waiver.c.reason)
        .where(
            waiver.c.partnership_id == partnership_id,
            waiver.c.event == event,
            waiver.c.granted_at >= since,
        )
        .order_by(waiver.c.granted_at)
    )
    found: dict[str, list[tuple[str, str]]] = {}
    for code, contact_id, reason in connection.execute(statement):
        found.setdefault(code, []).append((contact_id, reason))
    return found


def overview(connection: Connection, partnership_id: str, now: datetime) -> dict[str, Any]:
    """Everything a page about one partnership shows, as plain data, with hints about its health at `now`.

    Raises:
        NotFound: there is no such partnership.
    """
    record = changes.find(connection, partnership_id)
    people = people_of(connection, partnership_id)[partnership_id]
    stored = _documents(connection, partnership_id, people)
    found = {
        **vars(record),
        "step": stages.STEPS.get(record.stage),
        "health": health_of(connection, [partnership_id])[partnership_id],
        "events_allowed": list(stages.events_allowed(record.stage)),
        "partners": _partners(people, record.calendar.local_date(now)),
        "documents": stored,
        "rounds": _rounds(connection, partnership_id, stored),
        "actions": [vars(action) for action in reviews.told_actions(connection, partnership_id)],
        "performances": [vars(one) for one in obligations.performances(connection, partnership_id)],
        "measures": _measures(connection, partnership_id, now),
        "complaints": [vars(one) for one in redress.complaints(connection, partnership_id)],
        "redress": _redress(connection, partnership_id, record.calendar, now),
        "signals": [vars(one) for one in obligations.signals(connection, partnership_id)],
        "indicators": indicators.overview(connection, partnership_id),
        "handover": _handover(connection, partnership_id),
        "timers": [vars(timer) for timer in timers.open_timers(connection, partnership_id)],
        "pending_requests": pending_requests(connection, partnership_id),
        "notices": notices.in_state(connection, partnership_id),
    }
    return found | {"hints": hints.of(found, now, record.calendar.local_date(now)).all}


def _measures(connection: Connection, partnership_id: str, now: datetime) -> dict[str, Any] | None:
    found = reading.promises_of(connection, partnership_id, now)
    return None if found is None else asdict(found[0]) | {"agreed_lag_days": found[1]}


def _redress(
    connection: Connection, partnership_id: str, calendar: Calendar, now: datetime
) -> dict[str, Any] | None:
    found = reading.redress_of(connection, partnership_id, calendar, now)
    return None if found is None else asdict(found)


def _handover(connection: Connection, partnership_id: str) -> list[dict[str, Any]]:
    plan = exiting.plan_of(connection, partnership_id)
    return [] if plan is None else [vars(task) for task in exiting.tasks_of(plan.content)]


def _partners(people: People, today: date) -> list[dict[str, Any]]:
    return [
        {
            "id": partner_id,
            "name": name,
            "contacts": [
                {
                    "id": c.id,
                    "role": c.role,
                    "name": c.name,
                    "email": c.email,
                    "deliverable": not c.undeliverable,
                    "away_until": c.absent_until if c.is_absent(today) else None,
                    "deputy": c.deputy_id if c.is_absent(today) else None,
                }
                for _, c in sorted(people.contacts.items())
                if c.partner_id == partner_id
            ],
        }
        for partner_id, name in sorted(people.partners.items())
    ]


def _documents(connection: Connection, partnership_id: str, people: People) -> list[dict[str, Any]]:
    names = ("kind", "subject", "revision", "sha256", "author", "created_at")
    newest: dict[tuple[str, str], dict[str, Any]] = {}
    for row in documents.history(connection, partnership_id):
        one: dict[str, Any] = dict(zip(names, row, strict=True))
        key = (one["kind"], one["subject"])
        if key not in newest or newest[key]["revision"] < one["revision"]:
            newest[key] = one
    signed: dict[tuple[str, str, int], set[str]] = {}
    for sign_off in documents.sign_offs(connection, partnership_id):
        signed.setdefault((sign_off.kind, sign_off.subject, sign_off.revision), set()).add(
            sign_off.partner_id
        )
    for one in newest.values():
        by = signed.get((one["kind"], one["subject"], one["revision"]), set())
        one["signed_by"] = sorted(by)
        one["missing_sign_offs"] = sorted(people.partners.keys() - by) if one["kind"] in SIGNED_BY else []
    return list(newest.values())


def rounds(connection: Connection, partnership_id: str) -> list[dict[str, Any]]:
    """The review rounds of one partnership, oldest first, with who of those asked has answered and who has not."""
    history = documents.history(connection, partnership_id)
    return _rounds(
        connection, partnership_id, [{"kind": kind, "subject": subject} for kind, subject, *_ in history]
    )


def _rounds(
    connection: Connection, partnership_id: str, stored: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """The review rounds, with who of those asked has answered (a response's subject is `<round>/<contact>`)."""
    responses = {one["subject"] for one in stored if one["kind"] == "review_response"}
    return [
        {
            **vars(one),
            "answered": [contact for contact in one.asked if f"{one.number}/{contact}" in responses],
            "unanswered": [contact for contact in one.asked if f"{one.number}/{contact}" not in responses],
        }
        for one in reviews.rounds(connection, partnership_id)
    ]
