"""Reading indicators, their actuals, and imported results."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select

from lifecycle.evaluation.models import iati_import, indicator_actual


@dataclass(frozen=True)
class Actual:
    """What an indicator came to in a period; `dimensions` says of which part of the whole."""

    number: int
    indicator: str
    starts_on: date
    ends_on: date
    value: float
    dimensions: Mapping[str, str]
    comment: str | None
    recorded_by: str
    recorded_at: datetime

    @property
    def of(self) -> tuple[Any, ...]:
        """What it is the actual of: a later one of the same corrects it."""
        return self.indicator, self.starts_on, self.ends_on, tuple(sorted(self.dimensions.items()))


_ACTUAL = [indicator_actual.c[name] for name in Actual.__dataclass_fields__]


def all_actuals(connection: Connection, partnership_id: str) -> list[Actual]:
    """Everything that was recorded, corrected or not, oldest first."""
    rows = connection.execute(
        select(*_ACTUAL)
        .where(indicator_actual.c.partnership_id == partnership_id)
        .order_by(indicator_actual.c.number)
    )
    return [Actual(*row) for row in rows]


def actuals(connection: Connection, partnership_id: str) -> list[Actual]:
    """The actuals that count, by indicator, period and dimensions."""
    newest = {one.of: one for one in all_actuals(connection, partnership_id)}
    return [newest[of] for of in sorted(newest)]


def imported(connection: Connection, partnership_id: str) -> list[Any]:
    """The `result` elements of the newest import, as `iati.read` returns them; none without an import."""
    statement = select(iati_import.c.results).where(iati_import.c.partnership_id == partnership_id)
    newest = statement.order_by(iati_import.c.number.desc()).limit(1)
    found: list[Any] | None = connection.execute(newest).scalar()
    return found or []


def imports(connection: Connection, partnership_id: str) -> int:
    """How many imports there were."""
    statement = select(func.count()).where(iati_import.c.partnership_id == partnership_id)
    return int(connection.execute(statement).scalar_one())
