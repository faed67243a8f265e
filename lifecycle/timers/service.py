"""Clocks: armed, stopped, paused, and claimed when due. The right to fire is the insertion of a unique row."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, literal_column, null, select, update
from sqlalchemy.dialects import postgresql, sqlite

from lifecycle.bulk import Inserts
from lifecycle.timers import ladders
from lifecycle.timers.calendars import Calendar
from lifecycle.timers.due import due_at, rungs_due
from lifecycle.timers.models import timer, timer_firing


@dataclass(frozen=True)
class Armed:
    """A clock to start: a ladder (`{"rungs": […]}`) or a recurrence (`{"every": RRULE, "first_on": DATE}`)."""

    partnership_id: str
    matter: str
    subject: str
    anchor_at: datetime
    schedule: Mapping[str, Any]
    calendar: Calendar
    rung: int = 0
    paused_at: datetime | None = None
    """Since when the clock stands still already; it is armed in a partnership that is suspended."""


@dataclass(frozen=True)
class Fired:
    """A claimed timer: the rungs (or occurrences) that became due, each with its scheduled instant, oldest first."""

    timer_id: int
    partnership_id: str
    matter: str
    subject: str
    anchor_at: datetime
    schedule: Mapping[str, Any]
    due: tuple[tuple[int, datetime], ...]


_UNIQUE = ("partnership_id", "matter", "subject")
_RENEWED = ("rung", "anchor_at", "schedule", "calendar", "pauses", "due_at")


def _under_a_higher_generation(statement: Any) -> Any:
    renewed = {name: statement.excluded[name] for name in _RENEWED}
    return statement.on_conflict_do_update(
        index_elements=_UNIQUE,
        set_={"generation": timer.c.generation + literal_column("1"), "done_at": null(), **renewed},
    )


_arm = Inserts(timer, (*_UNIQUE, "generation", *_RENEWED), _under_a_higher_generation)


def arm(connection: Connection, armed: Iterable[Armed]) -> None:
    """Start clocks; one that exists restarts under a higher generation, so that a late worker finds nothing to do."""
    _arm(connection, [_row(clock) for clock in armed])


def _row(clock: Armed) -> dict[str, Any]:
    pauses = () if clock.paused_at is None else (ladders.Pause(clock.paused_at),)
    return {
        "partnership_id": clock.partnership_id,
        "matter": clock.matter,
        "subject": clock.subject,
        "generation": 1,
        "rung": clock.rung,
        "anchor_at": clock.anchor_at,
        "schedule": dict(clock.schedule),
        "calendar": f"{clock.calendar.time_zone}|{clock.calendar.holidays}",
        "pauses": [pause.to_json() for pause in pauses],
        "due_at": due_at(clock.schedule, clock.rung, clock.anchor_at, clock.calendar, pauses),
    }


_STOP_ALL = (
    update(timer)
    .where(timer.c.partnership_id == bindparam("b_id"), timer.c.done_at.is_(None))
    .values(done_at=bindparam("b_at"))
)
_STOP_MATTER = _STOP_ALL.where(timer.c.matter == bindparam("b_matter"))
_STOP_ONE = _STOP_MATTER.where(timer.c.subject == bindparam("b_subject"))


def stop(
    connection: Connection, partnership_id: str, now: datetime, matter: str, subject: str | None = None
) -> None:
    """Stop a matter's clocks (all subjects, or one): what it waited for has happened."""
    values = {"b_id": partnership_id, "b_at": now, "b_matter": matter}
    if subject is None:
        connection.execute(_STOP_MATTER, values)
    else:
        connection.execute(_STOP_ONE, values | {"b_subject": subject})


def stop_all(connection: Connection, partnership_id: str, now: datetime) -> None:
    """Stop every clock of a partnership: its record is closed."""
    connection.execute(_STOP_ALL, {"b_id": partnership_id, "b_at": now})


_OPEN = select(timer).where(timer.c.partnership_id == bindparam("id"), timer.c.done_at.is_(None))
_REPAUSE = (
    update(timer)
    .where(timer.c.id == bindparam("b_id"))
    .values(pauses=bindparam("b_pauses"), due_at=bindparam("b_due_at"))
)


CASE = "case"
"""What marks a pause that the sides of a case agreed to, beside that of the whole partnership: each ends by itself."""


