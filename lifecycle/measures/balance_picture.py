"""What partners give each other as a picture (SVG): for each pair two bars from the middle, and the balance in figures.
Pure.

G is the sum of weight · kept; the balance is (G of the one − G of the other) / both: 0 is even, ±1 one-sided.
Source: the domain reference, section 7.
"""

from collections.abc import Iterator, Mapping

from lifecycle import languages
from lifecycle.languages import Language
from lifecycle.measures import drawing
from lifecycle.measures.drawing import text
from lifecycle.measures.promises import Measures

WIDTH, MIDDLE, REACH, TOP, ROW, BOTTOM = 900, 450, 380, 62, 76, 40
NAME_LENGTH = 44


def svg(
    title: str, measures: Measures, names: Mapping[str, str], language: Language = languages.ENGLISH
) -> str:
    """Draw the balance of each pair of partners.

    Args:
        title: the partnership's.
        names: partner id → what it is called.
    """
    height = TOP + ROW * max(1, len(measures.balance)) + BOTTOM
    most = max((one.delivered for one in measures.cooperation), default=0) or 1
    parts = (
        text(16, 26, f"{title}: {language.sentence('what each gives the other')}", "strong"),
        f'<path class="lane" d="M{MIDDLE} {TOP - 18} V{height - BOTTOM + 6}"/>',
        *(
            part
            for place, (one, other, _) in enumerate(measures.balance)
            for part in _pair(place, one, other, measures, most, names, language)
        ),
        text(
            MIDDLE,
            height - 12,
            language.sentence("weight of what was kept, from the middle outward"),
            "small",
            "middle",
        ),
    )
    name = language.sentence(f"Give and take in {title}")
    return drawing.document(WIDTH, height, name, description(measures, names, language), parts)


def description(measures: Measures, names: Mapping[str, str], language: Language = languages.ENGLISH) -> str:
    """The picture in words, for those who do not see it."""
    if not measures.balance:
        return language.sentence("Nothing has been kept yet, on any side.")
    return " ".join(
        in_words(one, other, balance, names, language) for one, other, balance in measures.balance
    )


def in_words(
    one: str, other: str, balance: float | None, names: Mapping[str, str], language: Language
) -> str:
    """The balance of a pair as a sentence."""
    first, second = names.get(one, one), names.get(other, other)
    if balance is None:
        return language.sentence(f"Between {first} and {second} nothing has been kept yet.")
    figure = language.number(abs(balance), "0.00")
    if round(balance, 2) == 0:
        return language.sentence(f"{first} and {second} give each other the same.")
    giver, taker = (first, second) if balance > 0 else (second, first)
    return language.sentence(f"{giver} gives {taker} more than it gets: balance {figure} of 1.")


def _pair(
    place: int,
    one: str,
    other: str,
    measures: Measures,
    most: float,
    names: Mapping[str, str],
    language: Language,
) -> Iterator[str]:
    given = {(c.obligor, c.obligee): c.delivered for c in measures.cooperation}
    left, right = given.get((one, other), 0), given.get((other, one), 0)
    balance = next(found for first, second, found in measures.balance if (first, second) == (one, other))
    y = TOP + ROW * place
    wide, narrow = (round(REACH * share / most, 1) for share in (left, right))
    yield text(MIDDLE - 8, y + 4, drawing.shortened(names.get(one, one), NAME_LENGTH), "", "end")
    yield text(MIDDLE + 8, y + 4, drawing.shortened(names.get(other, other), NAME_LENGTH))
    yield from drawing.named(
        in_words(one, other, balance, names, language),
        f'<rect class="one" x="{MIDDLE - wide}" y="{y + 14}" width="{wide}" height="22"/>',
        f'<rect class="other" x="{MIDDLE}" y="{y + 14}" width="{narrow}" height="22"/>',
        text(MIDDLE - wide - 6, y + 30, language.number(left), "small", "end"),
        text(MIDDLE + narrow + 6, y + 30, language.number(right), "small"),
        text(MIDDLE, y + 50, _figure(balance, language), "small", "middle"),
    )


def _figure(balance: float | None, language: Language) -> str:
    if balance is None:
        return "–"
    return language.sentence(f"balance {language.number(abs(balance), '0.00')}")
