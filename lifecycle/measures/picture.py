"""The timeline of promises as a picture (SVG): a lane for each direction, a mark for each performance, a bar for each
complaint. Pure.

Shape and letter say the outcome as well as colour does; every mark and the whole picture are described in words.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from lifecycle import languages
from lifecycle.languages import Language
from lifecycle.measures import drawing
from lifecycle.measures.drawing import text
from lifecycle.obligations.queries import Performance
from lifecycle.redress.queries import Complaint
from lifecycle.timers.calendars import Calendar

LEFT, RIGHT, TOP, LANE, BOTTOM = 250, 30, 54, 46, 74
WIDTH = 1080
NAME_LENGTH = 30
MARKS = {
    "kept": "kept",
    "partly_kept": "partly kept",
    "not_kept": "not kept",
    "cannot_tell": "cannot tell",
    "overdue": "no report",
    "open": "not settled yet",
    "waived": "waived",
    "withheld": "withheld",
}
"""Each kind of mark in words; `_shape` draws it."""

_NAMES: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class _Canvas:
    """Where a day stands, and what people are called."""

    first: date
    last: date
    calendar: Calendar
    language: Language
    names: Mapping[str, str]

    def x(self, day: date) -> float:
        span = max(1, (self.last - self.first).days)
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - self.first).days / span, 1)

    def name(self, partner_id: str) -> str:
        return self.names.get(partner_id, partner_id)

    def day(self, instant: datetime) -> str:
        return self.language.short_day(self.calendar.local_date(instant))


def svg(
    title: str,
    performances: Sequence[Performance],
    complaints: Sequence[Complaint],
    calendar: Calendar,
    now: datetime,
    language: Language = languages.ENGLISH,
    names: Mapping[str, str] = _NAMES,
) -> str:
    """Draw the performances and the complaints of a partnership.

    Args:
        title: the partnership's.
        performances: all of them; what was superseded is left out.
        calendar: whose local days are drawn.
        now: an instant, UTC; drawn as a line.
        names: partner id → what it is called; its id where it is not among them.
    """
    shown = [one for one in performances if one.state != "superseded"]
    lanes = sorted({(one.obligor, one.obligee) for one in shown})
    cases = sorted({(one.complainant, one.respondent) for one in complaints})
    moments = (now, *(one.due_at for one in shown), *(one.lodged_at for one in complaints))
    days = [calendar.local_date(at) for at in moments]
    canvas = _Canvas(min(days), max(days), calendar, language, names)
    height = TOP + LANE * max(1, len(lanes) + len(cases)) + BOTTOM
    parts = (
        text(16, 26, title, "strong"),
        *_months(canvas, height),
        *_lanes(canvas, lanes, cases),
        *_now(canvas, calendar.local_date(now), height),
        *(part for one in shown for part in _mark(canvas, one, lanes.index((one.obligor, one.obligee)))),
        *(
            part
            for one in complaints
            for part in _bar(canvas, one, len(lanes) + cases.index((one.complainant, one.respondent)), now)
        ),
        *_legend(
            canvas, {kind_of(one) for one in shown}, any(one.state == "restored" for one in shown), height
        ),
    )
    described = f"{description(shown, lanes, language, names)} {_complained(complaints, language)}".strip()
    return drawing.document(WIDTH, height, language.sentence(f"Promises of {title}"), described, parts)


def kind_of(one: Performance) -> str:
    """How a performance is marked: a key of `MARKS`."""
    if one.state in {"settled", "restored"}:
        return str(one.outcome)
    return one.state if one.state in {"overdue", "waived", "withheld"} else "open"


def description(
    shown: Sequence[Performance],
    lanes: Sequence[tuple[str, str]],
    language: Language = languages.ENGLISH,
    names: Mapping[str, str] = _NAMES,
) -> str:
    """The picture in words, for those who do not see it."""
    if not shown:
        return language.sentence("Nothing has been promised yet.")
    said = []
    for obligor, obligee in lanes:
        kinds = [kind_of(one) for one in shown if (one.obligor, one.obligee) == (obligor, obligee)]
        counts = ", ".join(
            f"{kinds.count(kind)} {language.sentence(words)}"
            for kind, words in MARKS.items()
            if kind in kinds
        )
        who, whom = names.get(obligor, obligor), names.get(obligee, obligee)
        said.append(f"{language.sentence(f'{who} to {whom}')}: {counts}.")
    return " ".join(said)


def _months(canvas: _Canvas, height: int) -> Iterator[str]:
    first, last = canvas.first, canvas.last
    month = date(first.year, first.month, 1)
    step = max(1, ((last - first).days // 31 + 1) // 14 + 1)
    number = 0
    while month <= last:
        if month >= first and number % step == 0:
            x = canvas.x(month)
            yield f'<path class="lane" d="M{x} {TOP - 8} V{height - BOTTOM}"/>'
            yield text(x + 3, TOP - 12, canvas.language.month(month), "small")
        number += month >= first
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _lanes(
    canvas: _Canvas, lanes: Sequence[tuple[str, str]], cases: Sequence[tuple[str, str]]
) -> Iterator[str]:
    say, name = canvas.language.sentence, canvas.name
    named = [(name(obligor), say(f"owes to {name(obligee)}")) for obligor, obligee in lanes]
    named += [(name(complainant), say(f"complains of {name(other)}")) for complainant, other in cases]
    for number, (who, whom) in enumerate(named):
        y = TOP + LANE * number + LANE // 2
        yield f'<path class="lane" d="M{LEFT} {y} H{WIDTH - RIGHT}"/>'
        yield text(16, y - 3, drawing.shortened(who, NAME_LENGTH))
        yield text(16, y + 13, drawing.shortened(whom, NAME_LENGTH + 6), "small")


def _now(canvas: _Canvas, day: date, height: int) -> Iterator[str]:
    x = canvas.x(day)
    yield f'<path class="now" d="M{x} {TOP - 8} V{height - BOTTOM + 6}"/>'
    yield text(x, height - BOTTOM + 20, canvas.language.sentence("now"), "small", "middle")


def _mark(canvas: _Canvas, one: Performance, lane: int) -> Iterator[str]:
    kind, say = kind_of(one), canvas.language.sentence
    y = TOP + LANE * lane + LANE // 2
    restored = say(", restored since") if one.state == "restored" else ""
    words = f"{say(f'{one.name}, due on {canvas.day(one.due_at)}')}: {say(MARKS[kind])}{restored}"
    ring = "restored" if one.state == "restored" else "edge"
    yield from drawing.named(words, _shape(kind, canvas.x(canvas.calendar.local_date(one.due_at)), y, ring))


def _bar(canvas: _Canvas, one: Complaint, lane: int, now: datetime) -> Iterator[str]:
    """A complaint from its lodging to its end, or to now."""
    began, ended = (canvas.calendar.local_date(at) for at in (one.lodged_at, one.closed_at or now))
    left, right = canvas.x(began), canvas.x(ended)
    y = TOP + LANE * lane + LANE // 2
    about, since = next(iter(one.about.values())), canvas.day(one.lodged_at)
    said = canvas.language.sentence(f"Complaint {one.number}, about {about}, lodged on {since}")
    bar = f'<rect class="soft" x="{left}" y="{y - 7}" width="{max(6.0, round(right - left, 1))}" height="14" rx="3"/>'
    yield from drawing.named(
        f"{said}: {_standing(canvas, one)}", bar, text(left + 3, y + 4, str(one.number), "small")
    )


def _standing(canvas: _Canvas, one: Complaint) -> str:
    if one.closed_at is None:
        return canvas.language.sentence(f"open at level {one.level}")
    state = one.state.replace("_", " ")
    return canvas.language.sentence(f"{state} on {canvas.day(one.closed_at)}")


def _complained(complaints: Sequence[Complaint], language: Language) -> str:
    if not complaints:
        return ""
    open_ones = sum(one.open for one in complaints)
    return language.sentence(f"Complaints: {len(complaints)}, of which open: {open_ones}.")


def _shape(kind: str, x: float, y: float, ring: str = "edge") -> str:
    if kind == "kept":
        return f'<circle class="good {ring}" cx="{x}" cy="{y}" r="6"/>'
    if kind == "partly_kept":
        return f'<path class="half {ring}" d="M{x} {y - 7} L{x + 7} {y} L{x} {y + 7} L{x - 7} {y} Z"/>'
    if kind == "not_kept":
        return f'<rect class="bad {ring}" x="{x - 6}" y="{y - 6}" width="12" height="12"/>'
    if kind == "overdue":
        return f'<path class="bad {ring}" d="M{x} {y - 7} L{x + 7} {y + 6} L{x - 7} {y + 6} Z"/>'
    if kind == "cannot_tell":
        return text(x, y + 5, "?", "strong", "middle")
    crossed = f'<path class="cross" d="M{x - 4} {y - 4} L{x + 4} {y + 4}"/>'
    return (
        f'<circle class="open" cx="{x}" cy="{y}" r="5"/>{crossed if kind in {"waived", "withheld"} else ""}'
    )


def _legend(canvas: _Canvas, kinds: set[str], any_restored: bool, height: int) -> Iterator[str]:
    x, say = 24.0, canvas.language.sentence
    for kind, words in MARKS.items():
        if kind in kinds:
            yield _shape(kind, x, height - 24)
            yield text(x + 12, height - 20, say(words), "small")
            x += 30 + 7 * len(say(words))
    if any_restored:
        yield text(x + 12, height - 20, say("a green rim: repaired and restored"), "small")
