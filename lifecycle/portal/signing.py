"""Signing an exact revision of a document, or objecting to it, by the link of an email: `/sign/{token}`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import Response

from lifecycle.documents import objections, queries, service
from lifecycle.documents.queries import Objection, Revision, SignOff
from lifecycle.errors import Conflict, Fault, Invalid, LifecycleError
from lifecycle.partnerships.people import Contact
from lifecycle.portal import forms, pages, reading
from lifecycle.portal.reading import Difference
from lifecycle.portal.visits import Sent, Visit, by_link, text
from lifecycle.stages import FINAL_STAGES

router = APIRouter()
Visiting = Annotated[Visit, Depends(by_link("sign"))]


@dataclass(frozen=True)
class Comparison:
    """What a reader has to look at first: the changes between two revisions."""

    since: Revision | None
    """None where there is nothing to compare with: it is the first."""
    was_signed: bool
    """Whether the holder's partner signed that one."""
    changes: list[Difference]


@dataclass(frozen=True)
class Signing:
    """How one revision of a document stands, for the holder of a link to it."""

    exact: Revision
    newest: Revision
    compared: Comparison
    signed: Mapping[str, SignOff]
    """Partner id → its first sign-off of this revision."""
    objections: list[Objection]
    """Every objection to this revision."""
    entitled: list[Contact]
    """Who can sign for the holder's partner."""

    @property
    def is_superseded(self) -> bool:
        """Whether a newer revision takes its place."""
        return self.newest.revision != self.exact.revision


@router.get("/sign/{token}")
def show(visit: Visiting) -> Response:
    """The document, what has changed, who signed, and the two forms."""
    return _page(visit)


@router.post("/sign/{token}")
def sign(visit: Visiting, sent: Sent) -> Response:
    """Sign the revision that was read."""
    exact = _shown(visit, sent)
    if text(sent, "/read") != "true":
        mend = visit.language.gettext("Tick that you have read it and may sign it.")
        return _page(visit, Invalid([Fault("/read", "required", mend)]))
    about = (visit.record.id, exact.kind, exact.revision, visit.holder.id)
    try:
        service.sign(visit.database, *about, visit.now, exact.subject)
    except Conflict as error:
        return _page(visit, refused=error)
    return visit.again("signed")


@router.post("/sign/{token}/objection")
def object_to(visit: Visiting, sent: Sent) -> Response:
    """Say why the revision that was read is not signed."""
    exact, reason = _shown(visit, sent), text(sent, "/reason")
    about = (visit.record.id, exact.kind, exact.revision, visit.holder.id)
    try:
        objections.object_to(visit.database, *about, reason, visit.now, exact.subject)
    except Invalid as error:
        return _page(visit, error, reason=reason)
    except Conflict as error:
        return _page(visit, refused=error, reason=reason)
    return visit.again("objected")


def _exact(visit: Visit) -> tuple[str, str, int]:
    """Kind, subject and revision, as the link names them."""
    kind, subject, revision = (visit.door.subject[name] for name in ("kind", "subject", "revision"))
    return kind, subject, revision


def _shown(visit: Visit, sent: FormData) -> Revision:
    """The link's revision, if it is the one that the form was shown with.

    Raises:
        Conflict: it is not.
    """
    with visit.database.read() as connection:
        exact = queries.find(connection, visit.record.id, *_exact(visit))
    if text(sent, "sha256") != exact.sha256:
        say = visit.language.gettext
        raise Conflict(
            say("This form was shown with another document than the link's."),
            mend=say("Open the link again, and read what it shows before you sign it."),
        )
    return exact


def _page(
    visit: Visit,
    error: Invalid | None = None,
    refused: LifecycleError | None = None,
    reason: str | None = None,
) -> Response:
    signing = _read(visit)
    said = [one.reason for one in signing.objections if one.contact_id == visit.holder.id]
    wrong = error or refused
    return visit.page(
        "sign.html",
        200 if wrong is None else pages.status_of(wrong),
        signing=signing,
        part=reading.content_of(signing.exact, visit.people),
        may_act=_may_act(visit, signing),
        is_over=visit.record.stage in FINAL_STAGES,
        faults=forms.by_field(error, visit.language),
        refused=refused,
        reason=reason if reason is not None else next(iter(said), ""),
    )


def _may_act(visit: Visit, signing: Signing) -> bool:
    """Whether the holder can sign it, or object to it, now."""
    return (
        not signing.is_superseded
        and visit.record.stage not in FINAL_STAGES
        and visit.holder in signing.entitled
        and visit.holder.partner_id not in signing.signed
    )


def _read(visit: Visit) -> Signing:
    about = _exact(visit)
    with visit.database.read() as connection:
        exact = queries.find(connection, visit.record.id, *about)
        newest = queries.find(connection, visit.record.id, exact.kind, exact.subject)
        signed: dict[str, SignOff] = {}
        for one in queries.sign_offs(connection, visit.record.id):
            if (one.kind, one.subject, one.revision) == about:
                signed.setdefault(one.partner_id, one)
        raised = queries.objections(connection, visit.record.id)
        compared = _compared(connection, visit, exact, newest)
    return Signing(
        exact,
        newest,
        compared,
        signed,
        [one for one in raised if (one.kind, one.subject, one.revision) == about],
        visit.people.of(visit.holder.partner_id, service.SIGNED_BY.get(exact.kind, ())),
    )


def _compared(connection: Connection, visit: Visit, exact: Revision, newest: Revision) -> Comparison:
    """What became of a superseded revision; of the newest, what changed since their own last word, or the one before."""
    if newest.revision != exact.revision:
        return Comparison(exact, False, reading.changes_of(exact, newest, visit.people))
    signed = queries.last_signed(connection, visit.record.id, visit.holder.partner_id, exact)
    before = signed or exact.revision - 1
    if not before:
        return Comparison(None, False, [])
    since = queries.find(connection, visit.record.id, exact.kind, exact.subject, before)
    return Comparison(since, signed is not None, reading.changes_of(since, exact, visit.people))
