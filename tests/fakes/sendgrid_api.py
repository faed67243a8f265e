"""A SendGrid that listens on 127.0.0.1: judges requests as the provider documents, keeps what it accepts, fails on demand.

Usable outside pytest as well: `with SendGridApi() as api: … api.url … api.accepted`.
"""

import base64
import binascii
import json
import os
import socket
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from jsonschema import Draft202012Validator
from pytest_httpserver import HTTPServer
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from werkzeug import Request, Response

DEFAULT_DESCRIPTION = Path(__file__).parents[3] / "shared/data/sendgrid/tsg_mail_v3.json"
RESERVED_HEADERS = frozenset(
    [
        "x-sg-id",
        "x-sg-eid",
        "received",
        "dkim-signature",
        "content-type",
        "content-transfer-encoding",
        "to",
        "from",
        "subject",
        "reply-to",
        "cc",
        "bcc",
    ]
)
Fault = tuple[str, str]
Answer = Callable[[Request], Response]


class SendGridApi:
    """`POST /v3/mail/send`, with the official description where there is a copy, and the documented rules always.

    `accepted` holds the bodies that were answered 202, `requests` every (method, path, authorization) seen.
    """

    def __init__(self, key: str = "SG.test-key", description: Path | None = None) -> None:
        """`description` is the provider's OpenAPI file; None leaves the documented rules alone to judge."""
        self.key = key
        self.accepted: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str, str]] = []
        self._next: deque[Answer] = deque()
        self._released = threading.Event()
        self._validator = _validator(description) if description else None
        self._server = _QuickToStop(host="127.0.0.1", port=0, threaded=True)
        self._server.expect_request("/v3/mail/send").respond_with_handler(self._answer)

    def __enter__(self) -> Self:
        """Listen on a free port."""
        self._server.start()
        return self

    def __exit__(self, *_args: object) -> None:
        """Stop, letting go of whoever is kept waiting."""
        self._released.set()
        self._server.stop()

    @property
    def url(self) -> str:
        """What to set as host."""
        return f"http://127.0.0.1:{self._server.port}"

    def fail_next(self, status: int, headers: Mapping[str, str] | None = None, body: str = "") -> None:
        """Answer the next request that is not yet spoken for with `status`, accepting nothing."""
        self._next.append(lambda request: _verbatim(request, status, headers or {}, body))

    def reject_next(self, status: int, *messages: str) -> None:
        """Answer as SendGrid does when it refuses."""
        self.fail_next(
            status, {"Content-Type": "application/json"}, _errors([("", text) for text in messages])
        )

    def accept_then_drop_next(self) -> None:
        """Accept the next request, and close the connection without a word."""
        self._next.append(lambda request: _hang_up(request, self._accept(request)))

    def accept_then_hang_next(self) -> None:
        """Accept the next request, and leave the caller waiting until the server stops."""
        self._next.append(self._hang)

    def drip_next(self, pause_seconds: float, stop_after: int = 10_000) -> None:
        """Accept the next request, and answer 202 byte by byte; silence after `stop_after` bytes."""
        self._next.append(lambda request: self._drip(request, pause_seconds, stop_after))

    def release(self) -> None:
        """Let go of every caller that is kept waiting."""
        self._released.set()

    def faults(self, body: Any) -> list[Fault]:
        """What the provider would say against this body, as (field, message)."""
        described = self._validator.iter_errors(body) if self._validator else ()
        return [(error.json_path, error.message) for error in described] or list(documented_faults(body))

    def _answer(self, request: Request) -> Response:
        authorization = request.headers.get("Authorization", "")
        self.requests.append((request.method, request.path, authorization))
        if authorization != f"Bearer {self.key}":
            return _rejection(401, [("", "The provided authorization grant is invalid, expired, or revoked")])
        if request.method != "POST":
            return _rejection(405, [("", "method not allowed")])
        return self._next.popleft()(request) if self._next else self._accept(request)

    def _accept(self, request: Request) -> Response:
        if len(request.get_data()) > 30_000_000:
            return _rejection(413, [("", "The JSON payload you have included in your request is too large")])
        if request.mimetype != "application/json":
            return _rejection(415, [("", "Content-Type should be application/json")])
        body = json.loads(request.get_data())
        if faults := self.faults(body):
            return _rejection(400, faults)
        if body.get("mail_settings", {}).get("sandbox_mode", {}).get("enable"):
            return Response("", 200)
        self.accepted.append(body)
        return Response("", 202, {"X-Message-Id": uuid.uuid4().hex, "X-RateLimit-Remaining": "499"})

    def _hang(self, request: Request) -> Response:
        response = self._accept(request)
        self._released.wait(30)
        return _hang_up(request, response)

    def _drip(self, request: Request, pause_seconds: float, stop_after: int) -> Response:
        response = self._accept(request)
        answer = f"HTTP/1.1 {response.status_code} Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()
        with suppress(OSError):  # The caller may have given up.
            for byte in answer[:stop_after]:
                request.environ["werkzeug.socket"].sendall(bytes([byte]))
                self._released.wait(pause_seconds)
        if stop_after < len(answer):
            self._released.wait(30)
        return _hang_up(request, response)


class _QuickToStop(HTTPServer):
    def thread_target(self) -> None:
        """Look for the end every 10 ms rather than every half second."""
        self.server.serve_forever(poll_interval=0.01)


