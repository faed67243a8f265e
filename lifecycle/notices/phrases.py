"""The filters of the notice templates: ids, times and numbers as a person would say them."""

import shlex
import textwrap
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

from lifecycle.notices import letter, words

WIDTH = 76
ENGINE = "engine"
"""Who acts by itself when the agreed time has come; no contact can be called so."""

FORMER = "a former contact"
FORMER_PARTNER = "a former partner"
AGREE = 0.5
"""Partners whose means lie closer than this say the same."""

LEAST_CHANGE = 0.05
"""What rounds to nothing has not moved."""

UNREACHABLE = "a partner whose contacts cannot be reached"


@pass_context
def person(context: Context, contact_id: str) -> str:
    """`Amira Haddad (Harbour Clinic)`."""
    if contact_id == ENGINE:
        return "the engine (by the agreed schedule)"
    found = context["people"].get(contact_id)
    if found is None or not found.name:
        return FORMER
    organisation = context["organisations"].get(found.partner_id)
    return f"{found.name} ({organisation})" if organisation else str(found.name)


@pass_context
def people(context: Context, contact_ids: Iterable[str]) -> str:
    """`Amira Haddad (Harbour Clinic) and Jonas Berg (North Shelter)`."""
    return listed(person(context, one) for one in contact_ids) or UNREACHABLE


@pass_context
def organisation(context: Context, partner_id: str) -> str:
    """`Harbour Clinic`."""
    return context["organisations"].get(partner_id) or FORMER_PARTNER


@pass_context
def organisation_or_name(context: Context, taker: str) -> str:
    """`Harbour Clinic`; the words themselves where they name nobody of the partnership."""
    return context["organisations"].get(taker) or taker


@pass_context
def organisations(context: Context, partner_ids: Iterable[str]) -> str:
    """`Harbour Clinic and North Shelter`."""
    return listed(organisation(context, one) for one in partner_ids)


@pass_context
def when(context: Context, instant: datetime) -> str:
    """`Friday 27 November 2026, 17:00 (Europe/London)`, in the reader's zone."""
    return str(context["letter"].when(instant))


def day(iso_date: str) -> str:
    """`Friday 27 November 2026`, of an ISO date."""
    return letter.day(date.fromisoformat(iso_date))


def listed(parts: Iterable[str]) -> str:
    """`a, b and c`; a repeated part once."""
    *most, last = dict.fromkeys(parts) or [""]
    return f"{', '.join(most)} and {last}" if most else last


def count(number: int, one: str, many: str = "") -> str:
    """`1 answer`, `2 answers`; `many` where an s does not do."""
    return f"{number} {one}" if number == 1 else f"{number} {many or one + 's'}"


def kind(name: str) -> str:
    """A document kind in words."""
    return words.KINDS.get(name, _spoken(name))


def event(name: str) -> str:
    """An event in words, completing “to …”."""
    return words.EVENTS.get(name, _spoken(name))


def stage(name: str) -> words.StageWords:
    """A stage in words."""
    return words.STAGES.get(name) or words.StageWords(_spoken(name), "", "")


def occasion(name: str) -> str:
    """Why a review round takes place."""
    return words.OCCASIONS.get(name, f"the occasion is: {_spoken(name)}")


def email_about(template: str) -> str:
    """What the email of a template is called."""
    return words.TEMPLATES.get(template, "an email")


def role(name: str) -> str:
    """A contact's role in words."""
    return words.ROLES.get(name, _spoken(name))


def promise(facts: Mapping[str, Any]) -> str:
    """A performance as commands name it: `breakfast/3`."""
    return f"{facts['obligation']}/{facts['number']}"


def outcome(name: str) -> str:
    """What was said of a performance, in words."""
    return words.OUTCOMES.get(name, _spoken(name))


def happening(event_name: str) -> str:
    """What became of a performance, as half a sentence."""
    return words.HAPPENINGS.get(event_name, _spoken(event_name))


@pass_context
def actor(context: Context, contact_id: str) -> str:
    """A person as in `person`, or the agreed procedure where the engine acted."""
    return person(context, contact_id) if contact_id in context["people"] else "the agreed procedure"


def redress_step(name: str) -> str:
    """What happened to a complaint, as half a sentence."""
    return words.REDRESS.get(name, _spoken(name))


def redress_level(facts: Mapping[str, Any]) -> str:
    """`level 2 of 4 (Sponsors)`."""
    return f"level {facts['level']} of {facts['levels']} ({facts['level_name']})"


