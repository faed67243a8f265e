"""Signing in with an OpenID Connect provider: authorization code with PKCE, state and nonce (Authlib).

The provider says whose address it is, and only one that it has verified counts; who may sign in is decided here.
Source: OpenID Connect Core 1.0, sections 3.1 and 5.3; RFC 9700, section 2.1.
"""

import logging
import warnings
from datetime import timedelta
from typing import Any

from authlib.common.errors import AuthlibBaseError
from fastapi import APIRouter, Request
from joserfc.errors import JoseError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import Response

from lifecycle import clock, links
from lifecycle.access import sessions
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import LifecycleError, NotAllowed, Unavailable
from lifecycle.notices.letter import zone_named
from lifecycle.portal import pages
from lifecycle.portal.signing_in import own_path, welcome

# As Authlib does: its errors are those of the one that it takes.
try:
    import httpx2 as http  # type: ignore[import-not-found]
except ImportError:
    import httpx as http

log = logging.getLogger("lifecycle.portal.oidc")

# Before `/sign-in/{secret}` in the table of routes: `oidc` is no secret.
router = APIRouter()

PATH = "/sign-in/oidc"
COOKIE = "oidc"
PURPOSE = "oidc"
REMEMBERED_FOR = timedelta(minutes=10)
TIMEOUT_SECONDS = 10.0
_BROKEN = (AuthlibBaseError, JoseError, http.HTTPError, ValueError, KeyError, RuntimeError)
"""What an answer that is none, or is not as the standard has it, comes out as."""


def provider_of(request: Request) -> Any:
    """The client of the configured provider; what the provider says of itself is asked for at first use, and kept.

    Raises:
        HTTPException: 404, none is configured.
    """
    state, settings = request.app.state, request.app.state.settings
    if not settings.oidc:
        raise HTTPException(404)
    if not hasattr(state, "oidc"):
        state.oidc = _registry().register(
            "oidc",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret.get_secret_value(),
            server_metadata_url=f"{settings.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": "openid email",
                "code_challenge_method": "S256",
                "timeout": TIMEOUT_SECONDS,
            },
        )
    return state.oidc


def _registry() -> Any:
    """Authlib's; loaded where it is used, since it takes half a second."""
    from authlib.deprecate import AuthlibDeprecationWarning

    with warnings.catch_warnings():
        # That httpx has a successor is a word to us, not to whoever reads the log.
        warnings.simplefilter("ignore", AuthlibDeprecationWarning)
        from authlib.integrations.starlette_client import OAuth
    return OAuth()


@router.get(PATH)
async def go(request: Request) -> Response:
    """Go to the provider. A link, not a form: browsers apply `form-action` to where a form is redirected."""
    provider = provider_of(request)
    wanted = own_path(request.query_params.get("next", "/"))
    request.scope["session"] = {"next": wanted}
    back = f"{request.app.state.settings.public_url.rstrip('/')}{PATH}/callback"
    try:
        response: Response = await provider.authorize_redirect(request, back)
    except _BROKEN as error:
        return _refused(request, _unreachable(error), wanted)
    _remember(request, response)
    return response


@router.get(f"{PATH}/callback")
async def come_back(request: Request) -> Response:
    """Come back from the provider, once: what was remembered on the way is forgotten."""
    provider, state = provider_of(request), request.app.state
    _recall(request)
    wanted = request.session.get("next", "/")
    try:
        claims = await _claims(provider, request, state.settings.oidc_issuer)
        email = _verified(claims)
        secret = await run_in_threadpool(_begin, state.database, email, pages.language_of(request).code)
        response = await run_in_threadpool(welcome, request, secret, wanted)
    except NotAllowed as error:
        response = _refused(request, error, wanted)
    response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="lax", secure=state.settings.secure)
    return response


async def _claims(provider: Any, request: Request, issuer: str) -> dict[str, Any]:
    """What the provider says of the person: in its token, else where it tells it to whoever has the token.

    Raises:
        NotAllowed: it refuses, or something on the way does not fit.
    """
    expected = {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": provider.client_id},
        "sub": {"essential": True},
    }
    try:
        token = await provider.authorize_access_token(request, claims_options=expected)
        found = dict(token["userinfo"])
        if "email" not in found:
            told = dict(await provider.userinfo(token=token))
            if told.get("sub") != found["sub"]:
                raise ValueError("another subject")
            found |= told
    except _BROKEN as error:
        # The kind alone: what it says may hold a code or a token.
        log.warning("sign-in with the provider failed", extra={"reason": _kind(error)})
        raise NotAllowed(
            "Signing in there did not work, or took too long.",
            mend="Try it again, or have a link emailed to you.",
        ) from None
    return found


def _kind(error: Exception) -> str:
    return str(getattr(error, "error", None) or type(error).__name__)[:80]


def _verified(claims: dict[str, Any]) -> str:
    """The address, if the provider has verified that it is theirs.

    Raises:
        NotAllowed: it has not, or tells no address.
    """
    email = claims.get("email")
    if not isinstance(email, str) or claims.get("email_verified") is not True:
        raise NotAllowed(
            "Your account there has no email address that was verified.",
            mend="Verify it there, or have a link emailed to you.",
        )
    return email


def _begin(database: Database, email: str, language: str) -> str:
    with database.write() as connection:
        return sessions.begin(connection, email, clock.now(), language)


def _unreachable(error: Exception) -> Unavailable:
    log.error("the OpenID Connect provider cannot be used", extra={"reason": _kind(error)})
    return Unavailable(
        "The service to sign in with does not answer.",
        mend="Try it again in a moment, or have a link emailed to you.",
    )


def _refused(request: Request, error: LifecycleError, wanted: str) -> Response:
    """What went wrong, and the other way in."""
    language, status = pages.language_of(request), pages.status_of(error)
    return pages.render(
        request, "sign_in_refused.html", language, zone_named(), status, error=error, wanted=wanted
    )


def _remember(request: Request, response: Response) -> None:
    """Keep what must come back unchanged in this browser, signed, for a few minutes."""
    settings: Settings = request.app.state.settings
    now = clock.now()
    response.set_cookie(
        COOKIE,
        links.issue(settings, PURPOSE, request.session, now, now + REMEMBERED_FOR),
        max_age=int(REMEMBERED_FOR.total_seconds()),
        path=PATH,
        httponly=True,
        samesite="lax",
        secure=settings.secure,
    )


def _recall(request: Request) -> None:
    """What this browser was given on its way; nothing where it was given nothing, or too long ago."""
    try:
        found = links.read(
            request.app.state.settings, PURPOSE, request.cookies.get(COOKIE, ""), clock.now()
        ).subject
    except NotAllowed:
        found = {}
    request.scope["session"] = dict(found)
