"""The results of a review round as a picture (SVG): a row for each question, its mean and how far partners differ. Pure.

Position says the score, not colour alone; every row and the whole picture are described in words.
"""

from collections.abc import Iterator

from lifecycle import languages
from lifecycle.languages import Language
from lifecycle.measures import drawing
from lifecycle.measures.drawing import text
from lifecycle.reviews.results import Results, Score

WIDTH, LEFT, RIGHT, TOP, ROW, BOTTOM = 900, 330, 40, 64, 30, 56
TITLE_LENGTH = 44


def svg(title: str, results: Results, language: Language = languages.ENGLISH) -> str:
    """Draw a round's results.

    Args:
        title: the partnership's.
        results: `reviews.results.evaluate`.
    """
    rows = [one for section in results.sections for one in (section, *_of(results, section))]
    height = TOP + ROW * len(rows) + BOTTOM
    say = language.sentence
    parts = (
        text(16, 26, f"{title}: {say(f'review round {results.round}')}", "strong"),
        text(16, 44, say(f"{results.answered} of {results.asked} answered"), "small"),
        *_scale(results, height),
        *(
            part
            for place, one in enumerate(rows)
            for part in _row(one, place, results, one in results.sections, language)
        ),
        *_legend(height, language),
    )
    name = say(f"Review round {results.round} of {title}")
    return drawing.document(WIDTH, height, name, description(results, language), parts)


def description(results: Results, language: Language = languages.ENGLISH) -> str:
    """The picture in words, for those who do not see it."""
    return " ".join(
        f"{language.sentence(one.title)}: {in_words(one, results.highest, language)}."
        for one in results.sections
    )


def in_words(score: Score, highest: int, language: Language = languages.ENGLISH) -> str:
    """One score as a sentence's end."""
    say = language.sentence
    if score.mean is None:
        return say("too few answers")
    mean = language.number(score.mean, "0.0")
    parts = [say(f"{mean} of {highest}")]
    if score.spread is not None:
        parts.append(say(f"partners differ by {language.number(score.spread, '0.0')}"))
    if score.change is not None:
        change = language.number(score.change, "+0.0;-0.0")
        parts.append(say(f"{change} since the last round"))
    return ", ".join(parts)


def _of(results: Results, section: Score) -> Iterator[Score]:
    """The questions of a section, in their order."""
    return (one for one in results.questions if one.section == section.id)


def _x(score: float, results: Results) -> float:
    share = (score - results.lowest) / (results.highest - results.lowest)
    return round(LEFT + (WIDTH - LEFT - RIGHT) * share, 1)


def _scale(results: Results, height: int) -> Iterator[str]:
    for score in range(results.lowest, results.highest + 1):
        x = _x(score, results)
        yield f'<path class="lane" d="M{x} {TOP - 6} V{height - BOTTOM}"/>'
        yield text(x, TOP - 12, str(score), "small", "middle")


def _row(one: Score, place: int, results: Results, section: bool, language: Language) -> Iterator[str]:
    y = TOP + ROW * place + ROW // 2
    title = language.sentence(one.title)
    shown = drawing.shortened(title, TITLE_LENGTH)
    yield text(16 if section else 34, y + 5, shown, "strong" if section else "")
    words = f"{title}: {in_words(one, results.highest, language)}"
    if one.mean is None:
        yield from drawing.named(words, text(LEFT, y + 4, language.sentence("too few answers"), "small"))
        return
    marks = []
    if one.by_partner:
        low, high = min(one.by_partner.values()), max(one.by_partner.values())
        marks.append(f'<path class="spread" d="M{_x(low, results)} {y} H{_x(high, results)}"/>')
    if one.change is not None:
        marks.append(f'<circle class="open" cx="{_x(one.mean - one.change, results)}" cy="{y}" r="5"/>')
    marks.append(f'<circle class="one" cx="{_x(one.mean, results)}" cy="{y}" r="{7 if section else 5}"/>')
    yield from drawing.named(words, *marks)


def _legend(height: int, language: Language) -> Iterator[str]:
    y, say = height - 22, language.sentence
    yield f'<circle class="one" cx="26" cy="{y - 4}" r="6"/>'
    yield text(40, y, say("mean"), "small")
    yield f'<path class="spread" d="M96 {y - 4} H126"/>'
    yield text(138, y, say("from the lowest to the highest partner"), "small")
    yield f'<circle class="open" cx="396" cy="{y - 4}" r="5"/>'
    yield text(410, y, say("the round before"), "small")
