"""Tables of partnerships, the organisations and people in them, and the transitions asked for."""

from sqlalchemy import (
    JSON,
    Column,
    Date,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
    func,
    text,
)

from lifecycle.db import Instant, metadata

MAIN_PORTFOLIO = "main"
"""Where a partnership is that was not registered in another."""

partnership = Table(
    "partnership",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("stage", String(32), nullable=False, index=True),
    Column("suspended_from", String(32)),
    Column("stage_entered_at", Instant, nullable=False),
    Column("version", Integer, nullable=False),
    Column("proposed_by", String(64), nullable=False),
    Column("coordinator", String(64), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("holidays", String(16), nullable=False),
    Column("created_at", Instant, nullable=False),
    # The head of the audit chain: appending locks this row, so the chain cannot fork.
    Column("audit_seq", Integer, nullable=False),
    Column("audit_hash", String(64), nullable=False),
    Column("audit_at", Instant, nullable=False),
    # The tenant: a token of one portfolio does not learn what is in another.
    Column("portfolio", String(64), nullable=False, server_default=MAIN_PORTFOLIO),
    Index("ix_partnership_portfolio_id", "portfolio", "id"),
)

partner = Table(
    "partner",
    metadata,
    Column("partnership_id", ForeignKey(partnership.c.id), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("name", String(200), nullable=False),
)

contact = Table(
    "contact",
    metadata,
    # The only table with personal data: everything else refers to (partnership_id, id), so erasing a person
    # is one update here and breaks neither documents nor the audit chain.
    Column("partnership_id", String(64), primary_key=True),
    Column("id", String(64), primary_key=True),
    Column("partner_id", String(64), nullable=False),
    Column("role", String(16), nullable=False),
    Column("name", String(200), nullable=False),
    Column("email", String(320), nullable=False),
    Column("time_zone", String(64), nullable=False),
    Column("undeliverable_since", Instant),
    # Who reads this person's emails up to and including that local day; both or neither.
    Column("deputy_id", String(64)),
    Column("absent_until", Date),
    # The language of what this person reads (`languages.LANGUAGES`), and how often digests come (`preferences.DIGESTS`).
    Column("language", String(8), nullable=False, server_default="en"),
    Column("digest", String(8), nullable=False, server_default="weekly"),
    # Links that were issued to this person before are good for nothing.
    Column("links_since", Instant),
    ForeignKeyConstraint(["partnership_id", "partner_id"], ["partner.partnership_id", "partner.id"]),
)

Index("ix_contact_email", func.lower(contact.c.email))

transition_request = Table(
    "transition_request",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("partnership_id", ForeignKey(partnership.c.id), nullable=False),
    Column("event", String(32), nullable=False),
    Column("requested_by", String(64), nullable=False),
    Column("reason", String(2000)),
    Column("requested_at", Instant, nullable=False),
    Column("idempotency_key", String(200), nullable=False),
    Column("state", String(16), nullable=False),
    Column("decided_at", Instant),
    # The gate report, whole; none when the stage did not allow the event any more.
    Column("report", JSON),
    Column("detail", String(500)),
    UniqueConstraint("partnership_id", "idempotency_key"),
)
Index(
    "ix_transition_request_pending",
    transition_request.c.requested_at,
    sqlite_where=text("state = 'pending'"),
    postgresql_where=text("state = 'pending'"),
)

waiver = Table(
    "waiver",
    metadata,
    Column("partnership_id", ForeignKey(partnership.c.id), primary_key=True),
    Column("event", String(32), primary_key=True),
    Column("criterion", String(8), primary_key=True),
    Column("partner_id", String(64), primary_key=True),
    # A waiver counts for the stage it was given in: `granted_at` not before `stage_entered_at`.
    Column("granted_at", Instant, primary_key=True),
    Column("contact_id", String(64), nullable=False),
    Column("reason", String(2000), nullable=False),
)
