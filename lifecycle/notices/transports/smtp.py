"""Emails through an SMTP server (RFC 5321), step by step: each step's errors have their own meaning."""

import re
import smtplib
import ssl
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from ipaddress import ip_address
from typing import NoReturn
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pydantic import SecretStr

from lifecycle.errors import Fault, Invalid
from lifecycle.notices.message import Message
from lifecycle.notices.transports import Outcome, in_short

TIMEOUT_SECONDS = 10.0
# Authentication required, too weak, failed, or only over TLS: no message passes until it is mended.
AUTHENTICATION = frozenset({530, 534, 535, 538})


@dataclass(frozen=True)
class Server:
    """Where to deliver, and how to sign in."""

    host: str
    port: int
    tls: bool
    starttls: bool
    user: str
    password: str = field(repr=False)


class SmtpTransport:
    """One connection for each message."""

    name = "smtp"

    def __init__(
        self, url: SecretStr, *, timeout: float = TIMEOUT_SECONDS, tls: ssl.SSLContext | None = None
    ) -> None:
        """Read the URL; nothing is connected yet.

        Args:
            url: `smtp://user:password@host:port`, `smtps://…`, or `smtp://…?starttls=required`; user and
                password are percent-encoded. Ports default to 25, 465 and 587.
            timeout: seconds for each wait on the socket.
            tls: which certificates to trust; the system's by default.

        Raises:
            Invalid: the URL is of another form, or would send a password in the clear to another machine.
        """
        self.server = server_from(url.get_secret_value())
        self._timeout = timeout
        self._tls = tls or ssl.create_default_context()

    def __repr__(self) -> str:
        """Without user and password."""
        return f"SmtpTransport(host={self.server.host!r}, port={self.server.port})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: it would carry the password into queues and result stores."""
        message = "An SmtpTransport holds a password and is not pickled; build it where it is used."
        raise TypeError(message)

    def send(self, message: Message, now: datetime) -> Outcome:
        """Deliver the message to the server; nothing is repeated here."""
        try:
            session = self._connect(message.sender_domain)
        except OSError as error:
            return _unreachable(error)
        with closing(session):
            return self._deliver(session, message, now)

    def _connect(self, own_name: str) -> smtplib.SMTP:
        """Naming ourselves spares the look-up of this machine's name, which can hang and would leak it."""
        host, port = self.server.host, self.server.port
        if self.server.tls:
            return smtplib.SMTP_SSL(host, port, own_name, timeout=self._timeout, context=self._tls)
        return smtplib.SMTP(host, port, own_name, timeout=self._timeout)

    def _deliver(self, session: smtplib.SMTP, message: Message, now: datetime) -> Outcome:
        """The order of the exceptions matters: all of smtplib's are OSErrors."""
        try:
            self._sign_in(session)
            refusal = _envelope(session, message)
        except smtplib.SMTPResponseException as error:
            refusal = _refusal(error.smtp_code, error.smtp_error)
            return replace(refusal, state="stopped") if refusal.state == "refused" else refusal
        except smtplib.SMTPServerDisconnected as error:
            return _unreachable(error)
        except smtplib.SMTPException as error:
            return Outcome("stopped", in_short(f"The SMTP server lacks what the settings ask for: {error}"))
        except OSError as error:
            return _unreachable(error)
        return refusal or _content(session, message.as_mime(now, message.sender_domain).as_bytes())

    def _sign_in(self, session: smtplib.SMTP) -> None:
        session.ehlo_or_helo_if_needed()
        if self.server.starttls:
            session.starttls(context=self._tls)
        if self.server.user:
            session.login(self.server.user, self.server.password)


def server_from(url: str) -> Server:
    """Read an SMTP URL.

    Raises:
        Invalid: see `SmtpTransport`. The URL is not echoed, as it may hold a password.
    """
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        parts = SplitResult("", "", "", "", "")
    starttls = parse_qs(parts.query).get("starttls") == ["required"]
    tls = parts.scheme == "smtps"
    if not _well_formed(parts) or (tls and starttls):
        raise _invalid(
            "url", "Write it as smtps://user:password@host:465 or smtp://host:587?starttls=required."
        )
    host = parts.hostname or ""
    if parts.username and not (tls or starttls or _is_local(host)):
        raise _invalid(
            "encrypted",
            "Use smtps:// or add ?starttls=required, so that the password is not sent in the clear.",
        )
    port = parts.port or (465 if tls else 587 if starttls else 25)
    return Server(host, port, tls, starttls, unquote(parts.username or ""), unquote(parts.password or ""))


def _well_formed(parts: SplitResult) -> bool:
    try:
        port_ok = parts.port != 0
    except ValueError:
        return False
    query_ok = parts.query in {"", "starttls=required"}
    return (
        port_ok
        and query_ok
        and parts.scheme in {"smtp", "smtps"}
        and bool(parts.hostname)
        and parts.path in {"", "/"}
    )


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _invalid(rule: str, mend: str) -> Invalid:
    return Invalid([Fault("LIFECYCLE_SMTP_URL", rule, mend)], what="The address of the SMTP server")


def _envelope(session: smtplib.SMTP, message: Message) -> Outcome | None:
    """Say who writes to whom; None when the server is ready for the content."""
    steps = (("sender", 2), ("recipient", 2), ("content", 3))
    for (step, hoped_for), (code, reply) in zip(steps, _dialogue(session, message), strict=True):
        if code // 100 != hoped_for:
            return replace(_refusal(code, reply), address_at_fault=step == "recipient" and code >= 500)
    return None


def _dialogue(session: smtplib.SMTP, message: Message) -> Iterator[tuple[int, bytes]]:
    yield session.mail(message.from_address)
    yield session.rcpt(message.to_address)
    yield session.docmd("DATA")


def _content(session: smtplib.SMTP, content: bytes) -> Outcome:
    """Send the content; from here on, silence means that the server may have taken the message."""
    stuffed = re.sub(rb"(?m)^\.", b"..", content)
    try:
        session.send(stuffed + (b"" if stuffed.endswith(b"\r\n") else b"\r\n") + b".\r\n")
        code, reply = session.getreply()
    except OSError as error:
        detail = f"The SMTP server got the email, but its answer did not arrive ({type(error).__name__})."
        return Outcome("unknown", detail)
    if code != 250:
        return _refusal(code, reply)
    with suppress(OSError):
        session.quit()
    return Outcome("sent", "Accepted by the SMTP server.")


def _refusal(code: int, reply: bytes | str) -> Outcome:
    """A reply that is not the one hoped for: 4xx passes, 5xx stays (RFC 5321, 4.2.1)."""
    said = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    detail = in_short(f"The SMTP server answered {code}: {said}")
    if code in AUTHENTICATION:
        return Outcome("stopped", detail)
    return Outcome("refused" if code >= 500 else "retry", detail)


def _unreachable(error: Exception) -> Outcome:
    """Nothing was handed over yet."""
    return Outcome("retry", in_short(f"The SMTP server could not be reached: {error}"))
