"""The outbox: one row for each email owed to someone."""

from datetime import timedelta

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, text

from lifecycle.db import Instant, metadata

LEASE = timedelta(minutes=15)
"""How long a claimed notice may stay `sending` before its outcome counts as unknown."""

notice = Table(
    "notice",
    metadata,
    Column("id", Integer, primary_key=True),
    # Names the fact, the template, the recipient and the rung: a second notice of the same fact cannot be created.
    Column("key", String(400), nullable=False, unique=True),
    Column("partnership_id", ForeignKey("partnership.id"), nullable=False, index=True),
    Column("contact_id", String(64), nullable=False),
    Column("template", String(32), nullable=False),
    # What the template says, by ids; people and organisations are looked up when it is sent.
    Column("facts", JSON, nullable=False),
    Column("due_at", Instant),
    Column("created_at", Instant, nullable=False),
    # pending → sending → sent | unknown | failed; pending → withdrawn. `sending` and `unknown` are never resent unasked.
    # pending → folded: it rides in another notice's email, whose outcome is its own.
    Column("state", String(16), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("sent_at", Instant),
    Column("provider_id", String(200)),
    Column("detail", String(500)),
    Column("folded_into", Integer),
)
PENDING_NOTICE = "state = 'pending'"
Index(
    "ix_notice_pending",
    notice.c.next_attempt_at,
    sqlite_where=text(PENDING_NOTICE),
    postgresql_where=text(PENDING_NOTICE),
)
