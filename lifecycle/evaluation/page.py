"""The evaluation dossier as one HTML file: it needs nothing beside itself, and prints well."""

from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from lifecycle.evaluation.dossier import OUTCOMES, Dossier
from lifecycle.measures import picture, results_picture
from lifecycle.notices import letter, words
from lifecycle.timers.calendars import Calendar

FOLDER = Path(__file__).with_name("templates")


@dataclass(frozen=True)
class Picture:
    """A picture that stands in the page itself, with its description in words."""

    address: str
    words: str


def page(dossier: Dossier) -> str:
    """The dossier as HTML, in the partnership's time zone."""
    zone = letter.zone_named(dossier.time_zone)
    return (
        _environment()
        .get_template("dossier.html")
        .render(
            dossier=dossier,
            evaluation=dossier.content("evaluation"),
            agreement=dossier.content("agreement"),
            exit_plan=dossier.content("exit_plan"),
            outcomes=OUTCOMES,
            pictures=_pictures(dossier),
            sections=_sections(dossier),
            organisation=lambda id_: dossier.partners.get(id_, id_),
            person=lambda id_: dossier.people.get(id_, id_),
            when=lambda instant: f"{letter.day(instant.astimezone(zone).date())}",
            now=f"{letter.day(dossier.as_of.astimezone(zone).date())}, {dossier.as_of.astimezone(zone):%H:%M} "
            f"({dossier.time_zone})",
            words=words,
        )
    )


def _pictures(dossier: Dossier) -> Mapping[str, Picture]:
    found = {}
    # What falls due after the evaluation says nothing yet.
    shown = [one for one in dossier.performances if one.due_at <= dossier.as_of or one.reported_at]
    if shown:
        calendar = Calendar(dossier.time_zone, "")
        drawn = picture.svg(dossier.title, shown, dossier.complaints, calendar, dossier.as_of)
        found["promises"] = _inline(
            drawn, "How each promise was kept, one mark each; the table says the same in numbers."
        )
    if dossier.reviews:
        last = dossier.reviews[-1]
        drawn = results_picture.svg(dossier.title, last)
        found["review"] = _inline(drawn, results_picture.description(last))
    return found


def _inline(svg: str, description: str) -> Picture:
    """As an image: two SVGs in one page would share their ids and styles."""
    return Picture(f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}", description)


def _sections(dossier: Dossier) -> list[tuple[str, list[float | None]]]:
    """The mean of each section in each round; None where the round did not ask it, or too few answered."""
    titles = list(dict.fromkeys(one.title for results in dossier.reviews for one in results.sections))
    return [
        (
            title,
            [
                next((one.mean for one in results.sections if one.title == title), None)
                for results in dossier.reviews
            ],
        )
        for title in titles
    ]


def number(value: Any) -> str:
    """A figure as a reader writes it; a dash where there is none."""
    return "–" if value is None else f"{value:,.1f}".removesuffix(".0")


def share(value: float | None) -> str:
    """A ratio in per cent."""
    return "–" if value is None else f"{value:.0%}"


def day(value: date | str | None) -> str:
    """A date in words; a dash where there is none."""
    if value is None:
        return "–"
    if isinstance(value, datetime):
        raise TypeError("an instant has no day without a time zone")
    return letter.day(value if isinstance(value, date) else date.fromisoformat(value))


@cache
def _environment() -> Environment:
    # A document's optional fields may be absent: what is not said stays blank.
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": number, "share": share, "day": day}
    return environment
