"""Objecting to a document's exact revision: why a partner does not sign it."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from lifecycle.db import Database
from lifecycle.documents import limits, queries
from lifecycle.documents.models import objection, sign_off
from lifecycle.documents.service import SIGNED_BY
from lifecycle.errors import Conflict, Fault, Invalid, NotAllowed
from lifecycle.notices.owed import Owed
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import Contact, People, people_of

MAX_REASON = 2000


def object_to(
    database: Database,
    partnership_id: str,
    kind: str,
    revision: int,
    contact_id: str,
    reason: str,
    now: datetime,
    subject: str = "",
) -> queries.Objection:
    """Say on a partner's behalf why it does not sign one exact revision. The same reason again changes nothing.

    Another reason by the same contact takes the place of the one before. Nobody is bound by an objection: the partner
    can sign later, or a newer revision answers it. Everybody who has to answer is told, in the objector's words.

    Raises:
        Invalid: no reason, or too long a one.
        NotFound: unknown partnership, contact, document or revision.
        NotAllowed: the contact cannot bind its partner, or this kind is not signed.
        Conflict: a newer revision exists, or the partner has signed this one.
    """
    reason = _checked(reason)
    if kind not in SIGNED_BY:
        raise NotAllowed(f"A {kind} is not signed.", mend=f"Signed are: {', '.join(SIGNED_BY)}.")
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        changes.require_open(change)
        people = people_of(connection, partnership_id)[partnership_id]
        person = people.entitled(contact_id, SIGNED_BY[kind], f"object to the {kind}")
        exact = queries.find(connection, partnership_id, kind, subject, revision)
        _require_newest(connection, change, exact)
        _require_unsigned(connection, change, people, exact, person)
        raised = queries.Objection(kind, subject, revision, person.partner_id, contact_id, reason, change.now)
        known = _known(connection, change, raised)
        if known is not None and known.reason == reason:
            return known
        _record(connection, change, raised)
        change.log(
            "objected",
            contact_id,
            kind=kind,
            subject=subject,
            revision=revision,
            sha256=exact.sha256,
            partner=person.partner_id,
        )
        change.owe(_told(change, people, exact, raised))
        changes.write(connection, change)
        return raised


def _checked(reason: str) -> str:
    faults = list(limits.faults_of(reason, "/reason"))
    reason = reason.strip()
    if not reason:
        faults.append(Fault("/reason", "required", "Say what has to change before you can sign."))
    if len(reason) > MAX_REASON:
        faults.append(
            Fault(
                "/reason",
                "maxLength",
                f"Shorten it to at most {MAX_REASON} characters; it has {len(reason)}.",
            )
        )
    if faults:
        raise Invalid(faults, "The objection")
    return reason


def _require_newest(connection: Connection, change: Change, exact: queries.Revision) -> None:
    newest = queries.find(connection, change.partnership.id, exact.kind, exact.subject).revision
    if newest != exact.revision:
        raise Conflict(
            f"Revision {exact.revision} of the {exact.kind} is superseded: revision {newest} is the latest.",
            mend=f"Read revision {newest}, and object to that one if you still have to.",
        )


def _require_unsigned(
    connection: Connection, change: Change, people: People, exact: queries.Revision, person: Contact
) -> None:
    """What a partner has signed stays signed: its contacts do not take it back by an objection."""
    by = connection.execute(
        select(sign_off.c.contact_id)
        .where(
            sign_off.c.partnership_id == change.partnership.id,
            sign_off.c.kind == exact.kind,
            sign_off.c.subject == exact.subject,
            sign_off.c.revision == exact.revision,
            sign_off.c.partner_id == person.partner_id,
        )
        .order_by(sign_off.c.signed_at)
    ).scalars()
    signer = next(by, None)
    if signer is not None:
        raise Conflict(
            f"{signer} has signed revision {exact.revision} of the {exact.kind} for {person.partner_id}.",
            mend="Ask its author to put a newer revision, which all partners are asked to sign.",
        )


_KEY = ("partnership_id", "kind", "subject", "revision", "contact_id")
_REPLACED = ("partner_id", "reason", "objected_at")


def _known(connection: Connection, change: Change, raised: queries.Objection) -> queries.Objection | None:
    row = connection.execute(
        select(objection.c.reason, objection.c.objected_at).where(
            objection.c.partnership_id == change.partnership.id,
            *(objection.c[name] == getattr(raised, name) for name in _KEY[1:]),
        )
    ).one_or_none()
    return None if row is None else replace(raised, reason=row.reason, objected_at=row.objected_at)


def _recorded(insert: Any) -> Any:
    """The statement of either database that adds an objection, or takes the place of the contact's own."""
    return insert.on_conflict_do_update(
        index_elements=_KEY, set_={name: insert.excluded[name] for name in _REPLACED}
    )


_RECORD = {
    "sqlite": _recorded(sqlite.insert(objection)),
    "postgresql": _recorded(postgresql.insert(objection)),
}


def _record(connection: Connection, change: Change, raised: queries.Objection) -> None:
    row = {name: getattr(raised, name) for name in (*_KEY[1:], *_REPLACED)}
    connection.execute(_RECORD[connection.dialect.name], row | {"partnership_id": change.partnership.id})


def _told(
    change: Change, people: People, exact: queries.Revision, raised: queries.Objection
) -> Iterator[Owed]:
    """Its author and the coordinator, who can put a newer revision, and each other partner's own contact."""
    others = sorted(people.partners.keys() - {raised.partner_id})
    concerned = {
        c.id for partner_id in others for c in people.reachable(partner_id, "primary", "deputy", "sponsor")
    }
    concerned |= {exact.author, change.partnership.coordinator} & people.contacts.keys()
    facts = {
        "kind": exact.kind,
        "subject": exact.subject,
        "revision": exact.revision,
        "sha256": exact.sha256,
        "by": raised.contact_id,
        "reason": raised.reason,
    }
    # A reason that was replaced is news again: the trail's number tells the two apart.
    fact = f"objection/{exact.kind}/{exact.subject}/{exact.revision}/{change.partnership.audit_seq}"
    for contact_id in sorted(concerned - {raised.contact_id}):
        yield Owed(contact_id, "objection_raised", fact, facts)
