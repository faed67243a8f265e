"""One email, checked when it is made, so that no transport can be handed a dangerous one."""

import hashlib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr
from typing import Literal

from email_validator import EmailNotValidError, validate_email

from lifecycle.errors import Fault, Invalid

# 7bit: readable by every server, whether or not it offers 8BITMIME.
# Headers are encoded here and never refolded: older email.policy versions (gh-121650, CVE-2024-6923) let an
# encoded word in a subject turn into a line break, and some lose the quotes of a folded name.
MIME_POLICY = SMTP.clone(cte_type="7bit", refold_source="none")
MAX_SUBJECT = 900
MAX_NAME = 200
ENTRY_FILE = "invite.ics"
# What the transports write themselves, and what SendGrid reserves.
# fmt: off
RESERVED_HEADERS = frozenset((
    "auto-submitted", "bcc", "cc", "content-disposition", "content-transfer-encoding", "content-type",
    "date", "dkim-signature", "from", "message-id", "mime-version", "received",
    "reply-to", "return-path", "sender", "subject", "to", "x-sg-eid",
    "x-sg-id",
))
# fmt: on
# Controls, line and paragraph separators, lone surrogates: they end a line somewhere, or cannot be written.
_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})


def one_line(text: str) -> str:
    """Make any text fit for a subject or a name: control characters and runs of spaces become one space."""
    return " ".join("".join(" " if _breaks(char) else char for char in text).split())


def parse_mailbox(mailbox: str, setting: str = "LIFECYCLE_MAIL_FROM") -> tuple[str, str]:
    """Split `Name <address>` into name and ASCII address; a bare address has an empty name.

    Raises:
        Invalid: it is not of that form, or the address cannot be one. `setting` is the fault's pointer.
    """
    match = re.fullmatch(r"(?:(?P<name>[^<>]*)<(?P<inner>[^<>]+)>|(?P<bare>[^<>\s]+))", mailbox.strip())
    address = match and ascii_address(match["inner"] or match["bare"])
    if not match or not address:
        mend = "Write it as `Name <name@organisation.example>`."
        raise Invalid([Fault(setting, "mailbox", mend)], what="The sender of the emails")
    return one_line((match["name"] or "").replace('"', "")), address


Method = Literal["REQUEST", "CANCEL"]


@dataclass(frozen=True)
class Entry:
    """A calendar entry that goes with an email: its method, and the calendar as text with CRLF line ends."""

    method: Method
    ics: str


