"""The stages as a picture: Mermaid text, and an SVG that needs no service. Both are drawn from the stage table."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from html import escape
from textwrap import wrap

from lifecycle import stages
from lifecycle.notices import words

WIDTH, HEIGHT = 1390, 540
BOX_WIDTH, BOX_HEIGHT = 136, 54

CENTRES = {
    "need_definition": (100, 200),
    "starting": (355, 200),
    "setting_up": (610, 200),
    "maintaining": (865, 200),
    "evaluating": (1120, 200),
    "closed": (1315, 200),
    "suspended": (992, 340),
    "declined": (227, 340),
    "withdrawn": (355, 480),
    "terminated": (992, 480),
}
"""Where each stage's box has its centre."""


@dataclass(frozen=True)
class Line:
    """How an arrow runs (SVG path data), and where its event is written."""

    path: str
    x: int
    y: int
    anchor: str = "middle"


LINES = {
    ("need_definition", "starting"): Line("M168 200 H283", 224, 190),
    ("starting", "setting_up"): Line("M423 200 H538", 479, 190),
    ("setting_up", "maintaining"): Line("M678 200 H793", 734, 190),
    ("maintaining", "evaluating"): Line("M933 200 H1048", 989, 190),
    ("evaluating", "closed"): Line("M1188 200 H1243", 1214, 190),
    ("evaluating", "maintaining"): Line("M1090 173 C1090 125 895 125 895 169", 992, 131),
    ("maintaining", "setting_up"): Line("M835 173 C835 125 645 125 645 169", 740, 131),
    ("evaluating", "setting_up"): Line("M1140 173 C1140 30 595 30 595 169", 867, 58),
    ("need_definition", "declined"): Line("M110 227 V340 H155", 104, 290, "end"),
    ("starting", "declined"): Line("M327 227 V340 H299", 321, 290, "end"),
    ("need_definition", "withdrawn"): Line("M46 227 V480 H283", 52, 440, "start"),
    ("starting", "withdrawn"): Line("M380 227 V449", 386, 400, "start"),
    ("setting_up", "withdrawn"): Line("M610 227 V480 H427", 604, 440, "end"),
    ("maintaining", "suspended"): Line("M875 227 V354 H920", 869, 300, "end"),
    ("suspended", "maintaining"): Line("M924 326 H904 V231", 910, 270, "start"),
    ("evaluating", "suspended"): Line("M1110 227 V354 H1064", 1116, 300, "start"),
    ("suspended", "evaluating"): Line("M1060 326 H1080 V231", 1074, 270, "end"),
    ("maintaining", "terminated"): Line("M807 227 V480 H920", 801, 440, "end"),
    ("evaluating", "terminated"): Line("M1178 227 V480 H1064", 1184, 440, "start"),
    ("suspended", "terminated"): Line("M992 367 V449", 998, 414, "start"),
}
"""Each arrow of the stage table; a test fails when the two differ."""

ON_PAGES = LINES | {
    ("evaluating", "closed"): replace(LINES["evaluating", "closed"], y=164),
    ("need_definition", "declined"): replace(LINES["need_definition", "declined"], x=116, anchor="start"),
}
"""The same for pages, where events have longer names: what is too wide for its gap stands above the boxes."""

NAME_WIDTH, EVENT_WIDTH, LINE_HEIGHT = 17, 16, 14
"""Characters in a line of a stage's or an event's name, and the height of a line."""

STYLE = """
  text { font: 13px system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; fill: #1b2733; }
  .stage rect { fill: #ffffff; stroke: #47586a; stroke-width: 1.5; }
  .stage .name { font-size: 14px; font-weight: 600; text-anchor: middle; }
  .stage .step { font-size: 11px; fill: #47586a; text-anchor: middle; }
  .final rect { stroke-dasharray: 5 3; }
  .current rect { fill: #0b5cad; stroke: #073b70; stroke-width: 3; }
  .current .name, .current .step { fill: #ffffff; }
  .arrow { fill: none; stroke: #47586a; stroke-width: 1.5; }
  .event { font-size: 12px; paint-order: stroke; stroke: #f6f8fa; stroke-width: 4px; }
  .possible .arrow { stroke: #0b5cad; stroke-width: 2.5; }
  .possible .event { fill: #0b5cad; font-weight: 600; }
"""


