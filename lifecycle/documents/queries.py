"""Reading documents: the latest revisions, one exact revision, their sign-offs and the objections to them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, exists, func, select

from lifecycle.documents.models import document, objection, sign_off
from lifecycle.errors import NotFound


@dataclass(frozen=True)
class Revision:
    """One immutable revision of a document."""

    kind: str
    subject: str
    revision: int
    schema_version: int
    sha256: str
    content: Mapping[str, Any]
    author: str
    created_at: datetime


@dataclass(frozen=True)
class SignOff:
    """A contact's assent to one exact revision; it counts while that revision is the latest."""

    kind: str
    subject: str
    revision: int
    partner_id: str
    contact_id: str
    signed_at: datetime


@dataclass(frozen=True)
class Objection:
    """Why a contact does not sign one exact revision for their partner."""

    kind: str
    subject: str
    revision: int
    partner_id: str
    contact_id: str
    reason: str
    objected_at: datetime
    state: Literal["open", "signed", "answered"] = "open"
    """Settled it is by a sign-off of the same partner for the same revision, or answered by a newer revision."""


_REVISION = [document.c[name] for name in Revision.__dataclass_fields__]
_SIGN_OFF = [sign_off.c[name] for name in SignOff.__dataclass_fields__]
_OBJECTION = [objection.c[name] for name in Objection.__dataclass_fields__ if name != "state"]
_newer = document.alias("newer")
_LATEST = select(*_REVISION).where(
    document.c.partnership_id == bindparam("id"),
    document.c.kind.in_(bindparam("kinds", expanding=True)),
    document.c.revision
    == select(func.max(_newer.c.revision))
    .where(
        _newer.c.partnership_id == document.c.partnership_id,
        _newer.c.kind == document.c.kind,
        _newer.c.subject == document.c.subject,
    )
    .scalar_subquery(),
)
_SIGN_OFFS = (
    select(*_SIGN_OFF).where(sign_off.c.partnership_id == bindparam("id")).order_by(sign_off.c.signed_at)
)
_OF_THE_SAME_DOCUMENT = tuple(
    _newer.c[name] == objection.c[name] for name in ("partnership_id", "kind", "subject")
)
_OF_THE_SAME_REVISION = tuple(
    sign_off.c[name] == objection.c[name]
    for name in ("partnership_id", "kind", "subject", "revision", "partner_id")
)
_OBJECTIONS = (
    select(
        *_OBJECTION,
        select(func.max(_newer.c.revision)).where(*_OF_THE_SAME_DOCUMENT).scalar_subquery(),
        exists().where(*_OF_THE_SAME_REVISION),
    )
    .where(objection.c.partnership_id == bindparam("id"))
    .order_by(objection.c.objected_at, objection.c.contact_id)
)


def latest(connection: Connection, partnership_id: str, kinds: list[str]) -> list[Revision]:
    """The latest revision of each document of these kinds (one per subject)."""
    return [_revision(row) for row in connection.execute(_LATEST, {"id": partnership_id, "kinds": kinds})]


def sign_offs(connection: Connection, partnership_id: str) -> list[SignOff]:
    """Every sign-off ever given, oldest first; void ones included."""
    return [SignOff(*row) for row in connection.execute(_SIGN_OFFS, {"id": partnership_id})]


def last_signed(connection: Connection, partnership_id: str, partner_id: str, exact: Revision) -> int | None:
    """The newest revision before this one that a partner signed; None if it signed none."""
    statement = select(func.max(sign_off.c.revision)).where(
        sign_off.c.partnership_id == partnership_id,
        sign_off.c.kind == exact.kind,
        sign_off.c.subject == exact.subject,
        sign_off.c.partner_id == partner_id,
        sign_off.c.revision < exact.revision,
    )
    found: int | None = connection.execute(statement).scalar_one()
    return found


def objections(connection: Connection, partnership_id: str) -> list[Objection]:
    """Every objection ever raised, oldest first, each with what has become of it."""
    return [_objection(*row) for row in connection.execute(_OBJECTIONS, {"id": partnership_id})]


def _objection(*row: Any) -> Objection:
    *said, newest, signed = row
    one = Objection(*said)
    if signed:
        return replace(one, state="signed")
    return one if one.revision == newest else replace(one, state="answered")


def find(
    connection: Connection, partnership_id: str, kind: str, subject: str = "", revision: int | None = None
) -> Revision:
    """One revision of a document: the one named, or the latest.

    Raises:
        NotFound: there is no such document or revision.
    """
    statement = select(*_REVISION).where(
        document.c.partnership_id == partnership_id, document.c.kind == kind, document.c.subject == subject
    )
    if revision is not None:
        statement = statement.where(document.c.revision == revision)
    row = connection.execute(statement.order_by(document.c.revision.desc()).limit(1)).one_or_none()
    if row is None:
        which = f"revision {revision} of " if revision is not None else ""
        raise NotFound(
            f"Partnership {partnership_id} has no {which}{kind}{f' “{subject}”' if subject else ''}.",
            mend="`lifecycle show ID` lists its documents.",
        )
    return _revision(row)


def history(connection: Connection, partnership_id: str) -> list[tuple[str, str, int, str, str, datetime]]:
    """Every revision without its content: (kind, subject, revision, sha256, author, created_at), oldest first."""
    names = ("kind", "subject", "revision", "sha256", "author", "created_at")
    statement = select(*(document.c[name] for name in names)).where(
        document.c.partnership_id == partnership_id
    )
    in_order = (document.c[name] for name in ("created_at", "kind", "subject", "revision"))
    return [tuple(row) for row in connection.execute(statement.order_by(*in_order))]


def _revision(row: Any) -> Revision:
    kind, subject, revision, schema_version, sha256, content, author, created_at = row
    return Revision(kind, subject, revision, schema_version, sha256, json.loads(content), author, created_at)
