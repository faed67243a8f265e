"""Signed links: what one person may do without an account, for one purpose, until a certain instant.

A link carries no secret of ours and no personal data: ids, signed. Whoever holds it may do what it says and nothing
else; it never says who somebody else is. Source: RFC 9700 on bearer links in emails, and our design, section 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lifecycle.config import Settings
from lifecycle.errors import NotAllowed, Usage

MIN_SECRET = 32
"""Characters; a shorter secret could be guessed from one link."""


@dataclass(frozen=True)
class Signed:
    """What a token says."""

    subject: Mapping[str, Any]
    issued_at: datetime
    expires_at: datetime


def can_sign(settings: Settings) -> bool:
    """Whether this installation has a secret to sign links with."""
    return settings.secret_key is not None and len(settings.secret_key.get_secret_value()) >= MIN_SECRET


def issue(
    settings: Settings, purpose: str, subject: Mapping[str, Any], issued_at: datetime, expires_at: datetime
) -> str:
    """Sign a link's token.

    Args:
        purpose: the one thing it is for, such as `review`; a token of one purpose is none for another.
        subject: ids, as JSON has them.
        issued_at: an instant, UTC; a holder's links can be revoked by it.
        expires_at: an instant, UTC; afterwards it is refused.

    Raises:
        Usage: `LIFECYCLE_SECRET_KEY` is missing or too short.
    """
    times = {"at": int(issued_at.timestamp()), "until": int(expires_at.timestamp())}
    token: str | bytes = _signer(settings, purpose).dumps({**subject, **times})
    return token if isinstance(token, str) else token.decode()


def read(settings: Settings, purpose: str, token: str, now: datetime) -> Signed:
    """What a token is for.

    Raises:
        Usage: `LIFECYCLE_SECRET_KEY` is missing or too short.
        NotAllowed: it was made for another purpose, changed on its way, or has expired.
    """
    from itsdangerous import BadData

    try:
        subject: dict[str, Any] = _signer(settings, purpose).loads(token)
        issued_at, expires_at = (datetime.fromtimestamp(subject.pop(name), UTC) for name in ("at", "until"))
    except (BadData, KeyError, TypeError, ValueError, OverflowError, OSError):
        raise NotAllowed(
            "This link is not whole, or was made for something else.",
            mend="Open the link in the newest email again, without changing it.",
        ) from None
    if now >= expires_at:
        raise NotAllowed(
            f"This link was good until {expires_at:%Y-%m-%d %H:%M} UTC.",
            mend="Answer the newest email instead, or ask the coordinator for a new one.",
        )
    return Signed(subject, issued_at, expires_at)


def _signer(settings: Settings, purpose: str) -> Any:
    from itsdangerous import URLSafeSerializer

    if not can_sign(settings):
        raise Usage(
            f"Links cannot be signed: LIFECYCLE_SECRET_KEY needs at least {MIN_SECRET} characters.",
            mend="Set it once and keep it, for instance: "
            "python3 -c 'import secrets; print(secrets.token_urlsafe(48))'.",
        )
    import hashlib

    assert settings.secret_key is not None
    return URLSafeSerializer(
        settings.secret_key.get_secret_value(),
        salt=f"lifecycle.links/{purpose}",
        signer_kwargs={"key_derivation": "hmac", "digest_method": hashlib.sha256},
    )
