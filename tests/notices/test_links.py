"""Emails open what they ask for by a link that is their reader's own; without a secret they are as before."""

import email
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email import policy
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import Invalid
from lifecycle.notices.letter import Letter
from lifecycle.notices.message import Message
from lifecycle.notices.models import notice
from lifecycle.notices.owed import Owed
from lifecycle.notices.render import TEMPLATES, Rendered, render
from lifecycle.notices.transports import in_short
from lifecycle.notices.transports.sendgrid import request_body
from lifecycle.notices.words import UNSUBSCRIBABLE
from lifecycle.partnerships import changes, doors
from lifecycle.partnerships.absences import set_absence
from lifecycle.partnerships.correspondence import letter_of, send_notices, write_message
from tests.builders import registered
from tests.notices.letters import FACTS, a_letter
from tests.notices.test_render import Page, without_line_breaks

SITE = "https://partnerships.example"
SIGNING = Settings(_env_file=None, secret_key=SecretStr("s" * 40), public_url=SITE)
ADDRESS = re.compile(rf"{SITE}/([a-z-]+)/([\w.-]+)")
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = datetime(2026, 3, 20, 17, tzinfo=UTC)
EVERY = pytest.mark.parametrize("template", sorted(TEMPLATES))
ACT = f"{SITE}/review/act-token"
LINKS = {"act": ACT} | {
    name: f"{SITE}/{name.replace('_', '-')}/{name}-token" for name in ("hand_over", "preferences", "complain")
}
PAGE = f"{SITE}/partnerships/night-discharge"


def linked(template: str, reader: str = "amira-haddad", **more: Any) -> Letter:
    """A letter whose button opens a door."""
    return a_letter(template, reader, links=LINKS, pages={"night-discharge": PAGE}, **more)


def owed(database: Database, template: str, contact: str = "city-primary", **facts: Any) -> None:
    """Owe a contact of the harbour partnership an email of a template."""
    given = FACTS[template] | facts
    with database.write() as connection:
        change = changes.begin(connection, "harbour", NOW)
        change.owe([Owed(contact, template, f"test/{template}", given, DUE)])
        changes.write(connection, change)


def written(database: Database, template: str, settings: Settings = SIGNING) -> tuple[Letter, Message]:
    """The letter and the email of the notice of a template."""
    with database.read() as connection:
        row = connection.execute(select(notice).where(notice.c.template == template)).one()
        letter = letter_of(connection, row, settings, NOW)
    return letter, write_message(letter, [], settings)


def entered(database: Database, address: str, now: datetime = NOW) -> doors.Door:
    """What a link opens."""
    match = ADDRESS.fullmatch(address)
    assert match is not None, address
    assert match[1] in doors.PURPOSES
    with database.read() as connection:
        return doors.enter(connection, SIGNING, match[1], match[2], now)


def addresses(message: Message) -> list[str]:
    """The links of the HTML form, the mailto aside."""
    return [one for one in Page(message.html).links if not one.startswith("mailto:")]


def test_each_link_of_every_email_opens_what_it_says_for_its_reader(
    database: Database, now: datetime
) -> None:
    registered(database, now, stage="maintaining")
    for template in TEMPLATES:
        owed(database, template)
        letter, message = written(database, template)
        expected = doors.OPENED_BY.get(template)
        if expected is None:
            page = "" if template == "portfolio_digest" else "partnerships/harbour"
            assert letter.links["act"] == f"{SITE}/{page}"
        else:
            door = entered(database, letter.links["act"])
            assert (door.purpose, door.subject) == (expected[0], expected[1](letter.facts))
            assert door.expires_at >= DUE + timedelta(days=90)
        for name in ("hand_over", "preferences", "complain"):
            door = entered(database, letter.links[name])
            assert (door.purpose, door.contact_id) == (name.replace("_", "-"), "city-primary")
        said = [letter.links["act"], letter.links["hand_over"], letter.links["preferences"]]
        said += [] if template == "portfolio_digest" else [letter.links["complain"]]
        assert set(addresses(message)) >= set(said)
        for address in said:
            assert message.text.count(f": {address}\n") == 1, "a line of its own, and never wrapped"


