"""Registering partnerships, their partners and their people."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from lifecycle.audit import rules as audit
from lifecycle.audit.models import audit_event
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.documents import rules
from lifecycle.errors import Conflict, Fault, Invalid
from lifecycle.partnerships import changes
from lifecycle.partnerships.models import contact, partner, partnership
from lifecycle.partnerships.people import people_of


def create(database: Database, registration: Mapping[str, Any], settings: Settings, now: datetime) -> str:
    """Register a partnership in its first stage, with its partners and contacts; returns its id.

    Raises:
        Invalid: the registration breaks `schemas/partnership/v1.json` or names people it does not list.
        Conflict: the id is taken.
    """
    rules.validate("partnership", registration)
    _require_people(registration)
    with database.write() as connection:
        taken = connection.execute(
            select(partnership.c.id).where(partnership.c.id == registration["id"])
        ).first()
        if taken is not None:
            raise Conflict(f"The id “{registration['id']}” is taken.", mend="Choose another id.")
        _insert(connection, registration, settings, now)
    return str(registration["id"])


def _require_people(registration: Mapping[str, Any]) -> None:
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
    for what, ids in (("partner", partners), ("contact", contacts)):
        for double in sorted({one for one in ids if ids.count(one) > 1}):
            faults.append(
                Fault("/partners", f"unique {what} ids", f"“{double}” stands more than once: rename one.")
            )
    if faults:
        raise Invalid(faults, "The registration")


def _insert(
    connection: Connection, registration: Mapping[str, Any], settings: Settings, now: datetime
) -> None:
    partnership_id = registration["id"]
    zone = registration.get("time_zone", settings.time_zone)
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
        "holidays": registration.get("holidays", settings.holidays),
        "created_at": now,
        "audit_seq": first.seq,
        "audit_hash": first.hash,
        "audit_at": first.at,
    }
    connection.execute(insert(partnership), row)
    connection.execute(insert(audit_event), vars(first))
    partners = [
        {"partnership_id": partnership_id, "id": p["id"], "name": p["name"]} for p in registration["partners"]
    ]
    connection.execute(insert(partner), partners)
    contacts = [
        _contact_row(partnership_id, p["id"], c, zone)
        for p in registration["partners"]
        for c in p["contacts"]
    ]
    connection.execute(insert(contact), contacts)


def _contact_row(
    partnership_id: str, partner_id: str, person: Mapping[str, Any], zone: str
) -> dict[str, Any]:
    return {
        "partnership_id": partnership_id,
        "id": person["id"],
        "partner_id": partner_id,
        "role": person["role"],
        "name": person["name"],
        "email": person["email"],
        "time_zone": person.get("time_zone", zone),
        "undeliverable_since": None,
    }


def put_partner(
    database: Database, partnership_id: str, entry: Mapping[str, Any], by: str, now: datetime
) -> None:
    """Add a partner with its contacts, or replace the name and contacts of one that is registered.

    Contacts that the entry leaves out stay; a new address counts as deliverable again.

    Raises:
        Invalid: the entry breaks the `partners` part of `schemas/partnership/v1.json`.
        NotFound: unknown partnership, or `by` is no contact of it.
        Conflict: a contact id belongs to another partner.
    """
    rules.validate("partnership", {**_FRAME, "partners": [entry]})
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        people = people_of(connection, partnership_id)[partnership_id]
        people.get(by)
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
            _put_contact(connection, row, known=person["id"] in people.contacts)
        contacts = [person["id"] for person in entry["contacts"]]
        change.log("partner_put", by, partner=entry["id"], contacts=contacts)
        changes.write(connection, change)


_FRAME = {"id": "frame", "title": "frame", "proposed_by": "frame", "coordinator": "frame"}
"""Lets one partner entry be validated as part of a registration."""


def _put_contact(connection: Connection, row: Mapping[str, Any], known: bool) -> None:
    if known:
        where = (contact.c.partnership_id == row["partnership_id"], contact.c.id == row["id"])
        connection.execute(update(contact).where(*where).values(**row))
    else:
        connection.execute(insert(contact), row)
