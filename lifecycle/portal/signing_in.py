"""Signing in by an emailed link, signing out, and the page about oneself.

Whoever asks is answered the same, at the same pace, whether or not anybody is registered with the address.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request
from limits import RateLimitItemPerHour
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.background import BackgroundTask
from starlette.responses import RedirectResponse, Response

from lifecycle import clock, languages
from lifecycle.access import sessions
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import Fault, Invalid, NotAllowed
from lifecycle.languages import LANGUAGES
from lifecycle.notices import sign_in
from lifecycle.notices.letter import zone_named
from lifecycle.notices.message import ascii_address
from lifecycle.portal import mailbox, pages
from lifecycle.portal.forms import by_field
from lifecycle.portal.members import COOKIE, OwnForm, Signed
from lifecycle.portal.visits import Sent, one_of, text

router = APIRouter()

EMAILS_AN_HOUR = 5
"""To one address: more would be a way to annoy its reader."""
POSTS_AN_HOUR = 30
"""From one client, whichever addresses it names."""
MINUTES = int(sessions.LINK_GOOD_FOR.total_seconds() // 60)
LANGUAGE_SECONDS = 365 * 24 * 3600
MAX_EMAIL = 320
SHOWN = 50
"""Partnerships on the page about oneself; the portfolio has them all."""

# Printable ASCII, one slash first and neither a slash nor a backslash after it: browsers read those, and blanks between
# them, as the beginning of another host.
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,500}")


class Limits:
    """How often emails are asked for, counted in this process."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._windows = MovingWindowRateLimiter(MemoryStorage())
        self._by_address = RateLimitItemPerHour(EMAILS_AN_HOUR)
        self._by_client = RateLimitItemPerHour(POSTS_AN_HOUR)

    def spend(self, client: str, email: str) -> bool:
        """Count one request; whether it is let through. Known and unknown addresses count alike."""
        return self._windows.hit(self._by_client, "client", client) and self._windows.hit(
            self._by_address, "address", email
        )


async def _limits(request: Request) -> Limits:
    """Those of this application. On the event loop, so that two requests at once do not both make them."""
    if not hasattr(request.app.state, "sign_in_limits"):
        request.app.state.sign_in_limits = Limits()
    found: Limits = request.app.state.sign_in_limits
    return found


@dataclass(frozen=True)
class _Wish:
    """Who wants a link, in which language they read, and what they want to see afterwards."""

    email: str
    wanted: str
    language: str


def own_path(wanted: str) -> str:
    """Where to go after signing in: a path of ours, and nothing else."""
    return wanted if _OWN_PATH.fullmatch(wanted) else "/"


