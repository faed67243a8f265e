"""The timeline of promises as a picture (SVG): a lane for each direction, a mark for each performance, a bar for each
complaint. Pure.

Shape and letter say the outcome as well as colour does; every mark and the whole picture are described in words.
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from html import escape

from lifecycle.obligations.queries import Performance
from lifecycle.redress.queries import Complaint
from lifecycle.timers.calendars import Calendar

LEFT, RIGHT, TOP, LANE, BOTTOM = 250, 30, 54, 46, 74
WIDTH = 1080
MARKS = {
    "kept": ("#1a7f37", "kept"),
    "partly_kept": ("#9a6700", "partly kept"),
    "not_kept": ("#cf222e", "not kept"),
    "cannot_tell": ("#57606a", "cannot tell"),
    "overdue": ("#cf222e", "no report"),
    "open": ("#57606a", "not settled yet"),
    "waived": ("#57606a", "waived"),
    "withheld": ("#57606a", "withheld"),
}
"""Colour and words of each kind of mark; `_shape` draws it."""

STYLE = (
    "text{font-family:system-ui,sans-serif;font-size:13px;fill:#1f2328}"
    ".complaint{fill:#8250df;fill-opacity:.35;stroke:#8250df}.small{font-size:11px;fill:#57606a}.lane{stroke:#d0d7de}.now{stroke:#0b5cad;stroke-dasharray:4 3}"
)


def svg(
    title: str,
    performances: Sequence[Performance],
    complaints: Sequence[Complaint],
    calendar: Calendar,
    now: datetime,
) -> str:
    """Draw the performances and the complaints of a partnership.

    Args:
        title: the partnership's.
        performances: all of them; what was superseded is left out.
        calendar: whose local days are drawn.
        now: an instant, UTC; drawn as a line.
    """
    shown = [one for one in performances if one.state != "superseded"]
    lanes = sorted({(one.obligor, one.obligee) for one in shown})
    cases = sorted({(one.complainant, one.respondent) for one in complaints})
    moments = (now, *(one.due_at for one in shown), *(one.lodged_at for one in complaints))
    days = [calendar.local_date(at) for at in moments]
    first, last = min(days), max(days)
    height = TOP + LANE * max(1, len(lanes) + len(cases)) + BOTTOM
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="title description">',
        f'<title id="title">{escape(f"Promises of {title}")}</title>',
        f'<desc id="description">{escape(f"{description(shown, lanes)} {_complained(complaints)}".strip())}</desc>',
        f"<style>{STYLE}</style>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="26" font-weight="600">{escape(title)}</text>',
        *_months(first, last, height),
        *_lanes(lanes, cases),
        *_now(calendar.local_date(now), first, last, height),
        *(_mark(one, lanes, calendar, first, last) for one in shown),
        *(
            _bar(one, len(lanes) + cases.index((one.complainant, one.respondent)), calendar, now, first, last)
            for one in complaints
        ),
        *_legend({kind_of(one) for one in shown}, any(one.state == "restored" for one in shown), height),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def kind_of(one: Performance) -> str:
    """How a performance is marked: a key of `MARKS`."""
    if one.state in {"settled", "restored"}:
        return str(one.outcome)
    return one.state if one.state in {"overdue", "waived", "withheld"} else "open"


def description(shown: Sequence[Performance], lanes: Sequence[tuple[str, str]]) -> str:
    """The picture in words, for those who do not see it."""
    if not shown:
        return "Nothing has been promised yet."
    said = []
    for obligor, obligee in lanes:
        kinds = [kind_of(one) for one in shown if (one.obligor, one.obligee) == (obligor, obligee)]
        counts = ", ".join(
            f"{kinds.count(kind)} {words}" for kind, (_, words) in MARKS.items() if kind in kinds
        )
        said.append(f"{obligor} to {obligee}: {counts}.")
    return " ".join(said)


def _x(day: date, first: date, last: date) -> float:
    span = max(1, (last - first).days)
    return round(LEFT + (WIDTH - LEFT - RIGHT) * (day - first).days / span, 1)


def _months(first: date, last: date, height: int) -> Iterator[str]:
    month = date(first.year, first.month, 1)
    step = max(1, ((last - first).days // 31 + 1) // 14 + 1)
    number = 0
    while month <= last:
        if month >= first and number % step == 0:
            x = _x(month, first, last)
            yield f'<path class="lane" d="M{x} {TOP - 8} V{height - BOTTOM}"/>'
            yield f'<text class="small" x="{x + 3}" y="{TOP - 12}">{month:%b %Y}</text>'
        number += month >= first
        month = date(month.year + month.month // 12, month.month % 12 + 1, 1)


def _lanes(lanes: Sequence[tuple[str, str]], cases: Sequence[tuple[str, str]]) -> Iterator[str]:
    named = [(obligor, f"owes to {obligee}") for obligor, obligee in lanes]
    named += [(complainant, f"complains of {respondent}") for complainant, respondent in cases]
    for number, (who, whom) in enumerate(named):
        y = TOP + LANE * number + LANE // 2
        yield f'<path class="lane" d="M{LEFT} {y} H{WIDTH - RIGHT}"/>'
        yield f'<text x="16" y="{y - 3}">{escape(who)}</text>'
        yield f'<text class="small" x="16" y="{y + 13}">{escape(whom)}</text>'


def _now(day: date, first: date, last: date, height: int) -> Iterator[str]:
    x = _x(day, first, last)
    yield f'<path class="now" d="M{x} {TOP - 8} V{height - BOTTOM + 6}"/>'
    yield f'<text class="small" x="{x}" y="{height - BOTTOM + 20}" text-anchor="middle">now</text>'


def _mark(
    one: Performance, lanes: Sequence[tuple[str, str]], calendar: Calendar, first: date, last: date
) -> str:
    day, kind = calendar.local_date(one.due_at), kind_of(one)
    y = TOP + LANE * lanes.index((one.obligor, one.obligee)) + LANE // 2
    restored = ", restored since" if one.state == "restored" else ""
    words = f"{one.name}, due on {day}: {MARKS[kind][1]}{restored}"
    ring = 'stroke="#1a7f37" stroke-width="3"' if one.state == "restored" else 'stroke="#ffffff"'
    shape = _shape(kind, _x(day, first, last), y, ring)
    return f"<g><title>{escape(words)}</title>{shape}</g>"


def _bar(one: Complaint, lane: int, calendar: Calendar, now: datetime, first: date, last: date) -> str:
    """A complaint from its lodging to its end, or to now."""
    began, ended = calendar.local_date(one.lodged_at), calendar.local_date(one.closed_at or now)
    left, right = _x(began, first, last), _x(ended, first, last)
    y = TOP + LANE * lane + LANE // 2
    words = f"Complaint {one.number}, about {_about(one)}, lodged on {began}: {_standing(one, calendar)}"
    bar = f'<rect class="complaint" x="{left}" y="{y - 7}" width="{max(6.0, round(right - left, 1))}" height="14" rx="3"/>'
    return f'<g><title>{escape(words)}</title>{bar}<text class="small" x="{left + 3}" y="{y + 4}">{one.number}</text></g>'


def _about(one: Complaint) -> str:
    return next(iter(one.about.values()))


def _standing(one: Complaint, calendar: Calendar) -> str:
    state = one.state.replace("_", " ")
    if one.closed_at is None:
        return f"open at level {one.level}"
    return f"{state} on {calendar.local_date(one.closed_at)}"


def _complained(complaints: Sequence[Complaint]) -> str:
    if not complaints:
        return ""
    open_ones = sum(one.open for one in complaints)
    return f"Complaints: {len(complaints)}, of which open: {open_ones}."


def _shape(kind: str, x: float, y: float, ring: str = 'stroke="#ffffff"') -> str:
    colour = MARKS[kind][0]
    if kind == "kept":
        return f'<circle cx="{x}" cy="{y}" r="6" fill="{colour}" {ring}/>'
    if kind == "partly_kept":
        return f'<path d="M{x} {y - 7} L{x + 7} {y} L{x} {y + 7} L{x - 7} {y} Z" fill="{colour}" {ring}/>'
    if kind == "not_kept":
        return f'<rect x="{x - 6}" y="{y - 6}" width="12" height="12" fill="{colour}" {ring}/>'
    if kind == "overdue":
        return f'<path d="M{x} {y - 7} L{x + 7} {y + 6} L{x - 7} {y + 6} Z" fill="{colour}" {ring}/>'
    if kind == "cannot_tell":
        return f'<text x="{x}" y="{y + 5}" text-anchor="middle" font-weight="700">?</text>'
    cross = (
        f'<path d="M{x - 4} {y - 4} L{x + 4} {y + 4}" stroke="{colour}"/>'
        if kind in {"waived", "withheld"}
        else ""
    )
    return f'<circle cx="{x}" cy="{y}" r="5" fill="#ffffff" stroke="{colour}"/>{cross}'


def _legend(kinds: set[str], any_restored: bool, height: int) -> Iterator[str]:
    x = 24.0
    for kind, (_, words) in MARKS.items():
        if kind in kinds:
            yield _shape(kind, x, height - 24)
            yield f'<text class="small" x="{x + 12}" y="{height - 20}">{escape(words)}</text>'
            x += 30 + 7 * len(words)
    if any_restored:
        yield f'<text class="small" x="{x + 12}" y="{height - 20}">a green rim: repaired and restored</text>'
