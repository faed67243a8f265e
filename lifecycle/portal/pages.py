"""Pages from templates: one environment a language, everything escaped; and the pages of refusals and faults."""

import re
from collections.abc import Mapping
from datetime import date, datetime, tzinfo
from functools import cache
from hashlib import sha256
from pathlib import Path
from threading import Lock
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from lifecycle import languages
from lifecycle.access.roles import Forbidden
from lifecycle.errors import Invalid, LifecycleError, NotFound, Stale, Unavailable
from lifecycle.languages import Language
from lifecycle.notices import letter, words
from lifecycle.partnerships.people import People

HERE = Path(__file__).parent
LANGUAGE_COOKIE = "language"


def render(
    request: Request,
    template: str,
    language: Language,
    zone: tzinfo,
    status: int = 200,
    **values: Any,
) -> Response:
    """A page.

    Args:
        template: a file of `templates/`.
        zone: the reader's; templates show instants in it.
        values: what the template reads; a name that is missing is a fault of ours.
    """
    shown = (
        environment(language.code)
        .get_template(template)
        .render(request=request, language=language, zone=zone, **values)
    )
    return HTMLResponse(shown, status, headers={"Content-Language": language.code})


def language_of(request: Request) -> Language:
    """The language of a reader whom we do not know yet: chosen before, or what their browser asks for."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    return languages.of(chosen or languages.accepted(request.headers.get("accept-language", "")))


def refusal(request: Request, error: LifecycleError) -> Response:
    """The page of an error that its reader can mend."""
    language = getattr(request.state, "language", None) or language_of(request)
    faults = error.faults if isinstance(error, Invalid) else ()
    zone = getattr(request.state, "zone", letter.zone_named())
    return render(
        request,
        "refusal.html",
        language,
        zone,
        status_of(error),
        error=error,
        faults=faults,
        title=error.title,
    )


def status_of(error: LifecycleError) -> int:
    """The HTTP status of an error's page."""
    if isinstance(error, Invalid):
        return 422
    known: Mapping[type[LifecycleError], int] = {NotFound: 404, Forbidden: 403, Stale: 409, Unavailable: 503}
    return next((status for kind, status in known.items() if isinstance(error, kind)), 409)


def not_found(request: Request) -> Response:
    """There is no such page, or its reader must not learn of it: both look alike."""
    return refusal(
        request,
        NotFound("There is no such page.", mend="Check the address, or use the link in the newest email."),
    )


def refused_from_elsewhere(request: Request) -> Response:
    """Another site made the browser send this."""
    return refusal(
        request,
        Forbidden("This was sent from another site.", mend="Open our page itself, and do it there."),
    )


def fault(request: Request) -> Response:
    """Something of ours broke; the log has the rest."""
    language = language_of(request)
    given = getattr(request.state, "request_id", "")
    return render(request, "fault.html", language, letter.zone_named(), 500, request_id=given)


@pass_context
def _when(context: Context, instant: datetime) -> str:
    return str(context["language"].when(instant, context["zone"]))


@pass_context
def _day(context: Context, value: date | datetime | str) -> str:
    return str(context["language"].day(_local(context, value)))


@pass_context
def _short_day(context: Context, value: date | datetime | str) -> str:
    return str(context["language"].short_day(_local(context, value)))


def _local(context: Context, value: date | datetime | str) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value)
    return value.astimezone(context["zone"]).date() if isinstance(value, datetime) else value


@pass_context
def _sentence(context: Context, english: str) -> str:
    about = context.get("standing") or context.get("visit")
    said = spoken(context["language"].sentence(english))
    return said if about is None else with_names(said, about.people)


_COMMAND_FIRST = re.compile(r"(?:^|(?<=\. ))`(?:lifecycle|--)[^`]*`[^.]*\.(?: |$)")
_COMMAND = re.compile(r"(?::|, with|, con)? ?(?:`(?:lifecycle |--)[^`]*`|(?<= )--\w+\b)")
_ID = re.compile(r"(?<![\w/@.-])[a-z0-9]+(?:-[a-z0-9]+)+(?![\w/@-]|\.\w)")


def spoken(sentence: str) -> str:
    """A sentence without the commands in it: a page has its own buttons for what they do."""
    return _COMMAND.sub("", _COMMAND_FIRST.sub("", sentence)).strip()


def with_names(sentence: str, people: People) -> str:
    """A sentence in which partners and contacts are called by their names instead of their ids."""
    names = {one.id: one.name for one in people.contacts.values()} | people.partners
    return _ID.sub(lambda found: names.get(found[0]) or found[0], sentence)


@pass_context
def _label(context: Context, english: str) -> str:
    return str(context["language"].label(english))


@pass_context
def _number(context: Context, value: float | None) -> str:
    return "–" if value is None else str(context["language"].number(value))


@pass_context
def _percent(context: Context, value: float | None) -> str:
    return "–" if value is None else str(context["language"].percent(value))


@pass_context
def _listed(context: Context, parts: Any) -> str:
    return str(context["language"].listed(parts))


@pass_context
def _csrf(context: Context) -> Markup:
    """The hidden field that proves a member's form to be ours."""
    return Markup('<input type="hidden" name="csrf" value="{}">').format(context["member"].csrf)


def _event(name: str) -> str:
    return words.EVENTS.get(name, name.replace("_", " "))


def _stage(name: str) -> str:
    found = words.STAGES.get(name)
    return found.name if found is not None else name.replace("_", " ")


FILTERS = {
    "when": _when,
    "day": _day,
    "short_day": _short_day,
    "sentence": _sentence,
    "label": _label,
    "number": _number,
    "percent": _percent,
    "listed": _listed,
    "event": _event,
    "stage": _stage,
}
"""`label` says a schema's words, `sentence` says what the domain says in the reader's language; `event` and `stage` give English words for it to say."""


@cache
def environment(code: str) -> Environment:
    """The templates in one language."""
    language = languages.of(code)
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(  # type: ignore[attr-defined]
        language.gettext, language.ngettext, newstyle=True
    )
    made.filters |= FILTERS
    made.globals |= {"LANGUAGES": languages.LANGUAGES, "static": static_address, "csrf": _csrf}
    return made


_warming = Lock()


def warm_up() -> None:
    """Compile every template in every language: seconds, once in a process, whoever else asks meanwhile."""
    if not _warming.acquire(blocking=False):
        return
    for code in languages.LANGUAGES:
        for name in environment(code).list_templates():
            environment(code).get_template(name)


@cache
def static_address(name: str) -> str:
    """The address of a static file, by its content: it may be kept for ever, and a new version is a new address."""
    digest = sha256((HERE / "static" / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
