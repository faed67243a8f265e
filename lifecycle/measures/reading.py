"""The measures of a partnership, read from its record."""

from datetime import datetime

from sqlalchemy import Connection

from lifecycle.documents import queries as documents
from lifecycle.gates.promptness import AGREED_LAG_DAYS
from lifecycle.measures import promises, redress
from lifecycle.obligations import queries as obligations
from lifecycle.redress import queries as complaints
from lifecycle.redress.record import STEPS
from lifecycle.timers import queries as timers
from lifecycle.timers.calendars import Calendar


def promises_of(
    connection: Connection, partnership_id: str, now: datetime
) -> tuple[promises.Measures, int] | None:
    """How promises have fared, and the agreed lag in days; None before any agreement was in force."""
    performances = obligations.performances(connection, partnership_id)
    if not performances:
        return None
    revision = max(one.agreement_revision for one in performances)
    agreement = documents.find(connection, partnership_id, "agreement", "", revision).content
    agreed = agreement.get("feedback", {}).get("max_lag_days", AGREED_LAG_DAYS)
    return promises.measure(performances, now, agreed), agreed


def redress_of(
    connection: Connection, partnership_id: str, calendar: Calendar, now: datetime
) -> redress.Redress | None:
    """How redress has worked; None while nobody has complained."""
    lodged = complaints.complaints(connection, partnership_id)
    if not lodged:
        return None
    clocks = timers.kept(connection, partnership_id, STEPS)
    performances = obligations.performances(connection, partnership_id)
    return redress.measure(lodged, clocks, performances, calendar, now)
