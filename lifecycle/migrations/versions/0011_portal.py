"""The portal: who signs in, what was begun and not yet sent, objections, and what a contact prefers."""

import sqlalchemy as sa
from alembic import op

from lifecycle.db import Instant

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Apply."""
    op.add_column("contact", sa.Column("language", sa.String(length=8), server_default="en", nullable=False))
    op.add_column(
        "contact", sa.Column("digest", sa.String(length=8), server_default="weekly", nullable=False)
    )
    op.add_column("contact", sa.Column("links_since", Instant(), nullable=True))
    op.create_table(
        "review_draft",
        sa.Column("partnership_id", sa.String(length=64), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.String(length=64), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.Column("saved_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partnership_id", "round"],
            ["review_round.partnership_id", "review_round.number"],
            name=op.f("fk_review_draft_partnership_id_review_round"),
        ),
        sa.PrimaryKeyConstraint("partnership_id", "round", "contact_id", name=op.f("pk_review_draft")),
    )
    op.create_table(
        "objection",
        sa.Column("partnership_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=130), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("contact_id", sa.String(length=64), nullable=False),
        sa.Column("partner_id", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=2000), nullable=False),
        sa.Column("objected_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partnership_id", "kind", "subject", "revision"],
            ["document.partnership_id", "document.kind", "document.subject", "document.revision"],
            name=op.f("fk_objection_partnership_id_document"),
        ),
        sa.ForeignKeyConstraint(
            ["partnership_id", "contact_id"],
            ["contact.partnership_id", "contact.id"],
            name=op.f("fk_objection_partnership_id_contact"),
        ),
        sa.PrimaryKeyConstraint(
            "partnership_id", "kind", "subject", "revision", "contact_id", name=op.f("pk_objection")
        ),
    )
    op.create_table(
        "account",
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("portfolio", sa.String(length=64), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("email", "portfolio", name=op.f("pk_account")),
    )
    op.create_table(
        "sign_in_link",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_sign_in_link")),
    )
    op.create_index("ix_sign_in_link_expires_at", "sign_in_link", ["expires_at"])
    op.create_table(
        "session",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("email", sa.String(length=320), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_session")),
    )
    op.create_index("ix_session_email", "session", ["email"])
    op.create_index("ix_contact_email", "contact", [sa.text("lower(email)")])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_contact_email", table_name="contact")
    op.drop_table("session")
    op.drop_table("sign_in_link")
    op.drop_table("account")
    op.drop_table("objection")
    op.drop_table("review_draft")
    for name in ("links_since", "digest", "language"):
        op.drop_column("contact", name)
