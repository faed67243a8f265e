"""Reading review rounds, responses and corrective actions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from lifecycle.documents import queries as documents
from lifecycle.errors import NotFound
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
    asked: tuple[str, ...]


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


_ROUND = [review_round.c[name] for name in list(Round.__dataclass_fields__)[:-1]]
_ACTION = [corrective_action.c[name] for name in Action.__dataclass_fields__]


def rounds(connection: Connection, partnership_id: str) -> list[Round]:
    """All rounds of a partnership, oldest first."""
    asked: dict[int, list[str]] = {}
    for number, contact_id in connection.execute(
        select(review_invitation.c.round, review_invitation.c.contact_id)
        .where(review_invitation.c.partnership_id == partnership_id)
        .order_by(review_invitation.c.contact_id)
    ):
        asked.setdefault(number, []).append(contact_id)
    rows = connection.execute(
        select(*_ROUND).where(review_round.c.partnership_id == partnership_id).order_by(review_round.c.number)
    )
    return [_round(row, asked.get(row.number, ())) for row in rows]


def _round(row: Any, asked: Sequence[str]) -> Round:
    number, occasion, opened_at, closes_at, extended, closed_at, quorate, *_ = row
    return Round(
        number,
        occasion,
        opened_at,
        closes_at,
        bool(extended),
        closed_at,
        None if quorate is None else bool(quorate),
        tuple(asked),
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


def last_numbers(connection: Connection, partnership_ids: Sequence[str]) -> dict[str, int]:
    """The number of each partnership's last round; partnerships without one are absent."""
    rows = connection.execute(
        select(review_round.c.partnership_id, func.max(review_round.c.number))
        .where(review_round.c.partnership_id.in_(partnership_ids))
        .group_by(review_round.c.partnership_id)
    )
    return {row[0]: row[1] for row in rows}


def responses(connection: Connection, partnership_id: str, number: int) -> dict[str, Mapping[str, Any]]:
    """Each respondent's newest response to a round, by contact id."""
    found = documents.latest(connection, partnership_id, ["review_response"])
    prefix = f"{number}/"
    return {one.subject.removeprefix(prefix): one.content for one in found if one.subject.startswith(prefix)}


def actions(connection: Connection, partnership_id: str) -> list[Action]:
    """All corrective actions of a partnership, oldest first."""
    rows = connection.execute(
        select(*_ACTION)
        .where(corrective_action.c.partnership_id == partnership_id)
        .order_by(corrective_action.c.number)
    )
    return [Action(*row) for row in rows]
