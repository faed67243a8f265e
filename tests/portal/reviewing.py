"""A review round behind a link: what tests of its pages share."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from httpx import Response
from lxml import html
from sqlalchemy import update

from lifecycle.db import Database
from lifecycle.partnerships import changes
from lifecycle.partnerships.models import partnership
from lifecycle.reviews import queries
from lifecycle.reviews import service as reviews
from tests.builders import registered, reviewed

DAY = timedelta(days=1)
EVIL = "<script>alert(1)</script>"
Travel = Callable[[datetime], None]


def opened(database: Database, now: datetime, **reviews_terms: Any) -> Database:
    """A partnership whose first review round has just opened."""
    registered(database, now, stage="maintaining")
    reviewed(database, "harbour", now, **reviews_terms)
    reviews.sweep_reviews(database, now)
    return database


def close(database: Database, now: datetime) -> None:
    for day in (20, 40):
        reviews.sweep_reviews(database, now + day * DAY)


def form(page: Response) -> dict[str, str]:
    """What the page's form would send as it stands, without a button."""
    # The first line feed of a text area is no part of what it holds (HTML, 13.2.6.4.7), whatever lxml says.
    return {
        name: value.removeprefix("\n") for name, value in html.fromstring(page.text).forms[0].form_values()
    }


def said(page: Response) -> str:
    """What stands on the page, in one line."""
    return " ".join(html.fromstring(page.text).text_content().split())


def at(page: Response, name: str) -> str:
    """The fault that stands at a field."""
    field = review_field(name)
    return str(html.fromstring(page.text).get_element_by_id(f"{field}-fault").text_content())


def review_field(name: str) -> str:
    return f"f{name.replace('/', '-')}"


def answered(database: Database, who: str = "city-primary") -> Mapping[str, Any] | None:
    with database.read() as connection:
        return queries.responses(connection, "harbour", 1).get(who)


ALL = {f"/answers/{place}/score": "4" for place in range(14)}


def end(database: Database, now: datetime) -> None:
    with database.write() as connection:
        change = changes.begin(connection, "harbour", now)
        reviews.cancel_open_rounds(connection, change)
        changes.write(connection, change)
        connection.execute(update(partnership).values(stage="terminated"))
