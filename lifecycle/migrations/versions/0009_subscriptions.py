"""Subscriptions to domain events, and their cursors."""

import sqlalchemy as sa
from alembic import op

from lifecycle.db import Instant

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "subscription",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("portfolio", sa.String(length=64), nullable=True),
        sa.Column("partnership_id", sa.String(length=64), nullable=True),
        sa.Column("url", sa.String(length=2000), nullable=False),
        sa.Column("event_types", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("secret", sa.String(length=128), nullable=True),
        sa.Column("description", sa.String(length=200), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("created_by", sa.String(length=64), nullable=False),
        sa.Column("disabled_at", Instant(), nullable=True),
        sa.Column("compared_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_subscription")),
    )
    op.create_table(
        "webhook_stream",
        sa.Column("subscription_id", sa.String(length=32), nullable=False),
        sa.Column("partnership_id", sa.String(length=64), nullable=False),
        sa.Column("delivered_seq", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("first_failed_at", Instant(), nullable=True),
        sa.Column("next_attempt_at", Instant(), nullable=True),
        sa.Column("parked_at", Instant(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("detail", sa.String(length=300), nullable=True),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["subscription.id"],
            name=op.f("fk_webhook_stream_subscription_id_subscription"),
        ),
        sa.PrimaryKeyConstraint("subscription_id", "partnership_id", name=op.f("pk_webhook_stream")),
    )
    waiting = sa.text("next_attempt_at IS NOT NULL")
    op.create_index(
        "ix_webhook_stream_waiting",
        "webhook_stream",
        ["subscription_id", "next_attempt_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    if op.get_bind().dialect.name == "postgresql":
        op.create_index(
            "ix_audit_event_at",
            "audit_event",
            ["at"],
            postgresql_using="brin",
            postgresql_with={"pages_per_range": 16, "autosummarize": "on"},
        )


def downgrade() -> None:
    """Take back."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("ix_audit_event_at", table_name="audit_event")
    op.drop_index("ix_webhook_stream_waiting", table_name="webhook_stream")
    op.drop_table("webhook_stream")
    op.drop_table("subscription")
