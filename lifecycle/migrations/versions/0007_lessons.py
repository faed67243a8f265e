"""What partnerships have learnt."""

import sqlalchemy as sa
from alembic import op

from lifecycle.db import Instant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "lesson",
        sa.Column("partnership_id", sa.String(length=64), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("lesson", sa.String(length=2000), nullable=False),
        sa.Column("keep_or_change", sa.String(length=8), nullable=True),
        sa.Column("for_whom", sa.String(length=200), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["partnership_id"], ["partnership.id"], name=op.f("fk_lesson_partnership_id_partnership")
        ),
        sa.PrimaryKeyConstraint("partnership_id", "number", name=op.f("pk_lesson")),
    )
    op.create_index("ix_lesson_recorded_at", "lesson", ["recorded_at"])


def downgrade() -> None:
    """Take back."""
    op.drop_index("ix_lesson_recorded_at", table_name="lesson")
    op.drop_table("lesson")
