"""Emails come in their reader's language: nothing that we say escapes gettext, and nothing that people said enters it."""

import html as html_module
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, tzinfo
from typing import Any

import pytest

from lifecycle import catalogue, languages
from lifecycle.languages import LANGUAGES, Language
from lifecycle.notices import words
from lifecycle.notices.entry import METHODS, entry_of
from lifecycle.notices.letter import Letter
from lifecycle.notices.render import TEMPLATES, render
from lifecycle.reviews import questionnaire
from tests.notices.letters import DUE, FACTS, NOW, OFFER, PEOPLE, a_letter
from tests.notices.test_links import linked
from tests.notices.test_render import Page, a_hostile_letter, without_line_breaks

EVERY = pytest.mark.parametrize("template", sorted(TEMPLATES))


def spanish(letter: Letter) -> Letter:
    """The letter to a reader who prefers Spanish."""
    return replace(letter, reader=replace(letter.reader, language="es"))


@EVERY
@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_every_email_is_written_in_every_language_in_both_forms(template: str, language: str) -> None:
    for reader in ("amira-haddad", "jonas-berg"):
        for letter in (a_letter(template, reader), linked(template, reader)):
            rendered = render(replace(letter, reader=replace(letter.reader, language=language)))
            assert f'<html lang="{language}">' in rendered.html
            greeting = {"en": "Dear Amira Haddad,", "es": "Hola, Amira Haddad:"}[language]
            if reader == "amira-haddad":
                assert greeting in rendered.text
                assert greeting in Page(rendered.html).text.replace(" ,", ",").replace(" :", ":")
            assert "%(" not in rendered.subject + rendered.text + rendered.html


# Nothing escapes gettext: what goes through it is put in brackets, and then nothing of ours is left outside them.


@dataclass(frozen=True)
class Marking(Language):
    """A language in which everything of ours stands in ⟦brackets⟧."""

    def gettext(self, message: str) -> str:
        return _marked(message)

    def ngettext(self, singular: str, plural: str, number: int) -> str:
        return _marked(singular if number == 1 else plural)

    def sentence(self, english: str) -> str:
        return f"⟦{english}⟧"

    def day(self, value: date) -> str:
        return f"⟦{Language('en').day(value)}⟧"

    def when(self, instant: datetime, zone: tzinfo) -> str:
        return f"⟦{Language('en').when(instant, zone)}⟧"


def _marked(message: str) -> str:
    """Only what stands between the gaps: what fills them has to come through gettext by itself."""
    parts = re.split(r"(%\(\w+\)s)", message)
    return "".join(part if index % 2 or not part.strip() else f"⟦{part}⟧" for index, part in enumerate(parts))


SAID_BY_THE_ENGINE = frozenset(
    [
        "to_do",
        "question",
        "missed",
        "waiting",
        "blocking",
        "detail",
        "event",
        "outcome",
        "kind",
        "matter",
        "stage",
        "source",
        "target",
        "occasion",
        "on_silence",
        "decided",
        "settlement",
        "failed_template",
        "role",
        "digest",
    ]
)


