"""Putting documents and signing them off."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select
from sqlalchemy.dialects import postgresql, sqlite

from lifecycle.db import Database
from lifecycle.documents import queries, references, rules
from lifecycle.documents.models import document, sign_off
from lifecycle.errors import Conflict, Fault, Invalid, NotAllowed
from lifecycle.evaluation import exiting, periods
from lifecycle.gates import look_alikes
from lifecycle.notices import outbox
from lifecycle.notices.owed import Owed
from lifecycle.obligations import queries as performances
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import BINDING_ROLES, People, people_of
from lifecycle.reviews import questionnaire
from lifecycle.timers import ladders
from lifecycle.timers import service as timers

WRITABLE_IN: Mapping[str, frozenset[str]] = {
    "need_assessment": frozenset({"need_definition"}),
    "convening": frozenset({"starting"}),
    "agreement": frozenset({"starting", "setting_up"}),
    "evaluation": frozenset({"maintaining", "evaluating"}),
    "exit_plan": frozenset({"maintaining", "evaluating", "suspended"}),
    "decision_record": frozenset(
        {"need_definition", "starting", "setting_up", "maintaining", "evaluating", "suspended"}
    ),
}
"""In which stages a kind may be put. A review response has its own way (`reviews.service.respond`)."""

SIGNED_BY: Mapping[str, tuple[str, ...]] = {
    "convening": ("primary", "deputy", "sponsor"),
    "agreement": ("sponsor", "primary", "deputy"),
    "evaluation": ("sponsor",),
    "decision_record": ("sponsor",),
}
"""Kinds that partners sign, and whom of each partner to ask: the first role that can be reached."""


def put(
    database: Database,
    partnership_id: str,
    kind: str,
    content: Any,
    author: str,
    now: datetime,
    expected_version: int | None = None,
    quiet: timedelta = timedelta(),
) -> queries.Revision:
    """Store a new immutable revision of a document. The same content again is the same revision: nothing changes.

    Voids the sign-offs of the revision before it, and asks every partner again.

    Args:
        quiet: so long after the last revision nobody is asked to sign: who edits part by part asks once.

    Raises:
        Invalid: the content breaks its schema; every fault is listed.
        NotFound: unknown partnership, kind or author.
        NotAllowed: this kind cannot be put in the partnership's stage.
        Conflict: the partnership is not at `expected_version`.
    """
    rules.validate(kind, content)
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now, expected_version)
        people = people_of(connection, partnership_id)[partnership_id]
        revision = add(connection, change, people, kind, content, author, quiet)
        changes.write(connection, change)
        return revision


def add(
    connection: Connection,
    change: Change,
    people: People,
    kind: str,
    content: Any,
    author: str,
    quiet: timedelta = timedelta(),
) -> queries.Revision:
    """Add a document whose schema has been checked to a change; for the rest as `put`."""
    if kind in SIGNED_BY:
        people.entitled(author, BINDING_ROLES, f"put a {kind}")
    else:
        people.get(author)
    _require_stage(kind, change)
    references.require_known(kind, content, people.contacts, people.partners)
    partnership_id = change.partnership.id
    if kind == "agreement":
        _require_no_orphans(connection, change, content)
        _require_own_questions(content)
        _require_periods_apart(content)
    subject = str(content["event"]) if kind == "decision_record" else ""
    before = _latest(connection, partnership_id, kind, subject)
    if before is not None and before.sha256 == rules.sha256(content):
        return before
    revision = add_revision(connection, change, kind, subject, content, author, before)
    if asks_for_sign_offs(kind, content):
        _ask_for_sign_offs(connection, change, people, revision, before, quiet)
    if kind == "need_assessment":
        look_alikes.index(connection, partnership_id, content)
    if kind in {"evaluation", "exit_plan"}:
        exiting.follow(connection, change, people)
    change.arm("gate_readiness", "", change.now, ladders.NOW)
    return revision


def _require_no_orphans(connection: Connection, change: Change, content: Mapping[str, Any]) -> None:
    """What has fallen due and is not settled keeps its obligation in an amended agreement."""
    kept = {one["id"] for one in content.get("obligations", ())}
    faults = [
        Fault(
            "/obligations",
            "no orphans",
            f"{one.name} is {one.state}: settle or waive it, or keep “{one.obligation}”.",
        )
        for one in performances.unsettled(connection, change.partnership.id, change.now)
        if one.obligation not in kept and not one.is_remedy
    ]
    if faults:
        raise Invalid(faults, "The agreement")


def _require_own_questions(content: Mapping[str, Any]) -> None:
    """A partnership's own review questions have ids of their own."""
    faults = [
        Fault(f"/reviews/questions/{place}/id", "unique", "Choose an id that no other question has.")
        for place in questionnaire.collisions(content.get("reviews", {}))
    ]
    if faults:
        raise Invalid(faults, "The agreement")


