"""Tables of tokens, and of answers to requests that carried an idempotency key."""

from sqlalchemy import JSON, Column, Index, Integer, LargeBinary, String, Table

from lifecycle.db import Instant, metadata

api_token = Table(
    "api_token",
    metadata,
    # What may be shown of a token; the token itself is kept as its hash alone.
    Column("prefix", String(16), primary_key=True),
    Column("sha256", String(64), nullable=False, unique=True),
    Column("name", String(200), nullable=False),
    Column("role", String(16), nullable=False),
    # What it is confined to: a portfolio, a partnership in it, and one of its contacts.
    Column("portfolio", String(64)),
    Column("partnership_id", String(64)),
    Column("contact_id", String(64)),
    # Of its role's rights those that it has; null: all of them.
    Column("scopes", JSON(none_as_null=True)),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    # To the hour: a write for every request would cost more than the request.
    Column("last_used_at", Instant),
)

idempotent_answer = Table(
    "idempotent_answer",
    metadata,
    Column("token", String(16), primary_key=True),
    Column("key", String(200), primary_key=True),
    # Of method, path, query, body and on whose behalf: the same key with another request is refused.
    Column("request_sha256", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSON, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("answered_at", Instant, nullable=False),
    Index("ix_idempotent_answer_token_answered_at", "token", "answered_at"),
)

account = Table(
    "account",
    metadata,
    # Who may look at a whole portfolio without being a contact in it. Signs in; speaks for nobody.
    Column("email", String(320), primary_key=True),
    Column("portfolio", String(64), primary_key=True),
    Column("created_at", Instant, nullable=False),
)

sign_in_link = Table(
    "sign_in_link",
    metadata,
    # An emailed link that is good once; kept as its hash alone.
    Column("sha256", String(64), primary_key=True),
    Column("email", String(320), nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("used_at", Instant),
    Index("ix_sign_in_link_expires_at", "expires_at"),
)

session = Table(
    "session",
    metadata,
    Column("sha256", String(64), primary_key=True),
    Column("email", String(320), nullable=False),
    Column("language", String(8), nullable=False),
    Column("began_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Index("ix_session_email", "email"),
)
