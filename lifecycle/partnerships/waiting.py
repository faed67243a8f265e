"""What waits for one person, in all partnerships where they are a contact: what only they, or their side, can do."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import Connection, Row, String, and_, cast, func, or_, select

from lifecycle import stages
from lifecycle.documents import queries as documents
from lifecycle.documents.models import document, sign_off
from lifecycle.documents.service import SIGNED_BY, WRITABLE_IN, asks_for_sign_offs
from lifecycle.obligations import record, terms
from lifecycle.obligations.models import performance
from lifecycle.obligations.queries import Performance
from lifecycle.obligations.service import ANSWERING_ROLES
from lifecycle.obligations.states import OPEN
from lifecycle.partnerships.models import contact, partnership
from lifecycle.partnerships.people import BINDING_ROLES, People, people_of
from lifecycle.redress import record as hearings
from lifecycle.redress.models import complaint
from lifecycle.redress.queries import Complaint
from lifecycle.redress.states import IN_DISCUSSION
from lifecycle.reviews.models import corrective_action, review_invitation, review_round
from lifecycle.timers.calendars import Calendar

AHEAD = timedelta(days=14)
"""A promise that is due later does not wait for anybody yet."""

MOST = 100
"""So many of a kind are looked at: whoever has more begins with the oldest."""

What = Literal["review", "report", "verdict", "decision", "sign", "complaint", "confirm", "action"]


@dataclass(frozen=True)
class Waiting:
    """One thing that waits for somebody."""

    what: What
    partnership_id: str
    title: str
    """The partnership's."""
    name: str
    """What it is about: a round's, a complaint's or an action's number, a performance's name, a document's kind."""
    due: datetime | date | None
    """An instant (UTC) or a whole day; None where nothing is said."""
    says: str = ""
    """The partners' own words for it, where there are any."""
    time_zone: str = "UTC"
    """The partnership's."""


_MINE = (
    contact.c.id.label("me"),
    contact.c.partner_id.label("mine"),
    contact.c.role,
    contact.c.partnership_id,
    partnership.c.title,
    partnership.c.time_zone,
)


def for_reader(connection: Connection, email: str, now: datetime) -> list[Waiting]:
    """What waits for whoever has this address, what is due first in front.

    Args:
        email: in small letters, as sessions keep it.
        now: an instant, UTC.
    """
    found = [
        *_reviews(connection, email),
        *_promises(connection, email, now),
        *_sign_offs(connection, email),
        *_complaints(connection, email),
        *_actions(connection, email),
    ]
    return sorted(dict.fromkeys(found), key=_place)


def _of(
    row: Row[Any], what: What, name: object, due: datetime | date | None, says: str | None = ""
) -> Waiting:
    return Waiting(what, row.partnership_id, row.title, str(name), due, says or "", row.time_zone)


def _place(one: Waiting) -> tuple[bool, str, str, str]:
    return one.due is None, one.due.isoformat() if one.due is not None else "", one.title, one.name


def _with(email: str, *columns: Any) -> Any:
    """A selection beside the contacts that this address is; partnerships that have ended ask nobody."""
    return (
        select(*_MINE, *columns)
        .join(partnership, partnership.c.id == contact.c.partnership_id)
        .where(func.lower(contact.c.email) == email, partnership.c.stage.not_in(stages.FINAL_STAGES))
    )


def _reviews(connection: Connection, email: str) -> Iterator[Waiting]:
    answered = select(document.c.revision).where(
        document.c.partnership_id == contact.c.partnership_id,
        document.c.kind == "review_response",
        document.c.subject == cast(review_round.c.number, String) + "/" + contact.c.id,
    )
    statement = (
        _with(email, review_round.c.number, review_round.c.closes_at)
        .join(review_round, review_round.c.partnership_id == contact.c.partnership_id)
        .join(
            review_invitation,
            and_(
                review_invitation.c.partnership_id == review_round.c.partnership_id,
                review_invitation.c.round == review_round.c.number,
                review_invitation.c.contact_id == contact.c.id,
            ),
        )
        .where(
            review_round.c.closed_at.is_(None),
            review_invitation.c.passed_to.is_(None),
            review_invitation.c.declined_at.is_(None),
            ~answered.exists(),
        )
    )
    for row in connection.execute(statement):
        yield _of(row, "review", row.number, row.closes_at)


