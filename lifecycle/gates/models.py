"""The registry's profiles: what look-alike partnerships are found by (criterion N5)."""

from sqlalchemy import JSON, Column, ForeignKey, String, Table

from lifecycle.db import metadata

registry_profile = Table(
    "registry_profile",
    metadata,
    # What criterion N5 compares: one row a partnership, rewritten with each need assessment.
    Column("partnership_id", ForeignKey("partnership.id"), primary_key=True),
    Column("words", String(1000), nullable=False),
    Column("places", JSON, nullable=False),
    Column("organisations", JSON, nullable=False),
)
