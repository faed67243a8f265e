"""The page on which a contact chooses language, time zone and how often the digest comes; and one-click unsubscribing."""

from functools import cache
from importlib import resources
from typing import Annotated

from babel.dates import get_timezone_location
from fastapi import APIRouter, Depends
from starlette.datastructures import FormData
from starlette.responses import PlainTextResponse, Response

from lifecycle import languages
from lifecycle.errors import Fault, Invalid
from lifecycle.partnerships import preferences
from lifecycle.portal import pages
from lifecycle.portal.forms import by_field
from lifecycle.portal.visits import Sent, Visit, by_link, text

router = APIRouter()

Preferring = Annotated[Visit, Depends(by_link("preferences"))]
Zones = dict[str, list[tuple[str, str]]]
"""Region → (zone, the city's name)."""


@router.get("/preferences/{token}")
def show(visit: Preferring) -> Response:
    """What is chosen now, and the form."""
    return _page(visit)


@router.post("/preferences/{token}")
def prefer(visit: Preferring, sent: Sent) -> Response:
    """Keep what was chosen; the page comes back in the language that was."""
    try:
        preferences.prefer(
            visit.database,
            visit.record.id,
            visit.holder.id,
            visit.now,
            language=text(sent, "/language"),
            time_zone=text(sent, "/time_zone"),
            digest=text(sent, "/digest"),
        )
    except Invalid as error:
        return _page(visit, sent, error)
    return visit.again("saved")


@router.get("/preferences/{token}/unsubscribe")
def ask_to_unsubscribe(visit: Preferring) -> Response:
    """Ask first: mail scanners open links, and opening one must not change anything."""
    return visit.page("unsubscribing.html")


@router.post("/preferences/{token}/unsubscribe")
def unsubscribe(visit: Preferring, sent: Sent) -> Response:
    """Send no digest any more. Mail providers' servers ask for it in one step (RFC 8058), a person by our form."""
    one_click = text(sent, "List-Unsubscribe") == "One-Click"
    if not one_click and text(sent, "confirmed") != "yes":
        mend = "Send List-Unsubscribe=One-Click, or use the form of the page."
        raise Invalid([Fault("/List-Unsubscribe", "RFC 8058", mend)], "The request")
    preferences.unsubscribe(visit.database, visit.record.id, visit.holder.id, visit.now)
    if one_click:
        return PlainTextResponse(visit.language.gettext("You get no digest any more."))
    return visit.again("unsubscribed")


def _page(visit: Visit, sent: FormData | None = None, error: Invalid | None = None) -> Response:
    me = visit.holder
    chosen = {"/language": me.language, "/time_zone": me.time_zone, "/digest": me.digest}
    if sent is not None:
        chosen = {name: text(sent, name) for name in chosen}
    zones = zones_in(visit.language.code)
    return visit.page(
        "preferring.html",
        200 if error is None else pages.status_of(error),
        chosen=chosen,
        zones=zones,
        listed={zone for named in zones.values() for zone, _ in named},
        coordinator=visit.people.contacts.get(visit.record.coordinator),
        faults=by_field(error, visit.language),
    )


@cache
def zones_in(code: str) -> Zones:
    """The time zones to choose from, by region and city in a language: those of the tz database's table of places."""
    language = languages.of(code)
    gettext = language.gettext
    regions = {
        "Africa": gettext("Africa"),
        "America": gettext("America"),
        "Antarctica": gettext("Antarctica"),
        "Arctic": gettext("Arctic"),
        "Asia": gettext("Asia"),
        "Atlantic": gettext("Atlantic Ocean"),
        "Australia": gettext("Australia"),
        "Europe": gettext("Europe"),
        "Indian": gettext("Indian Ocean"),
        "Pacific": gettext("Pacific Ocean"),
    }
    found: Zones = {name: [] for name in regions.values()}
    for zone in _places():
        city = get_timezone_location(zone, locale=language.locale, return_city=True)
        found[regions[zone.partition("/")[0]]].append((zone, city))
    for cities in found.values():
        cities.sort(key=lambda one: (one[1].casefold(), one[0]))
    return found


def _places() -> list[str]:
    """The zones of places, each once: no abbreviations, no former names."""
    table = resources.files("tzdata").joinpath("zoneinfo", "zone.tab").read_text(encoding="utf-8")
    return [line.split("\t")[2] for line in table.splitlines() if line and not line.startswith("#")]