def test_without_a_secret_there_is_no_link(database: Database, now: datetime) -> None:
    registered(database, now, stage="maintaining")
    for template in TEMPLATES:
        owed(database, template)
        letter, message = written(database, template, Settings(_env_file=None, public_url=SITE))
        assert (letter.links, letter.pages, message.headers) == ({}, {}, {})
        assert SITE not in message.text + message.html


@EVERY
@pytest.mark.parametrize("reader", ["amira-haddad", "jonas-berg"])
def test_the_button_opens_the_link_and_an_email_stays_the_second_way(template: str, reader: str) -> None:
    rendered = render(linked(template, reader))
    button = re.search(r'<td class="button"[^>]*>\s*<a href="([^"]+)"', rendered.html)
    assert button is not None
    assert button[1] == ACT
    (mailto,) = [one for one in Page(rendered.html).links if one.startswith("mailto:")]
    assert mailto == Page(render(a_letter(template, reader)).html).links[0]
    before = rendered.text.split("WHY")[0]
    assert f"\nOpen: {ACT}\n" in before


def test_the_button_says_so_when_it_opens_a_page_that_asks_to_sign_in() -> None:
    letter = a_letter("stage_changed", links=LINKS | {"act": PAGE}, pages={"night-discharge": PAGE})
    rendered = render(letter)
    text = without_line_breaks(rendered.text)
    assert ">Open the partnership</a>" in rendered.html
    assert "The page opens once you have signed in with your email address." in text
    assert "Open the link above" not in text
    assert "This link is yours alone" not in text


def test_whose_the_link_is_and_how_long_it_is_good_is_said() -> None:
    due = without_line_breaks(render(linked("review_opened")).text)
    assert "yours alone, and good until 90 days after the due date. To have somebody else do it" in due
    assert "good for 90 days." in without_line_breaks(render(linked("report_received")).text)
    assert "Forward this email" not in due


@EVERY
def test_the_command_is_for_the_coordinator_where_links_do_the_same(template: str) -> None:
    others, mine = render(linked(template)), render(linked(template, "jonas-berg"))
    assert "For whoever keeps the record" not in others.text + others.html
    assert "For whoever keeps the record" in mine.text
    assert "For whoever keeps the record" in mine.html


@EVERY
def test_what_rides_in_an_email_has_a_link_of_its_own(template: str) -> None:
    rider = replace(linked(template), links=LINKS | {"act": f"{SITE}/report/other"})
    rendered = render(linked("review_reminder"), [rider])
    assert f"\n    Open: {SITE}/report/other\n" in rendered.text
    assert Page(rendered.html).links.count(f"{SITE}/report/other") == 1
    assert "lifecycle " not in rendered.text.split("ALSO WAITING FOR YOU")[1]


@pytest.mark.parametrize("stage", ["need_definition", "setting_up", "maintaining", "suspended", "closed"])
def test_complaining_is_offered_while_an_agreement_is_in_force(stage: str) -> None:
    letter = linked("gate_refused")
    rendered = render(replace(letter, partnership=dict(letter.partnership) | {"stage": stage}))
    for form in (rendered.text, rendered.html):
        assert (LINKS["complain"] in form) is (stage in {"maintaining", "suspended"})


def test_each_partnership_of_a_digest_has_its_page(database: Database, now: datetime) -> None:
    registered(database, now, stage="maintaining")
    owed(database, "portfolio_digest", "clinic-primary")
    _, message = written(database, "portfolio_digest")
    assert f"{SITE}/partnerships/night-discharge" in addresses(message)
    assert f"\nOpen: {SITE}/partnerships/night-discharge\n" in message.text
    assert ">Open your partnerships</a>" in message.html


