"""A message is safe before any transport sees it."""

import email
import email.policy
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.utils import parseaddr

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.errors import Invalid
from lifecycle.notices.message import Message, one_line, parse_mailbox

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
HEADERS = ["Subject", "From", "To", "Date", "Message-ID", "Auto-Submitted", "MIME-Version", "Content-Type"]


def message(**changes):
    parts = {
        "reference": "notice-17",
        "to_name": "Amira Haddad",
        "to_address": "amira@harbour-clinic.example",
        "from_name": "Partnership Lifecycle",
        "from_address": "lifecycle@partnerships.example",
        "reply_to": None,
        "subject": "Your review is due",
        "text": "Please answer.\n",
        "html": "<p>Please answer.</p>\n",
        "category": "review_request",
    }
    return Message(**(parts | changes))


def parsed(raw: bytes):
    return email.message_from_bytes(raw, policy=email.policy.default)


def name_shown(raw: bytes, header: str) -> str:
    """Decode as RFC 2047 says; email.policy of Python 3.11 leaves a space between two encoded words."""
    unfolded = email.message_from_bytes(raw)[header].replace("\r\n", "")
    return str(make_header(decode_header(parseaddr(unfolded)[0])))


def rules_broken(**changes):
    with pytest.raises(Invalid) as caught:
        message(**changes)
    return {(fault.pointer, fault.rule) for fault in caught.value.faults}


@pytest.mark.parametrize("field", ["subject", "to_name", "from_name"])
@pytest.mark.parametrize(
    "breaking", ["\r\nBcc: spy@evil.example", "\n", "\r", "\0", "\x0b", "\x85", "\u2028", "\ud800"]
)
def test_a_line_break_in_a_header_field_is_refused(field, breaking):
    assert (f"/{field}", "one-line") in rules_broken(**{field: f"Hello{breaking}"})


@pytest.mark.parametrize("field", ["to_address", "from_address", "reply_to"])
@pytest.mark.parametrize(
    "address",
    [
        "",
        "nobody",
        "a@localhost",
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example, c@d.example",
        "ä@b.example",
    ],
)
def test_an_address_that_cannot_be_one_is_refused(field, address):
    assert (f"/{field}", "address") in rules_broken(**{field: address})


@pytest.mark.parametrize(
    ("headers", "rule"),
    [
        ({"X-A\r\nBcc": "x"}, "header-name"),
        ({"bcc": "spy@evil.example"}, "header-name"),
        ({"Message-Id": "<1@2>"}, "header-name"),
        ({"X-A": "one\r\nBcc: spy@evil.example"}, "header-value"),
        ({"X-A": "é"}, "header-value"),
    ],
)
def test_an_extra_header_cannot_smuggle_another(headers, rule):
    assert rules_broken(headers=headers) == {("/headers/0", rule)}


def test_every_fault_is_listed_at_once_and_no_value_is_echoed():
    with pytest.raises(Invalid) as caught:
        message(subject=" ", to_address="secret-person", text="", reference="a@b", category="A b")
    assert {f.pointer for f in caught.value.faults} == {
        "/subject",
        "/to_address",
        "/text",
        "/reference",
        "/category",
    }
    assert "secret-person" not in str(caught.value)


def test_an_international_domain_goes_out_in_its_ascii_form():
    assert message(to_address="anna@bücher.example").to_address == "anna@xn--bcher-kva.example"


def test_one_line_makes_any_text_fit_for_a_subject():
    assert one_line(" Care\r\nBcc:\tat\u2028home \0") == "Care Bcc: at home"


@pytest.mark.parametrize(
    ("mailbox", "expected"),
    [
        ("Partnership Lifecycle <a@b.example>", ("Partnership Lifecycle", "a@b.example")),
        ('"Acme, Inc." <a@b.example>', ("Acme, Inc.", "a@b.example")),
        ("a@b.example", ("", "a@b.example")),
    ],
)
def test_a_sender_is_split_into_name_and_address(mailbox, expected):
    assert parse_mailbox(mailbox) == expected


@pytest.mark.parametrize(
    "mailbox", ["", "Name", "Name <>", "Name <a@b.example> <c@d.example>", "a@localhost"]
)
def test_a_sender_that_cannot_be_one_names_its_setting(mailbox):
    with pytest.raises(Invalid, match="LIFECYCLE_MAIL_FROM"):
        parse_mailbox(mailbox)


def test_both_forms_come_back_from_the_mime_form():
    mime = parsed(
        message(text="Grüße …\n.\nEnde\n", html="<p>Grüße …</p>\n").as_mime(NOW, "p.example").as_bytes()
    )
    assert mime.get_content_type() == "multipart/alternative"
    assert mime.get_body(("plain",)).get_content() == "Grüße …\r\n.\r\nEnde\r\n"
    assert mime.get_body(("html",)).get_content() == "<p>Grüße …</p>\r\n"
    assert mime["Auto-Submitted"] == "auto-generated"
    assert mime["Date"].datetime == NOW


def test_non_ascii_headers_are_encoded_words_on_the_wire():
    mime = message(subject="Überprüfung fällig", to_name="Søren Ågård", text="ü\n").as_mime(NOW, "p.example")
    raw = mime.as_bytes()
    assert raw.isascii()
    assert b"=?utf-8?" in raw
    assert parsed(raw)["Subject"] == "Überprüfung fällig"
    assert parsed(raw)["To"].addresses[0].display_name == "Søren Ågård"


def test_the_message_id_depends_on_the_reference_alone():
    first = message().as_mime(NOW, "p.example")["Message-ID"]
    assert message(subject="Other").as_mime(NOW, "p.example")["Message-ID"] == first
    assert message(reference="notice-18").as_mime(NOW, "p.example")["Message-ID"] != first


@pytest.mark.parametrize("field", ["subject", "to_name", "from_name"])
def test_an_encoded_word_is_shown_as_written_and_never_decoded(field):
    sly = "=?utf-8?q?Hello=0D=0ABcc:_spy@evil.example?="
    mime = parsed(message(**{field: sly}).as_mime(NOW, "p.example").as_bytes())
    assert mime.keys() == HEADERS
    shown = mime["Subject"] if field == "subject" else mime[field[:-5]].addresses[0].display_name
    assert shown == sly


AWKWARD = st.text(max_size=190) | st.text(alphabet='ab ",;<>@()\\é=?_:.ü\u202e', max_size=190)


@given(subject=AWKWARD, to_name=AWKWARD, from_name=AWKWARD)
def test_no_text_can_add_a_header_or_change_the_people(subject, to_name, from_name):
    try:
        checked = message(subject=subject, to_name=to_name, from_name=from_name)
    except Invalid:
        names = {"to_name": one_line(to_name), "from_name": one_line(from_name)}
        checked = message(subject=one_line(subject) or "-", **names)
    raw = checked.as_mime(NOW, "p.example").as_bytes()
    mime = parsed(raw)
    assert mime.keys() == HEADERS
    assert raw.isascii()
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    assert [a.addr_spec for a in mime["To"].addresses] == ["amira@harbour-clinic.example"]
    assert [a.addr_spec for a in mime["From"].addresses] == ["lifecycle@partnerships.example"]
    assert mime["Subject"] == checked.subject
    assert name_shown(raw, "To") == checked.to_name
    assert name_shown(raw, "From") == checked.from_name
