"""Reading review rounds, responses and corrective actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from lifecycle.documents import queries as documents
from lifecycle.errors import NotAllowed, NotFound
from lifecycle.reviews.models import corrective_action, review_invitation, review_round


@dataclass(frozen=True)
class Round:
    """A review round and who was asked; `closed_at` is None while it is open."""

    number: int
    occasion: str
    opened_at: datetime
    closes_at: datetime
    extended: bool
    closed_at: datetime | None
    quorate: bool | None
    questionnaire: Mapping[str, Any] | None
    """What `questionnaire.of` reads."""
    asked: tuple[str, ...]
    """Who is to answer: without those who passed it on."""
    declined: tuple[str, ...] = ()
    """Those of them who declined, with a reason."""


@dataclass(frozen=True)
class Action:
    """A corrective action: asked for, planned (what, owner, due), verified."""

    number: int
    round: int
    question: str
    asked_by: str
    what: str | None
    owner: str | None
    due_on: date | None
    verified_by: str | None
    verified_at: datetime | None

    @property
    def fact(self) -> str:
        """How notices name its plan: a new plan is reminded of anew."""
        return f"action/{self.number}/{self.due_on}"


_ROUND = [review_round.c[name] for name in list(Round.__dataclass_fields__)[:-2]]
_ACTION = [corrective_action.c[name] for name in Action.__dataclass_fields__]


def rounds(connection: Connection, partnership_id: str) -> list[Round]:
    """All rounds of a partnership, oldest first."""
    asked: dict[int, list[str]] = {}
    declined: dict[int, list[str]] = {}
    invitations = (
        select(review_invitation.c.round, review_invitation.c.contact_id, review_invitation.c.declined_at)
        .where(review_invitation.c.partnership_id == partnership_id, review_invitation.c.passed_to.is_(None))
        .order_by(review_invitation.c.contact_id)
    )
    for number, contact_id, declined_at in connection.execute(invitations):
        asked.setdefault(number, []).append(contact_id)
        if declined_at is not None:
            declined.setdefault(number, []).append(contact_id)
    rows = connection.execute(
        select(*_ROUND).where(review_round.c.partnership_id == partnership_id).order_by(review_round.c.number)
    )
    return [_round(row, asked.get(row.number, ()), declined.get(row.number, ())) for row in rows]


def _round(row: Any, asked: Sequence[str], declined: Sequence[str]) -> Round:
    number, occasion, opened_at, closes_at, extended, closed_at, quorate, questionnaire = row
    return Round(
        number,
        occasion,
        opened_at,
        closes_at,
        bool(extended),
        closed_at,
        None if quorate is None else bool(quorate),
        questionnaire,
        tuple(asked),
        tuple(declined),
    )


def find_round(connection: Connection, partnership_id: str, number: int) -> Round:
    """One round.

    Raises:
        NotFound: this partnership has no such round.
    """
    found = [one for one in rounds(connection, partnership_id) if one.number == number]
    if not found:
        raise NotFound(
            f"Partnership {partnership_id} has no review round {number}.",
            mend="`lifecycle show ID` lists its rounds.",
        )
    return found[0]


def require_asked(one: Round, contact_id: str) -> None:
    """Refuse whoever is not to answer a round.

    Raises:
        NotAllowed: the contact was not asked, or passed the round on.
    """
    if contact_id not in one.asked:
        raise NotAllowed(
            f"{contact_id} is not asked in round {one.number}.", mend=f"Asked are: {', '.join(one.asked)}."
        )


def answering_instead(
    connection: Connection, partnership_id: str, number: int, contact_id: str
) -> str | None:
    """Who is to answer a round now that this contact passed it on; None where they did not."""
    where = (review_invitation.c.partnership_id == partnership_id, review_invitation.c.round == number)
    passed = {
        row.contact_id: row.passed_to
        for row in connection.execute(
            select(review_invitation.c.contact_id, review_invitation.c.passed_to).where(*where)
        )
    }
    # Whoever is passed a round answers it, until they pass it on: this comes to an end.
    found = passed.get(contact_id)
    while found is not None and passed.get(found) is not None:
        found = passed[found]
    return found


def last_numbers(connection: Connection, partnership_ids: Sequence[str]) -> dict[str, int]:
    """The number of each partnership's last round; partnerships without one are absent."""
    rows = connection.execute(
        select(review_round.c.partnership_id, func.max(review_round.c.number))
        .where(review_round.c.partnership_id.in_(partnership_ids))
        .group_by(review_round.c.partnership_id)
    )
    return {row[0]: row[1] for row in rows}


def responses(connection: Connection, partnership_id: str, number: int) -> dict[str, Mapping[str, Any]]:
    """Each respondent's response to a round that counts, by contact id: the newest before the round closed."""
    closed_at = find_round(connection, partnership_id, number).closed_at
    found = {}
    for contact_id, newest in _newest(connection, partnership_id, number).items():
        counted: documents.Revision | None = newest
        while counted is not None and closed_at is not None and counted.created_at > closed_at:
            earlier = counted.revision - 1
            subject = counted.subject
            counted = (
                documents.find(connection, partnership_id, "review_response", subject, earlier)
                if earlier
                else None
            )
        if counted is not None:
            found[contact_id] = counted.content
    return found


def late(connection: Connection, partnership_id: str, number: int) -> list[str]:
    """Who answered, or answered again, after a round had closed."""
    closed_at = find_round(connection, partnership_id, number).closed_at
    newest = _newest(connection, partnership_id, number).items()
    return sorted(one for one, answer in newest if closed_at is not None and answer.created_at > closed_at)


def newest_response(
    connection: Connection, partnership_id: str, number: int, contact_id: str
) -> documents.Revision | None:
    """What somebody answered last, whether it counts or came too late; None where they have not."""
    return _newest(connection, partnership_id, number).get(contact_id)


def _newest(connection: Connection, partnership_id: str, number: int) -> dict[str, documents.Revision]:
    found = documents.latest(connection, partnership_id, ["review_response"])
    prefix = f"{number}/"
    return {one.subject.removeprefix(prefix): one for one in found if one.subject.startswith(prefix)}


def actions(connection: Connection, partnership_id: str) -> list[Action]:
    """All corrective actions of a partnership, oldest first."""
    rows = connection.execute(
        select(*_ACTION)
        .where(corrective_action.c.partnership_id == partnership_id)
        .order_by(corrective_action.c.number)
    )
    return [Action(*row) for row in rows]


def told_actions(connection: Connection, partnership_id: str) -> list[Action]:
    """The same as they are told: who asked for one in an anonymous round is told nobody (`asked_by` is empty)."""
    anonymous = {
        one.number for one in rounds(connection, partnership_id) if (one.questionnaire or {}).get("anonymous")
    }
    return [
        replace(one, asked_by="") if one.round in anonymous else one
        for one in actions(connection, partnership_id)
    ]


def unverified_actions(
    connection: Connection, partnership_ids: Sequence[str]
) -> dict[str, list[dict[str, Any]]]:
    """The corrective actions of partnerships that nobody has verified yet, oldest first, as notices name them."""
    names = ("number", "question", "round", "what", "owner")
    rows = connection.execute(
        select(corrective_action.c.partnership_id, *(corrective_action.c[name] for name in names))
        .where(
            corrective_action.c.partnership_id.in_(partnership_ids),
            corrective_action.c.verified_at.is_(None),
        )
        .order_by(corrective_action.c.number)
    )
    found: dict[str, list[dict[str, Any]]] = {}
    for partnership_id, *values in rows:
        found.setdefault(partnership_id, []).append(dict(zip(names, values, strict=True)))
    return found