@dataclass(frozen=True)
class Message:
    """One email to one person.

    Args:
        reference: opaque id of the notice, at most 400 printable ASCII characters without spaces or `@`.
            The same reference means the same email. Providers keep it: no personal data.
        to_name, from_name: display names, may be empty.
        to_address, from_address, reply_to: addresses; international domains are kept in their ASCII form.
        subject: one line; see `one_line`.
        text, html: the two forms of the body.
        category: the template's name, a lower-case slug.
        entry: a calendar entry that goes with it.
        headers: extra headers such as `List-Unsubscribe`; ASCII, none that the transports write themselves.

    Raises:
        Invalid: any of it cannot be sent safely; every fault is listed, no value is echoed.
    """

    reference: str
    to_name: str
    to_address: str
    from_name: str
    from_address: str
    reply_to: str | None
    subject: str
    # Links stand in them: whoever reads a log must not be able to use one.
    text: str = field(repr=False)
    html: str = field(repr=False)
    category: str
    headers: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    entry: Entry | None = None

    def __post_init__(self) -> None:
        """Check every part, and keep the addresses in the form that goes on the wire."""
        faults = [*self._faulty_lines(), *self._faulty_names_of_things(), *self._faulty_bodies()]
        faults += _faulty_headers(self.headers)
        for name in ("to_address", "from_address", "reply_to"):
            address = getattr(self, name)
            if address is not None and not (ascii_form := ascii_address(address)):
                faults.append(
                    Fault(f"/{name}", "address", "Give an email address such as name@organisation.example.")
                )
            elif address is not None:
                object.__setattr__(self, name, ascii_form)
        if faults:
            raise Invalid(faults, what="The email")
        for name in ("subject", "to_name", "from_name"):
            object.__setattr__(self, name, one_line(getattr(self, name)))
        object.__setattr__(self, "headers", dict(self.headers))

    @property
    def sender_domain(self) -> str:
        """The domain that the email comes from."""
        return self.from_address.rpartition("@")[2]

    def as_mime(self, date: datetime, message_id_domain: str) -> EmailMessage:
        """Build the email as text and HTML alternatives.

        Args:
            date: aware; becomes the `Date` header.
            message_id_domain: right-hand side of the Message-ID; the left depends on `reference` alone.
        """
        mime = EmailMessage(policy=MIME_POLICY)
        mime.set_raw("Subject", _encoded(self.subject, "Subject"))
        mime.set_raw("From", _mailbox(self.from_name, self.from_address, "From"))
        mime.set_raw("To", _mailbox(self.to_name, self.to_address, "To"))
        if self.reply_to:
            mime.set_raw("Reply-To", self.reply_to)
        mime["Date"] = format_datetime(date)
        mime["Message-ID"] = (
            f"<{hashlib.sha256(self.reference.encode()).hexdigest()[:32]}@{message_id_domain}>"
        )
        mime["Auto-Submitted"] = "auto-generated"
        for name, value in self.headers.items():
            mime.set_raw(name, value)
        mime.set_content(self.text)
        mime.add_alternative(self.html, subtype="html")
        if self.entry is not None:
            # As an alternative it is what mail programs act on; as a file, what the others let one open.
            ics = self.entry.ics
            mime.add_alternative(ics, subtype="calendar", params={"method": self.entry.method})
            mime.add_attachment(ics.encode(), maintype="application", subtype="ics", filename=ENTRY_FILE)
        return mime

    def _faulty_lines(self) -> Iterator[Fault]:
        """Subject and names: one line each, not endless."""
        limits = {"subject": MAX_SUBJECT, "to_name": MAX_NAME, "from_name": MAX_NAME}
        for name, limit in limits.items():
            value: str = getattr(self, name)
            if any(map(_breaks, value)):
                yield Fault(f"/{name}", "one-line", "Remove line breaks and control characters.")
            if len(value) > limit:
                yield Fault(f"/{name}", "length", f"Use at most {limit} characters.")
        if not self.subject.strip():
            yield Fault("/subject", "required", "Give the email a subject.")

    def _faulty_names_of_things(self) -> Iterator[Fault]:
        """Reference and category travel as metadata, which providers keep."""
        if not re.fullmatch(r"[!-?A-~]{1,400}", self.reference):
            yield Fault(
                "/reference", "opaque", "Use 1 to 400 printable ASCII characters without spaces or @."
            )
        if not re.fullmatch(r"[a-z0-9]+([_-][a-z0-9]+)*", self.category) or len(self.category) > 100:
            yield Fault("/category", "slug", "Use the template's name: lower-case letters, digits, hyphens.")

    def _faulty_bodies(self) -> Iterator[Fault]:
        """Both forms are there and can be written as UTF-8."""
        for name, body in {"text": self.text, "html": self.html}.items():
            if not body.strip():
                yield Fault(f"/{name}", "required", "Give the email both a text and an HTML form.")
            if any(char == "\0" or unicodedata.category(char) == "Cs" for char in body):
                yield Fault(f"/{name}", "text", "Remove NUL characters and lone surrogates.")


def _encoded(text: str, header: str) -> str:
    """RFC 2047 where needed; what looks like an encoded word is encoded too, so that nobody decodes it."""
    plain = text.isascii() and "=?" not in text
    return Header(text, "us-ascii" if plain else "utf-8", header_name=header).encode(linesep="\r\n")


def _mailbox(name: str, address: str, header: str) -> str:
    if not name:
        return address
    if name.isascii() and "=?" not in name:
        return formataddr((name, address))
    return f"{_encoded(name, header)} <{address}>"


def _breaks(char: str) -> bool:
    return unicodedata.category(char) in _BREAKING


def ascii_address(address: str) -> str | None:
    """The address as it goes on the wire; None when it cannot be one, or needs SMTPUTF8, which is rare."""
    try:
        return validate_email(address, check_deliverability=False).ascii_email
    except EmailNotValidError:
        return None


def _faulty_headers(headers: Mapping[str, str]) -> Iterator[Fault]:
    for number, (name, value) in enumerate(headers.items()):
        pointer = f"/headers/{number}"
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,70}", name) or name.lower() in RESERVED_HEADERS:
            yield Fault(
                pointer,
                "header-name",
                "Use letters, digits and hyphens, and no header that is written anyway.",
            )
        if not re.fullmatch(r"[ -~]{1,900}", value):
            yield Fault(pointer, "header-value", "Use 1 to 900 printable ASCII characters on one line.")
