"""Lists by cursor, in a stable order. A cursor is opaque: it says where the page before it ended."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import Annotated, TypeVar

from fastapi import Query

from lifecycle.api.shapes import Page
from lifecycle.errors import Fault, Invalid

T = TypeVar("T")
S = TypeVar("S")

Cursor = Annotated[
    str | None,
    Query(description="`next_cursor` of the page before.", max_length=200, pattern=r"^[A-Za-z0-9_-]+={0,2}$"),
]
Limit = Annotated[int, Query(ge=1, le=200, description="At most so many.")]


def cursor_of(place: str) -> str:
    """The cursor of a place in a list."""
    return base64.urlsafe_b64encode(place.encode()).decode()


def place_of(cursor: str | None) -> str:
    """The place that a cursor names; empty for the beginning.

    Raises:
        Invalid: it is none of ours.
    """
    try:
        place = base64.b64decode(cursor or "", altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        place = "\0"
    if "\0" in place:
        fault = Fault("cursor", "cursor", "Send `next_cursor` as it was given, or leave it out.")
        raise Invalid([fault], "The request")
    return place


def number_of(cursor: str | None) -> int:
    """The number that a cursor names; 0 for the beginning.

    Raises:
        Invalid: it is none of ours.
    """
    place = place_of(cursor)
    if place and not (place.isascii() and place.isdigit() and len(place) < 10):
        fault = Fault("cursor", "cursor", "Send `next_cursor` as it was given, or leave it out.")
        raise Invalid([fault], "The request")
    return int(place or 0)


def page(found: Sequence[S], limit: int, place: Callable[[S], object], shape: Callable[[S], T]) -> Page[T]:
    """A page of what was read, one more than the limit where there is a next page."""
    more = len(found) > limit
    shown = found[:limit]
    return Page(
        items=[shape(one) for one in shown],
        next_cursor=cursor_of(str(place(shown[-1]))) if more else None,
    )


def slice_of(everything: Sequence[S], cursor: str | None, limit: int, shape: Callable[[S], T]) -> Page[T]:
    """A page of a list that is at hand whole: a partnership's own, which stays short and never reorders."""
    begin = number_of(cursor)
    found = everything[begin : begin + limit]
    more = len(everything) > begin + limit
    return Page(
        items=[shape(one) for one in found], next_cursor=cursor_of(str(begin + limit)) if more else None
    )