def told_by_people(value: Any) -> Iterator[str]:
    """The strings of facts that are theirs: names, free text, ids; not what the domain says or calls by a name."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from told_by_people(one)
    elif isinstance(value, dict):
        of_ours = SAID_BY_THE_ENGINE | ({"name"} & value.keys() if "code" in value else set())
        of_ours |= {"title"} if "mean" in value else set()
        for name, one in value.items():
            if name not in of_ours:
                yield from told_by_people(one)


def left_outside(form: str, letter: Letter) -> str:
    """What a form says outside brackets, without data, addresses, commands and names of techniques."""
    form = re.sub(r"<style>.*?</style>|<code[^>]*>.*?</code>", " ", form, flags=re.DOTALL)
    form = re.sub(r"(?m)^    lifecycle .*$", " ", form)
    form = html_module.unescape(re.sub(r"<[^>]+>", " ", form))
    form = " ".join(re.sub(r"https?://\S+", " ", form).split())
    form = re.sub(r"⟦[^⟧]*(⟧|…|$)", " ", form, flags=re.IGNORECASE)
    data = [*told_by_people(dict(letter.facts)), *letter.organisations, *letter.organisations.values()]
    data += [text for one in PEOPLE.values() for text in (one.id, one.name, one.email)]
    data += [letter.reference, *map(str, letter.partnership.values())]
    for one in sorted(set(data) - set(words.OUTCOMES), key=len, reverse=True):
        form = re.sub(rf"(?i)(?<!\w){re.escape(' '.join(one.split()))}(?!\w)", " ", form)
    form = re.sub(r"lifecycle (show|list)|sha256|\b[0-9a-f]{64}\b", " ", form)
    return " ".join(re.findall(r"[^\W\d_]{2,}", form))


VARIANTS: dict[str, list[dict[str, Any]]] = {
    "action_reminder": [{"owner": "jonas-berg"}],
    "complaint_escalated": [{"last": True}],
    "complaint_moved": [{"event": "exhaust", "said": OFFER | {"note": "A note."}}, {"event": "answer"}],
    "complaint_proposal": [
        {"event": "agree", "said": OFFER | {"settlement": "explained", "reason": "Talked."}},
        {"said": OFFER | {"settlement": "dismissed", "until": "2026-12-01", "obligation": "beds"}},
    ],
    "complaint_warning": [{"discussed": False}, {"last": True}],
    "contact_undeliverable": [{"failed_template": "", "detail": ""}],
    "decision_asked": [{"reason": "", "standard": ""}],
    "exit_task_asked": [{"giver": None}, {"taker": None}, {"giver": None, "taker": None}],
    "exit_task_reminder": [{"giver": None}, {"taker": None}, {"giver": None, "taker": None}],
    "exit_task_escalated": [{"giver": None}, {"taker": None}, {"giver": None, "taker": None}],
    "gate_refused": [{"requested_by": "engine"}, {"requested_by": "jonas-berg"}],
    "outcome_escalated": [{"decided": None}, {"unsigned": []}],
    "outcome_reminder": [{"decided": None}],
    "performance_answered": [{"event": "accept_by_silence", "by": "engine", "reason": ""}],
    "performance_overdue": [{"obligor": "north-shelter"}],
    "report_received": [{"on_silence": "disputed", "note": "", "evidence": "", "standard": ""}],
    "review_closed": [{"negative": 0}, {"quorate": False, "negative": 0, "results": None}],
    "review_opened": [{"respondents": 1, "occasion": "half_time"}],
    "signoff_asked": [{"supersedes": None, "kind": "decision_record", "subject": "decline"}],
    "stage_changed": [{"target": stage, "requested_by": "engine"} for stage in words.STAGES],
}
"""Facts with which a template says something else."""


def letters_of(template: str) -> Iterator[Letter]:
    """A template in all that it can say."""
    for facts in ({}, *VARIANTS.get(template, [])):
        letter = a_letter(template, facts=FACTS[template] | facts)
        yield letter
        yield a_letter(template, "jonas-berg", facts=FACTS[template] | facts)
        yield linked(template, facts=FACTS[template] | facts)
        yield linked(template, "jonas-berg", facts=FACTS[template] | facts)
        yield replace(letter, due_at=DUE, written_at=NOW.replace(year=2027))
        yield replace(letter, people={}, organisations={}, reader=replace(letter.reader, name=""))
    away = date(2026, 11, 20)
    yield replace(letter, owed_to=PEOPLE["li-wei"], away_until=away)
    yield replace(letter, owed_to=PEOPLE["li-wei"], away_until=away, unreachable=PEOPLE["ruth-okafor"])
    if not template.startswith("review_"):
        yield replace(letter, due_at=None)


@EVERY
def test_nothing_that_we_say_escapes_gettext(template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    marking = Marking("en")
    monkeypatch.setattr(languages, "of", lambda code, first="": marking)
    for letter in letters_of(template):
        rider = a_letter("report_reminder")
        rendered = render(letter, [rider])
        subject = "" if "…" in rendered.subject else rendered.subject
        for form in (subject, rendered.text, rendered.html):
            mixed = replace(letter, facts=dict(rider.facts) | dict(letter.facts))
            assert left_outside(form, mixed) == ""


def test_the_proof_notices_what_escapes() -> None:
    letter = a_letter("gate_ready")
    assert left_outside("⟦Everything is ready⟧ Please hurry", letter) == "Please hurry"
    assert left_outside("⟦Everything⟧ Amira Haddad\n    lifecycle show night-discharge", letter) == ""


# The catalogue


def test_the_spanish_catalogue_of_emails_is_complete_and_keeps_every_gap() -> None:
    assert [fault for fault in catalogue.faults() if fault.startswith(("es/emails", "emails."))] == []


@pytest.mark.parametrize("language", sorted(LANGUAGES.keys() - {"en"}))
@EVERY
def test_no_english_sentence_is_left(template: str, language: str) -> None:
    english = {one for one in catalogue.messages("emails") if isinstance(one, str)}
    said = {one for one in english if "%(" not in one and len(one) > 12 and one[0].isupper()}
    for letter in letters_of(template):
        rendered = render(replace(letter, reader=replace(letter.reader, language=language)))
        text = without_line_breaks(rendered.text)
        assert [one for one in said if one in text or one.upper() in text] == []


# Times, numbers, and what is not ours


def test_times_and_numbers_are_the_languages_own() -> None:
    text = without_line_breaks(render(spanish(a_letter("outcome_asked"))).text)
    assert "viernes, 27 de noviembre de 2026, 17:00 (Europe/London)" in text
    assert "4,2 de 5" in text
    assert "18,5 people, meta de 20 no alcanzada" in text
    assert re.search(r"92\s?% cumplidos, de 20 compromisos", text)
    assert "hasta el viernes, 27 de noviembre de 2026" in render(spanish(a_letter("outcome_asked"))).subject


def test_what_people_said_is_never_translated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(languages, "of", lambda code, first="": Marking("en"))
    said = {"reason": "The time of level 1 is over."}
    theirs = FACTS["complaint_escalated"] | {"by": "jonas-berg", "said": OFFER | said}
    engines = FACTS["complaint_escalated"] | {"by": "engine", "said": OFFER | said}
    assert "⟦The time of level" not in render(a_letter("complaint_escalated", facts=theirs)).text
    assert "⟦The time of level" in render(a_letter("complaint_escalated", facts=engines)).text


def test_a_question_of_the_agreements_own_stays_as_it_was_agreed() -> None:
    own = {"id": "own-1", "section": "Beds", "text": "Is 100% of the linen clean?", "short": "Linen"}
    facts = FACTS["review_opened"] | {
        "questionnaire": {"id": questionnaire.DEFAULT, "version": 1, "own": [own]}
    }
    rendered = render(spanish(a_letter("review_opened", facts=facts)))
    assert "Is 100% of the linen clean?" in without_line_breaks(rendered.text)
    assert "Is 100% of the linen clean?" in rendered.html


def test_a_percent_sign_in_data_breaks_nothing() -> None:
    facts = FACTS["report_received"] | {"act": "Sends 100 %(act)s %s % of them."}
    for form in (
        render(a_letter("report_received", facts=facts)).text,
        render(a_letter("report_received", facts=facts)).html,
    ):
        assert "100 %(act)s %s % of them." in without_line_breaks(form)


@pytest.mark.parametrize("template", sorted(METHODS))
def test_a_calendar_entry_speaks_the_readers_language(template: str) -> None:
    found = entry_of(spanish(linked(template)), "partnerships.example")
    assert found is not None
    text = found.ics.replace("\r\n ", "")
    assert "SUMMARY:Ronda de revisión 3 de Safe discharge at night: última hora para responder" in text
    assert "Responda desde el correo de Jonas Berg." in text
    assert "-//partnership-lifecycle//reviews//ES" in text
    assert "https://" not in text, "calendars are shared"


@EVERY
def test_hostile_data_stays_data_beside_links_and_in_every_language(template: str) -> None:
    poison = '"><script>%(x)s</script>{{ reader.email }}'
    letter = a_hostile_letter(template, poison)
    letter = replace(spanish(letter), links=linked(template).links, pages=linked(template).pages)
    page, harmless = Page(render(letter).html), Page(render(spanish(linked(template))).html)
    assert "script" not in page.tags
    assert set(page.tags) <= set(harmless.tags) | {"h2", "div", "br", "span", "strong"}
    assert [one for one in page.links if not one.startswith("mailto:")] == [
        one for one in harmless.links if not one.startswith("mailto:")
    ]
