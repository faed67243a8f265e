"""Complaints, what was said about them, and the remedies that they ended in."""

import sqlalchemy as sa
from alembic import op

from lifecycle.db import Instant

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "complaint",
        sa.Column("partnership_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("case", sa.Integer(), nullable=False),
        sa.Column("complainant", sa.String(length=64), nullable=False),
        sa.Column("respondent", sa.String(length=64), nullable=False),
        sa.Column("lodged_by", sa.String(length=64), nullable=False),
        sa.Column("agreement_revision", sa.Integer(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("level_at", Instant(), nullable=False),
        sa.Column("lodged_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("paused_at", Instant(), nullable=True),
        sa.Column("exhausted_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(
            ["partnership_id"], ["partnership.id"], name=op.f("fk_complaint_partnership_id_partnership")
        ),
        sa.PrimaryKeyConstraint("partnership_id", "number", name=op.f("pk_complaint")),
    )
    op.create_table(
        "complaint_entry",
        sa.Column("partnership_id", sa.String(length=64), nullable=False),
        sa.Column("complaint", sa.Integer(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("by", sa.String(length=64), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partnership_id", "complaint"],
            ["complaint.partnership_id", "complaint.number"],
            name=op.f("fk_complaint_entry_partnership_id_complaint_complaint"),
        ),
        sa.PrimaryKeyConstraint("partnership_id", "complaint", "seq", name=op.f("pk_complaint_entry")),
    )
    op.create_table(
        "remedy",
        sa.Column("partnership_id", sa.String(length=64), nullable=False),
        sa.Column("complaint", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("remedy", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("terms", sa.JSON(), nullable=False),
        sa.Column("agreed_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partnership_id"], ["partnership.id"], name=op.f("fk_remedy_partnership_id_partnership")
        ),
        sa.PrimaryKeyConstraint("partnership_id", "complaint", "number", name=op.f("pk_remedy")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("remedy")
    op.drop_table("complaint_entry")
    op.drop_table("complaint")
