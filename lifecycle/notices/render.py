"""Writes a notice as an email: one content template a notice, poured into a text layout and an HTML layout.

Both forms come from the same sentences, so they cannot say different things. Data is made one line before any
template sees it; HTML is escaped throughout.
"""

import re
import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError

from lifecycle.errors import Fault, Invalid
from lifecycle.languages import Language
from lifecycle.notices import listings, phrases
from lifecycle.notices.letter import Letter, Person
from lifecycle.notices.message import one_line
from lifecycle.notices.words import ABOUT_SEVERAL, TEMPLATES
from lifecycle.reviews import questionnaire

__all__ = ["TEMPLATES", "Letter", "Person", "Rendered", "all_facts_given", "render"]

MAX_SUBJECT = 150
ROOM_FOR_TITLE = 30
MAX_ADDRESSEES = 5
"""Keeps the button's link short enough for every mail program (about 2,000 characters)."""

PART_BREAK = "\f"
"""Parts what `layout.parts` puts out; it cannot occur in data, which has no control characters."""

FILTERS: Mapping[str, Callable[..., Any]] = {
    one.__name__: one
    for one in (
        *(phrases.person, phrases.people, phrases.organisation, phrases.organisation_or_name),
        *(phrases.organisations, phrases.actor, phrases.role, phrases.addresses, phrases.listed),
        *(phrases.when, phrases.day, phrases.worded, phrases.quoted, phrases.capitalised),
        *(phrases.kind, phrases.event, phrases.stage, phrases.occasion, phrases.email_about),
        *(phrases.promise, phrases.outcome, phrases.happening, phrases.redress_step, phrases.redress_level),
        *(phrases.outcome_word, phrases.document, phrases.wording),
        *(phrases.wrapped, phrases.labelled, phrases.paragraphs, phrases.isolated),
        *(listings.lines, listings.question_items, listings.finding_items, listings.advice_items),
        *(listings.waived_items, listings.redress_past, listings.open_actions, listings.result_rows),
        *(listings.result_items, listings.ways_on, listings.in_brief, listings.lesson_items),
        *(listings.due_lines, listings.news),
    )
} | {"shell": shlex.quote}


@dataclass(frozen=True)
class Rendered:
    """The email: one-line subject, and both forms of its body."""

    subject: str
    # Links stand in them: whoever reads a log must not be able to use one.
    text: str = field(repr=False)
    html: str = field(repr=False)


def render(letter: Letter, riders: Sequence[Letter] = ()) -> Rendered:
    """Write the email of a notice; what `riders` ask of the same reader stands in it as well, each in brief.

    Raises:
        Invalid: there is no such template, or it lacks a fact; an email with a blank is never sent.
    """
    values = _values(letter) | {"also": [_values(rider) for rider in riders]}
    with all_facts_given(letter.template):
        text, html = _poured(letter.template, "txt", values), _poured(letter.template, "html", values)
    subject = _subject(values["letter"], values["headline"], len(riders))
    return Rendered(subject, _spaced(text), _inliner()(html))


def _values(letter: Letter) -> dict[str, Any]:
    """All that the layouts see of a letter."""
    if letter.template not in TEMPLATES:
        raise Invalid([Fault("/template", "enum", f"Use one of: {', '.join(TEMPLATES)}.")], "The notice")
    tidied = letter.one_lined()
    values = {one.name: getattr(tidied, one.name) for one in fields(tidied)} | _at_hand(tidied)
    with all_facts_given(letter.template):
        return values | _parts(tidied, values)


@contextmanager
def all_facts_given(template: str) -> Iterator[None]:
    """A fact that is missing or of another shape becomes a visible failure of one row and does not stop the outbox."""
    try:
        yield
    except (TemplateError, KeyError, TypeError, ValueError) as error:
        fault = Fault("/facts", "required", f"Give the template all its facts: {error}.")
        raise Invalid([fault], f"The notice {template}") from error


def _at_hand(letter: Letter) -> dict[str, Any]:
    """What templates use beside the letter's own fields."""
    asked = questionnaire.of(letter.facts.get("questionnaire"))
    return {
        "letter": letter,
        "language": letter.language,
        "questionnaire": asked,
        "questions": asked.questions,
        "scale": asked.scale,
        "primaries": _others(letter, "primary"),
        "sponsors": _others(letter, "sponsor"),
    }


