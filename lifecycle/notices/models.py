"""The outbox: one row for each email owed to someone; and what the provider tells of those that left."""

from datetime import timedelta

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, String, Table, text

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
    # Set when the email is written: its name outside, and the contact whose address it goes to (a deputy's, perhaps).
    Column("reference", String(24)),
    Column("reader_id", String(64)),
    # The furthest that the provider's events say it got, and when (see `provider_events`).
    Column("delivery", String(16)),
    Column("delivery_at", Instant),
)
PENDING_NOTICE = "state = 'pending'"
Index(
    "ix_notice_pending",
    notice.c.next_attempt_at,
    sqlite_where=text(PENDING_NOTICE),
    postgresql_where=text(PENDING_NOTICE),
)
# What was never written has no reference: inserting a notice does not touch this index.
HAS_REFERENCE = "reference IS NOT NULL"
Index(
    "ix_notice_reference",
    notice.c.reference,
    sqlite_where=text(HAS_REFERENCE),
    postgresql_where=text(HAS_REFERENCE),
)

provider_event = Table(
    "provider_event",
    metadata,
    # Hashes what the event says: one that is delivered again, under a new id of the provider's, cannot be kept twice.
    Column("dedupe", String(64), primary_key=True),
    Column("sg_event_id", String(100), unique=True),
    Column("reference", String(24)),
    Column("notice_id", ForeignKey("notice.id"), index=True),
    Column("event", String(32), nullable=False),
    Column("at", Instant),
    Column("received_at", Instant, nullable=False),
    # Addresses are in the table `contact` only.
    Column("address_sha256", String(64)),
    Column("address_at_fault", Boolean, nullable=False),
    Column("detail", String(500), nullable=False),
    # taken | unmatched | malformed | stale (signed too long ago to be heeded unasked) | superseded (of an earlier email).
    Column("state", String(16), nullable=False),
)