def pause_all(connection: Connection, partnership_id: str, now: datetime) -> None:
    """Pause every open clock of a partnership: its budget stops being used until `resume_all`."""
    _pause(connection, connection.execute(_OPEN, {"id": partnership_id}), {"started_at": now.isoformat()})


def resume_all(connection: Connection, partnership_id: str, now: datetime) -> None:
    """Let the paused clocks of a partnership run on: due times move by the working time that was paused."""
    _resume(connection, connection.execute(_OPEN, {"id": partnership_id}), now, None)


def pause_case(
    connection: Connection, partnership_id: str, now: datetime, matters: Sequence[str], subject: str
) -> None:
    """Pause the open clocks of some matters whose subject begins so; until `resume_case`, whatever else resumes."""
    pause = {"started_at": now.isoformat(), "by": CASE}
    _pause(connection, _of_case(connection, partnership_id, matters, subject), pause)


def resume_case(
    connection: Connection, partnership_id: str, now: datetime, matters: Sequence[str], subject: str
) -> None:
    """Let the clocks run on that `pause_case` paused, unless the whole partnership is paused."""
    _resume(connection, _of_case(connection, partnership_id, matters, subject), now, CASE)


def _of_case(
    connection: Connection, partnership_id: str, matters: Sequence[str], subject: str
) -> Iterable[Any]:
    begins = timer.c.subject.startswith(subject, autoescape=True)
    return connection.execute(_OPEN.where(timer.c.matter.in_(matters), begins), {"id": partnership_id})


def _pause(connection: Connection, rows: Iterable[Any], pause: Mapping[str, Any]) -> None:
    changed = [
        {"b_id": row.id, "b_pauses": [*row.pauses, {**pause, "ended_at": None}], "b_due_at": None}
        for row in rows
    ]
    if changed:
        connection.execute(_REPAUSE, changed)


def _resume(connection: Connection, rows: Iterable[Any], now: datetime, by: str | None) -> None:
    changed = []
    for row in rows:
        pauses = [
            pause | {"ended_at": now.isoformat()}
            if pause["ended_at"] is None and pause.get("by") == by
            else pause
            for pause in row.pauses
        ]
        stretches = [ladders.Pause.from_json(pause) for pause in pauses]
        moved = due_at(row.schedule, row.rung, row.anchor_at, _calendar(row.calendar), stretches)
        changed.append({"b_id": row.id, "b_pauses": pauses, "b_due_at": moved})
    if changed:
        connection.execute(_REPAUSE, changed)


def _calendar(text: str) -> Calendar:
    time_zone, _, holidays = text.partition("|")
    return Calendar(time_zone, holidays)


_DUE = (
    select(timer.c.partnership_id)
    .where(
        timer.c.matter.in_(bindparam("matters", expanding=True)),
        timer.c.done_at.is_(None),
        timer.c.due_at.is_not(None),
        timer.c.due_at <= bindparam("as_of"),
        timer.c.partnership_id.not_in(bindparam("but", expanding=True)),
    )
    .order_by(timer.c.due_at, timer.c.id)
    .limit(bindparam("limit"))
)
_DUE_OF = (
    select(timer)
    .where(
        timer.c.partnership_id.in_(bindparam("ids", expanding=True)),
        timer.c.matter.in_(bindparam("matters", expanding=True)),
        timer.c.done_at.is_(None),
        timer.c.due_at.is_not(None),
        timer.c.due_at <= bindparam("as_of"),
    )
    .order_by(timer.c.due_at, timer.c.id)
)


def partnerships_due(
    connection: Connection, matters: Sequence[str], as_of: datetime, limit: int, but: Collection[str] = ()
) -> list[str]:
    """The partnerships, `but` for some, whose clocks of these matters are due at `as_of`, longest overdue first.

    Costs what is due, not what exists: the partial index `ix_timer_due` holds only open clocks.
    """
    rows = connection.execute(
        _DUE, {"matters": list(matters), "as_of": as_of, "limit": limit, "but": list(but)}
    )
    return list(dict.fromkeys(rows.scalars()))


def _insert_firing(insert: Any) -> Any:
    return (
        insert(timer_firing).on_conflict_do_nothing().returning(timer_firing.c.timer_id, timer_firing.c.rung)
    )


_FIRE = {"sqlite": _insert_firing(sqlite.insert), "postgresql": _insert_firing(postgresql.insert)}
_ADVANCE = (
    update(timer)
    .where(timer.c.id == bindparam("b_id"), timer.c.generation == bindparam("b_generation"))
    .values(rung=bindparam("b_rung"), due_at=bindparam("b_due_at"), done_at=bindparam("b_done_at"))
)


