"""Indicators' actuals, and results imported from IATI files."""

import sqlalchemy as sa
from alembic import op

from lifecycle.db import Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "indicator_actual",
        sa.Column("partnership_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("indicator", sa.String(length=64), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("dimensions", sa.JSON(), nullable=False),
        sa.Column("comment", sa.String(length=2000), nullable=True),
        sa.Column("recorded_by", sa.String(length=64), nullable=False),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partnership_id"],
            ["partnership.id"],
            name=op.f("fk_indicator_actual_partnership_id_partnership"),
        ),
        sa.PrimaryKeyConstraint("partnership_id", "number", name=op.f("pk_indicator_actual")),
    )
    op.create_table(
        "iati_import",
        sa.Column("partnership_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("results", sa.JSON(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("imported_by", sa.String(length=64), nullable=False),
        sa.Column("imported_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partnership_id"], ["partnership.id"], name=op.f("fk_iati_import_partnership_id_partnership")
        ),
        sa.PrimaryKeyConstraint("partnership_id", "number", name=op.f("pk_iati_import")),
    )


def downgrade() -> None:
    """Take back."""
    op.drop_table("iati_import")
    op.drop_table("indicator_actual")
