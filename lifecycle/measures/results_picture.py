"""The results of a review round as a picture (SVG): a row for each question, its mean and how far partners differ. Pure.

Position says the score, not colour alone; every row and the whole picture are described in words.
"""

from collections.abc import Iterator
from html import escape

from lifecycle.measures.picture import STYLE
from lifecycle.reviews.results import Results, Score

WIDTH, LEFT, RIGHT, TOP, ROW, BOTTOM = 900, 330, 40, 64, 30, 56
SPREAD = ".spread{stroke:#8250df;stroke-width:5;stroke-opacity:.45;stroke-linecap:round}.mean{fill:#0b5cad}"


def svg(title: str, results: Results) -> str:
    """Draw a round's results.

    Args:
        title: the partnership's.
        results: `reviews.results.evaluate`.
    """
    rows = [one for section in results.sections for one in (section, *_of(results, section))]
    height = TOP + ROW * len(rows) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="title description">',
        f'<title id="title">{escape(f"Review round {results.round} of {title}")}</title>',
        f'<desc id="description">{escape(description(results))}</desc>',
        f"<style>{STYLE}{SPREAD}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="26" font-weight="600">{escape(title)}: review round {results.round}</text>',
        f'<text class="small" x="16" y="44">{results.answered} of {results.asked} answered</text>',
        *_scale(results, height),
        *(
            part
            for place, one in enumerate(rows)
            for part in _row(one, place, results, one in results.sections)
        ),
        *_legend(height),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def description(results: Results) -> str:
    """The picture in words, for those who do not see it."""
    return " ".join(f"{one.title}: {in_words(one, results.highest)}." for one in results.sections)


def in_words(score: Score, highest: int) -> str:
    """One score as a sentence's end."""
    if score.mean is None:
        return "too few answers"
    spread = "" if score.spread is None else f", partners differ by {score.spread:.1f}"
    change = "" if score.change is None else f", {score.change:+.1f} since the last round"
    return f"{score.mean:.1f} of {highest}{spread}{change}"


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
        yield f'<text class="small" x="{x}" y="{TOP - 12}" text-anchor="middle">{score}</text>'


def _row(one: Score, place: int, results: Results, section: bool) -> Iterator[str]:
    y = TOP + ROW * place + ROW // 2
    weight = ' font-weight="600"' if section else ""
    indent = 16 if section else 34
    yield f'<text x="{indent}" y="{y + 5}"{weight}>{escape(one.title)}</text>'
    words = escape(f"{one.title}: {in_words(one, results.highest)}")
    if one.mean is None:
        yield f'<text class="small" x="{LEFT}" y="{y + 4}"><title>{words}</title>too few answers</text>'
        return
    yield f"<g><title>{words}</title>"
    if one.by_partner:
        low, high = min(one.by_partner.values()), max(one.by_partner.values())
        yield f'<path class="spread" d="M{_x(low, results)} {y} H{_x(high, results)}"/>'
    if one.change is not None:
        before = _x(one.mean - one.change, results)
        yield f'<circle cx="{before}" cy="{y}" r="5" fill="#ffffff" stroke="#57606a"/>'
    yield f'<circle class="mean" cx="{_x(one.mean, results)}" cy="{y}" r="{7 if section else 5}"/></g>'


def _legend(height: int) -> Iterator[str]:
    y = height - 22
    yield f'<circle class="mean" cx="26" cy="{y - 4}" r="6"/><text class="small" x="40" y="{y}">mean</text>'
    yield f'<path class="spread" d="M96 {y - 4} H126"/>'
    yield f'<text class="small" x="138" y="{y}">from the lowest to the highest partner</text>'
    yield f'<circle cx="366" cy="{y - 4}" r="5" fill="#ffffff" stroke="#57606a"/>'
    yield f'<text class="small" x="380" y="{y}">the round before</text>'