def described() -> Path | None:
    """The copy of the provider's description on this machine: `$SENDGRID_OAI`, or the shared data beside the checkout."""
    path = Path(os.environ.get("SENDGRID_OAI") or DEFAULT_DESCRIPTION)
    return path if path.is_file() else None


def documented_faults(body: Any) -> Iterator[Fault]:
    """The rules that the description leaves out, from the API's pages on errors and limitations."""
    if not isinstance(body, dict):
        yield "", "Bad Request"
        return
    yield from _content_faults(body)
    yield from _people_faults(body)
    yield from _metadata_faults(body)
    yield from _attachment_faults(body)


def _content_faults(body: dict[str, Any]) -> Iterator[Fault]:
    everyone_has_one = all(person.get("subject") for person in body.get("personalizations") or [{}])
    if not (body.get("subject") or everyone_has_one or body.get("template_id")):
        yield "subject", "The subject is required."
    content = body.get("content") or []
    if not content and not body.get("template_id"):
        yield "content", "Unless a valid template_id is provided, the content parameter is required."
    if any(not part.get("value") for part in content):
        yield "content", "The content value must be a string at least one character in length."
    types = [part.get("type") for part in content]
    if "text/plain" in types and types[0] != "text/plain":
        yield "content", "If present, text/plain must be first, followed by text/html."
    lines = [body.get("subject") or "", body["from"].get("name") or ""] if "from" in body else []
    if any("\r" in line or "\n" in line for line in lines):
        yield "subject", "Line breaks are not allowed here."


def _people_faults(body: dict[str, Any]) -> Iterator[Fault]:
    people = body.get("personalizations") or []
    if not people:
        yield (
            "personalizations",
            "The personalizations field is required and must have at least one personalization.",
        )
    for person in people:
        recipients = [r for kind in ("to", "cc", "bcc") for r in person.get(kind, [])]
        addresses = [recipient["email"].lower() for recipient in recipients]
        if not person.get("to"):
            yield "personalizations.0.to", "The to array is required and must have at least one recipient."
        if len(addresses) != len(set(addresses)):
            yield "personalizations.0", "Each email address should be unique between to, cc, and bcc."
        if any(set(";,") & set(recipient.get("name", "")) for recipient in recipients):
            yield "personalizations.0.to.name", "Names must not contain semicolons or commas."
    if not "".join(map(str, body.get("from", {}).values())).isascii():
        yield "from", "Unicode is not supported in the from field."


def _metadata_faults(body: dict[str, Any]) -> Iterator[Fault]:
    people = body.get("personalizations") or []
    headers = [name for part in (body, *people) for name in part.get("headers", {})]
    if RESERVED_HEADERS & {name.lower() for name in headers}:
        yield "headers", "One or more of the headers are reserved."
    custom = [part["custom_args"] for part in (body, *people) if "custom_args" in part]
    if any(not isinstance(value, str) for args in custom for value in args.values()):
        yield "custom_args", "Each custom arg value must be a string."
    if len(json.dumps(custom)) > 10_000:
        yield "custom_args", "The custom args exceed 10000 bytes."
    categories = body.get("categories", [])
    if (
        len(categories) > 10
        or len(set(categories)) != len(categories)
        or any(len(c) > 255 for c in categories)
    ):
        yield "categories", "At most 10 unique categories of at most 255 characters."


def _attachment_faults(body: dict[str, Any]) -> Iterator[Fault]:
    for attachment in body.get("attachments", []):
        try:
            base64.b64decode(attachment["content"], validate=True)
        except binascii.Error:
            yield "attachments", "The attachment content must be base64 encoded."


def _validator(description: Path) -> Draft202012Validator:
    """Judge by the published description, with its one known error mended: `custom_args` is an object."""
    spec = json.loads(description.read_text())
    schema = spec["components"]["requestBodies"]["PostMailSend"]["content"]["application/json"]["schema"]
    schema["properties"]["custom_args"] = {"type": "object", "additionalProperties": {"type": "string"}}
    pointer = "urn:sg#/components/requestBodies/PostMailSend/content/application~1json/schema"
    resource = Resource(contents=spec, specification=DRAFT202012)
    return Draft202012Validator(
        {"$ref": pointer},
        registry=Registry().with_resource("urn:sg", resource),
        format_checker=Draft202012Validator.FORMAT_CHECKER,
    )


def _errors(faults: list[Fault]) -> str:
    return json.dumps({"errors": [{"field": f or None, "message": m, "help": None} for f, m in faults]})


def _rejection(status: int, faults: list[Fault]) -> Response:
    return Response(_errors(faults), status, content_type="application/json")


def _verbatim(request: Request, status: int, headers: Mapping[str, str], body: str) -> Response:
    """Write the answer past the server, which would add its own `Date` and correct `Content-Length`."""
    lines = {"Content-Length": str(len(body)), "Connection": "close", **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    request.get_data()
    request.environ["werkzeug.socket"].sendall(f"HTTP/1.1 {status} Because\r\n{head}\r\n{body}".encode())
    return _hang_up(request, Response("", status))


def _hang_up(request: Request, response: Response) -> Response:
    """Close the connection under the server's hands, so that its answer goes nowhere."""
    with suppress(OSError):
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return response
