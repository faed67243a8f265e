"""SendGrid's signed event webhook: posts as it makes them, signed with a key of this process."""

import base64
import json
import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lifecycle.notices.signature import SIGNATURE, TIMESTAMP

Post = tuple[dict[str, str], bytes]
"""Headers and body."""


class EventWebhook:
    """One verification key, and the posts that it verifies."""

    def __init__(self) -> None:
        """Make a key."""
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def public_key(self) -> str:
        """As the provider shows it."""
        der = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(der).decode()

    @property
    def pem(self) -> str:
        """The same key as a PEM file."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, body: bytes, at: datetime) -> Post:
        """A post of these bytes, signed at this instant."""
        timestamp = str(int(at.timestamp()))
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
        return {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: timestamp}, body

    def post(self, events: Sequence[Any], at: datetime) -> Post:
        """A post of these events; the provider ends it with CRLF."""
        return self.sign(json.dumps(events).encode() + b"\r\n", at)


def event(kind: str, notice: str | None, email: str, at: datetime, **more: Any) -> dict[str, Any]:
    """One event about an email that our transport sent."""
    made: dict[str, Any] = {
        "email": email,
        "timestamp": int(at.timestamp()),
        "event": kind,
        "sg_event_id": uuid.uuid4().hex,
        "sg_message_id": f"{notice or 'another'}.filter0001",
        "category": ["partnership-lifecycle"],
    }
    return made | ({} if notice is None else {"notice": notice}) | more
