"""The filters of the notice templates: ids, times and names as a person would say them, in the reader's language."""

import textwrap
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from jinja2 import pass_context, pass_eval_context
from jinja2.nodes import EvalContext
from jinja2.runtime import Context
from markupsafe import Markup, escape

from lifecycle.languages import Language
from lifecycle.notices import words

WIDTH = 76
ENGINE = "engine"
"""Who acts by itself when the agreed time has come; no contact can be called so."""


def language_of(context: Context) -> Language:
    """The reader's."""
    language: Language = context["language"]
    return language


@pass_context
def person(context: Context, contact_id: str) -> str:
    """`Amira Haddad (Harbour Clinic)`."""
    say = language_of(context)
    if contact_id == ENGINE:
        return say.gettext("the engine (by the agreed schedule)")
    found = context["people"].get(contact_id)
    if found is None or not found.name:
        return say.gettext("a former contact")
    organisation = context["organisations"].get(found.partner_id)
    return f"{found.name} ({organisation})" if organisation else str(found.name)


@pass_context
def people(context: Context, contact_ids: Iterable[str]) -> str:
    """`Amira Haddad (Harbour Clinic) and Jonas Berg (North Shelter)`."""
    say = language_of(context)
    named = say.listed(person(context, one) for one in contact_ids)
    return named or say.gettext("a partner whose contacts cannot be reached")


@pass_context
def organisation(context: Context, partner_id: str) -> str:
    """`Harbour Clinic`."""
    return context["organisations"].get(partner_id) or language_of(context).gettext("a former partner")


@pass_context
def organisation_or_name(context: Context, taker: str) -> str:
    """`Harbour Clinic`; the words themselves where they name nobody of the partnership."""
    return context["organisations"].get(taker) or taker


@pass_context
def organisations(context: Context, partner_ids: Iterable[str]) -> str:
    """`Harbour Clinic and North Shelter`."""
    return language_of(context).listed(organisation(context, one) for one in partner_ids)


@pass_context
def actor(context: Context, contact_id: str) -> str:
    """A person as in `person`, or the agreed procedure where the engine acted."""
    if contact_id in context["people"]:
        return person(context, contact_id)
    return language_of(context).gettext("the agreed procedure")


@pass_context
def role(context: Context, name: str) -> str:
    """A contact's role in words."""
    return _named(context, words.ROLES, name)


@pass_context
def when(context: Context, instant: datetime) -> str:
    """`Friday 27 November 2026, 17:00 (Europe/London)`, in the reader's zone."""
    return str(context["letter"].when(instant))


@pass_context
def day(context: Context, iso_date: str) -> str:
    """`Friday 27 November 2026`, of an ISO date."""
    return language_of(context).day(date.fromisoformat(iso_date))


@pass_context
def listed(context: Context, parts: Iterable[str]) -> str:
    """`a, b and c`; a repeated part once."""
    return language_of(context).listed(parts)


@pass_context
def addresses(context: Context, addressees: Iterable[Any]) -> str:
    """`Amira Haddad (amira@clinic.example) and Li Wei (li@shelter.example)`."""
    return language_of(context).listed(f"{one.name or one.id} ({one.email})" for one in addressees)


@pass_context
def worded(context: Context, english: str) -> str:
    """What may come with the engine, word for word, such as a question; what people worded themselves stays."""
    return language_of(context).gettext(english)


@pass_context
def quoted(context: Context, said: str, by: str) -> str:
    """What somebody said, as they said it; the engine's words in the reader's language."""
    return language_of(context).sentence(said) if by == ENGINE else said


@pass_context
def kind(context: Context, name: str) -> str:
    """A document kind in words."""
    return _named(context, words.KINDS, name)


@pass_context
def event(context: Context, name: str) -> str:
    """An event in words, completing “to …”."""
    return _named(context, words.EVENTS, name)


@pass_context
def stage(context: Context, name: str) -> words.StageWords:
    """A stage in words."""
    say, found = language_of(context).gettext, words.STAGES.get(name)
    if found is None:
        return words.StageWords(spoken(name), "", "")
    return words.StageWords(say(found.name), say(found.meaning), say(found.next))


