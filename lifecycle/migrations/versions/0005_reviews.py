"""A round keeps its questionnaire; whoever is asked can pass it on or decline."""

import sqlalchemy as sa
from alembic import op

from lifecycle.db import Instant

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("review_round") as batch:
        batch.add_column(sa.Column("questionnaire", sa.JSON(), nullable=True))
    with op.batch_alter_table("review_invitation") as batch:
        batch.add_column(sa.Column("passed_to", sa.String(length=64), nullable=True))
        batch.add_column(sa.Column("declined_because", sa.String(length=2000), nullable=True))
        batch.add_column(sa.Column("declined_at", Instant(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("review_invitation") as batch:
        batch.drop_column("declined_at")
        batch.drop_column("declined_because")
        batch.drop_column("passed_to")
    with op.batch_alter_table("review_round") as batch:
        batch.drop_column("questionnaire")
