"""Emails from notices: both forms say the same, data cannot break out, and there is one thing to do."""

import html as html_module
import re
import shlex
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecycle import stages
from lifecycle.documents.service import SIGNED_BY
from lifecycle.errors import Invalid
from lifecycle.notices import render as render_module
from lifecycle.notices import words
from lifecycle.notices.letter import Letter
from lifecycle.notices.message import Message
from lifecycle.notices.render import TEMPLATES, render
from lifecycle.reviews import questionnaire
from lifecycle.timers import ladders
from tests.notices.letters import FACTS, NOW, PEOPLE, WITH_DUE_TIME, a_letter

EVERY = pytest.mark.parametrize("template", sorted(TEMPLATES))
ZONES = sorted(available_timezones() - {"localtime"})
HOSTILE = st.one_of(
    st.sampled_from(
        [
            "<script>alert(1)</script>",
            '"><a href="https://evil.example">click</a>',
            "Bcc: all@evil.example\r\n\r\nReference: forged",
            "שלום \u202eevil\u202c عالم",
            "👩‍👩‍👧‍👦🏳️‍🌈" * 10,
            "x" * 5000,
            "{{ reader.email }}{% raw %}",
            "\u2028\x00\x0c\x85",
            "\ud800",
        ]
    ),
    st.text(max_size=60),
)


