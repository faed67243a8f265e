"""A partnership's documents: what each is for, the newest revision and those before it, who signed, and what changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.responses import RedirectResponse, Response

from lifecycle.documents import objections, queries, service
from lifecycle.documents.queries import Objection, Revision, SignOff
from lifecycle.errors import Conflict, Fault, Invalid, NotFound
from lifecycle.portal import reading
from lifecycle.portal.document_kinds import READABLE, Kind, Subject, can_put, can_sign
from lifecycle.portal.forms import by_field
from lifecycle.portal.members import Member, OwnForm, Signed, Standing
from lifecycle.portal.visits import text

router = APIRouter()

Number = Annotated[int | None, Query(ge=1, le=2**31 - 1)]


@dataclass(frozen=True)
class _Signing:
    """How far one revision is signed."""

    is_asked: bool
    """Whether it is of those that every partner signs."""
    signed: Sequence[SignOff]
    missing: Sequence[str]
    """Partner ids."""
    objections: Sequence[Objection]
    """Those to this revision."""

    def can_be_by(self, standing: Standing, kind: str) -> bool:
        """Whether the reader's signature is one of those that are missing."""
        return (
            self.is_asked
            and can_sign(standing, kind)
            and standing.me is not None
            and standing.me.partner_id in self.missing
        )


def _signing(connection: Connection, standing: Standing, revision: Revision) -> _Signing:
    def is_of(one: SignOff | Objection) -> bool:
        return (one.kind, one.subject, one.revision) == (revision.kind, revision.subject, revision.revision)

    record_id = standing.record.id
    asked = service.asks_for_sign_offs(revision.kind, revision.content)
    return _Signing(
        asked,
        [one for one in queries.sign_offs(connection, record_id) if is_of(one)],
        service.missing(connection, record_id, standing.people, revision) if asked else [],
        [one for one in queries.objections(connection, record_id) if is_of(one)],
    )


@router.get("/partnerships/{id}/documents")
def list_documents(member: Signed, id: str) -> Response:
    """Every kind of document: its newest revision and how it stands, or that there is none yet."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        newest = queries.latest(connection, id, list(READABLE))
        rows = {
            kind: [(one, _signing(connection, standing, one)) for one in newest if one.kind == kind]
            for kind in READABLE
        }
    puts = {kind: can_put(standing, kind) for kind in READABLE}
    return member.page("documents.html", standing, rows=rows, puts=puts)


@router.get("/partnerships/{id}/documents/{kind}")
def read_document(
    member: Signed, id: str, kind: Kind, revision: Number = None, subject: Subject = ""
) -> Response:
    """One revision of a document to be read and signed; the newest unless one is named."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        return _page(connection, member, standing, _find(connection, id, kind, subject, revision))


def _find(connection: Connection, id: str, kind: str, subject: str, revision: int | None = None) -> Revision:
    try:
        return queries.find(connection, id, kind, subject, revision)
    except NotFound as error:
        raise NotFound(error.message, mend="The page of the documents lists what there is.") from None


def _page(
    connection: Connection,
    member: Member,
    standing: Standing,
    revision: Revision,
    error: Invalid | None = None,
    typed: str = "",
) -> Response:
    kind, subject = revision.kind, revision.subject
    history = [row for row in queries.history(connection, standing.record.id) if row[:2] == (kind, subject)]
    newest = max(row[2] for row in history)
    signing = _signing(connection, standing, revision)
    return member.page(
        "document_page.html",
        standing,
        200 if error is None else 422,
        kind=kind,
        subject=subject,
        revision=revision,
        part=reading.content_of(revision, standing.people),
        history=history[::-1],
        newest=newest,
        signing=signing,
        can_put=can_put(standing, kind),
        can_sign=newest == revision.revision and signing.can_be_by(standing, kind),
        faults=by_field(error, member.language),
        typed=typed,
    )


@router.get("/partnerships/{id}/documents/{kind}/differences")
def show_differences(
    member: Signed,
    id: str,
    kind: Kind,
    before: Annotated[int, Query(alias="from", ge=1, le=2**31 - 1)],
    after: Annotated[int, Query(alias="to", ge=1, le=2**31 - 1)],
    subject: Subject = "",
) -> Response:
    """What was changed from one revision to another."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        old, new = (_find(connection, id, kind, subject, number) for number in (before, after))
    changes = reading.changes_of(old, new, standing.people)
    return member.page(
        "document_differences.html", standing, kind=kind, subject=subject, old=old, new=new, changes=changes
    )


@router.post("/partnerships/{id}/documents/{kind}/sign")
def sign_document(member: Signed, sent: OwnForm, id: str, kind: Kind, subject: Subject = "") -> Response:
    """Sign the exact revision that was shown, for one's organisation."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        shown = _shown(connection, id, kind, subject, sent)
        if text(sent, "/read") != "true":
            fault = Fault("/read", "required", "Tick that you have read it: you sign what it says.")
            return _page(connection, member, standing, shown, Invalid([fault], "The sign-off"))
    service.sign(member.database, id, kind, shown.revision, standing.acting().id, member.now, subject)
    return _again(shown, id, "signed")


@router.post("/partnerships/{id}/documents/{kind}/object")
def object_to_document(member: Signed, sent: OwnForm, id: str, kind: Kind, subject: Subject = "") -> Response:
    """Say why one's organisation does not sign the exact revision that was shown."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        shown = _shown(connection, id, kind, subject, sent)
    reason = text(sent, "/reason")
    try:
        objections.object_to(
            member.database, id, kind, shown.revision, standing.acting().id, reason, member.now, subject
        )
    except Invalid as error:
        with member.database.read() as connection:
            return _page(connection, member, standing, shown, error, reason)
    return _again(shown, id, "objected")


def _shown(connection: Connection, id: str, kind: str, subject: str, sent: Any) -> Revision:
    """The revision that the form stood under.

    Raises:
        NotFound: there is none such.
        Conflict: its content is not what was shown.
    """
    number = text(sent, "revision")
    if not (number.isascii() and number.isdigit() and len(number) < 10):
        raise NotFound("There is no such revision.", mend="Open the document's page again.")
    found = _find(connection, id, kind, subject, int(number))
    if found.sha256 != text(sent, "sha256"):
        raise Conflict("This is not the text that you were shown.", mend="Open the document's page again.")
    return found


def _again(shown: Revision, id: str, said: str) -> Response:
    subject = f"subject={shown.subject}&" if shown.subject else ""
    return RedirectResponse(f"/partnerships/{id}/documents/{shown.kind}?{subject}said={said}", 303)
