"""Health: how a partnership fares, at a glance, always with its reasons. Source: the domain reference, section 8."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Connection, Table, and_, func, not_, or_, select

from lifecycle.obligations.models import performance
from lifecycle.partnerships.models import contact, partnership
from lifecycle.redress.models import complaint
from lifecycle.reviews.models import corrective_action, review_round

Level = Literal["good", "watch", "at_risk", "critical"]
LEVELS: tuple[Level, ...] = get_args(Level)
"""From best to worst; a partnership's health is that of its worst sign."""


@dataclass(frozen=True)
class Sign:
    """Something that is not as it should be, as a condition on the record."""

    level: Level
    reason: str
    holds: ColumnElement[bool]


def _count(table: Table, *conditions: ColumnElement[bool]) -> Any:
    """How many rows of the partnership meet the conditions."""
    here = table.c.partnership_id == partnership.c.id
    return select(func.count()).select_from(table).where(here, *conditions).scalar_subquery()


def _any(table: Table, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    here = table.c.partnership_id == partnership.c.id
    return select(table.c.partnership_id).where(here, *conditions).exists()


def _last_round_not_quorate() -> ColumnElement[bool]:
    later = review_round.alias("later")
    has_later = select(later.c.number).where(
        later.c.partnership_id == review_round.c.partnership_id,
        later.c.number > review_round.c.number,
        later.c.quorate.is_not(None),
    )
    return _any(review_round, review_round.c.quorate == 0, not_(has_later.exists()))


_OVERDUE = performance.c.state == "overdue"
_OPEN = complaint.c.closed_at.is_(None)

SIGNS: Mapping[str, Sign] = {
    "complaint_exhausted": Sign(
        "critical", "No level is left for a complaint.", _any(complaint, _OPEN, complaint.c.exhausted_at.is_not(None))
    ),
    "complaint_escalated": Sign(
        "at_risk", "A complaint has gone beyond its first level.", _any(complaint, _OPEN, complaint.c.level > 1)
    ),
    "promises_overdue": Sign("at_risk", "Several promises are overdue.", _count(performance, _OVERDUE) > 1),
    "promise_overdue": Sign("watch", "A promise is overdue.", _count(performance, _OVERDUE) == 1),
    "contact_undeliverable": Sign(
        "watch", "Emails to somebody do not arrive.", _any(contact, contact.c.undeliverable_since.is_not(None))
    ),
    "review_not_quorate": Sign(
        "watch", "Too few answered the last review.", _last_round_not_quorate()
    ),
    "answer_without_action": Sign(
        "watch",
        "Nobody has planned what to do about a negative answer.",
        _any(corrective_action, corrective_action.c.what.is_(None), corrective_action.c.verified_at.is_(None)),
    ),
}  # fmt: skip
"""Every sign by its code, worst first."""


def is_(level: Level) -> ColumnElement[bool]:
    """Whether a partnership's health is exactly this, as a condition."""
    worse = [one.holds for one in SIGNS.values() if LEVELS.index(one.level) > LEVELS.index(level)]
    same = [one.holds for one in SIGNS.values() if one.level == level]
    return and_(*(not_(condition) for condition in worse), *([or_(*same)] if same else []))


def health_of(connection: Connection, partnership_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The health of each of these partnerships: `level`, and as `reasons` code → sentence, worst first."""
    columns = [one.holds.label(code) for code, one in SIGNS.items()]
    rows = connection.execute(
        select(partnership.c.id, *columns).where(partnership.c.id.in_(list(partnership_ids)))
    )
    found = {}
    for row in rows:
        shown = {code: one for code, one in SIGNS.items() if row._mapping[code]}
        level = next((one.level for one in shown.values()), "good")
        found[row.id] = {"level": level, "reasons": {code: one.reason for code, one in shown.items()}}
    return found
