"""Filters that make lists: what an email tells entry by entry, in the reader's language.

An entry is (head, body, note), each of which may be empty; a row is a name and what it stands for.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context

from lifecycle.languages import Language
from lifecycle.notices import words
from lifecycle.notices.phrases import (
    actor,
    capitalised,
    day,
    event,
    language_of,
    organisation,
    organisations,
    person,
    quoted,
    redress_step,
    spoken,
    wording,
)

AGREE = 0.5
"""Partners whose means lie closer than this say the same."""

LEAST_CHANGE = 0.05
"""What rounds to nothing has not moved."""

Item = tuple[str, str, str]


@pass_context
def lines(context: Context, sentences: Iterable[str]) -> list[Item]:
    """Sentences of the domain."""
    return [("", language_of(context).sentence(one), "") for one in sentences]


@pass_context
def question_items(context: Context, actions: Iterable[Mapping[str, Any]]) -> list[Item]:
    """The questions that ask for a corrective action."""
    head = language_of(context).gettext("Action %(number)s")
    return [(head % {"number": one["number"]}, wording(context, one["question"]), "") for one in actions]


@pass_context
def finding_items(context: Context, findings: Iterable[Mapping[str, Any]]) -> list[Item]:
    """What a gate asks for, what to do, and the guide's question behind it."""
    say = language_of(context)
    behind = say.gettext("The question behind it: %(question)s")
    return [
        (
            f"{one['code']} {say.sentence(one['name'])}",
            say.sentence(one["to_do"]),
            behind % {"question": say.sentence(one["question"])} if one["question"] else "",
        )
        for one in findings
    ]


@pass_context
def advice_items(context: Context, advisories: Iterable[Mapping[str, Any]]) -> list[Item]:
    """What a gate advises."""
    say = language_of(context).sentence
    return [(f"{one['code']} {say(one['name'])}", say(one["to_do"]), "") for one in advisories]


@pass_context
def waived_items(context: Context, waived: Iterable[Mapping[str, Any]]) -> list[Item]:
    """What was waived, by whom and why."""
    say = language_of(context)
    said = say.gettext("Waived by %(partners)s, because: %(reasons)s")
    return [
        (
            f"{one['code']} {say.sentence(one['name'])}",
            said
            % {"partners": organisations(context, one["waived_by"]), "reasons": say.listed(one["reasons"])},
            "",
        )
        for one in waived
    ]


@pass_context
def redress_past(context: Context, past: Iterable[Mapping[str, Any]]) -> list[Item]:
    """The steps of a complaint: date, who did what, in which words."""
    return [
        (
            day(context, one["on"]),
            capitalised(f"{actor(context, one['by'])}: {redress_step(context, one['kind'])}"),
            quoted(context, one["said"] or "", one["by"]),
        )
        for one in past
    ]


@pass_context
def open_actions(context: Context, actions: Iterable[Mapping[str, Any]]) -> list[Item]:
    """Corrective actions that nobody has verified yet."""
    say = language_of(context)
    head = say.gettext("Action %(number)s, asked for in round %(round)s")
    return [
        (
            head % {"number": one["number"], "round": one["round"]},
            one["what"] or say.gettext("not planned yet"),
            person(context, one["owner"]) if one["owner"] else "",
        )
        for one in actions
    ]


@pass_context
def result_rows(context: Context, results: Mapping[str, Any], part: str) -> list[list[str]]:
    """The scores of a part (`sections`) as named rows."""
    say = language_of(context)
    return [[say.gettext(one["title"]), result(say, one, results["highest"])] for one in results[part]]


@pass_context
def result_items(context: Context, results: Mapping[str, Any]) -> list[Item]:
    """The scores of all questions."""
    say = language_of(context)
    return [
        (say.gettext(one["title"]), result(say, one, results["highest"]), "") for one in results["questions"]
    ]


def result(say: Language, score: Mapping[str, Any], highest: int) -> str:
    """`3.8 of 5, partners differ by 1.2, +0.4 since the last round, 1 cannot say`."""
    if score["mean"] is None:
        return say.gettext("too few answers")
    mean = say.number(score["mean"], "0.0")
    parts = [say.gettext("%(mean)s of %(highest)s") % {"mean": mean, "highest": highest}]
    if score["spread"] is not None:
        parts.append(_agreement(say, score["spread"]))
    if score["change"] is not None:
        parts.append(_movement(say, score["change"]))
    if score["cannot_say"]:
        unsure = say.ngettext("%(n)s cannot say", "%(n)s cannot say", score["cannot_say"])
        parts.append(unsure % {"n": score["cannot_say"]})
    return ", ".join(parts)


