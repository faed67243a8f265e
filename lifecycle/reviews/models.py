"""Tables of review rounds, of who was asked, and of the corrective actions that negative answers ask for."""

from sqlalchemy import JSON, Column, Date, ForeignKey, ForeignKeyConstraint, Integer, String, Table

from lifecycle.db import Instant, metadata

review_round = Table(
    "review_round",
    metadata,
    Column("partnership_id", ForeignKey("partnership.id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    # `schedule` for a round of the agreed schedule, `evaluation` for the one that opens an evaluation, else `occasions`.
    Column("occasion", String(16), nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closes_at", Instant, nullable=False),
    Column("extended", Integer, nullable=False),
    Column("closed_at", Instant),
    Column("quorate", Integer),
    # Which questions it asks (`questionnaire.of`); none for the default.
    Column("questionnaire", JSON),
)

review_invitation = Table(
    "review_invitation",
    metadata,
    Column("partnership_id", String(64), primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("contact_id", String(64), primary_key=True),
    # Somebody else of the same partner answers instead.
    Column("passed_to", String(64)),
    Column("declined_because", String(2000)),
    Column("declined_at", Instant),
    ForeignKeyConstraint(["partnership_id", "round"], ["review_round.partnership_id", "review_round.number"]),
)

corrective_action = Table(
    "corrective_action",
    metadata,
    Column("partnership_id", String(64), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("round", Integer, nullable=False),
    Column("question", String(16), nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("what", String(2000)),
    Column("owner", String(64)),
    Column("due_on", Date),
    Column("verified_by", String(64)),
    Column("verified_at", Instant),
    ForeignKeyConstraint(["partnership_id", "round"], ["review_round.partnership_id", "review_round.number"]),
)

review_draft = Table(
    "review_draft",
    metadata,
    # What somebody has begun to answer: nobody else sees it, and it goes when the answer is given.
    Column("partnership_id", String(64), primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("contact_id", String(64), primary_key=True),
    Column("content", JSON, nullable=False),
    Column("saved_at", Instant, nullable=False),
    ForeignKeyConstraint(["partnership_id", "round"], ["review_round.partnership_id", "review_round.number"]),
)
