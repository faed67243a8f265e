"""The email with a link to sign in. It does not go through the outbox.

It can be asked for again, so that a lost one costs its reader a minute; it is worth nothing unless it comes at once; and
it belongs to no partnership, whose trail would tell when somebody signs in. Its link is kept nowhere.
"""

import logging
import secrets
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from lifecycle import languages
from lifecycle.config import Settings
from lifecycle.errors import LifecycleError
from lifecycle.languages import Language
from lifecycle.notices.message import Message, parse_mailbox
from lifecycle.notices.transports import transport_from

log = logging.getLogger("lifecycle.notices.sign_in")

CATEGORY = "sign_in"


def write(settings: Settings, email: str, link: str, good_for_minutes: int, language: Language) -> Message:
    """The email.

    Args:
        email: whose address it goes to: the one that the link is for.
        link: the whole address of the page that signs them in.

    Raises:
        Invalid: the sender or the address cannot be one.
    """
    from_name, from_address = parse_mailbox(settings.mail_from)
    subject = language.gettext("Your link to sign in")
    values: dict[str, Any] = {
        "language": language,
        "subject": subject,
        "site": settings.public_url.rstrip("/"),
        "link": link,
        "minutes": good_for_minutes,
    }
    return Message(
        # Each is another email, also where the same person asks twice; what it is called tells nothing of its link.
        reference=f"sign-in-{secrets.token_hex(8)}",
        to_name="",
        to_address=email,
        from_name=from_name,
        from_address=from_address,
        reply_to=None,
        subject=subject,
        text=_environment(language.code, html=False).get_template("sign_in.txt").render(values),
        html=_inlined(_environment(language.code, html=True).get_template("sign_in.html").render(values)),
        category=CATEGORY,
    )


def send(settings: Settings, message: Message, now: datetime) -> bool:
    """Send it once; whether it left. What went wrong is in the log, without the address and without the link."""
    try:
        outcome = transport_from(settings).send(message, now)
    except LifecycleError as error:
        log.error("sign-in email not sent", extra={"outcome": "stopped", "detail": str(error)})
        return False
    if outcome.state != "sent":
        log.error("sign-in email not sent", extra={"outcome": outcome.state, "detail": outcome.detail})
    return outcome.state == "sent"


@cache
def _environment(code: str, html: bool) -> Environment:
    language = languages.of(code, "emails")
    made = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=html,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]
        language.gettext, language.ngettext, newstyle=True
    )
    return made


def _inlined(html: str) -> str:
    """Styles on the elements, since several mail programs drop style sheets; nothing is fetched."""
    from css_inline import CSSInliner

    inlined: str = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True).inline(html)
    return inlined