def _require_periods_apart(content: Mapping[str, Any]) -> None:
    """The target periods of an indicator do not overlap: else nobody could tell which one an actual belongs to."""
    faults = list(periods.overlapping_targets(content))
    if faults:
        raise Invalid(faults, "The agreement")


def asks_for_sign_offs(kind: str, content: Mapping[str, Any]) -> bool:
    """An evaluation is signed once it holds a decision; of the decision records, only one that ends a partnership."""
    if kind == "evaluation":
        return "decision" in content
    if kind == "decision_record":
        return bool(content["event"] == "terminate")
    return kind in SIGNED_BY


def _require_stage(kind: str, change: Change) -> None:
    allowed = WRITABLE_IN.get(kind)
    if allowed is None:
        raise NotAllowed(
            "A review response is given to a round.", mend="Use `lifecycle respond ID ROUND FILE`."
        )
    stage = change.partnership.stage
    if stage not in allowed:
        hint = " Use the event `amend` to open the agreement again." if kind == "agreement" else ""
        raise NotAllowed(
            f"The {kind} cannot be put in stage “{stage}”.",
            mend=f"It is put in {' or '.join(sorted(allowed))}.{hint}",
        )


def _latest(connection: Connection, partnership_id: str, kind: str, subject: str) -> queries.Revision | None:
    found = queries.latest(connection, partnership_id, [kind])
    return next((revision for revision in found if revision.subject == subject), None)


def add_revision(
    connection: Connection,
    change: Change,
    kind: str,
    subject: str,
    content: Any,
    author: str,
    before: queries.Revision | None,
) -> queries.Revision:
    """Insert the next revision of a validated document and log it."""
    revision = queries.Revision(
        kind,
        subject,
        1 if before is None else before.revision + 1,
        rules.VERSIONS[kind],
        rules.sha256(content),
        content,
        author,
        change.now,
    )
    row = vars(revision) | {
        "partnership_id": change.partnership.id,
        "content": rules.canonical(content).decode(),
    }
    connection.execute(insert(document), row)
    change.log(
        "document_put",
        author,
        kind=kind,
        subject=subject,
        revision=revision.revision,
        schema_version=revision.schema_version,
        sha256=revision.sha256,
    )
    return revision


def _ask_for_sign_offs(
    connection: Connection,
    change: Change,
    people: People,
    revision: queries.Revision,
    before: queries.Revision | None,
    quiet: timedelta,
) -> None:
    """Ask every partner to sign this revision; whoever signed one before is told that it no longer counts."""
    record = change.partnership
    voided: set[str] = set()
    untold: set[str] = set()
    if before is not None:
        old = _subject(before)
        timers.stop(connection, record.id, change.now, "signoff_missing", old)
        untold = outbox.withdraw(connection, record.id, old, ("signoff_asked",))
        outbox.withdraw(connection, record.id, old, ("signoff_reminder", "signoff_escalated"))
        signed = [s for s in queries.sign_offs(connection, record.id) if _is_of(s, before)]
        voided = {s.contact_id for s in signed}
        if voided:
            change.log(
                "sign_offs_voided",
                changes.SYSTEM,
                kind=revision.kind,
                subject=revision.subject,
                revision=before.revision,
                contacts=sorted(voided),
            )
    asked = {
        c.id
        for partner_id in people.partners
        for c in people.reachable(partner_id, *SIGNED_BY[revision.kind])
    }
    facts = {
        "kind": revision.kind,
        "subject": revision.subject,
        "revision": revision.revision,
        "sha256": revision.sha256,
        "author": revision.author,
    }
    signed_before = {
        s.contact_id: s.revision
        for s in queries.sign_offs(connection, record.id)
        if s.contact_id in voided | untold and _is_earlier(s, revision)
    }
    change.owe(
        Owed(
            contact_id,
            "signoff_asked",
            _subject(revision),
            facts | {"supersedes": signed_before.get(contact_id)},
            not_before=change.now + quiet,
        )
        for contact_id in sorted(asked | voided | untold)
    )
    change.arm("signoff_missing", _subject(revision), change.now, ladders.SIGN_OFF_MISSING)


