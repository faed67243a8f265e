"""How redress works, in numbers: the formulas of the domain reference, section 7. Pure.

Counts stand beside each other as (so many, of how many); what there is too little of is not turned into a ratio.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from lifecycle.obligations.queries import Performance
from lifecycle.obligations.states import BREACHES
from lifecycle.redress.queries import Complaint
from lifecycle.timers.calendars import Calendar

Share = tuple[int, int]
"""(so many, of how many)."""


@dataclass(frozen=True)
class Ageing:
    """An open complaint: at which level, and for how many calendar days since it was lodged."""

    complaint: int
    level: int
    days: int


@dataclass(frozen=True)
class Redress:
    """The measures of redress in one partnership at one instant."""

    ageing: tuple[Ageing, ...]
    """Open complaints, the highest level and the oldest first."""
    escalated: Share
    """Complaints that left level 1 / complaints."""
    echo: Share
    """Complaints lodged in answer to a complaint / complaints."""
    procedure_kept: Share
    """Steps within their time / steps that are done or late."""
    forgiven: Share
    """Breaches restored without a complaint / breaches."""


def measure(
    complaints: Sequence[Complaint],
    steps: Share,
    performances: Sequence[Performance],
    calendar: Calendar,
    now: datetime,
) -> Redress:
    """Measure what has been complained of by `now`.

    Args:
        complaints: all of the partnership.
        steps: how many steps of the procedure were done within their time, and how many were done or are late.
        performances: all of the partnership; a breach is one that was settled as not, or only partly, kept.
        calendar: whose local days are counted.
        now: an instant, UTC.
    """
    count = len(complaints)
    breaches = [
        one for one in performances if one.state in {"settled", "restored"} and one.outcome in BREACHES
    ]
    complained_of = {one.about.get("performance") for one in complaints}
    forgiven = [one for one in breaches if one.state == "restored" and one.name not in complained_of]
    return Redress(
        ageing=_ageing(complaints, calendar, now),
        escalated=(sum(one.level > 1 for one in complaints), count),
        echo=(sum(one.case != one.number for one in complaints), count),
        procedure_kept=steps,
        forgiven=(len(forgiven), len(breaches)),
    )


def _ageing(complaints: Sequence[Complaint], calendar: Calendar, now: datetime) -> tuple[Ageing, ...]:
    today = calendar.local_date(now)
    open_ones = [
        Ageing(one.number, one.level, (today - calendar.local_date(one.lodged_at)).days)
        for one in complaints
        if one.open
    ]
    return tuple(sorted(open_ones, key=lambda one: (-one.level, -one.days, one.complaint)))
