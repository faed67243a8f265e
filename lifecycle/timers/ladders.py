"""Ladders: who hears, rung by rung, of what has been left undone. Pure data and the function that derives due times.

A ladder is JSON (`{"rungs": [...]}`), copied into the timer it serves; its rungs count from one anchor: the instant
that something began to wait, or a deadline (then negative offsets are reminders before it).
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, Self, get_args

from lifecycle.errors import Fault, Invalid
from lifecycle.timers.calendars import END_OF_WORK, START_OF_WORK, Calendar

Unit = Literal["working_days", "days"]
Audience = Literal["", "contact", "deputy", "sponsor", "lead", "manager", "lead_and_sponsors"]
"""The role that a rung addresses; empty for a clock that tells nobody, only lets the engine act."""


_UNITS, _AUDIENCES = get_args(Unit), get_args(Audience)


@dataclass(frozen=True)
class Rung:
    """One step: when, counted from the anchor; whom it addresses (looked up when it fires); which notice it owes.

    Offset 0 is the anchor itself, to the second, even on a holiday. Any other is 09:00 local, `offset` days or working
    days after the anchor's local date (before it when negative).

    Raises:
        Invalid: the unit or the audience is unknown.
    """

    offset: int
    unit: Unit = "working_days"
    whom: Audience = ""
    notice: str = ""

    def __post_init__(self) -> None:
        """Refuse what could never fire or reach anyone."""
        if self.unit not in _UNITS:
            raise _invalid("/unit", f"unknown unit {str(self.unit)[:20]}", get_args(Unit))
        if self.whom not in _AUDIENCES:
            raise _invalid("/whom", f"unknown audience {str(self.whom)[:20]}", get_args(Audience)[1:])

    def to_json(self) -> dict[str, Any]:
        """The rung as JSON; `from_json` reads it back."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a stored rung. Fields that this version does not know are left alone.

        Raises:
            Invalid: the unit or the audience is unknown.
        """
        return cls(data["offset"], data["unit"], data["whom"], data["notice"])


@dataclass(frozen=True)
class Pause:
    """A stretch in which a clock stood still, UTC; `ended_at` is None while it still does."""

    started_at: datetime
    ended_at: datetime | None = None

    def to_json(self) -> dict[str, str | None]:
        """The pause as JSON; `from_json` reads it back."""
        return {
            "started_at": self.started_at.isoformat(),
            "ended_at": None if self.ended_at is None else self.ended_at.isoformat(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """Read a stored pause."""
        ended_at = data["ended_at"]
        started_at = datetime.fromisoformat(data["started_at"])
        return cls(started_at, None if ended_at is None else datetime.fromisoformat(ended_at))


def to_json(rungs: Sequence[Rung]) -> dict[str, Any]:
    """A ladder as the JSON that a timer row keeps.

    Raises:
        Invalid: the rungs do not ascend, or count in different units and so could overtake each other.
    """
    if len({rung.unit for rung in rungs}) > 1:
        raise _invalid("/rungs", "one unit for all rungs", get_args(Unit))
    offsets = [rung.offset for rung in rungs]
    if offsets != sorted(set(offsets)):
        raise Invalid(
            [Fault("/rungs", "offsets ascend", "Order the rungs by offset, each once.")], "The ladder"
        )
    return {"rungs": [rung.to_json() for rung in rungs]}


def from_json(schedule: Mapping[str, Any]) -> tuple[Rung, ...]:
    """The rungs of a stored ladder, in order."""
    return tuple(Rung.from_json(rung) for rung in schedule["rungs"])


def _invalid(pointer: str, rule: str, known: Sequence[str]) -> Invalid:
    return Invalid([Fault(pointer, rule, f"Use one of: {', '.join(known)}.")], "The ladder")


def due_at(anchor_at: datetime, rung: Rung, calendar: Calendar, pauses: Sequence[Pause]) -> datetime | None:
    """When a rung is due, UTC; None while the clock is paused. The one place where a rung's due time comes from.

    `pauses` are those since the clock was armed, in any order. Each that began before the rung was due moves it by
    the (working) days lost, and never to before the pause was over. A day is lost when the pause covers its 17:00.
    """
    due = _unpaused(anchor_at, rung, calendar)
    for started_at, ended_at in _merged(pauses):
        if ended_at is None:
            return None
        if started_at <= due:
            lost = _days_lost(started_at, ended_at, rung.unit, calendar)
            due = max(_moved(due, lost, rung.unit, calendar), ended_at)
    return due


def collapse(fired: Sequence[tuple[int, Rung]]) -> list[tuple[int, Rung]]:
    """Which of several rungs that fired at once send: the latest of each audience, in order.

    An earlier one to the same audience is silent, having been overtaken; it has fired nevertheless.
    """
    latest = {rung.whom: (number, rung) for number, rung in sorted(fired, key=lambda one: one[0])}
    return sorted(latest.values(), key=lambda one: one[0])


def _unpaused(anchor_at: datetime, rung: Rung, calendar: Calendar) -> datetime:
    if rung.offset == 0:
        return anchor_at
    return calendar.at(_add(calendar.local_date(anchor_at), rung.offset, rung.unit, calendar), START_OF_WORK)


def _add(day: date, n: int, unit: Unit, calendar: Calendar) -> date:
    return calendar.add_working_days(day, n) if unit == "working_days" else day + timedelta(days=n)


def _merged(pauses: Sequence[Pause]) -> list[tuple[datetime, datetime | None]]:
    """Pauses in order, those that touch or overlap as one, so that no day is lost twice."""
    merged: list[tuple[datetime, datetime | None]] = []
    for pause in sorted(pauses, key=lambda one: one.started_at):
        if not merged:
            merged.append((pause.started_at, pause.ended_at))
            continue
        started_at, ended_at = merged[-1]
        if ended_at is None:
            break
        if pause.started_at > ended_at:
            merged.append((pause.started_at, pause.ended_at))
        else:
            merged[-1] = (started_at, None if pause.ended_at is None else max(ended_at, pause.ended_at))
    return merged


def _days_lost(started_at: datetime, ended_at: datetime, unit: Unit, calendar: Calendar) -> int:
    """How many days' ends of work the pause covers."""
    kept_until = _last_ended_before(started_at, calendar)
    lost_until = _last_ended_before(ended_at, calendar)
    if unit == "working_days":
        return calendar.working_days_between(kept_until, lost_until)
    return (lost_until - kept_until).days