def _subject(revision: queries.Revision) -> str:
    """How timers and notices name a revision."""
    return f"{revision.kind}/{revision.subject}/{revision.revision}"


def _is_earlier(signed: queries.SignOff, revision: queries.Revision) -> bool:
    """Whether an earlier revision of the same document was signed."""
    same = (signed.kind, signed.subject) == (revision.kind, revision.subject)
    return same and signed.revision < revision.revision


def _is_of(signed: queries.SignOff, revision: queries.Revision) -> bool:
    return (signed.kind, signed.subject, signed.revision) == (
        revision.kind,
        revision.subject,
        revision.revision,
    )


_SIGN = {
    "sqlite": sqlite.insert(sign_off).on_conflict_do_nothing().returning(sign_off.c.revision),
    "postgresql": postgresql.insert(sign_off).on_conflict_do_nothing().returning(sign_off.c.revision),
}


def sign(
    database: Database,
    partnership_id: str,
    kind: str,
    revision: int,
    contact_id: str,
    now: datetime,
    subject: str = "",
) -> queries.SignOff:
    """Sign one exact revision off on a partner's behalf. Signing twice is signing once.

    Raises:
        NotFound: unknown partnership, contact, document or revision.
        NotAllowed: the contact cannot bind its partner, or this kind is not signed.
        Conflict: a newer revision exists; the message says which.
    """
    if kind not in SIGNED_BY:
        raise NotAllowed(f"A {kind} is not signed.", mend=f"Signed are: {', '.join(SIGNED_BY)}.")
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        changes.require_open(change)
        people = people_of(connection, partnership_id)[partnership_id]
        person = people.entitled(contact_id, SIGNED_BY[kind], f"sign a {kind}")
        exact = queries.find(connection, partnership_id, kind, subject, revision)
        newest = queries.find(connection, partnership_id, kind, subject)
        if newest.revision != exact.revision:
            raise Conflict(
                f"Revision {revision} of the {kind} is superseded: revision {newest.revision} is the latest.",
                mend=f"Read revision {newest.revision} and sign that one.",
            )
        signed = queries.SignOff(kind, subject, revision, person.partner_id, contact_id, change.now)
        row = vars(signed) | {"partnership_id": partnership_id}
        if connection.execute(_SIGN[connection.dialect.name], row).first() is not None:
            change.log(
                "signed_off",
                contact_id,
                kind=kind,
                subject=subject,
                revision=revision,
                sha256=exact.sha256,
                partner=person.partner_id,
            )
            _settle_asking(connection, change, people, exact)
            change.arm("gate_readiness", "", change.now, ladders.NOW)
            changes.write(connection, change)
        return signed


def _settle_asking(
    connection: Connection, change: Change, people: People, revision: queries.Revision
) -> None:
    """Once every partner signed, nobody is reminded any more."""
    if not missing(connection, change.partnership.id, people, revision):
        fact = _subject(revision)
        timers.stop(connection, change.partnership.id, change.now, "signoff_missing", fact)
        outbox.withdraw(connection, change.partnership.id, fact, ("signoff_reminder", "signoff_escalated"))


def missing(
    connection: Connection, partnership_id: str, people: People, revision: queries.Revision
) -> list[str]:
    """The partners that have not signed this revision."""
    signed = connection.execute(
        select(sign_off.c.partner_id).where(
            sign_off.c.partnership_id == partnership_id,
            sign_off.c.kind == revision.kind,
            sign_off.c.subject == revision.subject,
            sign_off.c.revision == revision.revision,
        )
    ).scalars()
    return sorted(set(people.partners) - set(signed))
