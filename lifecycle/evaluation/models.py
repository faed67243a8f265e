"""Tables of indicators' actuals, of results that came from elsewhere, and of lessons."""

from sqlalchemy import JSON, Column, Date, Float, ForeignKey, Index, Integer, String, Table

from lifecycle.db import Instant, metadata

indicator_actual = Table(
    "indicator_actual",
    metadata,
    # Append-only: a correction is another row of the same period, and the newest counts.
    Column("partnership_id", ForeignKey("partnership.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("indicator", String(64), nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("value", Float, nullable=False),
    # {"sex": "female", …}: what part of the whole it is; empty for the whole.
    Column("dimensions", JSON, nullable=False),
    Column("comment", String(2000)),
    Column("recorded_by", String(64), nullable=False),
    Column("recorded_at", Instant, nullable=False),
)

iati_import = Table(
    "iati_import",
    metadata,
    # The newest counts, all are kept.
    Column("partnership_id", ForeignKey("partnership.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    # The `result` elements as nested [name, attributes, text, children].
    Column("results", JSON, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("imported_by", String(64), nullable=False),
    Column("imported_at", Instant, nullable=False),
)

lesson = Table(
    "lesson",
    metadata,
    # Copied from the documents when a decision is taken, so that a search reads nothing else.
    Column("partnership_id", ForeignKey("partnership.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("lesson", String(2000), nullable=False),
    Column("keep_or_change", String(8)),
    Column("for_whom", String(200)),
    Column("recorded_at", Instant, nullable=False),
    Index("ix_lesson_recorded_at", "recorded_at"),
)
