"""Tables of complaints, and of what was said and done about each."""

from sqlalchemy import JSON, Column, ForeignKey, ForeignKeyConstraint, Integer, String, Table

from lifecycle.db import Instant, metadata

complaint = Table(
    "complaint",
    metadata,
    Column("partnership_id", ForeignKey("partnership.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    # The first complaint of the case: of an answer to a complaint it is that one, else its own number.
    Column("case", Integer, nullable=False),
    Column("complainant", String(64), nullable=False),
    Column("respondent", String(64), nullable=False),
    Column("lodged_by", String(64), nullable=False),
    # The procedure it follows: an amended agreement has another for later complaints, never for this one.
    Column("agreement_revision", Integer, nullable=False),
    Column("about", JSON, nullable=False),
    Column("state", String(16), nullable=False),
    Column("level", Integer, nullable=False),
    # When it came to its level; the level's time counts from here.
    Column("level_at", Instant, nullable=False),
    Column("lodged_at", Instant, nullable=False),
    Column("closed_at", Instant),
    # While both sides let its clocks stand still.
    Column("paused_at", Instant),
    # When the last level's time ran out without a settlement: the partnership can then be terminated.
    Column("exhausted_at", Instant),
)

complaint_entry = Table(
    "complaint_entry",
    metadata,
    # Append-only: everything that was said and done about a complaint, in the words of those who did.
    Column("partnership_id", String(64), primary_key=True),
    Column("complaint", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("by", String(64), nullable=False),
    Column("level", Integer, nullable=False),
    Column("content", JSON, nullable=False),
    ForeignKeyConstraint(["partnership_id", "complaint"], ["complaint.partnership_id", "complaint.number"]),
)
