"""Only the provider can tell us what became of an email."""

import base64
import logging
from datetime import datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from lifecycle.errors import Unavailable
from lifecycle.notices.signature import SIGNATURE, TIMESTAMP, WINDOW, Expired, Forged, verify
from tests.fakes.sendgrid_events import EventWebhook

BODY = b'[{"email":"amira@clinic.example","event":"delivered"}]\r\n'
SECOND = timedelta(seconds=1)


@pytest.fixture(scope="module")
def webhook() -> EventWebhook:
    return EventWebhook()


def test_a_post_as_it_was_signed_is_good(webhook: EventWebhook, now: datetime) -> None:
    headers, body = webhook.sign(BODY, now)
    verify(webhook.public_key, headers, body, now)
    verify(webhook.public_key, {name.lower(): value for name, value in headers.items()}, body, now)


def test_bytes_that_are_no_text_can_be_signed_too(webhook: EventWebhook, now: datetime) -> None:
    headers, body = webhook.sign(b"\xff\xfe\x00[\x80", now)
    verify(webhook.public_key, headers, body, now)


@pytest.mark.parametrize(
    "changed",
    [
        BODY.replace(b"delivered", b"processed"),
        BODY.removesuffix(b"\r\n"),
        BODY + b"\r\n",
        BODY.replace(b":", b": "),
        b"",
    ],
)
def test_a_changed_byte_is_forged(webhook: EventWebhook, now: datetime, changed: bytes) -> None:
    headers, _ = webhook.sign(BODY, now)
    with pytest.raises(Forged, match="none of the keys"):
        verify(webhook.public_key, headers, changed, now)


@pytest.mark.parametrize("header", [SIGNATURE, TIMESTAMP])
@pytest.mark.parametrize(
    "value", [None, "", " ", "MEUC=IQ", "é", "٢٣٤٥٦٧٨٩٠١", "177244560", "17724456000", "-772445600"]
)
def test_a_missing_or_malformed_header_is_forged(
    webhook: EventWebhook, now: datetime, header: str, value: str | None
) -> None:
    headers, body = webhook.sign(BODY, now)
    with pytest.raises(Forged) as refusal:
        verify(
            webhook.public_key,
            {**headers, header: value}
            if value is not None
            else {k: v for k, v in headers.items() if k != header},
            body,
            now,
        )
    assert type(refusal.value) is Forged


def test_digits_of_the_time_cannot_be_moved_into_the_body(webhook: EventWebhook, now: datetime) -> None:
    headers, body = webhook.sign(BODY, now)
    time = headers[TIMESTAMP]
    with pytest.raises(Forged):
        verify(webhook.public_key, headers | {TIMESTAMP: time[:9]}, time[9:].encode() + body, now)


@pytest.mark.parametrize("away", [WINDOW + SECOND, -WINDOW - SECOND, timedelta(days=400)])
def test_a_good_post_of_another_time_has_expired(
    webhook: EventWebhook, now: datetime, away: timedelta
) -> None:
    headers, body = webhook.sign(BODY, now)
    with pytest.raises(Expired):
        verify(webhook.public_key, headers, body, now + away)


@pytest.mark.parametrize("away", [WINDOW, -WINDOW])
def test_clocks_may_differ_by_the_window(webhook: EventWebhook, now: datetime, away: timedelta) -> None:
    headers, body = webhook.sign(BODY, now)
    verify(webhook.public_key, headers, body, now + away)


def test_an_old_forgery_is_forged_not_expired(webhook: EventWebhook, now: datetime) -> None:
    headers, body = EventWebhook().sign(BODY, now)
    with pytest.raises(Forged) as refusal:
        verify(webhook.public_key, headers, body, now + timedelta(days=1))
    assert not isinstance(refusal.value, Expired)


def test_while_keys_are_changed_both_hold(webhook: EventWebhook, now: datetime) -> None:
    following = EventWebhook()
    both = f" {webhook.public_key} , {following.pem}"
    for one in (webhook, following):
        verify(both, *one.sign(BODY, now), now)
    with pytest.raises(Forged):
        verify(following.public_key, *webhook.sign(BODY, now), now)


def test_a_key_may_be_wrapped_as_pem(webhook: EventWebhook, now: datetime) -> None:
    for key in (webhook.pem, webhook.pem.replace("\n", "\\n"), webhook.pem.replace("\n", "\r\n")):
        verify(key, *webhook.sign(BODY, now), now)


def rsa_key() -> str:
    public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
    return base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


@pytest.mark.parametrize("keys", ["", " , ", "no key", "AAAA", rsa_key()])
def test_without_a_key_nothing_can_be_verified(webhook: EventWebhook, now: datetime, keys: str) -> None:
    with pytest.raises(Unavailable, match="LIFECYCLE_SENDGRID_WEBHOOK_PUBLIC_KEY") as refusal:
        verify(keys, *webhook.sign(BODY, now), now)
    assert keys.strip(" ,") == "" or keys not in str(refusal.value)
    with pytest.raises(Unavailable):
        verify(keys, {}, BODY, now)
    with pytest.raises(Unavailable):
        verify(f"{webhook.public_key},AAAA", *webhook.sign(BODY, now), now)


def test_a_refusal_is_logged_without_what_was_posted(
    webhook: EventWebhook, now: datetime, caplog: pytest.LogCaptureFixture
) -> None:
    headers, _ = webhook.sign(BODY, now)
    with caplog.at_level(logging.WARNING, "lifecycle.notices.signature"), pytest.raises(Forged):
        verify(webhook.public_key, headers, BODY + b" ", now)
    assert f"{len(BODY) + 1} bytes" in caplog.text
    assert "amira" not in caplog.text
    assert headers[SIGNATURE] not in caplog.text
