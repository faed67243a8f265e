"""What surrounds every request: its id, its line in the log, its count; headers that every answer has; faults of ours."""

import logging
import re
import time
import uuid

from fastapi import Request
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lifecycle.api import problems

log = logging.getLogger("lifecycle.api.requests")

_ID = re.compile(r"[\w.-]{8,64}", re.ASCII)

ALWAYS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class Counts:
    """What Prometheus reads of the requests of this process."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "lifecycle_http_requests",
            "Requests by route and status.",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "lifecycle_http_request_seconds", "Time to answer.", ["method", "route"], registry=self.registry
        )


class Envelope:
    """ASGI middleware around everything else."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Name the request, pass it on, log how it ended."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request = Request(scope)
        # Before an application that is mounted in this one takes its place in the scope.
        counts: Counts = scope["app"].state.counts
        given = request.headers.get("x-request-id", "")
        request.state.request_id = given if _ID.fullmatch(given) else uuid.uuid4().hex
        began, status = time.perf_counter(), 0

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request.state.request_id
                for name, value in (ALWAYS | getattr(request.state, "headers", {})).items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self.app(scope, receive, answering)
        except Exception as error:
            # The log has it all; whoever asked gets nothing but the request's id.
            log.error("fault", exc_info=error, extra={"request_id": request.state.request_id})
            if status:
                raise
            await problems.fault(request)(scope, receive, answering)
        finally:
            self._count(counts, scope, request, status, time.perf_counter() - began)

    def _count(self, counts: Counts, scope: Scope, request: Request, status: int, seconds: float) -> None:
        # The route, not the path: a path has ids in it, and there are as many of them as anybody likes to ask for.
        route = getattr(scope.get("route"), "path", "–")
        method = request.method if status != 405 and route != "–" else "–"
        counts.requests.labels(method, route, str(status)).inc()
        counts.seconds.labels(method, route).observe(seconds)
        log.info(
            "request",
            extra={
                "request_id": request.state.request_id,
                "method": request.method[:16],
                "route": route,
                "status": status,
                "milliseconds": round(seconds * 1000, 1),
                "token": getattr(request.state, "token", None),
            },
        )
