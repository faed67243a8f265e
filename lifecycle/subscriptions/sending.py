"""One signed HTTP POST: to the very address that was checked, within a time, past no redirect, through no proxy."""

import ssl
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpcore
from standardwebhooks.webhooks import Webhook

from lifecycle import __version__
from lifecycle.subscriptions import targets
from lifecycle.subscriptions.words import Message

CONNECT_SECONDS, TOTAL_SECONDS = 5.0, 15.0
LONGEST_ANSWER = 4096
GONE = 410


@dataclass(frozen=True)
class Answer:
    """What a receiver said: a status, or none at all."""

    status: int | None
    detail: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the receiver has the message."""
        return self.status is not None and 200 <= self.status < 300


class Line:
    """The connection to one target, kept from message to message. For one thread."""

    def __init__(self, resolve: targets.Resolve, private: bool) -> None:
        """`private` allows plain HTTP and addresses that are not public."""
        self._private = private
        self._network = _Checked(resolve, private)
        self._pool = httpcore.ConnectionPool(
            ssl_context=_trusted(),
            max_connections=1,
            keepalive_expiry=5,
            network_backend=self._network,
        )

    def close(self) -> None:
        """Hang up."""
        self._pool.close()

    def post(self, url: str, secret: str, message: Message, sent_at: datetime) -> Answer:
        """Send a message, signed as of `sent_at` (receivers refuse what was signed more than five minutes ago)."""
        parts = urlsplit(url)
        if parts.scheme != "https" and not self._private:
            return Answer(None, "refused: it is not https")
        body = message.body()
        headers: dict[bytes | str, bytes | str] = {
            "Host": parts.netloc,
            **_headers(secret, message, body, sent_at),
        }
        self._network.deadline = time.monotonic() + TOTAL_SECONDS
        try:
            with self._pool.stream("POST", _url(parts), headers=headers, content=body.encode()) as answer:
                _read_some(answer)
                return Answer(answer.status, None if 200 <= answer.status < 300 else f"HTTP {answer.status}")
        except targets.Refused as error:
            return Answer(None, f"refused: {error}")
        except httpcore.TimeoutException:
            return Answer(None, "no answer in time")
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            return Answer(None, type(error).__name__)


def _url(parts: SplitResult) -> httpcore.URL:
    host, port = targets.host_and_port(parts)
    query = f"?{parts.query}" if parts.query else ""
    return httpcore.URL(scheme=parts.scheme, host=host, port=port, target=f"{parts.path or '/'}{query}")


@lru_cache(maxsize=1)
def _trusted() -> ssl.SSLContext:
    """The authorities this machine trusts; not httpcore's own list: this one heeds SSL_CERT_FILE."""
    return ssl.create_default_context()


def _headers(secret: str, message: Message, body: str, sent_at: datetime) -> dict[bytes | str, bytes | str]:
    return {
        "Content-Type": "application/json",
        "User-Agent": f"partnership-lifecycle/{__version__}",
        "webhook-id": message.id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": Webhook(secret).sign(message.id, sent_at, body),
    }


def _read_some(answer: httpcore.Response) -> None:
    """A short answer is read to its end, so that the connection can be used again. What it says is kept nowhere."""
    read = 0
    # The status is what counts: an answer that breaks off after it was an answer.
    with suppress(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
        for part in answer.iter_stream():
            read += len(part)
            if read > LONGEST_ANSWER:
                return


class _Checked(httpcore.NetworkBackend):
    """Resolves, refuses, and connects to what it has checked: no second lookup could lead elsewhere."""

    def __init__(self, resolve: targets.Resolve, private: bool) -> None:
        self._resolve, self._private = resolve, private
        self._plain = httpcore.SyncBackend()
        self.deadline = 0.0

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Try each address in turn; one that does not answer leaves less time for the next."""
        until = min(self.deadline, time.monotonic() + (timeout or CONNECT_SECONDS))
        failed: Exception = OSError("no address")
        for address in targets.addresses(host, port, self._resolve, self._private):
            try:
                stream = self._plain.connect_tcp(address, port, _left(until), local_address, socket_options)
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                failed = error
            else:
                return _Timed(stream, self)
        raise failed


class _Timed(httpcore.NetworkStream):
    """A stream whose reads together have no more than the message's time, however slowly it drips."""

    def __init__(self, stream: httpcore.NetworkStream, network: _Checked) -> None:
        self._stream, self._network = stream, network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._network.deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._network.deadline))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        secured = self._stream.start_tls(ssl_context, server_hostname, _left(self._network.deadline))
        return _Timed(secured, self._network)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def _left(until: float) -> float:
    """Seconds; never zero, which would mean not to wait at all.

    Raises:
        ReadTimeout: there are none left.
    """
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is over")
    return left
