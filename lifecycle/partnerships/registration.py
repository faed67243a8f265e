"""Registering partnerships, their partners and their people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from lifecycle.audit import rules as audit
from lifecycle.audit.models import audit_event
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.documents import rules
from lifecycle.documents import service as documents
from lifecycle.errors import Conflict, Fault, Invalid, NotAllowed
from lifecycle.languages import DEFAULT
from lifecycle.partnerships import changes
from lifecycle.partnerships.models import MAIN_PORTFOLIO, contact, partner, partnership
from lifecycle.partnerships.people import BINDING_ROLES, Contact, People, people_of
from lifecycle.reviews import occasions
from lifecycle.timers.calendars import Calendar


@dataclass(frozen=True)
class Draft:
    """A first document that comes with a registration."""

    kind: str
    author: str
    content: Any


def create(
    database: Database,
    registration: Mapping[str, Any],
    settings: Settings,
    now: datetime,
    drafts: Sequence[Draft] = (),
    portfolio: str = MAIN_PORTFOLIO,
) -> str:
    """Register a partnership in its first stage, with its partners, contacts and first documents; returns its id.

    Raises:
        Invalid: the registration breaks `schemas/partnership/v1.json` or names people it does not list, its id belongs to
            another portfolio, or a document breaks its schema.
        NotAllowed: a document cannot be put in the first stage.
        Conflict: the id is taken.
    """
    validate(registration)
    for draft in drafts:
        rules.validate(draft.kind, draft.content)
    with database.write() as connection:
        _require_own_id(connection, registration["id"], portfolio)
        taken = connection.execute(
            select(partnership.c.id).where(partnership.c.id == registration["id"])
        ).first()
        if taken is not None:
            raise _taken(registration["id"])
        try:
            _insert(connection, registration, settings, now, portfolio)
        except IntegrityError:
            raise _taken(registration["id"]) from None
        _add_documents(connection, registration["id"], drafts, now)
    return str(registration["id"])


def _require_own_id(connection: Connection, partnership_id: str, portfolio: str) -> None:
    """Ids of each portfolio begin with its name; those of the main one with no other's.

    So that whether an id is free says nothing of what another portfolio holds.
    """
    word = partnership_id.partition("-")[0]
    if portfolio == MAIN_PORTFOLIO:
        others = select(partnership.c.id).where(partnership.c.portfolio == word)
        fits = word == MAIN_PORTFOLIO or connection.execute(others.limit(1)).first() is None
        mend = f"Ids that begin with “{word}-” are those of another portfolio: choose another one."
    else:
        fits = word == portfolio
        mend = f"Ids of this portfolio begin with its name: {portfolio}-…"
    if not fits:
        raise Invalid([Fault("/id", "portfolio", mend)], "The registration")


def _taken(partnership_id: str) -> Conflict:
    return Conflict(f"The id “{partnership_id}” is taken.", mend="Choose another id.")


def _add_documents(
    connection: Connection, partnership_id: str, drafts: Sequence[Draft], now: datetime
) -> None:
    change = changes.begin(connection, partnership_id, now)
    people = people_of(connection, partnership_id)[partnership_id]
    for draft in drafts:
        documents.add(connection, change, people, draft.kind, draft.content, draft.author)
    changes.write(connection, change)


def validate(registration: Any) -> None:
    """Check a registration's shape, and that whom it names is among those it lists.

    Raises:
        Invalid: it breaks `schemas/partnership/v1.json` or names people it does not list; every fault is listed.
    """
    rules.validate("partnership", registration)
    faults = []
    partners = [p["id"] for p in registration["partners"]]
    contacts = [c["id"] for p in registration["partners"] for c in p["contacts"]]
    if registration["proposed_by"] not in partners:
        faults.append(
            Fault("/proposed_by", "known partner", "Name one of the partners listed under /partners.")
        )
    if registration["coordinator"] not in contacts:
        faults.append(
            Fault("/coordinator", "known contact", "Name one of the contacts listed under /partners.")
        )
    if changes.SYSTEM in contacts:
        faults.append(
            Fault("/partners", "reserved", f"“{changes.SYSTEM}” is the engine itself: rename the contact.")
        )
    for what, ids in (("partner", partners), ("contact", contacts)):
        for double in sorted({one for one in ids if ids.count(one) > 1}):
            faults.append(
                Fault("/partners", f"unique {what} ids", f"“{double}” stands more than once: rename one.")
            )
    if faults:
        raise Invalid(faults, "The registration")


def _insert(
    connection: Connection,
    registration: Mapping[str, Any],
    settings: Settings,
    now: datetime,
    portfolio: str,
) -> None:
    partnership_id = registration["id"]
    zone = registration.get("time_zone", settings.time_zone)
    holidays = registration.get("holidays", settings.holidays)
    # Refused now where a setting is wrong: without its calendar a partnership could never be changed again.
    Calendar(zone, holidays)
    first = audit.chain(
        partnership_id,
        1,
        now,
        "partnership_created",
        registration["coordinator"],
        audit.canonical(
            {
                "title_sha256": rules.sha256(registration["title"]),
                "proposed_by": registration["proposed_by"],
                "partners": [p["id"] for p in registration["partners"]],
                "contacts": [c["id"] for p in registration["partners"] for c in p["contacts"]],
            }
        ),
        audit.GENESIS,
    )
    row = {
        "id": partnership_id,
        "title": registration["title"],
        "stage": "need_definition",
        "stage_entered_at": now,
        "version": 1,
        "proposed_by": registration["proposed_by"],
        "coordinator": registration["coordinator"],
        "time_zone": zone,
        "holidays": holidays,
        "created_at": now,
        "audit_seq": first.seq,
        "audit_hash": first.hash,
        "audit_at": first.at,
        "portfolio": portfolio,
    }
    connection.execute(insert(partnership), row)
    connection.execute(insert(audit_event), vars(first))
    partners = [
        {"partnership_id": partnership_id, "id": p["id"], "name": p["name"]} for p in registration["partners"]
    ]
    connection.execute(insert(partner), partners)
    contacts = [
        {"language": DEFAULT} | _contact_row(partnership_id, p["id"], c, zone)
        for p in registration["partners"]
        for c in p["contacts"]
    ]
    connection.execute(insert(contact), contacts)


def _contact_row(
    partnership_id: str, partner_id: str, person: Mapping[str, Any], zone: str
) -> dict[str, Any]:
    """A contact as it is stored; `language` only where it is said, so that what somebody chose stays."""
    row = {
        "partnership_id": partnership_id,
        "id": person["id"],
        "partner_id": partner_id,
        "role": person["role"],
        "name": person["name"],
        "email": person["email"],
        "time_zone": person.get("time_zone", zone),
        "undeliverable_since": None,
    }
    return row | ({"language": person["language"]} if "language" in person else {})


def put_partner(
    database: Database, partnership_id: str, entry: Mapping[str, Any], by: str, now: datetime
) -> None:
    """Add a partner with its contacts, or replace the name and contacts of one that is registered.

    Contacts that the entry leaves out stay, and so does the language of one that says none; a new address counts as
    deliverable again, and links that went to the old one are good for nothing.

    Raises:
        Invalid: the entry breaks the `partners` part of `schemas/partnership/v1.json`.
        NotFound: unknown partnership, or `by` is no contact of it.
        NotAllowed: `by` is an observer or member, or the entry is of a registered partner that is not theirs.
        Conflict: a contact id belongs to another partner.
    """
    _validate_entry(entry)
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        people = people_of(connection, partnership_id)[partnership_id]
        own = people.entitled(by, BINDING_ROLES, "say who takes part").partner_id
        if entry["id"] in people.partners and entry["id"] != own:
            raise NotAllowed(
                f"{by} belongs to {own}: who speaks for {entry['id']} is for its own people to say.",
                mend=f"Ask {' or '.join(c.id for c in people.of(entry['id'], BINDING_ROLES)) or entry['id']}.",
            )
        for person in entry["contacts"]:
            known = people.contacts.get(person["id"])
            if known is not None and known.partner_id != entry["id"]:
                raise Conflict(
                    f"“{person['id']}” is a contact of {known.partner_id}.", mend="Choose another id."
                )
        if entry["id"] in people.partners:
            where = (partner.c.partnership_id == partnership_id, partner.c.id == entry["id"])
            connection.execute(update(partner).where(*where).values(name=entry["name"]))
        else:
            row = {"partnership_id": partnership_id, "id": entry["id"], "name": entry["name"]}
            connection.execute(insert(partner), row)
        for person in entry["contacts"]:
            row = _contact_row(partnership_id, entry["id"], person, change.partnership.time_zone)
            _put_contact(connection, row, people.contacts.get(person["id"]), change.now)
        contacts = [person["id"] for person in entry["contacts"]]
        change.log("partner_put", by, partner=entry["id"], contacts=contacts)
        if _sponsor_changes(people, entry):
            occasions.open_for(connection, change, "sponsor")
        changes.write(connection, change)


def _sponsor_changes(people: People, entry: Mapping[str, Any]) -> bool:
    """Whether somebody becomes, or is no more, a sponsor of a partner that is registered already."""
    if entry["id"] not in people.partners:
        return False
    before = {one.id: one.role for one in people.contacts.values()}
    return any(
        (person["role"] == "sponsor") != (before.get(person["id"]) == "sponsor")
        for person in entry["contacts"]
    )


_FRAME = {"id": "frame", "title": "frame", "proposed_by": "frame", "coordinator": "frame"}


def _validate_entry(entry: Any) -> None:
    """One partner entry is validated as part of a registration; the pointers are those of the entry alone."""
    try:
        rules.validate("partnership", {**_FRAME, "partners": [entry]})
    except Invalid as error:
        faults = [Fault(f.pointer.removeprefix("/partners/0"), f.rule, f.mend) for f in error.faults]
        raise Invalid(faults, "The partner") from None


def _put_contact(connection: Connection, row: dict[str, Any], known: Contact | None, now: datetime) -> None:
    if known is None:
        connection.execute(insert(contact), row)
        return
    if row["email"] != known.email:
        # Whoever reads the old address may be somebody else by now. Tokens know whole seconds.
        since = now.replace(microsecond=0)
        row |= {"links_since": max(since, known.links_since or since)}
    where = (contact.c.partnership_id == row["partnership_id"], contact.c.id == row["id"])
    connection.execute(update(contact).where(*where).values(**row))
