"""What one client may take: requests a minute by token, and the size of a body."""

from fastapi import Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 1_048_576
"""Bytes; the largest document is far smaller."""

PER_MINUTE = 600


class Limiter:
    """Requests a minute by token, counted in this process."""

    def __init__(self, per_minute: int = PER_MINUTE) -> None:
        """Let so many through."""
        self.item = RateLimitItemPerMinute(per_minute)
        self.windows = MovingWindowRateLimiter(MemoryStorage())

    def spend(self, request: Request, token: str) -> None:
        """Count a request.

        Raises:
            HTTPException: 429, there were too many.
        """
        allowed = self.windows.hit(self.item, token)
        _, left = self.windows.get_window_stats(self.item, token)
        headers = {
            "RateLimit-Policy": f'"token";q={self.item.amount};w=60',
            "RateLimit": f'"token";r={left};t={60 if allowed else 1}',
        }
        request.state.limits = headers
        if not allowed:
            raise HTTPException(429, "Too many requests in a minute.", headers | {"Retry-After": "1"})


class BodyLimit:
    """ASGI middleware: a body that is too large is refused before it is read, or as soon as it shows."""

    def __init__(self, app: ASGIApp, max_body: int = MAX_BODY) -> None:
        """Stand before `app`."""
        self.app, self.max_body = app, max_body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what is small enough."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > self.max_body:
                raise HTTPException(413, f"A body has at most {self.max_body:,} bytes.")
            return message

        await self.app(scope, counted, send)
