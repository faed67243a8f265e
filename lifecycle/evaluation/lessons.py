"""What partnerships have learnt: kept when an evaluation ends in a decision, found again by words or by likeness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select

from lifecycle.documents import queries as documents
from lifecycle.errors import Usage
from lifecycle.evaluation.models import lesson
from lifecycle.gates import look_alikes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.models import partnership

SIMILAR = 50
"""From this likeness (0–100) on, the lessons of another partnership are shown where a need is being defined."""

SHOWN = 5
MAX_WORDS = 10


@dataclass(frozen=True)
class Lesson:
    """Something that a partnership has learnt."""

    partnership_id: str
    title: str
    """The partnership's."""
    lesson: str
    keep_or_change: str | None
    for_whom: str | None
    recorded_at: datetime


def keep(connection: Connection, change: Change) -> None:
    """Keep the lessons on record with a decision about a partnership; one that was kept before is not kept twice."""
    partnership_id = change.partnership.id
    written: list[Mapping[str, Any]] = [
        one
        for found in documents.latest(connection, partnership_id, ["evaluation", "exit_plan"])
        for one in found.content.get("lessons", ())
    ]
    before = connection.execute(select(lesson.c.lesson).where(lesson.c.partnership_id == partnership_id))
    known = set(before.scalars())
    new = {one["lesson"]: one for one in written if one["lesson"] not in known}
    if not new:
        return
    first = len(known) + 1
    rows = [
        {
            "partnership_id": partnership_id,
            "number": number,
            "lesson": text,
            "keep_or_change": one.get("keep_or_change"),
            "for_whom": one.get("for_whom"),
            "recorded_at": change.now,
        }
        for number, (text, one) in enumerate(new.items(), start=first)
    ]
    connection.execute(insert(lesson), rows)


_FOUND = select(
    lesson.c.partnership_id,
    partnership.c.title,
    lesson.c.lesson,
    lesson.c.keep_or_change,
    lesson.c.for_whom,
    lesson.c.recorded_at,
).join_from(lesson, partnership)
_NEWEST_FIRST = (lesson.c.recorded_at.desc(), lesson.c.partnership_id, lesson.c.number)


def search(connection: Connection, text: str = "", limit: int = 20) -> list[Lesson]:
    """The lessons in which every word of a text occurs, whole or as a part, newest first; without a text, the newest.

    A word may stand in the lesson, in whom it is for, or in the partnership's title. Upper and lower case are the same
    (on SQLite, of unaccented letters).

    Raises:
        Usage: too many words.
    """
    asked = text.split()
    if len(asked) > MAX_WORDS:
        raise Usage(f"{len(asked)} words are too many.", mend=f"Search for at most {MAX_WORDS} words.")
    found = _FOUND.where(*(_says(word) for word in asked)).order_by(*_NEWEST_FIRST).limit(limit)
    return [Lesson(*row) for row in connection.execute(found)]


def _says(word: str) -> ColumnElement[bool]:
    places = (lesson.c.lesson, func.coalesce(lesson.c.for_whom, ""), partnership.c.title)
    said: ColumnElement[bool] = places[0].icontains(word, autoescape=True)
    for place in places[1:]:
        said = said | place.icontains(word, autoescape=True)
    return said


def of_similar(connection: Connection, partnership_id: str, limit: int = SHOWN) -> list[Lesson]:
    """What partnerships with a like need have learnt, of the likest first; none before the need is assessed."""
    alike = [one.partnership_id for one in look_alikes.find(connection, partnership_id, SIMILAR)]
    return _of(connection, alike, limit)


def _of(connection: Connection, partnership_ids: Sequence[str], limit: int) -> list[Lesson]:
    rows = connection.execute(
        _FOUND.where(lesson.c.partnership_id.in_(partnership_ids)).order_by(*_NEWEST_FIRST)
    )
    found = [Lesson(*row) for row in rows]
    return sorted(found, key=lambda one: partnership_ids.index(one.partnership_id))[:limit]


def for_gate(connection: Connection, partnership_id: str, event: str) -> list[dict[str, str]]:
    """What an email about a gate says of them: at the end of step one, what others have learnt with a like need."""
    if event != "confirm_need":
        return []
    return [{"title": one.title, "lesson": one.lesson} for one in of_similar(connection, partnership_id)]