def mermaid(current: str | None = None) -> str:
    """The stage diagram as Mermaid text, with one stage highlighted."""
    lines = ["stateDiagram-v2", "    direction LR", "    [*] --> need_definition"]
    lines += [f"    {arrow.source} --> {arrow.target}: {arrow.event}" for arrow in stages.ARROWS]
    lines += [f"    {stage} --> [*]" for stage in stages.STAGES if stage in stages.FINAL_STAGES]
    if current is not None:
        lines += [
            "    classDef current fill:#0b5cad,color:#ffffff,font-weight:bold",
            f"    class {current} current",
        ]
    return "\n".join(lines)


def svg(current: str | None = None, suspended_from: str | None = None) -> str:
    """The stage diagram as an SVG document; the current stage is filled, and the ways out of it are bold."""
    possible = [arrow for arrow in stages.ARROWS if _possible(arrow, current, suspended_from)]
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        'role="img" aria-labelledby="title description">',
        '<title id="title">The stages of a partnership</title>',
        f'<desc id="description">{escape(description(current))}</desc>',
        f"<style>{STYLE}</style>",
        *_markers(),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#f6f8fa"/>',
        '<circle cx="12" cy="200" r="7" fill="#47586a"/>',
        '<path class="arrow" d="M19 200 H28" marker-end="url(#head)"/>',
        # What is possible now is drawn last, over the rest.
        *(_arrow(arrow, False) for arrow in stages.ARROWS if arrow not in possible),
        *(_arrow(arrow, True) for arrow in possible),
        *(part for stage in stages.STAGES for part in _box(stage, stage == current)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def inline(
    current: str, suspended_from: str | None, title: str, description: str, say: Callable[[str], str]
) -> str:
    """The stage diagram as an element of a page: the page's style sheet draws it, and says it in its reader's language.

    Args:
        current: the present stage, marked by a double frame and by words.
        title: the picture's name.
        description: what it shows, for those who do not see it; the page has a table that says the same.
        say: a word of the engine's in the reader's language.
    """
    possible = [arrow for arrow in stages.ARROWS if _possible(arrow, current, suspended_from)]
    parts = [
        f'<svg class="stages" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="stages-title stages-words">',
        f'<title id="stages-title">{escape(title)}</title>',
        f'<desc id="stages-words">{escape(description)}</desc>',
        "<defs>",
        *(_head(name) for name in ("head", "head-possible")),
        "</defs>",
        '<circle class="start" cx="12" cy="200" r="7"/>',
        '<path class="arrow" d="M19 200 H28" marker-end="url(#head)"/>',
        *(_named_arrow(arrow, False, say) for arrow in stages.ARROWS if arrow not in possible),
        *(_named_arrow(arrow, True, say) for arrow in possible),
        *(_named_box(stage, stage == current, say) for stage in stages.STAGES),
        "</svg>",
    ]
    return "\n".join(parts)


def _head(name: str) -> str:
    return (
        f'<marker id="{name}" class="{name}" viewBox="0 0 10 10" refX="6" refY="5" markerWidth="8" markerHeight="8" '
        'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 L10 5 L0 10 z"/></marker>'
    )


def _named_arrow(arrow: stages.Arrow, possible: bool, say: Callable[[str], str]) -> str:
    line = ON_PAGES[arrow.source, arrow.target]
    group, head = ("way possible", "head-possible") if possible else ("way", "head")
    said = wrap(say(words.EVENTS[arrow.event]), EVENT_WIDTH, break_long_words=False)
    top = line.y - LINE_HEIGHT * (len(said) - 1)
    return (
        f'<g class="{group}"><path class="arrow" d="{line.path}" marker-end="url(#{head})"/>'
        f'<text class="event" text-anchor="{line.anchor}">{_lines(said, line.x, top)}</text></g>'
    )


def _named_box(stage: str, current: bool, say: Callable[[str], str]) -> str:
    x, y = CENTRES[stage]
    said = wrap(say(words.STAGES[stage].name), NAME_WIDTH, break_long_words=False)
    under = [say("▶ present stage")] if current else []
    lines = [*said, *under]
    top = y + 5 - LINE_HEIGHT * (len(lines) - 1) // 2
    final = " final" if stage in stages.FINAL_STAGES else ""
    # A second frame: neither colour nor the thickness of a line alone says where the partnership is.
    frames = [0, 5] if current else [0]
    drawn = "".join(_frame(x, y, wider) for wider in frames)
    return (
        f'<g class="stage{final}{" current" if current else ""}">{drawn}'
        f'<text class="name" text-anchor="middle">{_lines(lines, x, top)}</text></g>'
    )


def _frame(x: int, y: int, wider: int) -> str:
    return (
        f'<rect class="frame{wider}" x="{x - BOX_WIDTH // 2 - wider}" y="{y - BOX_HEIGHT // 2 - wider}" '
        f'width="{BOX_WIDTH + 2 * wider}" height="{BOX_HEIGHT + 2 * wider}" rx="{8 + wider}"/>'
    )


def _lines(lines: list[str], x: int, top: int) -> str:
    return "".join(
        f'<tspan x="{x}" y="{top + LINE_HEIGHT * place}">{escape(line)}</tspan>'
        for place, line in enumerate(lines)
    )


def _possible(arrow: stages.Arrow, current: str | None, suspended_from: str | None) -> bool:
    """Whether the arrow leads out of the current stage; a suspension returns only to where it came from."""
    return arrow.source == current and (arrow.event != "resume" or suspended_from in {None, arrow.target})


def description(current: str | None = None) -> str:
    """The picture in words, for those who do not see it."""
    said = [f"From {a.source}, {a.event} leads to {a.target}." for a in stages.ARROWS]
    if current is not None:
        said.insert(0, f"The present stage is {current}.")
    return " ".join(said)


def _markers() -> Iterator[str]:
    yield "<defs>"
    for name, colour in (("head", "#47586a"), ("head-possible", "#0b5cad")):
        yield (
            f'<marker id="{name}" viewBox="0 0 10 10" refX="6" refY="5" markerWidth="8" markerHeight="8" '
            f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 L10 5 L0 10 z" fill="{colour}"/></marker>'
        )
    yield "</defs>"


def _arrow(arrow: stages.Arrow, possible: bool) -> str:
    line = LINES[arrow.source, arrow.target]
    group, head = (' class="possible"', "head-possible") if possible else ("", "head")
    return (
        f'<g{group}><path class="arrow" d="{line.path}" marker-end="url(#{head})"/>'
        f'<text class="event" x="{line.x}" y="{line.y}" text-anchor="{line.anchor}">{arrow.event}</text></g>'
    )


def _box(stage: str, current: bool) -> Iterator[str]:
    x, y = CENTRES[stage]
    names = ["stage"] + ["final"] * (stage in stages.FINAL_STAGES) + ["current"] * current
    under = _under(stage, current)
    yield f'<g class="{" ".join(names)}">'
    yield (
        f'<rect x="{x - BOX_WIDTH // 2}" y="{y - BOX_HEIGHT // 2}" width="{BOX_WIDTH}" height="{BOX_HEIGHT}" rx="8"/>'
    )
    yield f'<text class="name" x="{x}" y="{y - 3 if under else y + 5}">{stage}</text>'
    if under:
        yield f'<text class="step" x="{x}" y="{y + 15}">{escape(under)}</text>'
    yield "</g>"


def _under(stage: str, current: bool) -> str:
    """The line under a stage's name: never colour alone says where the partnership is."""
    if current:
        return "▶ present stage"
    step = stages.STEPS.get(stage)
    if step is not None:
        return f"guide, step {step.split()[0]}"
    return "final" if stage in stages.FINAL_STAGES else ""