def _others(letter: Letter, role: str) -> list[str]:
    return [id_ for id_, one in sorted(letter.people.items()) if one.role == role and id_ != letter.reader.id]


def _parts(letter: Letter, values: Mapping[str, Any]) -> dict[str, Any]:
    """What both layouts need of the content template as plain text: above all, the one thing to do."""
    parts = [part.strip() for part in _poured(letter.template, "parts", values).split(PART_BREAK)]
    headline, by_when, label, to, reply, command = parts
    addressees = _addressees(letter, to.split())
    about = f"{label}: {letter.partnership['id']} ({letter.reference})"
    return {
        "headline": one_line(headline),
        "by_when": one_line(by_when),
        "label": label,
        "opens": _opens(letter, label),
        "addressees": addressees,
        "to_self": [one.id for one in addressees] == [letter.reader.id],
        "reply": reply,
        "to_fill_in": reply.endswith(":"),
        "mailto": _mailto([one.email for one in addressees], about, reply),
        "command": command,
    }


def _opens(letter: Letter, label: str) -> str:
    """What the button says: what is asked, where its link leads to just that."""
    if letter.opens_a_door or not letter.links:
        return label
    if letter.template in ABOUT_SEVERAL:
        return letter.language.gettext("Open your partnerships")
    return letter.language.gettext("Open the partnership")


def _addressees(letter: Letter, wanted: Sequence[str]) -> list[Person]:
    """Whom the button writes to: the coordinator; when the coordinator reads, those whom the matter concerns."""
    if not letter.mine:
        return [letter.coordinator]
    found = [letter.people[id_] for id_ in dict.fromkeys(wanted) if id_ in letter.people]
    others = [one for one in found if one.id != letter.reader.id and one.email]
    return others[:MAX_ADDRESSEES] or [letter.coordinator]


def _mailto(addresses: Sequence[str], subject: str, body: str) -> str:
    """A link that opens a prefilled email (RFC 6068)."""
    to = ",".join(quote(address, safe="@") for address in addresses)
    lines = body.replace("\n", "\r\n")
    return f"mailto:{to}?subject={quote(subject, safe='')}&body={quote(lines, safe='')}"


def _subject(letter: Letter, headline: str, riders: int) -> str:
    """`[title] what is asked, by when (and 2 more)`; where that is too long, the title is cut."""
    say, asked = letter.language, partial(_asked, letter, riders)
    ask = asked(_cut(headline, MAX_SUBJECT - ROOM_FOR_TITLE - len(asked(""))))
    several = letter.template in ABOUT_SEVERAL
    about = say.gettext("Your partnerships") if several else letter.partnership["title"]
    return f"[{_cut(about, MAX_SUBJECT - len(ask) - 3)}] {ask}"


def _asked(letter: Letter, riders: int, what: str) -> str:
    say, asked = letter.language, what
    if letter.due_at and letter.open:
        asked = say.gettext("%(what)s, by %(day)s") % {"what": asked, "day": letter.day(letter.due_at)}
    if riders:
        more = say.ngettext("%(what)s (and %(n)s more)", "%(what)s (and %(n)s more)", riders)
        asked = more % {"what": asked, "n": riders}
    return asked


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def _spaced(text: str) -> str:
    """Plain text with one blank line at most between its parts, and none at its ends."""
    lines = "\n".join(line.rstrip() for line in text.strip().splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines) + "\n"


def _poured(template: str, layout: str, values: Mapping[str, Any]) -> str:
    environment = _environment(layout == "html", values["language"])
    shapes = environment.get_template("shapes.html" if layout == "html" else "shapes.txt")
    poured = dict(values) | {"layout": f"layout.{layout}", "shape": shapes.make_module(dict(values))}
    return environment.get_template(f"{template}.jinja").render(poured)


@cache
def _environment(html: bool, language: Language) -> Environment:
    """Text and HTML have an environment each, so that no file name decides whether data is escaped."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).with_name("templates")),
        autoescape=html,  # noqa: S701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_callables(  # type: ignore[attr-defined]
        language.gettext, language.ngettext, newstyle=True
    )
    environment.filters |= FILTERS
    return environment


@cache
def _inliner() -> Callable[[str], str]:
    """Puts styles on the elements, since several mail programs drop style sheets; never fetches anything."""
    from css_inline import CSSInliner

    inline: Callable[[str], str] = CSSInliner(load_remote_stylesheets=False, keep_at_rules=True).inline
    return inline