def welcome(request: Request, secret: str, wanted: str) -> Response:
    """Begin a session in this browser; the one that it may have had before ends."""
    state, before = request.app.state, request.cookies.get(COOKIE)
    if before:
        sessions.end(state.database, before)
    response = RedirectResponse(own_path(wanted), 303)
    response.set_cookie(
        COOKIE,
        secret,
        max_age=int(sessions.SESSION_GOOD_FOR.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=state.settings.secure,
    )
    return response


def farewell(request: Request) -> Response:
    """The browser forgets its session."""
    response = RedirectResponse("/sign-in?said=signed-out", 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=request.app.state.settings.secure)
    return response


def _asking(
    request: Request, wanted: str, email: str = "", error: Invalid | None = None, status: int = 200
) -> Response:
    """The page that asks for an address."""
    language = pages.language_of(request)
    settings: Settings = request.app.state.settings
    return pages.render(
        request,
        "sign_in.html",
        language,
        zone_named(),
        status,
        wanted=own_path(wanted),
        email=email,
        faults=by_field(error, language),
        provider=settings.oidc_name if settings.oidc else None,
        mailbox=mailbox.is_shown_to(request),
    )


@router.get("/sign-in")
def ask_for_address(request: Request) -> Response:
    """Where one asks for a link."""
    return _asking(request, request.query_params.get("next", "/"))


@router.post("/sign-in")
def ask_for_link(request: Request, sent: Sent, limits: Annotated[Limits, Depends(_limits)]) -> Response:
    """Send a link, once this is answered: how long it takes then tells nothing either."""
    email, wanted = sessions.normal(text(sent, "/email")), own_path(text(sent, "next"))
    language = pages.language_of(request)
    if len(email) > MAX_EMAIL or ascii_address(email) is None:
        mend = "Give an email address such as name@organisation.example."
        error = Invalid([Fault("/email", "address", mend)], "The form")
        return _asking(request, wanted, text(sent, "/email")[:MAX_EMAIL], error, 422)
    values: dict[str, Any] = {
        "email": email,
        "minutes": MINUTES,
        "wanted": wanted,
        "mailbox": mailbox.is_shown_to(request),
    }
    client = request.client.host if request.client is not None else ""
    if not limits.spend(client, email):
        return pages.render(request, "sign_in_often.html", language, zone_named(), 429, **values)
    response = pages.render(request, "sign_in_sent.html", language, zone_named(), **values)
    state, wish = request.app.state, _Wish(email, wanted, language.code)
    response.background = BackgroundTask(_send_link, state.database, state.settings, wish, clock.now())
    return response


def _send_link(database: Database, settings: Settings, wish: _Wish, now: datetime) -> None:
    secret = sessions.make_link(database, wish.email, now)
    if secret is None:
        return
    with database.read() as connection:
        code = sessions.language_of(connection, wish.email, wish.language)
    onward = "" if wish.wanted == "/" else f"?next={quote(wish.wanted, safe='/')}"
    link = f"{settings.public_url.rstrip('/')}/sign-in/{secret}{onward}"
    # To the address that was looked up, never to the one as it was typed.
    sign_in.send(settings, sign_in.write(settings, wish.email, link, MINUTES, languages.of(code)), now)


@router.get("/sign-in/{secret}")
def look_at_link(request: Request, secret: str) -> Response:
    """The page behind the link: it changes nothing, since mail scanners open it too."""
    wanted = own_path(request.query_params.get("next", "/"))
    try:
        with request.app.state.database.read() as connection:
            email = sessions.look_at_link(connection, secret, clock.now())
    except NotAllowed as error:
        return _spent(request, error, wanted)
    language = pages.language_of(request)
    values: dict[str, Any] = {"email": email, "secret": secret, "wanted": wanted}
    return pages.render(request, "sign_in_link.html", language, zone_named(), **values)


@router.post("/sign-in/{secret}")
def use_link(request: Request, secret: str, sent: Sent) -> Response:
    """Sign in, once."""
    wanted, code = own_path(text(sent, "next")), pages.language_of(request).code
    try:
        begun = sessions.use_link(request.app.state.database, secret, clock.now(), code)
    except NotAllowed as error:
        return _spent(request, error, wanted)
    return welcome(request, begun, wanted)


def _spent(request: Request, error: NotAllowed, wanted: str) -> Response:
    """A link that is good for nothing, and the way to a new one."""
    language, status = pages.language_of(request), pages.status_of(error)
    return pages.render(
        request, "sign_in_spent.html", language, zone_named(), status, error=error, wanted=wanted
    )


@router.post("/sign-out")
def sign_out(member: Signed, sent: OwnForm) -> Response:
    """End this session, or all of the same person."""
    sessions.end(member.database, member.secret, everywhere=text(sent, "everywhere") == "true")
    return farewell(member.request)


@router.get("/account")
def account(member: Signed) -> Response:
    """Who one is here, and the language of the session."""
    return _account(member)


def _account(member: Signed, error: Invalid | None = None) -> Response:
    mine = sorted(member.reach.contacts)
    with member.database.read() as connection:
        found = [member.standing(connection, one) for one in mine[:SHOWN]]
    return member.page(
        "account.html",
        status=200 if error is None else 422,
        partnerships=sorted(found, key=lambda one: one.record.title.casefold()),
        more=len(mine) - len(found),
        faults=by_field(error, member.language),
    )


@router.post("/account")
def choose_language(member: Signed, sent: OwnForm) -> Response:
    """Read in another language from now on, and after the next sign-in in this browser until one's own is known."""
    try:
        code = one_of(sent, "language", LANGUAGES, "Choose one of the languages.")
    except Invalid as error:
        return _account(member, error)
    sessions.choose_language(member.database, member.secret, code)
    response = RedirectResponse("/account?said=saved", 303)
    response.set_cookie(
        pages.LANGUAGE_COOKIE,
        code,
        max_age=LANGUAGE_SECONDS,
        httponly=True,
        samesite="lax",
        secure=member.settings.secure,
    )
    return response
