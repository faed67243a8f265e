"""Emails through Twilio SendGrid: the `sendgrid` package, wrapped thinly because it is frozen upstream.

Facts about the package and the API stand in facts.md, part A, 2a to 2e: no timeout of its own, redirects
followed with the key, keys in debug logs, no idempotency key.
"""

import base64
import json
import logging
import re
import time
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from http.client import HTTPException
from typing import Any, NoReturn
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from pydantic import SecretStr
from python_http_client import Client
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient
from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt

from lifecycle.errors import Fault, Invalid
from lifecycle.notices.message import ENTRY_FILE, Message, one_line
from lifecycle.notices.transports import Outcome, in_short

PRODUCT_CATEGORY = "partnership-lifecycle"
MAX_BYTES = 10_000_000
TIMEOUT_SECONDS = 10.0
TRIES = 3
QUICK = timedelta(seconds=1)
LONGEST_WAIT = timedelta(hours=1)
STOPPING = frozenset({401, 403})
AMBIGUOUS = frozenset({408, 500, 502, 504})


@dataclass(frozen=True)
class _Attempt:
    """One request's outcome, and the pause in seconds after which it is worth asking again at once."""

    outcome: Outcome
    pause: float | None = None


class SendGridTransport:
    """One client for the life of the process; safe to share between threads."""

    name = "sendgrid"

    def __init__(
        self,
        api_key: SecretStr,
        host: str = "https://api.sendgrid.com",
        *,
        timeout: float = TIMEOUT_SECONDS,
        sandbox: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Prepare the client; nothing is sent yet.

        Args:
            api_key: sent as bearer token to `host` only.
            host: `https://api.sendgrid.com`, or `https://api.eu.sendgrid.com` for EU data residency.
            timeout: seconds for each wait on the socket, not for the whole exchange.
            sandbox: SendGrid checks the request and sends nothing.
            sleep: waits between quick repeats, in seconds.

        Raises:
            Invalid: `host` is not an http(s) address.
        """
        # At DEBUG, the package logs the key and the whole body.
        for logger in ("python_http_client", "python_http_client.client"):
            logging.getLogger(logger).setLevel(logging.WARNING)
        self.host = _checked_host(host)
        self._sandbox = sandbox
        self._sleep = sleep
        self._api = SendGridAPIClient(api_key.get_secret_value().strip(), host=self.host)
        headers = self._api.client.request_headers
        self._api.client = _StayingClient(host=self.host, request_headers=headers, version=3, timeout=timeout)

    def __repr__(self) -> str:
        """Without the key."""
        return f"SendGridTransport(host={self.host!r})"

    def __reduce__(self) -> NoReturn:
        """Refuse to be pickled: the client would carry the key into queues and result stores."""
        message = "A SendGridTransport holds an API key and is not pickled; build it where it is used."
        raise TypeError(message)

    def send(self, message: Message, now: datetime) -> Outcome:
        """Post the message; what is safe and quick to repeat (no connection, 429, 503) is tried 3 times."""
        body = request_body(message, sandbox=self._sandbox)
        size = len(json.dumps(body))
        if size >= MAX_BYTES:
            return Outcome(
                "refused", f"The email has {size / 1e6:.1f} MB; SendGrid gets less than 10 MB from us."
            )
        attempt: _Attempt = Retrying(
            retry=retry_if_result(lambda attempt: attempt.pause is not None),
            stop=stop_after_attempt(TRIES),
            wait=_pause,
            sleep=self._sleep,
            retry_error_callback=_last,
        )(self._attempt, body, now)
        return attempt.outcome

    def _attempt(self, body: dict[str, Any], now: datetime) -> _Attempt:
        """One request. The order matters: URLError is an OSError that means "not completed"."""
        try:
            response = self._api.send(body)
        except HTTPError as error:
            return _answered(error, now)
        except URLError as error:
            outcome = Outcome("retry", in_short(f"SendGrid could not be reached: {error.reason}."))
            return _Attempt(outcome, pause=0.0 if isinstance(error.reason, ConnectionError) else None)
        except (OSError, HTTPException) as error:
            detail = f"SendGrid got the request, but its answer did not arrive ({type(error).__name__})."
            return _Attempt(Outcome("unknown", detail))
        return _Attempt(self._accepted(response.status_code, response.headers.get("X-Message-Id")))

    def _accepted(self, status: int, message_id: str | None) -> Outcome:
        expected = 200 if self._sandbox else 202
        if status == expected:
            return Outcome(
                "sent", "Accepted by SendGrid.", provider_id=in_short(message_id) if message_id else None
            )
        return Outcome(
            "unknown", f"SendGrid answered {status} where {expected} means accepted; check SENDGRID_HOST."
        )


class _StayingClient(Client):  # type: ignore[misc]  # The package has no types.
    """Follows no redirect: the package's own client would, as GET, and hand the key to whoever is named."""

    def _build_client(self, name: str | None = None) -> "_StayingClient":
        return _StayingClient(
            host=self.host,
            version=self._version,
            request_headers=self.request_headers,
            url_path=[*self._url_path, name] if name else self._url_path,
            timeout=self.timeout,
        )

    def _make_request(self, opener: OpenerDirector, request: Request, timeout: float | None = None) -> Any:
        return super()._make_request(build_opener(_NoRedirect), request, timeout)


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_args: object) -> None:
        """Leave the redirect as the error that it is."""


