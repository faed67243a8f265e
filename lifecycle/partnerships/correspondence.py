"""Sending what is owed: people are looked up when an email is written, and a refused address has consequences."""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, update

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import Unavailable
from lifecycle.notices import outbox
from lifecycle.notices.message import Message, parse_mailbox
from lifecycle.notices.outbox import Drained
from lifecycle.notices.owed import Owed
from lifecycle.notices.render import Letter, Person, render
from lifecycle.notices.transports import transport_from
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.models import contact
from lifecycle.partnerships.people import BINDING_ROLES, Contact, people_of
from lifecycle.timers import ladders

ABOUT_DELIVERY = frozenset({"contact_undeliverable", "delivery_failed"})
"""Notices about failed notices: their own failure starts nothing, so that no chain of them can arise."""


def send_notices(database: Database, settings: Settings, as_of: datetime) -> Drained:
    """Drain the outbox through the configured transport.

    Raises:
        Usage: the transport lacks a setting.
        Unavailable: the provider refuses the account; what was queued stays queued.
    """
    transport = transport_from(settings)

    def compose(connection: Connection, row: Row[Any], now: datetime) -> Message:
        return write_message(connection, row, settings, now)

    drained = outbox.drain(database, transport, compose, refused, as_of)
    if drained.stopped is not None:
        raise Unavailable(
            f"Emails cannot leave: {drained.stopped.rstrip('.')}. {drained.sent} left before; "
            "the others stay in the outbox.",
            mend="Mend what it says (the provider's key and permissions, or the mailbox folder), then run `lifecycle outbox send`.",
        )
    return drained


def write_message(connection: Connection, row: Row[Any], settings: Settings, now: datetime) -> Message:
    """The email of an outbox row, for its reader, with everybody as they are registered now."""
    record = changes.find(connection, row.partnership_id)
    people = people_of(connection, record.id)[record.id]
    reader, coordinator = people.get(row.contact_id), people.get(record.coordinator)
    letter = Letter(
        template=row.template,
        reference=reference_of(row.key),
        partnership={
            "id": record.id,
            "title": record.title,
            "stage": record.stage,
            "time_zone": record.time_zone,
            "audit_seq": record.audit_seq,
            "audit_hash": record.audit_hash,
        },
        reader=_person(reader),
        coordinator=_person(coordinator),
        people={id_: _person(one) for id_, one in people.contacts.items()},
        organisations=people.partners,
        facts=row.facts,
        due_at=row.due_at,
        written_at=now,
    )
    rendered = render(letter)
    from_name, from_address = parse_mailbox(settings.mail_from)
    return Message(
        reference=letter.reference,
        to_name=reader.name,
        to_address=reader.email,
        from_name=from_name,
        from_address=from_address,
        reply_to=coordinator.email,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        category=row.template,
    )


def reference_of(key: str) -> str:
    """The opaque name of a notice outside this database: stable, and without the ids that its key is made of."""
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def _person(one: Contact) -> Person:
    return Person(one.id, one.name, one.email, one.time_zone, one.partner_id, one.role)


def refused(
    connection: Connection, row: Row[Any], detail: str, address_at_fault: bool, now: datetime
) -> None:
    """A notice that will never arrive: recorded, the address marked if it is at fault, and somebody else told."""
    change = changes.begin_many(connection, [row.partnership_id], now)[row.partnership_id]
    change.log("notice_failed", changes.SYSTEM, notice=row.id, template=row.template, contact=row.contact_id)
    if row.template not in ABOUT_DELIVERY:
        if address_at_fault:
            _mark_undeliverable(connection, change, row.contact_id)
        facts = {"contact": row.contact_id, "failed_template": row.template, "detail": detail[:200]}
        told = _told_of_failure(connection, change, row.contact_id)
        change.owe([Owed(told, "delivery_failed", f"notice/{row.id}", facts)] if told else [])
    changes.write(connection, change)


def _told_of_failure(connection: Connection, change: Change, contact_id: str) -> str | None:
    """The coordinator; of the coordinator's own emails, somebody else of the same partner."""
    coordinator = change.partnership.coordinator
    if coordinator != contact_id:
        return coordinator
    people = people_of(connection, change.partnership.id)[change.partnership.id]
    others = people.of(people.get(coordinator).partner_id, BINDING_ROLES)
    return next((c.id for c in others if c.id != coordinator and not c.undeliverable), None)


def _mark_undeliverable(connection: Connection, change: Change, contact_id: str) -> None:
    where = (contact.c.partnership_id == change.partnership.id, contact.c.id == contact_id)
    unmarked = contact.c.undeliverable_since.is_(None)
    connection.execute(update(contact).where(*where, unmarked).values(undeliverable_since=change.now))
    change.arm("contact_undeliverable", contact_id, change.now, ladders.CONTACT_UNDELIVERABLE)