def claim(
    connection: Connection, partnership_ids: Sequence[str], matters: Sequence[str], as_of: datetime
) -> list[Fired]:
    """Claim the due clocks of partnerships that the caller has locked, and move each to its next rung.

    Exactly once: a rung is claimed by inserting its firing, in the caller's transaction; whoever comes second gets
    nothing. After a time down, every missed rung is claimed in one `Fired`, none is skipped.
    """
    rows = connection.execute(
        _DUE_OF, {"ids": list(partnership_ids), "matters": list(matters), "as_of": as_of}
    ).all()
    if not rows:
        return []
    due, following = {}, {}
    for row in rows:
        pauses = [ladders.Pause.from_json(pause) for pause in row.pauses]
        due[row.id], following[row.id] = rungs_due(
            row.schedule, row.rung, row.anchor_at, _calendar(row.calendar), pauses, as_of
        )
    firings = [
        {
            "timer_id": row.id,
            "generation": row.generation,
            "rung": rung,
            "scheduled_at": scheduled_at,
            "fired_at": as_of,
        }
        for row in rows
        for rung, scheduled_at in due[row.id]
    ]
    won = {tuple(key) for key in connection.execute(_FIRE[connection.dialect.name], firings)}
    connection.execute(_ADVANCE, [_advanced(row, due[row.id], following[row.id], as_of) for row in rows])
    return [
        Fired(row.id, row.partnership_id, row.matter, row.subject, row.anchor_at, row.schedule, mine)
        for row in rows
        if (mine := tuple(rung for rung in due[row.id] if (row.id, rung[0]) in won))
    ]


def _advanced(
    row: Any, due: Sequence[tuple[int, datetime]], following: datetime | None, as_of: datetime
) -> dict[str, Any]:
    return {
        "b_id": row.id,
        "b_generation": row.generation,
        "b_rung": due[-1][0] + 1,
        "b_due_at": following,
        "b_done_at": as_of if following is None else None,
    }


def is_open(connection: Connection, partnership_id: str, matter: str) -> bool:
    """Whether a clock of this matter is running or paused."""
    statement = select(timer.c.id).where(
        timer.c.partnership_id == partnership_id, timer.c.matter == matter, timer.c.done_at.is_(None)
    )
    return connection.execute(statement.limit(1)).first() is not None


def has_fired(connection: Connection, partnership_id: str, matter: str) -> bool:
    """Whether an open clock of this matter is past its first rung or occurrence."""
    statement = select(timer.c.id).where(
        timer.c.partnership_id == partnership_id,
        timer.c.matter == matter,
        timer.c.done_at.is_(None),
        timer.c.rung > 0,
    )
    return connection.execute(statement.limit(1)).first() is not None


def find_open(
    connection: Connection, partnership_id: str, matter: str, subject: str, as_of: datetime
) -> Fired | None:
    """An open clock, running or paused, as it would fire its next rung at `as_of`; claims nothing."""
    statement = select(timer).where(
        timer.c.partnership_id == partnership_id,
        timer.c.matter == matter,
        timer.c.subject == subject,
        timer.c.done_at.is_(None),
    )
    row = connection.execute(statement).one_or_none()
    if row is None:
        return None
    due = ((row.rung, as_of),)
    return Fired(row.id, partnership_id, matter, subject, row.anchor_at, row.schedule, due)


def due_of(connection: Connection, partnership_id: str, matter: str, subject: str) -> datetime | None:
    """When an open clock is due next; None where there is none, or it is paused."""
    statement = select(timer.c.due_at).where(
        timer.c.partnership_id == partnership_id,
        timer.c.matter == matter,
        timer.c.subject == subject,
        timer.c.done_at.is_(None),
    )
    found: datetime | None = connection.execute(statement).scalar()
    return found


def overdue_unfired(connection: Connection, as_of: datetime) -> list[tuple[str, str, datetime]]:
    """The watchdog: open clocks that should have fired by `as_of` and did not, as (partnership, matter, due)."""
    rows = connection.execute(
        select(timer.c.partnership_id, timer.c.matter, timer.c.due_at)
        .where(timer.c.done_at.is_(None), timer.c.due_at.is_not(None), timer.c.due_at <= as_of)
        .order_by(timer.c.due_at)
    )
    return [(row.partnership_id, row.matter, row.due_at) for row in rows]
