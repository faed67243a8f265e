"""Who stands in for whom, and which email a reminder rode in."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply."""
    op.add_column("contact", sa.Column("deputy_id", sa.String(length=64), nullable=True))
    op.add_column("contact", sa.Column("absent_until", sa.Date(), nullable=True))
    op.add_column("notice", sa.Column("folded_into", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Take back."""
    op.drop_column("notice", "folded_into")
    op.drop_column("contact", "absent_until")
    op.drop_column("contact", "deputy_id")
