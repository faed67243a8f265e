"""Tables of documents: immutable revisions, and the sign-offs bound to one exact revision."""

from sqlalchemy import Column, ForeignKey, ForeignKeyConstraint, Integer, String, Table, Text

from lifecycle.db import Instant, metadata

document = Table(
    "document",
    metadata,
    Column("partnership_id", ForeignKey("partnership.id"), primary_key=True),
    Column("kind", String(32), primary_key=True),
    # '' for documents that exist once; '<round>/<contact>' for a review response; the event for a decision record.
    Column("subject", String(130), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("schema_version", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("content", Text, nullable=False),
    Column("author", String(64), nullable=False),
    Column("created_at", Instant, nullable=False),
)

sign_off = Table(
    "sign_off",
    metadata,
    Column("partnership_id", String(64), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("subject", String(130), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("contact_id", String(64), primary_key=True),
    Column("partner_id", String(64), nullable=False),
    Column("signed_at", Instant, nullable=False),
    ForeignKeyConstraint(
        ["partnership_id", "kind", "subject", "revision"],
        ["document.partnership_id", "document.kind", "document.subject", "document.revision"],
    ),
    ForeignKeyConstraint(["partnership_id", "contact_id"], ["contact.partnership_id", "contact.id"]),
)

objection = Table(
    "objection",
    metadata,
    # Why a partner does not sign this revision. It stays when a newer revision answers it.
    Column("partnership_id", String(64), primary_key=True),
    Column("kind", String(32), primary_key=True),
    Column("subject", String(130), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("contact_id", String(64), primary_key=True),
    Column("partner_id", String(64), nullable=False),
    Column("reason", String(2000), nullable=False),
    Column("objected_at", Instant, nullable=False),
    ForeignKeyConstraint(
        ["partnership_id", "kind", "subject", "revision"],
        ["document.partnership_id", "document.kind", "document.subject", "document.revision"],
    ),
    ForeignKeyConstraint(["partnership_id", "contact_id"], ["contact.partnership_id", "contact.id"]),
)