def request_body(message: Message, *, sandbox: bool = False) -> dict[str, Any]:
    """The JSON of `POST /v3/mail/send` for one message to one person."""
    body: dict[str, Any] = {
        "personalizations": [
            {
                "to": [_person(message.to_address, _recipient_name(message.to_name))],
                "custom_args": {"notice": message.reference},
            }
        ],
        "from": _person(message.from_address, _ascii_name(message.from_name)),
        "subject": _literal(message.subject),
        "content": [
            {"type": "text/plain", "value": message.text},
            {"type": "text/html", "value": message.html},
        ],
        "headers": {"Auto-Submitted": "auto-generated", **message.headers},
        "categories": sorted({message.category, PRODUCT_CATEGORY}),
        # Tracking would rewrite the signed links.
        "tracking_settings": {
            "click_tracking": {"enable": False, "enable_text": False},
            "open_tracking": {"enable": False},
        },
    }
    if message.entry is not None:
        # The API takes no parameters in a type; the method stands in the calendar itself.
        content = base64.b64encode(message.entry.ics.encode()).decode()
        attached = {"content": content, "type": "text/calendar", "filename": ENTRY_FILE}
        body["attachments"] = [attached | {"disposition": "attachment"}]
    if message.reply_to:
        body["reply_to"] = _person(message.reply_to, "")
    if sandbox:
        body["mail_settings"] = {"sandbox_mode": {"enable": True}}
    return body


def _person(address: str, name: str) -> dict[str, str]:
    return {"email": address, "name": name} if name else {"email": address}


def _recipient_name(name: str) -> str:
    """SendGrid splits recipients at `;` and `,`."""
    return one_line(re.sub(r'[;,"<>]', " ", _literal(name)))


def _literal(text: str) -> str:
    """Break up what looks like an encoded word, which the reader's mail program would decode."""
    return text.replace("=?", "= ?")


def _ascii_name(name: str) -> str:
    """SendGrid takes no Unicode in the sender: accents are dropped, other letters left out."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return _recipient_name(plain)


def _checked_host(host: str) -> str:
    """The host as a base URL without a final slash."""
    try:
        url = urlsplit(host)
        well_formed = url.scheme in {"https", "http"} and url.hostname and url.port != 0
    except ValueError:
        well_formed = False
    if not well_formed or re.search(r"[@?#\s]", host):
        mend = "Write it as https://api.sendgrid.com."
        raise Invalid([Fault("LIFECYCLE_SENDGRID_HOST", "url", mend)], what="The address of SendGrid")
    return host.rstrip("/")


def _answered(error: HTTPError, now: datetime) -> _Attempt:
    """Classify an answer other than 2xx; by status, since the package's classes do not survive pickling."""
    status: int = error.status_code
    detail = in_short(f"SendGrid answered {status}: {_reasons(error)}")
    if status in {429, 503}:
        wait = _named_wait(error, now)
        pause = None if wait is None or wait > QUICK else wait.total_seconds()
        return _Attempt(Outcome("retry", detail, retry_after=wait), pause)
    if status in STOPPING or 300 <= status < 400:
        return _Attempt(Outcome("stopped", detail))
    if status in AMBIGUOUS or status >= 500:
        return _Attempt(Outcome("unknown", detail))
    return _Attempt(Outcome("refused", detail, address_at_fault=_names_recipient(detail)))


def _names_recipient(detail: str) -> bool:
    """The API answers 400 for anything in the request; of an address it says so, or names its field."""
    return "valid address" in detail or re.search(r"personalizations\.\d+\.to\b", detail) is not None


def _reasons(error: HTTPError) -> str:
    """What the API names as errors; the HTTP reason where the body is something else."""
    try:
        errors = json.loads(error.body)["errors"]
        return "; ".join(
            f"{e['message']} ({e['field']})" if e.get("field") else str(e["message"]) for e in errors
        )
    except (ValueError, LookupError, TypeError, AttributeError):
        return str(error.reason)


def _named_wait(error: HTTPError, now: datetime) -> timedelta | None:
    """How long the provider asks us to wait, between 0 and an hour; None when it does not say.

    A reset instant is compared with the provider's own `Date`, so that neither a wrong clock nor a simulated
    `now` (`as_of`) stretches the wait.
    """
    headers = error.headers or {}
    their_now = _http_date(headers.get("Date")) or now
    reset = headers.get("X-RateLimit-Reset") if error.status_code == 429 else None
    if reset and re.fullmatch(r"\d{1,11}", reset, re.ASCII):
        wait = timedelta(seconds=int(reset) - int(their_now.timestamp()))
    elif re.fullmatch(r"\d{1,6}", after := headers.get("Retry-After") or "", re.ASCII):
        wait = timedelta(seconds=int(after))
    elif until := _http_date(after):
        wait = until - their_now
    else:
        return None
    return min(max(wait, timedelta(0)), LONGEST_WAIT)


def _http_date(value: str | None) -> datetime | None:
    try:
        date = parsedate_to_datetime(value or "")
    except ValueError:
        return None
    return date if date.tzinfo else None


def _pause(state: RetryCallState) -> float:
    """At least 0.25 s, then 0.5 s; what the provider asked for where that is longer."""
    return max(_last(state).pause or 0.0, 0.25 * state.attempt_number)


def _last(state: RetryCallState) -> _Attempt:
    assert state.outcome is not None  # tenacity calls back after an attempt only
    attempt: _Attempt = state.outcome.result()
    return attempt
