"""A portfolio by stage over time as a picture (SVG): a column for each month, a part for each stage. Pure.

Parts have patterns and numbers, so that colour is not needed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from lifecycle import languages, stages
from lifecycle.languages import Language
from lifecycle.measures import drawing
from lifecycle.measures.drawing import text
from lifecycle.notices import words

WIDTH, LEFT, RIGHT, TOP, PLOT, BOTTOM = 960, 44, 20, 56, 260, 96
LEAST_FOR_A_NUMBER = 13
"""Pixels: a lower part has no room for its number; the table has it."""

_PATTERNS = ("", "M0 0 L8 8", "M0 8 L8 0", "M4 0 V8", "M0 4 H8", "M0 0 L8 8 M0 8 L8 0")
_COLOURS = ("#0b5cad", "#8250df", "#1a7f37", "#8a5d00", "#0e7490")

Month = tuple[date, Mapping[str, int]]
"""The last day that is counted, and how many partnerships were in each stage on it."""


def svg(months: Sequence[Month], language: Language = languages.ENGLISH) -> str:
    """Draw how many partnerships were in each stage at the end of each month."""
    shown = present(months)
    most = max((sum(counts.values()) for _, counts in months), default=0) or 1
    rows = (len(shown) + 3) // 4
    height = TOP + PLOT + BOTTOM - 40 + 22 * rows
    parts = (
        "<defs>",
        *(part for place, _ in enumerate(stages.STAGES) for part in _pattern(place)),
        "</defs>",
        text(16, 26, language.sentence("Partnerships by stage, at the end of each month"), "strong"),
        *_scale(most, language),
        *(
            part
            for place, month in enumerate(months)
            for part in _column(place, month, len(months), most, language)
        ),
        *_legend(shown, language),
    )
    name = language.sentence("Partnerships by stage, over time")
    return drawing.document(WIDTH, height, name, description(months, language), parts)


def description(months: Sequence[Month], language: Language = languages.ENGLISH) -> str:
    """The picture in words: how it was at first, and how it is at last."""
    if not months:
        return language.sentence("There are no partnerships yet.")
    return " ".join(
        f"{language.month(day)}: {_counted(counts, language)}." for day, counts in (months[0], months[-1])
    )


def present(months: Sequence[Month]) -> list[str]:
    """The stages that any month has, in the order of the stage table."""
    return [stage for stage in stages.STAGES if any(counts.get(stage) for _, counts in months)]


def stage_name(stage: str, language: Language) -> str:
    """A stage as people call it."""
    return language.sentence(words.STAGES[stage].name)


def _counted(counts: Mapping[str, int], language: Language) -> str:
    said = [f"{stage_name(stage, language)} {counts[stage]}" for stage in stages.STAGES if counts.get(stage)]
    return ", ".join(said) or language.sentence("none")


def _pattern(place: int) -> Iterator[str]:
    colour, lines = _COLOURS[place % len(_COLOURS)], _PATTERNS[place % len(_PATTERNS)]
    yield f'<pattern id="p{place}" width="8" height="8" patternUnits="userSpaceOnUse"><rect width="8" height="8" fill="{colour}"/>'
    yield (
        f'<path d="{lines}" stroke="#ffffff" stroke-width="1.6" stroke-opacity=".8"/></pattern>'
        if lines
        else "</pattern>"
    )


def _scale(most: int, language: Language) -> Iterator[str]:
    step = max(1, round(most / 4))
    for count in range(0, most + 1, step):
        y = round(TOP + PLOT * (1 - count / most), 1)
        yield f'<path class="lane" d="M{LEFT} {y} H{WIDTH - RIGHT}"/>'
        yield text(LEFT - 8, y + 4, language.number(count), "small", "end")


def _column(place: int, month: Month, months: int, most: int, language: Language) -> Iterator[str]:
    day, counts = month
    width = (WIDTH - LEFT - RIGHT) / months
    x, bar = round(LEFT + width * place + width * 0.15, 1), round(width * 0.7, 1)
    y = float(TOP + PLOT)
    for stage in stages.STAGES:
        if not counts.get(stage):
            continue
        part = PLOT * counts[stage] / most
        y -= part
        said = f"{language.month(day)}, {stage_name(stage, language)}: {counts[stage]}"
        shown = [
            f'<rect class="edge" x="{x}" y="{y:.1f}" width="{bar}" height="{part:.1f}" fill="url(#p{stages.STAGES.index(stage)})"/>'
        ]
        if part >= LEAST_FOR_A_NUMBER:
            middle = round(x + bar / 2, 1)
            shown.append(
                f'<rect class="ground" x="{middle - 11}" y="{y + part / 2 - 8:.1f}" width="22" height="16" rx="8"/>'
            )
            shown.append(text(middle, round(y + part / 2 + 4, 1), str(counts[stage]), "small", "middle"))
        yield from drawing.named(said, *shown)
    every = max(1, (months + 11) // 12)
    if place % every == 0:
        yield text(round(x + bar / 2, 1), TOP + PLOT + 18, language.month(day), "small", "middle")


def _legend(shown: Sequence[str], language: Language) -> Iterator[str]:
    for place, stage in enumerate(shown):
        x, y = LEFT + 225 * (place % 4), TOP + PLOT + 44 + 22 * (place // 4)
        yield f'<rect x="{x}" y="{y - 11}" width="18" height="14" fill="url(#p{stages.STAGES.index(stage)})"/>'
        yield text(x + 25, y, stage_name(stage, language), "small")
