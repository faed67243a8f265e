"""Tables of timers, and of the firings whose insertion is the right to fire."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint, text

from lifecycle.db import Instant, metadata

timer = Table(
    "timer",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("partnership_id", ForeignKey("partnership.id"), nullable=False),
    Column("matter", String(32), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("generation", Integer, nullable=False),
    # The next rung of a ladder, or the next occurrence of a recurrence.
    Column("rung", Integer, nullable=False),
    Column("anchor_at", Instant, nullable=False),
    # {"rungs": [...]} or {"every": RRULE, "first_on": DATE}: copied in, so that editing a default changes no running case.
    Column("schedule", JSON, nullable=False),
    # The calendar it counts by, pinned when it was armed: "<time zone>|<holiday calendar>".
    Column("calendar", String(80), nullable=False),
    Column("pauses", JSON, nullable=False),
    # Derived from the columns above by `timers.due.due_at` alone.
    Column("due_at", Instant),
    Column("done_at", Instant),
    UniqueConstraint("partnership_id", "matter", "subject"),
)
OPEN_TIMER = "done_at IS NULL AND due_at IS NOT NULL"
Index(
    "ix_timer_due",
    timer.c.matter,
    timer.c.due_at,
    sqlite_where=text(OPEN_TIMER),
    postgresql_where=text(OPEN_TIMER),
)

timer_firing = Table(
    "timer_firing",
    metadata,
    Column("timer_id", ForeignKey(timer.c.id), primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("rung", Integer, primary_key=True),
    Column("scheduled_at", Instant, nullable=False),
    Column("fired_at", Instant, nullable=False),
)
