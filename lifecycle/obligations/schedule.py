"""When an obligation's performances are due: the agreement's `due` read as days. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from lifecycle.timers import recurrence

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Upcoming:
    """An obligation of the agreement and the local day on which its next performance is due."""

    obligation: Mapping[str, Any]
    day: date


def next_due(agreement: Mapping[str, Any], obligation: Mapping[str, Any], after: date) -> date | None:
    """The first local day later than `after` on which a performance of the obligation is due; None when there is none.

    A cadence counts from its first date, so that the n-th due day never drifts. A milestone counts by the day that the
    plan gives it. A standing duty is due on the days on which it is looked at. What is done on request is due when it
    has been asked for (`service.demand`).

    Args:
        agreement: the content of the agreement in force; nothing falls due after its term.
        obligation: one of its obligations.
        after: a local date.
    """
    day = _day(agreement, obligation.get("due", {}), after)
    ends_on = agreement.get("term", {}).get("ends_on")
    return None if day is None or (ends_on is not None and day.isoformat() > ends_on) else day


def _day(agreement: Mapping[str, Any], due: Mapping[str, Any], after: date) -> date | None:
    if "on" in due:
        return _later(date.fromisoformat(due["on"]), after)
    rule = due.get("every") or due.get("sampled_every")
    if rule is not None:
        starts_on = due.get("starting_on") or agreement.get("term", {}).get("starts_on")
        return _recurring(rule, date.fromisoformat(starts_on) if starts_on else after, after)
    if "after_milestone" in due:
        reached = {one["id"]: one["by"] for one in agreement.get("plan", ()) if "by" in one}
        by = reached.get(due["after_milestone"])
        return by and _later(date.fromisoformat(by) + due.get("within_days", 0) * _DAY, after)
    return None


def _recurring(rule: str, first: date, after: date) -> date | None:
    found = recurrence.next_after(rule, first, after)
    return None if found is None else found[1]


def _later(day: date, after: date) -> date | None:
    return day if day > after else None
