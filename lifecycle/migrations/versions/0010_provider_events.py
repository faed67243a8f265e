"""What the mail provider tells of emails that left."""

import sqlalchemy as sa
from alembic import op

from lifecycle.db import Instant

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply."""
    op.add_column("notice", sa.Column("reference", sa.String(length=24), nullable=True))
    op.add_column("notice", sa.Column("reader_id", sa.String(length=64), nullable=True))
    op.add_column("notice", sa.Column("delivery", sa.String(length=16), nullable=True))
    op.add_column("notice", sa.Column("delivery_at", Instant(), nullable=True))
    op.create_index(
        "ix_notice_reference",
        "notice",
        ["reference"],
        sqlite_where=sa.text("reference IS NOT NULL"),
        postgresql_where=sa.text("reference IS NOT NULL"),
    )
    op.create_table(
        "provider_event",
        sa.Column("dedupe", sa.String(length=64), nullable=False),
        sa.Column("sg_event_id", sa.String(length=100), nullable=True),
        sa.Column("reference", sa.String(length=24), nullable=True),
        sa.Column("notice_id", sa.Integer(), nullable=True),
        sa.Column("event", sa.String(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=True),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("address_sha256", sa.String(length=64), nullable=True),
        sa.Column("address_at_fault", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.ForeignKeyConstraint(
            ["notice_id"], ["notice.id"], name=op.f("fk_provider_event_notice_id_notice")
        ),
        sa.PrimaryKeyConstraint("dedupe", name=op.f("pk_provider_event")),
        sa.UniqueConstraint("sg_event_id", name=op.f("uq_provider_event_sg_event_id")),
    )
    op.create_index("ix_provider_event_notice_id", "provider_event", ["notice_id"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_provider_event_notice_id", table_name="provider_event")
    op.drop_table("provider_event")
    op.drop_index("ix_notice_reference", table_name="notice")
    for name in ("delivery_at", "delivery", "reader_id", "reference"):
        op.drop_column("notice", name)