@pass_context
def occasion(context: Context, name: str) -> str:
    """Why a review round takes place."""
    say = language_of(context)
    return occasion_in(say, name) or say.gettext("the occasion is: %(what)s") % {"what": spoken(name)}


def occasion_in(language: Language, name: str) -> str:
    """Why a review round takes place; empty where there are no words for it."""
    return language.gettext(words.OCCASIONS.get(name, ""))


@pass_context
def email_about(context: Context, template: str) -> str:
    """What the email of a template is called."""
    say = language_of(context)
    if template not in words.TEMPLATES:
        return say.gettext("an email")
    return say.gettext(words.TEMPLATES[template])


def promise(facts: Mapping[str, Any]) -> str:
    """A performance as commands name it: `breakfast/3`."""
    return f"{facts['obligation']}/{facts['number']}"


@pass_context
def outcome(context: Context, name: str) -> str:
    """What was said of a performance, in words."""
    return _named(context, words.OUTCOMES, name)


@pass_context
def happening(context: Context, event_name: str) -> str:
    """What became of a performance, as half a sentence."""
    return _named(context, words.HAPPENINGS, event_name)


@pass_context
def redress_step(context: Context, name: str) -> str:
    """What happened to a complaint, as half a sentence."""
    return _named(context, words.REDRESS, name)


@pass_context
def redress_level(context: Context, facts: Mapping[str, Any]) -> str:
    """`level 2 of 4 (Sponsors)`."""
    said = language_of(context).gettext("level %(level)s of %(levels)s (%(name)s)")
    return said % {"level": facts["level"], "levels": facts["levels"], "name": facts["level_name"]}


@pass_context
def outcome_word(context: Context, name: str) -> str:
    """`scale up`, of a decision."""
    return language_of(context).gettext(spoken(name))


@pass_context
def document(context: Context, facts: Mapping[str, Any]) -> str:
    """`agreement, revision 2`."""
    say = language_of(context)
    given = {"kind": kind(context, facts["kind"]), "revision": facts["revision"]}
    if not facts["subject"]:
        return say.gettext("%(kind)s, revision %(revision)s") % given
    given |= {"event": event(context, facts["subject"])}
    return say.gettext("%(kind)s on “%(event)s”, revision %(revision)s") % given


@pass_context
def wording(context: Context, question_id: str) -> str:
    """The text of a review question."""
    return language_of(context).gettext(context["questionnaire"].wording(question_id))


def capitalised(sentence: str) -> str:
    """The first letter large, the others as they are."""
    return sentence[:1].upper() + sentence[1:]


def wrapped(prose: str, first: str = "", rest: str = "") -> str:
    """Plain text: each paragraph (they are parted by blank lines) filled to 76 columns, with its indents."""
    options: dict[str, Any] = {"width": WIDTH, "break_on_hyphens": False}
    filled = (
        textwrap.fill(
            " ".join(paragraph.split()), initial_indent=first, subsequent_indent=rest or first, **options
        )
        for paragraph in prose.split("\n\n")
        if paragraph.strip()
    )
    return "\n\n".join(filled)


def labelled(prose: str, label: str, width: int) -> str:
    """Plain text: a label, and what belongs to it in a column of its own."""
    return wrapped(prose, f"{label}:".ljust(width), " " * width)


def paragraphs(prose: Markup) -> Markup:
    """HTML: each paragraph as an element."""
    parts = (part.strip() for part in escape(prose).split("\n\n"))
    return Markup("\n").join(Markup("<p>{}</p>").format(part) for part in parts if part)


@pass_eval_context
def isolated(evaluated: EvalContext, data: str) -> str:
    """HTML: data whose direction of writing turns nothing around it."""
    return Markup("<bdi>{}</bdi>").format(data) if evaluated.autoescape else data


def spoken(name: str) -> str:
    """A name that there are no words for."""
    return name.replace("_", " ")


def _named(context: Context, names: Mapping[str, str], name: str) -> str:
    return language_of(context).gettext(names.get(name, spoken(name)))