def _last_ended_before(instant: datetime, calendar: Calendar) -> date:
    """The last day whose work ended before the instant."""
    local = calendar.local(instant)
    return local.date() if local.time() > END_OF_WORK else local.date() - timedelta(days=1)


def _moved(due: datetime, days: int, unit: Unit, calendar: Calendar) -> datetime:
    """The same wall time, so many (working) days later. From a day off there is no working time left of: the day's end."""
    if days == 0:
        return due
    local = calendar.local(due)
    day = _add(local.date(), days, unit, calendar)
    if unit == "working_days" and not calendar.is_working_day(local.date()):
        return calendar.end_of_day(day)
    return calendar.at(day, local.time())


NOW = to_json([Rung(0)])
"""A clock that is due at once and tells nobody."""

AT_ANCHOR = to_json([Rung(0)])
"""A clock that is due at its anchor and tells nobody."""

REVIEW_UNANSWERED = to_json(
    [
        Rung(-5, whom="contact", notice="review_reminder"),
        Rung(-2, whom="contact", notice="review_reminder"),
        Rung(0, whom="deputy", notice="review_escalated"),
        Rung(2, whom="sponsor", notice="review_escalated"),
        Rung(5, whom="lead", notice="review_escalated"),
    ]
)
"""Anchor: the instant at which the round closes."""

SIGN_OFF_MISSING = to_json(
    [
        Rung(3, whom="contact", notice="signoff_reminder"),
        Rung(7, whom="contact", notice="signoff_reminder"),
        Rung(10, whom="sponsor", notice="signoff_escalated"),
        Rung(15, whom="manager", notice="signoff_escalated"),
    ]
)
"""Anchor: the instant at which the sign-off was asked for."""

ACTION_OVERDUE = to_json(
    [
        Rung(0, whom="contact", notice="action_reminder"),
        Rung(5, whom="sponsor", notice="action_escalated"),
        Rung(10, whom="manager", notice="action_escalated"),
    ]
)
"""Anchor: the end of the day on which the action is due. The contact is its owner; the last rung is the manager's
cue to put it on the next review's agenda."""

CONTACT_UNDELIVERABLE = to_json(
    [
        Rung(0, whom="deputy", notice="contact_undeliverable"),
        Rung(1, whom="sponsor", notice="contact_undeliverable"),
        Rung(3, whom="manager", notice="contact_undeliverable"),
    ]
)
"""Anchor: the instant at which the address was refused."""

GATE_READY_UNUSED = to_json(
    [Rung(offset, unit="days", whom="manager", notice="gate_ready") for offset in (7, 14, 21)]
)
"""Anchor: the instant at which the gate was found open. After three weeks only the digest says it."""

OUTCOME_UNDECIDED = to_json(
    [
        Rung(0, whom="sponsor", notice="outcome_asked"),
        Rung(5, whom="sponsor", notice="outcome_reminder"),
        Rung(10, whom="sponsor", notice="outcome_reminder"),
        Rung(15, whom="manager", notice="outcome_escalated"),
    ]
)
"""Anchor: the instant at which the evaluation's review round closed."""

EXIT_TASK = to_json(
    [
        Rung(-2, whom="contact", notice="exit_task_reminder"),
        Rung(1, whom="contact", notice="exit_task_reminder"),
        Rung(5, whom="sponsor", notice="exit_task_escalated"),
        Rung(10, whom="manager", notice="exit_task_escalated"),
    ]
)
"""Anchor: the end of the day by which something is to be handed over."""

EVALUATION_NOTICE_DAYS = 14
"""So long before the evaluation begins by itself the manager is asked to prepare it."""


def evaluation_due(days_before_end: int) -> dict[str, Any]:
    """The ladder of an evaluation that begins by itself so many days before its anchor, the end of the term's last day.

    The first rung comes before it; the others find it not begun.
    """
    ahead: dict[int, Audience] = {-days_before_end - EVALUATION_NOTICE_DAYS: "manager"}
    late: dict[int, Audience] = {-(days_before_end // 3): "lead_and_sponsors", 0: "lead_and_sponsors"}
    rungs = sorted((ahead | late).items())
    return to_json([Rung(offset, "days", whom, "evaluation_due") for offset, whom in rungs])