def _agreement(say: Language, spread: float) -> str:
    if spread < AGREE:
        return say.gettext("partners agree")
    return say.gettext("partners differ by %(points)s") % {"points": say.number(spread, "0.0")}


def _movement(say: Language, change: float) -> str:
    if abs(change) < LEAST_CHANGE:
        return say.gettext("as in the last round")
    return say.gettext("%(change)s since the last round") % {"change": say.number(change, "+0.0;-0.0")}


@pass_context
def ways_on(context: Context, gates: Iterable[Mapping[str, Any]]) -> list[Item]:
    """What each way on still needs."""
    say = language_of(context)
    missing, nothing = say.gettext("still missing: %(what)s"), say.gettext("nothing, its gate is open")
    return [
        (
            capitalised(event(context, one["event"])),
            nothing if one["open"] else missing % {"what": say.listed(map(say.sentence, one["blocking"]))},
            "",
        )
        for one in gates
    ]


@pass_context
def in_brief(context: Context, dossier: Mapping[str, Any]) -> list[Item]:
    """An evaluation dossier's summary (`evaluation.dossier.summary`)."""
    say = language_of(context)
    found = [_kept(context, one) for one in dossier["promises"] if one["rate"] is not None]
    found += [(one["title"], _indicator(say, one), "") for one in dossier["indicators"]]
    if dossier["results"] is not None:
        head, highest = say.gettext("Review: %(section)s"), dossier["results"]["highest"]
        found += [
            (head % {"section": say.gettext(one["title"])}, result(say, one, highest), "")
            for one in dossier["results"]["sections"]
        ]
    actions, complaints = dossier["actions_open"], dossier["complaints_open"]
    open_ones = [
        say.ngettext("%(n)s corrective action", "%(n)s corrective actions", actions) % {"n": actions},
        say.ngettext("%(n)s complaint", "%(n)s complaints", complaints) % {"n": complaints},
    ]
    return [*found, (say.gettext("Still open"), say.listed(open_ones), "")]


def _kept(context: Context, one: Mapping[str, Any]) -> Item:
    say = language_of(context)
    between = {"obligor": organisation(context, one["from"]), "obligee": organisation(context, one["to"])}
    said = say.ngettext(
        "%(rate)s kept, of %(n)s promise that was settled",
        "%(rate)s kept, of %(n)s promises that were settled",
        one["settled"],
    )
    return (
        say.gettext("Promises of %(obligor)s to %(obligee)s") % between,
        said % {"rate": say.percent(one["rate"]), "n": one["settled"]},
        "",
    )


def _indicator(say: Language, one: Mapping[str, Any]) -> str:
    if one["actual"] is None:
        return say.gettext("nobody has recorded what it came to")
    actual = f"{_exact(say, one['actual'])} {one['unit'] or ''}".strip()
    if one["reached"] is None:
        return actual
    reached, not_reached = (
        say.gettext("%(actual)s, target %(target)s reached"),
        say.gettext("%(actual)s, target %(target)s not reached"),
    )
    return (reached if one["reached"] else not_reached) % {
        "actual": actual,
        "target": _exact(say, one["target"]),
    }


def _exact(say: Language, value: float) -> str:
    return say.number(value, "#,##0.######")


def lesson_items(lessons: Iterable[Mapping[str, str]]) -> list[Item]:
    """Lessons of other partnerships."""
    return [("", one["lesson"], one["title"]) for one in lessons]


@pass_context
def due_lines(context: Context, due: Iterable[Mapping[str, str]]) -> list[Item]:
    """What falls due."""
    say = language_of(context).gettext
    return [
        (
            day(context, one["on"]),
            f"{say(words.MATTERS.get(one['matter'], spoken(one['matter'])))} {one['subject']}".strip(),
            "",
        )
        for one in due
    ]


@pass_context
def news(context: Context, changed: Iterable[Mapping[str, Any]]) -> str:
    """`1 change of stage, 3 documents put`."""
    say = language_of(context)
    told = ", ".join(_happened(say, one["event"], one["count"]) for one in changed)
    return told or say.gettext("nothing")


def _happened(say: Language, event_name: str, count: int) -> str:
    one, several = words.NEWS[event_name]
    return f"{count} {say.gettext(one if count == 1 else several)}"
