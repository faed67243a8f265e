"""What surrounds every page: the headers that confine it, and the refusal of what other sites post."""

import logging

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lifecycle.portal import pages

log = logging.getLogger("lifecycle.portal")

CONFINED = {
    # Nothing is loaded from, and nothing is sent to, another host; nothing inline runs.
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    # A link's address is its authority: it goes nowhere, not even to ourselves.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}
STANDS_ALONE = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "frame-ancestors 'none'; base-uri 'none'"
}
"""For what can be sent and kept by itself: its own style and pictures stand in it; nothing else runs or loads."""

_OURS = frozenset({"same-origin", "none"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class Guard:
    """ASGI middleware around all pages."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before `app`."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse what comes from elsewhere; let nothing out without its headers; show a page for a fault of ours."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request, begun = Request(scope), False

        async def confined(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                headers = MutableHeaders(scope=message)
                for name, value in CONFINED.items():
                    headers.setdefault(name, value)
            await send(message)

        if request.method not in _SAFE and comes_from_elsewhere(request.headers, str(request.base_url)):
            await pages.refused_from_elsewhere(request)(scope, receive, confined)
            return
        if "\0" in scope["path"]:
            # Nothing is called so, and PostgreSQL cannot even be asked for it.
            await pages.not_found(request)(scope, receive, confined)
            return
        try:
            await self.app(scope, receive, confined)
        except Exception as error:
            log.error(
                "fault", exc_info=error, extra={"request_id": getattr(request.state, "request_id", None)}
            )
            if begun:
                raise
            await pages.fault(request)(scope, receive, confined)


def comes_from_elsewhere(headers: Headers, base_url: str) -> bool:
    """Whether a browser says that another site made it send this.

    `Sec-Fetch-Site` (W3C Fetch Metadata) decides where it is sent, as by every browser since 2023; else `Origin`, which
    says `null` of our own pages, since they name no referrer. Without both it is no browser that could be misled.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site not in _OURS
    origin = headers.get("origin")
    return origin not in {None, "null"} and f"{origin}/" != base_url
