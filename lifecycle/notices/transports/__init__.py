"""How an email leaves: one interface, three ways (`file`, `sendgrid`, `smtp`)."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from lifecycle.config import Settings
from lifecycle.errors import Usage
from lifecycle.notices.message import Message, one_line, parse_mailbox

MAX_DETAIL = 200

State = Literal["sent", "retry", "unknown", "refused", "stopped"]


@dataclass(frozen=True)
class Outcome:
    """What became of one attempt.

    `sent`: accepted. `retry`: certainly not accepted, ask again. `unknown`: it may have been accepted, never
    send it again unasked. `refused`: this message will never be accepted. `stopped`: no message will be until
    somebody mends the installation; stop the queue, tell the operator, keep the message.

    `detail` is one short line without addresses, keys, links or bodies. `retry_after` is None when the other side
    named no time. `provider_id` is the other side's name for the message. `address_at_fault` says of a refusal that
    it was the recipient's address that was refused, not the message.
    """

    state: State
    detail: str = ""
    retry_after: timedelta | None = None
    provider_id: str | None = None
    address_at_fault: bool = False


class Transport(Protocol):
    """One way out. Expected failures are outcomes, not exceptions."""

    name: str

    def send(self, message: Message, now: datetime) -> Outcome:
        """Hand the message over once. `now` is aware; it becomes the email's date."""


def transport_from(settings: Settings) -> Transport:
    """Build the transport that the settings name, loading no other.

    Raises:
        Usage: a setting that this transport needs is missing.
        Invalid: the sender or the SMTP URL cannot be used.
    """
    parse_mailbox(settings.mail_from)
    if settings.mail_transport == "sendgrid":
        return _sendgrid(settings)
    if settings.mail_transport == "smtp":
        return _smtp(settings)
    from lifecycle.notices.transports.file import FileTransport

    return FileTransport(settings.mailbox)


def in_short(text: str) -> str:
    """Make what the other side said fit for a `detail`: one line, cut, without addresses, keys and links."""
    # Cut first: looking for addresses takes time by the square of the length.
    text = text[: 10 * MAX_DETAIL]
    line = re.sub(r"SG\.[\w.-]+|Bearer\s+\S+", "[key]", one_line(text))
    line = re.sub(r"(https?://[^\s/]+)/[^\s<>\"']+", r"\1/[link]", line)
    line = re.sub(r"[^\s<>()\[\]\"',;:]+@[^\s<>()\[\]\"',;:]+", "[address]", line)
    return line if len(line) <= MAX_DETAIL else f"{line[: MAX_DETAIL - 1]}…"


def _sendgrid(settings: Settings) -> Transport:
    key = settings.sendgrid_api_key
    if key is None or not key.get_secret_value().strip():
        raise Usage(
            "Emails are set to leave through SendGrid, but there is no API key.",
            mend="Set LIFECYCLE_SENDGRID_API_KEY to a key with the Mail Send permission, "
            "or LIFECYCLE_MAIL_TRANSPORT=file to write emails into a folder.",
        )
    from lifecycle.notices.transports.sendgrid import SendGridTransport

    return SendGridTransport(key, settings.sendgrid_host)


def _smtp(settings: Settings) -> Transport:
    if settings.smtp_url is None or not settings.smtp_url.get_secret_value().strip():
        raise Usage(
            "Emails are set to leave through an SMTP server, but none is named.",
            mend="Set LIFECYCLE_SMTP_URL, e.g. smtps://user:password@mail.example:465.",
        )
    from lifecycle.notices.transports.smtp import SmtpTransport

    return SmtpTransport(settings.smtp_url)
