"""What somebody has begun to answer in a round, kept until they give the answer. Nobody else reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.sql.elements import ColumnElement

from lifecycle.db import Database
from lifecycle.documents import rules as document_rules
from lifecycle.errors import Fault, Invalid, Stale
from lifecycle.partnerships import changes
from lifecycle.reviews import queries, questionnaire, rules
from lifecycle.reviews.models import review_draft


@dataclass(frozen=True)
class Draft:
    """An answer that was begun: what of it has the shape of a `review_response`."""

    content: Mapping[str, Any]
    saved_at: datetime


def keep(
    database: Database,
    partnership_id: str,
    number: int,
    contact_id: str,
    content: Mapping[str, Any],
    now: datetime,
    answered: int = 0,
) -> tuple[Fault, ...]:
    """Keep what somebody has begun to answer, in place of what they had kept before.

    It is nobody's record: nothing is logged, and the partnership's version stays. A comment that cannot be kept is left
    out, and the rest kept.

    Args:
        content: a `review_response`, with as few answers as there are yet.
        answered: the revision of their answer that this one changes; 0 where they had not answered. A form that stayed
            open elsewhere does not bring back what was sent meanwhile.

    Returns:
        The faults of the comments that were left out.

    Raises:
        Invalid: it answers questions that the round does not ask, or with scores that there are not.
        NotFound: unknown partnership or round.
        NotAllowed: the contact is not asked, or the partnership has ended.
        Stale: they have given their answer meanwhile.
    """
    with database.write() as connection:
        # Whoever answers holds the same lock: a draft comes before the answer, or finds it.
        change = changes.begin(connection, partnership_id, now)
        changes.require_open(change)
        one = queries.find_round(connection, partnership_id, number)
        queries.require_asked(one, contact_id)
        kept, faults = _fit(content)
        _require_answers_of(kept, number, questionnaire.of(one.questionnaire))
        newest = queries.newest_response(connection, partnership_id, number, contact_id)
        if answered != (0 if newest is None else newest.revision):
            raise Stale("This answer has been sent meanwhile.", mend="Open the page again to change it.")
        _write(connection, (partnership_id, number, contact_id), {"content": kept, "saved_at": now})
        return faults


def find(connection: Connection, partnership_id: str, number: int, contact_id: str) -> Draft | None:
    """What its writer has kept; for nobody else."""
    statement = select(review_draft.c.content, review_draft.c.saved_at)
    row = connection.execute(statement.where(*_of(partnership_id, number, contact_id))).one_or_none()
    return None if row is None else Draft(*row)


def drop(connection: Connection, partnership_id: str, number: int, contact_id: str) -> None:
    """Delete what was kept, if anything: the answer is given."""
    connection.execute(delete(review_draft).where(*_of(partnership_id, number, contact_id)))


def drop_all(connection: Connection, partnership_id: str) -> None:
    """Delete what anybody has kept in a partnership: it has ended, and takes no answer any more."""
    connection.execute(delete(review_draft).where(review_draft.c.partnership_id == partnership_id))


def _of(partnership_id: str, number: int, contact_id: str) -> tuple[ColumnElement[bool], ...]:
    return (
        review_draft.c.partnership_id == partnership_id,
        review_draft.c.round == number,
        review_draft.c.contact_id == contact_id,
    )


def _write(connection: Connection, key: tuple[str, int, str], values: Mapping[str, Any]) -> None:
    """Insert or replace; the lock of the partnership keeps two from inserting."""
    if connection.execute(update(review_draft).where(*_of(*key)).values(values)).rowcount == 0:
        names = ("partnership_id", "round", "contact_id")
        connection.execute(insert(review_draft), {**dict(zip(names, key, strict=True)), **values})


def _fit(content: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[Fault, ...]]:
    """The content without the comments that break the schema, and their faults.

    Raises:
        Invalid: anything else breaks the schema.
    """
    try:
        document_rules.validate("review_response", content)
    except Invalid as error:
        faulty = {fault.pointer for fault in error.faults}
        answers = content.get("answers")
        if not isinstance(answers, list) or not all(_is_comment(pointer) for pointer in faulty):
            raise
        fitting = [_without(one, f"/answers/{place}/comment" in faulty) for place, one in enumerate(answers)]
        # Beyond `limits.MAX_FAULTS` more may be found.
        kept, more = _fit({**content, "answers": fitting})
        return kept, (*error.faults, *more)
    return content, ()


def _is_comment(pointer: str) -> bool:
    steps = pointer.split("/")
    return len(steps) == 4 and steps[1] == "answers" and steps[3] == "comment"


def _without(answer: Mapping[str, Any], comment: bool) -> Mapping[str, Any]:
    return {name: value for name, value in answer.items() if not comment or name != "comment"}


def _require_answers_of(content: Mapping[str, Any], number: int, asked: questionnaire.Questionnaire) -> None:
    """A draft may answer what is not asked after all: the earlier answer may still change."""
    faults = [fault for fault in rules.faults_of(content, asked) if fault.rule != "asked_if"]
    if content["round"] != number:
        faults.append(Fault("/round", "const", f"Write {number}: the round that this answers."))
    if faults:
        raise Invalid(faults, "The draft")
