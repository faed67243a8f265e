"""Tables of subscriptions to domain events, and of how far each has come in each partnership's trail."""

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, text

from lifecycle.audit.models import audit_event
from lifecycle.db import Instant, metadata

subscription = Table(
    "subscription",
    metadata,
    Column("id", String(32), primary_key=True),
    # What it is confined to; neither: every partnership there is.
    Column("portfolio", String(64)),
    Column("partnership_id", String(64)),
    Column("url", String(2000), nullable=False),
    # Public types of events; null: all of them.
    Column("event_types", JSON(none_as_null=True)),
    # Kept readable, since it signs; null where nothing is signed (Prefect).
    Column("secret", String(128)),
    Column("description", String(200), nullable=False),
    Column("created_at", Instant, nullable=False),
    # The prefix of a token, or "operator".
    Column("created_by", String(64), nullable=False),
    Column("disabled_at", Instant),
    # When every trail was last compared with its cursor (PostgreSQL only).
    Column("compared_at", Instant),
)

webhook_stream = Table(
    "webhook_stream",
    metadata,
    Column("subscription_id", ForeignKey(subscription.c.id), primary_key=True),
    # No foreign key: making a million cursors would lock a million partnerships against changes.
    Column("partnership_id", String(64), primary_key=True),
    # The last event that was delivered or passed over.
    Column("delivered_seq", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("first_failed_at", Instant),
    # A lease while somebody delivers, the next attempt after a failure; null while there is nothing to wait for.
    Column("next_attempt_at", Instant),
    Column("parked_at", Instant),
    Column("last_status", Integer),
    Column("detail", String(300)),
)
Index(
    "ix_webhook_stream_waiting",
    webhook_stream.c.subscription_id,
    webhook_stream.c.next_attempt_at,
    sqlite_where=text("next_attempt_at IS NOT NULL"),
    postgresql_where=text("next_attempt_at IS NOT NULL"),
)
# A block range index: appending a row costs next to nothing, and a trail is written in the order of time.
Index(
    "ix_audit_event_at",
    audit_event.c.at,
    postgresql_using="brin",
    postgresql_with={"pages_per_range": 16, "autosummarize": "on"},
).ddl_if(dialect="postgresql")
