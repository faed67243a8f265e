"""Portfolios, tokens, and answers that are given once."""

import sqlalchemy as sa
from alembic import op

from lifecycle.db import Instant

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Apply."""
    op.add_column(
        "partnership", sa.Column("portfolio", sa.String(length=64), server_default="main", nullable=False)
    )
    op.create_index("ix_partnership_portfolio_id", "partnership", ["portfolio", "id"])
    op.create_table(
        "api_token",
        sa.Column("prefix", sa.String(length=16), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("portfolio", sa.String(length=64), nullable=True),
        sa.Column("partnership_id", sa.String(length=64), nullable=True),
        sa.Column("contact_id", sa.String(length=64), nullable=True),
        sa.Column("scopes", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.Column("last_used_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("prefix", name=op.f("pk_api_token")),
        sa.UniqueConstraint("sha256", name=op.f("uq_api_token_sha256")),
    )
    op.create_table(
        "idempotent_answer",
        sa.Column("token", sa.String(length=16), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("request_sha256", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("headers", sa.JSON(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("answered_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("token", "key", name=op.f("pk_idempotent_answer")),
    )
    op.create_index("ix_idempotent_answer_token_answered_at", "idempotent_answer", ["token", "answered_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_idempotent_answer_token_answered_at", table_name="idempotent_answer")
    op.drop_table("idempotent_answer")
    op.drop_table("api_token")
    op.drop_index("ix_partnership_portfolio_id", table_name="partnership")
    op.drop_column("partnership", "portfolio")