def _promises(connection: Connection, email: str, now: datetime) -> Iterator[Waiting]:
    columns = [performance.c[name].label(f"p_{name}") for name in Performance.__dataclass_fields__]
    statement = (
        _with(email, partnership.c.holidays, *columns)
        .join(performance, performance.c.partnership_id == contact.c.partnership_id)
        .where(
            performance.c.state.in_(OPEN),
            or_(
                performance.c.obligor == contact.c.partner_id,
                performance.c.obligee == contact.c.partner_id,
                performance.c.state == "disputed",
            ),
            or_(performance.c.state != "due", performance.c.due_at <= now + AHEAD),
        )
        .order_by(performance.c.due_at)
        .limit(MOST)
    )
    rows = connection.execute(statement).all()
    everybody = people_of(connection, *{row.partnership_id for row in rows})
    for row in rows:
        one = Performance(*row[len(_MINE) + 1 :])
        agreed = terms.of(connection, row.partnership_id, one)
        what = _asked(connection, row, one, agreed, everybody[row.partnership_id])
        if what is not None:
            since = one.answered_at if what == "decision" else one.reported_at if what == "verdict" else None
            calendar = Calendar(row.time_zone, row.holidays)
            due_at = one.due_at if since is None else agreed.answer_by(since, calendar)
            says = agreed.obligation.get("act", "")
            yield _of(row, what, one.name, due_at, says)


def _asked(
    connection: Connection, row: Row[Any], one: Performance, agreed: terms.Terms, people: People
) -> What | None:
    """What a performance asks of the contact of a row, if anything."""
    if one.state == "disputed":
        return "decision" if agreed.obligation.get("decider") == row.me else None
    if one.state in {"due", "overdue"}:
        return "report" if row.mine in agreed.reporters() and row.role in BINDING_ROLES else None
    reporter = people.contacts.get(record.last_report(connection, row.partnership_id, one).by)
    if reporter is None or row.role not in ANSWERING_ROLES:
        return None
    return "verdict" if row.mine == record.other_side(one, reporter.partner_id) else None


def _sign_offs(connection: Connection, email: str) -> Iterator[Waiting]:
    newer = document.alias("newer")
    superseded = select(newer.c.revision).where(
        newer.c.partnership_id == document.c.partnership_id,
        newer.c.kind == document.c.kind,
        newer.c.subject == document.c.subject,
        newer.c.revision > document.c.revision,
    )
    signed = select(sign_off.c.revision).where(
        sign_off.c.partnership_id == document.c.partnership_id,
        sign_off.c.kind == document.c.kind,
        sign_off.c.subject == document.c.subject,
        sign_off.c.revision == document.c.revision,
        sign_off.c.partner_id == contact.c.partner_id,
    )
    statement = (
        _with(email, document.c.kind, document.c.subject, document.c.revision)
        .join(document, document.c.partnership_id == contact.c.partnership_id)
        .where(or_(*map(_signed_here, SIGNED_BY)), ~superseded.exists(), ~signed.exists())
        .limit(MOST)
    )
    for row in connection.execute(statement).all():
        content = documents.find(connection, row.partnership_id, row.kind, row.subject, row.revision).content
        if asks_for_sign_offs(row.kind, content):
            yield _of(row, "sign", row.kind, None)


def _signed_here(kind: str) -> Any:
    """Whether a document is of this kind, its stage still waits for it, and the contact's role signs it."""
    return and_(
        document.c.kind == kind,
        partnership.c.stage.in_(WRITABLE_IN[kind]),
        contact.c.role.in_(SIGNED_BY[kind]),
    )


def _complaints(connection: Connection, email: str) -> Iterator[Waiting]:
    columns = [complaint.c[name].label(f"c_{name}") for name in Complaint.__dataclass_fields__]
    statement = (
        _with(email, *columns)
        .join(complaint, complaint.c.partnership_id == contact.c.partnership_id)
        .where(
            complaint.c.closed_at.is_(None),
            complaint.c.paused_at.is_(None),
            complaint.c.exhausted_at.is_(None),
            or_(
                complaint.c.complainant == contact.c.partner_id,
                complaint.c.respondent == contact.c.partner_id,
            ),
        )
        .order_by(complaint.c.lodged_at)
        .limit(MOST)
    )
    rows = connection.execute(statement).all()
    everybody = people_of(connection, *{row.partnership_id for row in rows})
    for row in rows:
        one = Complaint(*row[len(_MINE) :])
        level = hearings.procedure_of(connection, row.partnership_id, one).level(one.level)
        what = _turn(one, row.mine)
        if what is not None and row.me in level.entitled(row.mine, everybody[row.partnership_id]):
            yield _of(row, what, one.number, None)


def _turn(one: Complaint, partner_id: str) -> What | None:
    """What a complaint asks of one of its sides now, if anything."""
    if one.state in {"resolved", "remedied"}:
        return "confirm" if partner_id == one.complainant else None
    answers = one.state == "answered" or partner_id == one.respondent
    return "complaint" if one.state in IN_DISCUSSION and answers else None


def _actions(connection: Connection, email: str) -> Iterator[Waiting]:
    columns = (corrective_action.c.number, corrective_action.c.due_on, corrective_action.c.what)
    statement = (
        _with(email, *columns)
        .join(corrective_action, corrective_action.c.partnership_id == contact.c.partnership_id)
        .where(corrective_action.c.owner == contact.c.id, corrective_action.c.verified_at.is_(None))
    )
    for row in connection.execute(statement):
        yield _of(row, "action", row.number, row.due_on, row.what)