class Page(HTMLParser):
    """The tags, links and visible text of an HTML page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in {"href", "src", "background"}]

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def without_spaces(text: str) -> str:
    return re.sub(r"\s", "", text)


def infected(value: Any, poison: str) -> Any:
    """The same facts with the poison in every string, its ids kept."""
    if isinstance(value, dict):
        return {key: infected(one, poison) for key, one in value.items()}
    if isinstance(value, list):
        return [infected(one, poison) for one in value]
    if isinstance(value, str) and not re.fullmatch(r"[A-Za-z0-9_-]*", value):
        return f"{value} {poison}"
    return value


def a_hostile_letter(template: str, poison: str, zone: str = "Europe/London") -> Letter:
    people = {key: replace(one, name=poison, time_zone=zone) for key, one in PEOPLE.items()}
    letter = a_letter(template, facts=infected(FACTS[template], poison))
    return replace(
        letter,
        reader=people["amira-haddad"],
        coordinator=people["jonas-berg"],
        people=people,
        organisations=dict.fromkeys(letter.organisations, poison),
        partnership=dict(letter.partnership) | {"title": poison},
    )


def test_every_template_has_a_file_and_every_file_a_template() -> None:
    folder = Path(render_module.__file__).with_name("templates")
    files = {path.stem for path in folder.glob("*.jinja")} - {"defaults", "shapes"}
    assert files == set(TEMPLATES) == set(FACTS)


def test_everything_that_can_be_named_has_words() -> None:
    assert set(words.STAGES) == set(stages.STAGES)
    assert set(words.EVENTS) == set(stages.EVENTS)
    assert set(words.KINDS) >= set(SIGNED_BY)


def test_every_notice_of_the_ladders_has_a_template() -> None:
    kept = [value for value in vars(ladders).values() if isinstance(value, dict) and "rungs" in value]
    notices = {rung["notice"] for ladder in kept for rung in ladder["rungs"]} - {""}
    assert len(notices) >= 7
    assert notices <= set(TEMPLATES)


@EVERY
@pytest.mark.parametrize("reader", sorted(PEOPLE))
def test_every_template_renders_for_every_reader_into_a_message_that_can_be_sent(
    template: str, reader: str
) -> None:
    letter = a_letter(template, reader)
    rendered = render(letter)
    Message(
        reference=letter.reference,
        to_name=letter.reader.name,
        to_address=letter.reader.email,
        from_name="Partnership Lifecycle",
        from_address="lifecycle@partnerships.example",
        reply_to=letter.coordinator.email,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        category=letter.template,
    ).as_mime(NOW, "partnerships.example")
    about = "Your partnerships" if template == "portfolio_digest" else "Safe discharge at night"
    assert rendered.subject.startswith(f"[{about}] ")
    for body in (rendered.text, Page(rendered.html).text):
        assert letter.reference in body
        assert f"Dear {letter.reader.name}" in body
        assert "None" not in body
        assert "Undefined" not in body


@EVERY
@settings(max_examples=25)
@given(poison=HOSTILE, zone=st.sampled_from(ZONES))
def test_hostile_data_stays_data(template: str, poison: str, zone: str) -> None:
    rendered = render(a_hostile_letter(template, poison, zone))
    harmless = render(a_hostile_letter(template, "x", zone))
    page = Page(rendered.html)
    assert set(page.tags) == set(Page(harmless.html).tags)
    assert page.attributes == Page(harmless.html).attributes
    assert len(page.links) == 1
    assert not re.search(r"[\r\n\x00-\x1f\u2028\u202e]", rendered.subject)
    assert len(rendered.subject) <= 150
    parts = rendered.text.encode().decode().split("\n\n")
    assert len(parts) == len(harmless.text.split("\n\n")), "no paragraph is forged"
    assert [part[:16] for part in parts if part.startswith("Reference:")] == ["Reference: 4f1d0"]
    assert rendered.html.encode().decode() == rendered.html
    assert "evil.example" not in page.links[0]


@EVERY
@settings(max_examples=10)
@given(poison=HOSTILE)
def test_what_rides_in_an_email_is_told_in_brief_and_stays_data(template: str, poison: str) -> None:
    carrier = a_letter("review_reminder", due_at=NOW + timedelta(days=2))
    rider = a_hostile_letter(template, poison)
    alone, both = render(carrier), render(carrier, [rider, rider])
    command = render(rider).text.rsplit("\n    lifecycle ", 1)[1].strip()
    page = Page(both.html)
    for shown, before in ((both.text, alone.text), (page.text, Page(alone.html).text)):
        told, already = (without_spaces(one).count(without_spaces(command)) for one in (shown, before))
        assert told == already + 2
    assert page.links == Page(alone.html).links, "there is one thing to do, and one button"
    harmless = render(carrier, [a_hostile_letter(template, "x")] * 2)
    assert page.tags == Page(harmless.html).tags
    assert "evil.example" not in page.links[0]
    assert both.subject == alone.subject + " (and 2 more)"
    assert len(both.text.split("\n\n")) == len(alone.text.split("\n\n")) + 1, "no paragraph is forged"


def test_a_long_subject_says_how_many_more_there_are() -> None:
    letter = a_letter("gate_refused")
    title = dict(letter.partnership) | {"title": "Long " * 60}
    subject = render(replace(letter, partnership=title), [a_letter("gate_ready")] * 12).subject
    assert len(subject) <= 150
    assert subject.endswith(" (and 12 more)")


def test_a_rider_without_all_its_facts_is_an_error_and_not_a_blank() -> None:
    with pytest.raises(Invalid, match="The notice gate_ready"):
        render(a_letter("review_reminder"), [a_letter("gate_ready", facts={})])


@pytest.mark.parametrize("template", sorted(one for one in words.FOLDED if one.endswith("_escalated")))
def test_who_hears_of_what_was_left_undone_can_take_charge_of_it(template: str) -> None:
    rendered = render(a_letter(template))
    assert "\n    lifecycle acknowledge night-discharge " in rendered.text
    for body in (without_line_breaks(rendered.text), Page(rendered.html).text):
        assert "Answer “I take care of it”, and further reminders of it stop." in body
    mine = without_line_breaks(render(a_letter(template, "jonas-berg")).text)
    assert "the command at the end stops further reminders" in mine


def test_who_reads_for_somebody_else_is_told_why() -> None:
    away = a_letter("review_opened", owed_to=PEOPLE["ruth-okafor"], away_until=date(2026, 12, 1))
    unreachable = a_letter("review_opened", owed_to=PEOPLE["ruth-okafor"], unreachable=PEOPLE["ruth-okafor"])
    for body in (without_line_breaks(render(away).text), Page(render(away).html).text):
        assert "as deputy of Ruth Okafor (Harbour Clinic) until Tuesday 1 December 2026." in body
    for body in (without_line_breaks(render(unreachable).text), Page(render(unreachable).html).text):
        assert "because emails to Ruth Okafor (Harbour Clinic) do not arrive." in body
    assert "deputy of" not in render(a_letter("review_opened")).text


def test_a_long_title_is_cut_and_not_what_is_asked() -> None:
    letter = a_letter("review_opened")
    subject = render(replace(letter, partnership=dict(letter.partnership) | {"title": "Long " * 60})).subject
    assert len(subject) <= 150
    assert subject.endswith("…] Please answer review round 3, by Friday 27 November 2026")


@EVERY
@settings(max_examples=10)
@given(
    zone=st.sampled_from(ZONES),
    due_at=st.datetimes(datetime(2026, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC)),
)
def test_both_forms_name_the_same_time_in_the_readers_zone(
    template: str, zone: str, due_at: datetime
) -> None:
    letter = a_letter(template, due_at=due_at, written_at=due_at - timedelta(days=3))
    letter = replace(letter, reader=replace(letter.reader, time_zone=zone))
    rendered, local = render(letter), due_at.astimezone(ZoneInfo(zone))
    text, page = without_spaces(rendered.text), without_spaces(Page(rendered.html).text)
    if template in WITH_DUE_TIME:
        assert letter.when(due_at).endswith(f"({zone})")
        for part in (f"{local:%A}", str(local.day), f"{local:%B}", str(local.year), f"{local:%H:%M}"):
            assert part in letter.when(due_at)
        assert without_spaces(letter.when(due_at)) in text
        assert without_spaces(letter.when(due_at)) in page
    assert rendered.subject.endswith(f", by {letter.day(due_at)}")


def test_the_hour_that_a_clock_change_repeats_is_told_apart() -> None:
    letter = a_letter("review_opened")
    first, second = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert letter.when(first) == "Sunday 25 October 2026, 01:30 UTC+0100 (Europe/London)"
    assert letter.when(second) == "Sunday 25 October 2026, 01:30 UTC+0000 (Europe/London)"
    assert letter.when(first - timedelta(hours=1)) == "Sunday 25 October 2026, 00:30 (Europe/London)"
    assert (
        letter.when(datetime(2026, 3, 29, 1, 0, tzinfo=UTC)) == "Sunday 29 March 2026, 02:00 (Europe/London)"
    )


@pytest.mark.parametrize(
    ("zones", "shown"), [(("No/Where", "Asia/Tokyo"), "Asia/Tokyo"), (("", "../x"), "UTC")]
)
def test_a_zone_that_is_not_known_costs_no_email(zones: tuple[str, str], shown: str) -> None:
    letter = a_letter("review_opened", reader="li-wei")
    letter = replace(
        letter,
        reader=replace(letter.reader, time_zone=zones[0]),
        partnership=dict(letter.partnership) | {"time_zone": zones[1]},
    )
    assert f"({shown})" in render(letter).text


def test_a_time_that_is_over_is_not_asked_for() -> None:
    letter = a_letter("review_escalated", written_at=NOW + timedelta(days=30))
    rendered = render(letter)
    assert ", by " not in rendered.subject
    assert "that time is over" in without_line_breaks(rendered.text)


def without_line_breaks(text: str) -> str:
    return " ".join(text.split())


@EVERY
@pytest.mark.parametrize("reader", ["amira-haddad", "jonas-berg"])
def test_there_is_exactly_one_button_and_the_text_says_the_same(template: str, reader: str) -> None:
    letter = a_letter(template, reader)
    rendered = render(letter)
    page = Page(rendered.html)
    assert page.tags.count("a") == len(page.links) == 1
    link = urlsplit(page.links[0])
    prefilled = parse_qs(link.query, strict_parsing=True)
    assert link.scheme == "mailto"
    assert re.fullmatch(r"mailto:[A-Za-z0-9@,.%_~-]+\?[A-Za-z0-9%&=._~-]+", page.links[0]), "all is encoded"
    assert len(page.links[0]) <= 2000
    assert letter.reference in prefilled["subject"][0]
    lines = [line.strip() for line in prefilled["body"][0].split("\r\n")]
    shown = [line.strip() for line in rendered.text.splitlines()]
    assert [line for line in lines if line not in shown] == []
    if reader != letter.coordinator.id:
        assert link.path == letter.coordinator.email
        assert f"{letter.coordinator.name} ({letter.coordinator.email})" in without_line_breaks(rendered.text)


@EVERY
def test_the_button_stays_short_with_many_and_long_ids(template: str) -> None:
    missing = [f"{n:02}-{'c' * 61}" for n in range(30)]
    facts = FACTS[template] | {
        key: value for key, value in {"missing": missing}.items() if key in FACTS[template]
    }
    letter = a_letter(template, facts=facts)
    letter = replace(letter, partnership=dict(letter.partnership) | {"id": "p" * 64})
    assert len(Page(render(letter).html).links[0]) <= 2000


def test_what_the_coordinator_is_told_leads_to_those_whom_it_concerns() -> None:
    rendered = render(a_letter("review_escalated", "jonas-berg"))
    assert urlsplit(Page(rendered.html).links[0]).path == "amira@clinic.example,li@shelter.example"
    answering = render(a_letter("review_opened", "jonas-berg"))
    assert "You look after the record yourself" in without_line_breaks(answering.text)


@EVERY
def test_nothing_is_fetched_from_anywhere(template: str) -> None:
    html = render(a_letter(template)).html
    assert not {"img", "link", "script", "iframe", "object"} & set(Page(html).tags)
    assert not re.search(r"https?:|url\(|@import", html)
    assert len(html.encode()) < 100_000, "mail programs cut longer ones"


@EVERY
def test_plain_text_is_wrapped_except_for_what_is_copied(template: str) -> None:
    copied = re.compile(r"^    (lifecycle |.*sha256 )")
    long = [line for line in render(a_letter(template)).text.splitlines() if len(line) > 76]
    assert [line for line in long if not copied.match(line)] == []


@EVERY
def test_ids_that_no_longer_resolve_are_called_former(template: str) -> None:
    letter = a_letter(template)
    rendered = render(replace(letter, people={}, organisations={}))
    names = {
        key for key in FACTS[template] if key in {"requested_by", "author", "owner", "contact", "missing"}
    }
    if names:
        assert "a former contact" in without_line_breaks(rendered.text.lower())
        assert "a former contact" in Page(rendered.html).text.lower()


@pytest.mark.parametrize(
    ("template", "fact"), [(name, fact) for name, facts in FACTS.items() for fact in facts]
)
def test_a_missing_fact_is_an_error_and_not_a_blank(template: str, fact: str) -> None:
    facts = {key: value for key, value in FACTS[template].items() if key != fact}
    with pytest.raises(Invalid, match=f"The notice {template}"):
        render(a_letter(template, facts=facts))


def test_an_unknown_template_is_an_error() -> None:
    with pytest.raises(Invalid, match="Use one of"):
        render(replace(a_letter("gate_ready"), template="../../etc/passwd"))


@pytest.mark.parametrize("template", sorted(TEMPLATES.keys() - {"portfolio_digest"}))
def test_the_trail_head_goes_out_with_what_is_periodic_and_only_there(template: str) -> None:
    """A digest carries the heads of all that it tells of: tests/partnerships/test_digests.py."""
    letter = a_letter(template)
    rendered = render(letter)
    carries = template in {"review_opened", "review_closed", "stage_changed"}
    for body in (rendered.text, Page(rendered.html).text):
        assert (letter.partnership["audit_hash"] in body) is carries
        assert ("57 entries" in body) is carries


def test_an_invitation_lists_all_questions() -> None:
    rendered = render(a_letter("review_opened"))
    asked = questionnaire.load().questions
    assert [one.id for one in asked] == [f"q{n}" for n in range(1, 15)]
    for one in asked:
        assert one.text in without_line_breaks(rendered.text)
        assert one.text in Page(rendered.html).text


def test_a_request_to_sign_says_what_exactly_and_what_it_replaces() -> None:
    text = without_line_breaks(render(a_letter("signoff_asked")).text)
    assert FACTS["signoff_asked"]["sha256"] in text
    assert "Your sign-off of revision 1 no longer counts" in text
    first = render(a_letter("signoff_asked", facts=FACTS["signoff_asked"] | {"supersedes": None}))
    assert first.subject.endswith("Please sign the agreement, revision 2")
    assert "no longer counts" not in first.text


@pytest.mark.parametrize("template", [name for name, facts in FACTS.items() if "missing" in facts])
def test_a_partner_without_reachable_contacts_is_named_as_such(template: str) -> None:
    text = without_line_breaks(
        render(a_letter(template, facts=FACTS[template] | {"missing": []})).text
    ).lower()
    assert "a partner whose contacts cannot be reached" in text


def test_one_action_can_be_asked_for_without_a_list() -> None:
    facts = {"number": 7, "round": 3, "question": "q8", "asked_by": "north-shelter"}
    assert "Please plan 1 corrective action" in render(a_letter("action_asked", facts=facts)).subject


@EVERY
def test_the_command_shown_is_one_that_the_command_line_takes(template: str) -> None:
    typer_main = pytest.importorskip("typer.main")
    app = pytest.importorskip("lifecycle.cli.app").app
    facts = FACTS[template] | ({"subject": "decline"} if "subject" in FACTS[template] else {})
    text = render(a_letter(template, facts=facts)).text
    arguments = shlex.split(text.rsplit("\n    lifecycle ", 1)[1])
    command = typer_main.get_command(app)
    while hasattr(command, "commands"):
        command = command.commands[arguments.pop(0)]
    command.make_context("lifecycle", arguments)


def test_both_forms_ask_the_same() -> None:
    for template in TEMPLATES:
        rendered = render(a_letter(template))
        heading = re.search(r"<h1[^>]*>(.*?)</h1>", rendered.html, re.S)
        assert heading is not None
        spoken = html_module.unescape(re.sub(r"<[^>]+>", "", heading[1]))
        assert without_line_breaks(rendered.text).startswith(spoken)
