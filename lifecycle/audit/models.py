"""The table of the audit trail: append-only, hash-chained per partnership."""

from sqlalchemy import Column, ForeignKey, Integer, String, Table, Text

from lifecycle.db import Instant, metadata

audit_event = Table(
    "audit_event",
    metadata,
    Column("partnership_id", ForeignKey("partnership.id"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("type", String(64), nullable=False),
    Column("actor", String(64), nullable=False),
    # Canonical JSON text of ids, codes and hashes; never personal data.
    Column("payload", Text, nullable=False),
    Column("previous_hash", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
