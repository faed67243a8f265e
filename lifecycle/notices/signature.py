"""Who may tell us what became of an email: the provider signs its posts, and nobody else has its key."""

import base64
import logging
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from lifecycle.errors import LifecycleError, Unavailable

SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
WINDOW = timedelta(seconds=300)
"""How far the signed time may be from ours, before or after. The provider documents none; others take the same."""

log = logging.getLogger(__name__)


class Forged(LifecycleError):
    """A post of delivery events that the provider did not sign, or not this one."""

    problem_type = "signature"
    title = "Not signed by the provider"


class Expired(Forged):
    """The provider signed it, but at another time: late, or played back by somebody."""

    title = "Signed at another time"


def verify(keys: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    """Check a post's signature over the raw bytes of its body, then its age.

    `keys` are public keys as the provider shows them (base64), or wrapped as PEM, separated by commas: while keys are
    changed, several hold.

    Raises:
        Unavailable: a key cannot be read.
        Forged: a header is missing or malformed, or none of the keys made the signature.
        Expired: the signature is good, and more than `WINDOW` away from `now`.
    """
    known = _read(keys)
    given = {name.lower(): value for name, value in headers.items()}
    timestamp, signature = given.get(TIMESTAMP.lower(), ""), _decoded(given.get(SIGNATURE.lower(), ""))
    # No separator stands between time and body: of other than ten digits, some could be moved into the body.
    if not signature or not re.fullmatch(r"\d{10}", timestamp, re.ASCII):
        raise _refusal(Forged, "has no signature, or none of the form that SendGrid writes", body)
    signed = timestamp.encode() + body
    if not any(_made_by(key, signature, signed) for key in known):
        raise _refusal(Forged, "has a signature that none of the keys made", body)
    if abs(now.timestamp() - int(timestamp)) > WINDOW.total_seconds():
        raise _refusal(Expired, f"was signed more than {WINDOW.seconds} seconds before or after now", body)


def _refusal(kind: type[Forged], why: str, body: bytes) -> Forged:
    log.warning("refused a post of delivery events (%d bytes): it %s", len(body), why)
    return kind(
        f"The post {why}.",
        mend="Post the bytes as SendGrid signed them, and set LIFECYCLE_SENDGRID_WEBHOOK_PUBLIC_KEY to its verification key.",
    )


def _decoded(signature: str) -> bytes:
    try:
        return base64.b64decode(signature, validate=True)
    except ValueError:
        return b""


def _made_by(key: ec.EllipticCurvePublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed, ec.ECDSA(SHA256()))
    except InvalidSignature:
        return False
    return True


@lru_cache(maxsize=4)
def _read(keys: str) -> Sequence[ec.EllipticCurvePublicKey]:
    # In an environment variable, the line ends of a PEM file often come as the two characters `\n`.
    bare = re.sub(r"-----(BEGIN|END) PUBLIC KEY-----|\\n|\s", "", keys)
    try:
        read = [load_der_public_key(base64.b64decode(key, validate=True)) for key in bare.split(",") if key]
    except (ValueError, UnsupportedAlgorithm):
        read = []
    found = [key for key in read if isinstance(key, ec.EllipticCurvePublicKey)]
    if not found or len(found) < len(read):
        raise Unavailable(
            "Delivery events cannot be verified: LIFECYCLE_SENDGRID_WEBHOOK_PUBLIC_KEY is not set, or holds something else "
            "than public keys.",
            mend="Set it to the verification key that SendGrid shows at Settings, Mail Settings, Signed Event Webhook; "
            "several are separated by commas.",
        )
    return found
