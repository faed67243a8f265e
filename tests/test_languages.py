"""The reader's language: dates and numbers by CLDR, the domain's sentences found again by their form."""

import re
import time
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle import catalogue, languages

ES = languages.of("es")
DAY = date(2026, 11, 27)


def test_dates_numbers_and_lists_are_those_of_the_language() -> None:
    instant = datetime(2026, 11, 27, 17, tzinfo=UTC)
    assert languages.ENGLISH.when(instant, ZoneInfo("Europe/London")) == (
        "Friday 27 November 2026, 17:00 (Europe/London)"
    )
    assert ES.day(DAY) == "viernes, 27 de noviembre de 2026"
    assert (languages.ENGLISH.number(1250.5), ES.number(12500.5)) == ("1,250.5", "12.500,5")
    assert ES.listed(["a", "b", "c"]) == "a, b y c"


def test_in_the_hour_that_a_clock_change_repeats_the_offset_tells_which() -> None:
    first, second = (datetime(2026, 10, 25, hour, 30, tzinfo=UTC) for hour in (0, 1))
    zone = ZoneInfo("Europe/London")
    assert "01:30 UTC+0100" in ES.when(first, zone)
    assert "01:30 UTC+0000" in ES.when(second, zone)


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", "es"),
        ("de,fr;q=0.9", "en"),
        ("en,es;q=0.9", "en"),
        ("es;q=0", "en"),
        ("", "en"),
        (";q=x,es", "es"),
    ],
)
def test_the_browsers_wish_is_heeded_where_there_is_such_a_language(header: str, code: str) -> None:
    assert languages.accepted(header) == code


@given(st.text(max_size=200))
def test_no_header_makes_it_fail(header: str) -> None:
    assert languages.accepted(header) in languages.LANGUAGES


def test_a_language_that_there_is_not_is_the_default() -> None:
    assert languages.of("tlh").code == languages.DEFAULT


@pytest.mark.parametrize(
    ("english", "spanish"),
    [
        ("A promise is overdue.", "Hay un compromiso atrasado."),
        ("Nobody of ours says this.", "Nobody of ours says this."),
        (
            "Test benefits and goals with every prospective partner: ask city about benefits and goals; and 3 more.",
            "Contraste los beneficios y las metas con cada posible organización socia: "
            "pregunte a city por beneficios y metas; y 3 más.",
        ),
        ("The agreement has no obligation “lists”.", "El acuerdo no tiene ningún compromiso “lists”."),
        ("Write one of: lead, delivery.", "Escriba uno de estos: entidad líder, ejecución."),
    ],
)
def test_what_the_domain_says_is_said_in_the_readers_language(english: str, spanish: str) -> None:
    assert ES.sentence(english) == spanish
    assert languages.ENGLISH.sentence(english) == english


SENTENCES = [
    one for one in catalogue.messages("domain") if isinstance(one, str) and "{" in one and one.count(" ") > 2
]


@given(
    st.sampled_from(SENTENCES),
    st.lists(st.from_regex(r"x[a-z]{3}-[0-9]{2}", fullmatch=True), min_size=8, max_size=8),
)
def test_every_sentence_with_gaps_is_found_again_whatever_fills_them(
    message: str, fillings: list[str]
) -> None:
    gaps = list(dict.fromkeys(re.findall(r"\{(\w+)\}", message)))
    filled = re.sub(r"\{(\w+)\}", lambda gap: fillings[gaps.index(gap[1]) % 8], message)
    said = ES.sentence(filled)
    assert said != filled
    assert all(fillings[place % 8] in said for place, _ in enumerate(gaps))


@given(st.text(max_size=300))
def test_no_text_makes_it_fail_and_english_stays(text: str) -> None:
    assert isinstance(ES.sentence(text), str)
    assert languages.ENGLISH.sentence(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "There is no partnership “" + " belongs to ; only  can " * 150 + "”",
        "Ask x to sign revision " + " of the convening: `lifecycle signoff  convening --revision " * 60,
        "x belongs to y; only z can " * 140 + "w" + "." * 140,
    ],
)
def test_a_text_that_looks_like_our_words_takes_no_time(text: str) -> None:
    began = time.process_time()
    languages.of("es").sentence(text)
    assert time.process_time() - began < 1