@pass_context
def redress_past(context: Context, past: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """The steps of a complaint as entries of a list: date, who did what, in which words."""
    return [
        (
            day(one["on"]),
            capitalised(f"{actor(context, one['by'])}: {redress_step(one['kind'])}"),
            one["said"] or "",
        )
        for one in past
    ]


def result(score: Mapping[str, Any], highest: int) -> str:
    """`3.8 of 5, partners differ by 1.2, +0.4 since the last round, 1 cannot say`."""
    if score["mean"] is None:
        return "too few answers"
    parts = [f"{score['mean']:.1f} of {highest}"]
    if score["spread"] is not None:
        parts.append(
            "partners agree" if score["spread"] < AGREE else f"partners differ by {score['spread']:.1f}"
        )
    if score["change"] is not None:
        moved = abs(score["change"]) >= LEAST_CHANGE
        parts.append(f"{score['change']:+.1f} since the last round" if moved else "as in the last round")
    if score["cannot_say"]:
        parts.append(f"{score['cannot_say']} cannot say")
    return ", ".join(parts)


def result_rows(results: Mapping[str, Any], part: str) -> list[list[str]]:
    """The scores of a part (`sections`) as named rows."""
    return [[one["title"], result(one, results["highest"])] for one in results[part]]


def result_items(results: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """The scores of all questions as entries of a list."""
    return [(one["title"], result(one, results["highest"]), "") for one in results["questions"]]


@pass_context
def open_actions(context: Context, actions: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Corrective actions that nobody has verified yet, as entries of a list."""
    return [
        (
            f"Action {one['number']}, asked for in round {one['round']}",
            one["what"] or "not planned yet",
            person(context, one["owner"]) if one["owner"] else "",
        )
        for one in actions
    ]


def ways_on(gates: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """What each way on still needs, as entries of a list."""
    return [
        (
            capitalised(event(one["event"])),
            "nothing, its gate is open" if one["open"] else f"still missing: {listed(one['blocking'])}",
            "",
        )
        for one in gates
    ]


@pass_context
def in_brief(context: Context, dossier: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """An evaluation dossier's summary (`evaluation.dossier.summary`) as entries of a list."""
    found = [
        (
            f"Promises of {organisation(context, one['from'])} to {organisation(context, one['to'])}",
            f"{one['rate']:.0%} kept, of {count(one['settled'], 'promise')} that {'was' if one['settled'] == 1 else 'were'} settled",
            "",
        )
        for one in dossier["promises"]
        if one["rate"] is not None
    ]
    found += [(one["title"], _indicator(one), "") for one in dossier["indicators"]]
    if dossier["results"] is not None:
        found += [
            (f"Review: {one['title']}", result(one, dossier["results"]["highest"]), "")
            for one in dossier["results"]["sections"]
        ]
    open_ones = [
        count(dossier["actions_open"], "corrective action"),
        count(dossier["complaints_open"], "complaint"),
    ]
    return [*found, ("Still open", listed(open_ones), "")]


def _indicator(one: Mapping[str, Any]) -> str:
    if one["actual"] is None:
        return "nobody has recorded what it came to"
    said = f"{one['actual']:g} {one['unit'] or ''}".strip()
    if one["reached"] is None:
        return said
    return f"{said}, target {one['target']:g} {'reached' if one['reached'] else 'not reached'}"


def lesson_items(lessons: Iterable[Mapping[str, str]]) -> list[tuple[str, str, str]]:
    """Lessons of other partnerships, as entries of a list."""
    return [("", one["lesson"], one["title"]) for one in lessons]


def outcome_word(name: str) -> str:
    """`scale up`, of a decision."""
    return _spoken(name)


def due_lines(due: Iterable[Mapping[str, str]]) -> list[tuple[str, str, str]]:
    """What falls due, as entries of a list."""
    return [
        (
            day(one["on"]),
            f"{words.MATTERS.get(one['matter'], _spoken(one['matter']))} {one['subject']}".strip(),
            "",
        )
        for one in due
    ]


def lines(sentences: Iterable[str]) -> list[tuple[str, str, str]]:
    """Sentences as entries of a list."""
    return [("", one, "") for one in sentences]


def news(changed: Iterable[Mapping[str, Any]]) -> str:
    """`1 change of stage, 3 documents put`."""
    return ", ".join(count(one["count"], *words.NEWS[one["event"]]) for one in changed) or "nothing"


def document(facts: Mapping[str, Any]) -> str:
    """`agreement, revision 2`."""
    subject = f" on “{event(facts['subject'])}”" if facts["subject"] else ""
    return f"{kind(facts['kind'])}{subject}, revision {facts['revision']}"


@pass_context
def wording(context: Context, question_id: str) -> str:
    """The text of a review question."""
    return str(context["questionnaire"].wording(question_id))


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


def paragraphs(prose: Markup) -> Markup:
    """HTML: each paragraph as an element."""
    parts = (part.strip() for part in escape(prose).split("\n\n"))
    return Markup("\n").join(Markup("<p>{}</p>").format(part) for part in parts if part)


def _spoken(name: str) -> str:
    return name.replace("_", " ")


FILTERS = {
    one.__name__: one
    for one in (
        *(
            person,
            people,
            organisation,
            organisation_or_name,
            organisations,
            when,
            day,
            listed,
            count,
            kind,
            event,
            stage,
            occasion,
        ),
        *(
            email_about,
            role,
            promise,
            outcome,
            happening,
            actor,
            redress_step,
            redress_level,
            redress_past,
            open_actions,
            result_rows,
            result_items,
            ways_on,
            in_brief,
            outcome_word,
            lesson_items,
            due_lines,
            lines,
            news,
            document,
            wording,
            capitalised,
            wrapped,
            paragraphs,
        ),
    )
} | {"shell": shlex.quote}