@EVERY
def test_one_click_unsubscribes_from_what_can_be_done_without_and_nothing_else(template: str) -> None:
    message = write_message(linked(template), [], SIGNING)
    if template not in UNSUBSCRIBABLE:
        assert message.headers == {}
        return
    address = f"<{LINKS['preferences']}/unsubscribe>"
    one_click = {"List-Unsubscribe": address, "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    assert message.headers == one_click
    mime = email.message_from_bytes(message.as_mime(NOW, "a.example").as_bytes(), policy=policy.default)
    assert mime["List-Unsubscribe"] == address
    assert request_body(message)["headers"] == {"Auto-Submitted": "auto-generated", **one_click}


def test_the_digest_alone_can_be_unsubscribed_from() -> None:
    assert {"portfolio_digest"} == UNSUBSCRIBABLE


@EVERY
def test_the_provider_rewrites_and_follows_no_link(template: str) -> None:
    tracking = request_body(a_message(render(linked(template))))["tracking_settings"]
    assert tracking == {
        "click_tracking": {"enable": False, "enable_text": False},
        "open_tracking": {"enable": False},
    }


def a_message(rendered: Rendered) -> Message:
    """An email of what was rendered."""
    return Message(
        reference="r",
        to_name="",
        to_address="amira@clinic.example",
        from_name="",
        from_address="lifecycle@partnerships.example",
        reply_to=None,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        category="test",
    )


@EVERY
def test_links_survive_the_way_through_mail_servers(template: str) -> None:
    long = {name: f"{address}{'x' * 400}" for name, address in LINKS.items()}
    letter = replace(linked(template), links=long)
    raw = a_message(render(letter)).as_mime(NOW, "a.example").as_bytes()
    assert max(map(len, raw.splitlines())) <= 998
    read = email.message_from_bytes(raw, policy=policy.default)
    for kind in ("plain", "html"):
        body = read.get_body((kind,))
        assert body is not None
        assert long["act"] in body.get_content()


def test_whoever_reads_for_somebody_else_gets_a_link_in_their_own_name(
    database: Database, now: datetime
) -> None:
    registered(database, now, stage="maintaining")
    set_absence(database, "harbour", "city-primary", "city-deputy", date(2026, 4, 1), "city-primary", now)
    owed(database, "review_opened")
    letter, _ = written(database, "review_opened")
    assert entered(database, letter.links["act"]).contact_id == "city-deputy"


def test_a_link_shows_in_no_log() -> None:
    letter = linked("review_opened")
    rendered = render(letter)
    shown = f"{letter!r} {rendered!r} {a_message(rendered)!r}"
    assert "token" not in shown
    refused = in_short(f"550 content refused: <{LINKS['act']}> and {LINKS['complain']}, see rules")
    assert "token" not in refused
    assert refused.startswith(f"550 content refused: <{SITE}/[link]> and")


def test_a_fact_that_a_link_lacks_stops_its_own_email_alone(database: Database, now: datetime) -> None:
    registered(database, now, stage="maintaining")
    with database.write() as connection:
        change = changes.begin(connection, "harbour", NOW)
        change.owe([Owed("city-primary", "review_moved", "test/1", {"occasion": "schedule"}, DUE)])
        changes.write(connection, change)
    with pytest.raises(Invalid, match="The notice review_moved"):
        written(database, "review_moved")


def test_what_leaves_carries_the_links(database: Database, now: datetime, tmp_path: Path) -> None:
    registered(database, now, stage="maintaining")
    owed(database, "review_opened")
    owed(database, "review_reminder")
    owed(database, "report_reminder")
    send_notices(database, SIGNING.model_copy(update={"mailbox": tmp_path}), NOW + timedelta(minutes=1))
    sent = [
        email.message_from_bytes(one.read_bytes(), policy=policy.default) for one in tmp_path.glob("*.eml")
    ]
    purposes = []
    for one in sent:
        body = one.get_body(("plain",))
        assert body is not None
        for match in re.finditer(rf"Open: ({SITE}/\S+)", body.get_content()):
            purposes.append(entered(database, match[1]).purpose)
    assert sorted(purposes) == ["report", "review", "review"]
