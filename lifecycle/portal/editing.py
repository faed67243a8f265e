"""Editing documents in forms: whole, or part by part; nothing that somebody else saved meanwhile is overwritten unseen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from lifecycle.documents import queries, rules, service
from lifecycle.documents.queries import Revision
from lifecycle.errors import Conflict, Invalid, LifecycleError, NotAllowed, NotFound, Stale
from lifecycle.portal import form_data, form_parts, pages
from lifecycle.portal.document_kinds import Kind, Subject, may_put
from lifecycle.portal.form_data import ABSENT
from lifecycle.portal.form_parts import NEW, WHOLE, Part
from lifecycle.portal.forms import placed
from lifecycle.portal.members import Member, OwnForm, Signed, Standing
from lifecycle.portal.part_list import listed, missing_in
from lifecycle.portal.schema_forms import Maker
from lifecycle.portal.visits import text

router = APIRouter()

QUIET = timedelta(minutes=15)
"""So long after the last saved part partners are asked to sign: who edits part by part asks once."""

PartName = Annotated[str, Query(max_length=200)]


@dataclass(frozen=True)
class _Draft:
    """A part of a document on its way: what it was filled from, and what is newest now."""

    member: Member
    standing: Standing
    kind: str
    subject: str
    part: Part
    base: Revision | None
    newest: Revision | None
    since: Sequence[Revision] = ()
    """The revisions that somebody saved since the form was filled, oldest first."""

    @property
    def schema(self) -> dict[str, Any]:
        return rules.load_schema(self.kind)

    @property
    def content(self) -> Any:
        return dict(self.newest.content) if self.newest is not None else {}

    @property
    def is_overtaken(self) -> bool:
        """Whether somebody else changed this very part since."""
        return bool(_held(self.base, self.part) != _held(self.newest, _now(self)))

    def address(self, page: str = "/edit", **query: str) -> str:
        """Where a page of this document is."""
        known = {"subject": self.subject} | query
        told = urlencode({name: value for name, value in known.items() if value})
        where = f"/partnerships/{self.standing.record.id}/documents/{self.kind}{page}"
        return f"{where}?{told}" if told else where


def _held(revision: Revision | None, part: Part) -> Any:
    return form_parts.found_in({} if revision is None else revision.content, part)


def _now(draft: _Draft) -> Part:
    """The part where it stands in the newest revision."""
    if draft.base is None or draft.newest is None:
        return draft.part
    return form_parts.moved(draft.part, draft.base.content, draft.newest.content)


@router.get("/partnerships/{id}/documents/{kind}/edit")
def edit_document(
    member: Signed, id: str, kind: Kind, part: PartName = WHOLE, subject: Subject = ""
) -> Response:
    """The form of a document, filled with its newest revision; of a long one, the list of its parts."""
    with member.database.read() as connection:
        draft = _draft(connection, member, id, kind, subject, part)
    if part == WHOLE and form_parts.are_parts(draft.schema, draft.content):
        return _list_of_parts(draft)
    found = _held(draft.newest, draft.part)
    if form_parts.one_by_one(draft.part.schema, None if found is ABSENT else found):
        return RedirectResponse(f"{draft.address('/edit')}#{part}", 303)
    if found is ABSENT and subject:
        found = {"event": subject}
    if found is ABSENT and part.rpartition("/")[2].isdigit():
        raise NotFound(
            "This entry is not in the document any more.", mend="Go back to the list of its parts."
        )
    return _form(draft, found)


@router.post("/partnerships/{id}/documents/{kind}/edit")
def save_document(
    member: Signed, sent: OwnForm, id: str, kind: Kind, part: PartName = WHOLE, subject: Subject = ""
) -> Response:
    """Save the document with what the form sent; or show it again with an entry more or fewer, and save nothing."""
    base = _number(sent, "revision")
    if kind == "decision_record" and (event := text(sent, "/event")) != subject:
        # There is one record for each event: what is saved is another one than was opened.
        subject, base = event, 0
    with member.database.read() as connection:
        draft = _draft(connection, member, id, kind, subject, part, base)
    typed = _typed(draft, sent)
    if "add" in sent or "remove" in sent:
        # Saved is nothing yet, so what the form was filled from stays what it was.
        return _form(
            replace(draft, newest=draft.base), typed, grown=text(sent, "add"), shrunk=text(sent, "remove")
        )
    if draft.is_overtaken:
        return _form(draft, typed, status=409)
    whole, place = form_parts.put_into(draft.content, _now(draft), typed)
    try:
        saved = service.put(
            member.database,
            id,
            kind,
            whole,
            draft.standing.acting().id,
            member.now,
            draft.standing.record.version,
            quiet=QUIET,
        )
    except (Invalid, Conflict, NotAllowed) as error:
        return _refused(draft, typed, error, place)
    return _saved(draft, saved)


def _typed(draft: _Draft, sent: FormData) -> Any:
    if "take_out" in sent:
        return ABSENT
    pairs = [(name, value) for name, value in sent.multi_items() if isinstance(value, str)]
    return form_data.decode_with(
        draft.part.schema, pairs, draft.part.pointer, text(sent, "add"), text(sent, "remove")
    )


def _draft(
    connection: Connection,
    member: Member,
    id: str,
    kind: str,
    subject: str,
    part: str,
    base: int | None = None,
) -> _Draft:
    standing = member.standing(connection, id)
    standing.acting()
    may_put(standing, kind)
    newest = _found(connection, id, kind, subject, None)
    newest_number = newest.revision if newest is not None else 0
    number = newest_number if base is None else min(base, newest_number)
    since = [_found(connection, id, kind, subject, one) for one in range(number + 1, newest_number + 1)]
    return _Draft(
        member,
        standing,
        kind,
        subject,
        form_parts.part_of(rules.load_schema(kind), part),
        _found(connection, id, kind, subject, number) if number else None,
        newest,
        [one for one in since if one is not None],
    )


def _found(connection: Connection, id: str, kind: str, subject: str, revision: int | None) -> Revision | None:
    try:
        return queries.find(connection, id, kind, subject, revision)
    except NotFound:
        return None


def _number(sent: FormData, name: str) -> int:
    value = text(sent, name)
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def _list_of_parts(draft: _Draft) -> Response:
    missing = missing_in(
        draft.member.database, draft.standing.record, draft.kind, draft.schema, draft.member.now
    )
    return draft.member.page(
        "document_parts.html",
        draft.standing,
        kind=draft.kind,
        draft=draft,
        parts=listed(draft.member.language, draft.schema, draft.content, missing),
    )


def _form(
    draft: _Draft,
    content: Any,
    status: int = 200,
    error: LifecycleError | None = None,
    place: str = "",
    grown: str = "",
    shrunk: str = "",
) -> Response:
    whole, _ = form_parts.put_into(draft.content, draft.part, content)
    maker = Maker(draft.member.language, draft.standing.people, whole, grown)
    form = maker.form(draft.part, content)
    faults = [
        replace(one, pointer=_pointer_here(one.pointer, place, draft.part))
        for one in (error.faults if isinstance(error, Invalid) else ())
    ]
    found = placed(faults, form, draft.member.language)
    by_field: dict[str, list[str]] = {}
    for one in found:
        by_field.setdefault(one.pointer, []).append(one.mend)
    return draft.member.page(
        "document_edit.html",
        draft.standing,
        status,
        kind=draft.kind,
        draft=draft,
        form=form,
        faults=by_field,
        found=found,
        error=None if isinstance(error, Invalid) else error,
        is_overtaken=status == 409 and error is None,
        shrunk=shrunk.rpartition("/")[0],
        is_one_of_many=draft.part.name.rpartition("/")[2].isdigit(),
        is_new=draft.part.name.rpartition("/")[2] == NEW,
    )


def _pointer_here(pointer: str, place: str, part: Part) -> str:
    """A fault's pointer into the whole document, as the form calls the place: its item may have moved, or be new."""
    if place and (pointer == place or pointer.startswith(f"{place}/")):
        return part.pointer + pointer.removeprefix(place)
    return pointer


def _refused(draft: _Draft, typed: Any, error: LifecycleError, place: str) -> Response:
    return _form(draft, typed, 409 if isinstance(error, Stale) else pages.status_of(error), error, place)


def _saved(draft: _Draft, saved: Revision) -> Response:
    changed = draft.newest is None or saved.revision != draft.newest.revision
    said = "saved" if changed else "same"
    draft = replace(draft, subject=saved.subject)
    page = "" if draft.part.name == WHOLE else "/edit"
    return RedirectResponse(draft.address(page, said=said), 303)
