"""The newer pictures: nothing is said by colour alone, everything in words, in the reader's language."""

from collections import Counter
from datetime import date
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from lifecycle import languages, stages
from lifecycle.measures import balance_picture, stages_picture
from lifecycle.measures.promises import measure
from tests.measures.test_picture import NOW, ONE

SVG = "{http://www.w3.org/2000/svg}"
NAMES = {"clinic": "The <Clinic>", "city": "The City"}


def words(drawn: str) -> list[str]:
    return [str(node.text) for node in ElementTree.fromstring(drawn).iter(f"{SVG}title")]


def test_the_balance_says_who_gives_more_and_by_how_much() -> None:
    measures = measure([ONE], NOW, 14)
    assert words(balance_picture.svg("Falls", measures, NAMES)) == [
        "Give and take in Falls",
        "The <Clinic> gives The City more than it gets: balance 1.00 of 1.",
    ]


def test_without_anything_kept_the_balance_is_a_sentence() -> None:
    described = balance_picture.description(measure([], NOW, 14), NAMES)
    assert described == "Nothing has been kept yet, on any side."


MONTHS = st.lists(
    st.dictionaries(st.sampled_from(stages.STAGES), st.integers(1, 400)).map(Counter), min_size=1, max_size=24
).map(lambda counts: [(date(2026, 1 + place % 12, 28), one) for place, one in enumerate(counts)])


@given(MONTHS)
def test_every_part_of_every_month_is_in_words_and_within_the_picture(
    months: list[tuple[date, Counter[str]]],
) -> None:
    drawn = stages_picture.svg(months)
    parts = [node for node in ElementTree.fromstring(drawn).iter(f"{SVG}rect") if node.get("class") == "edge"]
    assert len(parts) == len(words(drawn)) - 1 == sum(len(counts) for _, counts in months)
    assert all(float(str(one.get("y"))) >= stages_picture.TOP - 0.1 for one in parts)


def test_each_stage_has_a_pattern_of_its_own() -> None:
    made = {part for place, _ in enumerate(stages.STAGES) for part in [tuple(stages_picture._pattern(place))]}
    looks = {
        tuple(text.replace(f'id="p{place}"', "") for text in part) for place, part in enumerate(sorted(made))
    }
    assert len(looks) == len(stages.STAGES)


def test_names_of_stages_are_the_readers() -> None:
    assert stages_picture.stage_name("maintaining", languages.ENGLISH) == "maintaining"
