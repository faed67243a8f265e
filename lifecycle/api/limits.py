"""What one client may take: requests a minute by token; the size of a body, and the time to send it."""

import asyncio
import math
import time

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 1_048_576
"""Bytes; the largest document is far smaller."""

BODY_SECONDS = 30.0
"""A body that takes longer to arrive is not waited for."""

PER_MINUTE = 600


class Limiter:
    """Requests a minute by token, counted in this process.

    Source: draft-ietf-httpapi-ratelimit-headers.
    """

    def __init__(self, per_minute: int = PER_MINUTE) -> None:
        """Let so many through."""
        self._item = RateLimitItemPerMinute(per_minute)
        self._windows = MovingWindowRateLimiter(MemoryStorage())

    def spend(self, request: Request, token: str) -> None:
        """Count a request.

        Raises:
            HTTPException: 429, there were too many.
        """
        allowed = self._windows.hit(self._item, token)
        window = self._windows.get_window_stats(self._item, token)
        # The clock of `limits` itself: its windows are counted in the same.
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        request.state.headers = {
            "RateLimit-Policy": f'"token";q={self._item.amount};w=60',
            "RateLimit": f'"token";r={window.remaining};t={seconds}',
        }
        if not allowed:
            raise HTTPException(429, "Too many requests in a minute.", {"Retry-After": str(seconds)})


class BodyLimits:
    """ASGI middleware: a body that is too large or too slow is refused as soon as it shows."""

    def __init__(self, app: ASGIApp, max_body: int = MAX_BODY, seconds: float = BODY_SECONDS) -> None:
        """Stand before `app`."""
        self.app, self.max_body, self.seconds = app, max_body, seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is small and quick enough."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        taken, more, deadline = 0, True, asyncio.get_running_loop().time() + self.seconds

        async def limited() -> Message:
            nonlocal taken, more
            if not more:
                return await receive()
            try:
                async with asyncio.timeout_at(deadline):
                    message = await receive()
            except TimeoutError:
                raise HTTPException(408, "The body took too long to arrive.") from None
            more = bool(message.get("more_body"))
            taken += len(message.get("body", b""))
            if taken > self.max_body:
                raise HTTPException(413, f"A body has at most {self.max_body:,} bytes.")
            return message

        await self.app(scope, limited, send)
