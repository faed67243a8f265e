"""Tables of performances, of what was said about each, and of early signals."""

from sqlalchemy import JSON, Column, ForeignKey, ForeignKeyConstraint, Integer, String, Table

from lifecycle.db import Instant, metadata

performance = Table(
    "performance",
    metadata,
    Column("partnership_id", ForeignKey("partnership.id"), primary_key=True),
    Column("obligation", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    # The terms it is measured by: an amended agreement has other performances, never other terms for past ones.
    Column("agreement_revision", Integer, nullable=False),
    Column("obligor", String(64), nullable=False),
    Column("obligee", String(64), nullable=False),
    Column("weight", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("state", String(16), nullable=False),
    Column("outcome", String(16)),
    Column("reported_at", Instant),
    # When the side that is owed first knew how things stand, by a report or by the word that none came.
    Column("seen_at", Instant),
    Column("answered_at", Instant),
    Column("closed_at", Instant),
)

performance_entry = Table(
    "performance_entry",
    metadata,
    # Append-only: reports, verdicts, decisions and waivers, in the words of those who gave them.
    Column("partnership_id", String(64), primary_key=True),
    Column("obligation", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("by", String(64), nullable=False),
    Column("outcome", String(16)),
    Column("note", String(2000)),
    Column("evidence", String(500)),
    Column("evidence_sha256", String(64)),
    ForeignKeyConstraint(
        ["partnership_id", "obligation", "number"],
        ["performance.partnership_id", "performance.obligation", "performance.number"],
    ),
)

signal = Table(
    "signal",
    metadata,
    Column("partnership_id", ForeignKey("partnership.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("obligation", String(64), nullable=False),
    Column("by", String(64), nullable=False),
    Column("at", Instant, nullable=False),
    Column("note", String(280), nullable=False),
)

remedy = Table(
    "remedy",
    metadata,
    # What a complaint ended in: one to be carried out is a performance of the obligation `remedy:COMPLAINT`.
    Column("partnership_id", ForeignKey("partnership.id"), primary_key=True),
    Column("complaint", Integer, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("remedy", String(64), nullable=False),
    # act | withholding | ending
    Column("kind", String(16), nullable=False),
    # Of an act, the obligation that it is; of a withholding, which obligation and until when.
    Column("terms", JSON, nullable=False),
    Column("agreed_at", Instant, nullable=False),
)
