"""Sending what is owed: people are looked up when an email is written, and a refused address has consequences."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import Connection, Row, update

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import Unavailable
from lifecycle.notices import outbox
from lifecycle.notices.entry import entry_of
from lifecycle.notices.letter import ALL, zone_named
from lifecycle.notices.message import Message, parse_mailbox
from lifecycle.notices.outbox import Drained
from lifecycle.notices.owed import Owed
from lifecycle.notices.render import Letter, Person, all_facts_given, render
from lifecycle.notices.transports import transport_from
from lifecycle.notices.words import ABOUT_SEVERAL, UNSUBSCRIBABLE
from lifecycle.partnerships import changes, doors
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.models import contact
from lifecycle.partnerships.people import BINDING_ROLES, Contact, people_of
from lifecycle.partnerships.standing_in import reader_of
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

    def compose(connection: Connection, row: Row[Any], riders: Sequence[Row[Any]], now: datetime) -> Message:
        letter = letter_of(connection, row, settings, now)
        outbox.address(connection, row.id, letter.reader.id, letter.reference)
        return write_message(letter, [_about(letter, rider, settings) for rider in riders], settings)

    def failed(
        connection: Connection, row: Row[Any], detail: str, address_at_fault: bool, now: datetime
    ) -> None:
        refused(connection, row, outbox.reader_of(connection, row), detail, address_at_fault, now)

    drained = outbox.drain(database, transport, compose, failed, _zone_of, as_of)
    if drained.stopped is not None:
        raise Unavailable(
            f"Emails cannot leave: {drained.stopped.rstrip('.')}. {drained.sent} left before; "
            "the others stay in the outbox.",
            mend="Mend what it says (the provider's key and permissions, or the mailbox folder), then run `lifecycle outbox send`.",
        )
    return drained


def _zone_of(connection: Connection, partnership_id: str) -> tzinfo:
    return zone_named(changes.find(connection, partnership_id).time_zone)


def letter_of(connection: Connection, row: Row[Any], settings: Settings, now: datetime) -> Letter:
    """What the email of an outbox row is written from, for whoever reads it now, everybody as they are registered.

    Raises:
        Invalid: it lacks a fact that its link needs.
    """
    record = changes.find(connection, row.partnership_id)
    people = people_of(connection, record.id)[record.id]
    today = now.astimezone(zone_named(record.time_zone)).date()
    reader = reader_of(people, row.contact_id, today)
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
        reader=_person(reader.contact),
        coordinator=_person(reader_of(people, record.coordinator, today).contact),
        people={id_: _person(one) for id_, one in people.contacts.items()},
        organisations=people.partners,
        facts=row.facts,
        due_at=row.due_at,
        written_at=now,
        owed_to=_person(people.get(row.contact_id)) if reader.contact.id != row.contact_id else None,
        away_until=reader.until,
        unreachable=_person(reader.unreachable) if reader.unreachable else None,
    )
    return _with_links(letter, settings)


def _about(letter: Letter, row: Row[Any], settings: Settings) -> Letter:
    """The same letter about another notice."""
    other = replace(
        letter, template=row.template, reference=reference_of(row.key), facts=row.facts, due_at=row.due_at
    )
    return _with_links(other, settings)


def _with_links(letter: Letter, settings: Settings) -> Letter:
    """The letter with links for whoever reads it: what they do by them, they do in their own name."""
    home = letter.partnership["id"]
    with all_facts_given(letter.template):
        links = doors.of_notice(
            settings,
            letter.template,
            letter.facts,
            home,
            letter.reader.id,
            letter.written_at,
            letter.due_at,
        )
        if not links:
            return letter
        if letter.template not in ABOUT_SEVERAL:
            return replace(letter, links=links, pages={home: doors.page(settings, home)})
        about = {one["id"]: doors.page(settings, one["id"]) for one in letter.facts["partnerships"]}
        everything = f"{doors.base(settings)}/"
        return replace(letter, links=links | {"act": everything}, pages=about | {ALL: everything})


def write_message(letter: Letter, riders: Sequence[Letter], settings: Settings) -> Message:
    """The email of a letter, with those to the same reader that ride in it."""
    rendered = render(letter, riders)
    from_name, from_address = parse_mailbox(settings.mail_from)
    return Message(
        reference=letter.reference,
        to_name=letter.reader.name,
        to_address=letter.reader.email,
        from_name=from_name,
        from_address=from_address,
        reply_to=letter.coordinator.email,
        subject=rendered.subject,
        text=rendered.text,
        html=rendered.html,
        category=letter.template,
        headers=_headers(letter),
        entry=entry_of(letter, from_address.rpartition("@")[2]),
    )


def _headers(letter: Letter) -> dict[str, str]:
    """One click unsubscribes (RFC 8058) from what a reader may do without."""
    if letter.template not in UNSUBSCRIBABLE or not letter.links:
        return {}
    return {
        "List-Unsubscribe": f"<{letter.links['preferences']}/unsubscribe>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def reference_of(key: str) -> str:
    """The opaque name of a notice outside this database: stable, and without the ids that its key is made of."""
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def _person(one: Contact) -> Person:
    return Person(one.id, one.name, one.email, one.time_zone, one.partner_id, one.role, one.language)


def refused(
    connection: Connection, row: Row[Any], reader_id: str, detail: str, address_at_fault: bool, now: datetime
) -> None:
    """A notice that will never arrive: recorded, its reader's address marked if it is at fault, and somebody else told."""
    change = changes.begin_many(connection, [row.partnership_id], now)[row.partnership_id]
    log_failure(change, row, reader_id)
    if row.template not in ABOUT_DELIVERY:
        if address_at_fault:
            mark_undeliverable(connection, change, reader_id)
        tell_of_failure(connection, change, row, reader_id, detail)
    changes.write(connection, change)


def log_failure(change: Change, row: Row[Any], reader_id: str) -> None:
    """Record in the trail that a notice did not reach its reader."""
    change.log("notice_failed", changes.SYSTEM, notice=row.id, template=row.template, contact=reader_id)


def tell_of_failure(
    connection: Connection, change: Change, row: Row[Any], reader_id: str, detail: str
) -> None:
    """Owe somebody the word that an email did not reach its reader."""
    facts = {"contact": reader_id, "failed_template": row.template, "detail": detail[:200]}
    told = _told_of_failure(connection, change, reader_id)
    change.owe([Owed(told, "delivery_failed", f"notice/{row.id}", facts)] if told else [])


def _told_of_failure(connection: Connection, change: Change, contact_id: str) -> str | None:
    """The coordinator; of the coordinator's own emails, somebody else of the same partner."""
    coordinator = change.partnership.coordinator
    if coordinator != contact_id:
        return coordinator
    people = people_of(connection, change.partnership.id)[change.partnership.id]
    others = people.of(people.get(coordinator).partner_id, BINDING_ROLES)
    return next((c.id for c in others if c.id != coordinator and not c.undeliverable), None)


def mark_undeliverable(connection: Connection, change: Change, contact_id: str) -> None:
    """Mark a contact whose address does not work, and start the ladder that ends when it does."""
    where = (contact.c.partnership_id == change.partnership.id, contact.c.id == contact_id)
    unmarked = contact.c.undeliverable_since.is_(None)
    marked = connection.execute(
        update(contact).where(*where, unmarked).values(undeliverable_since=change.now)
    )
    if marked.rowcount == 1:
        # Only then: a ladder that started over with each email would never climb, nor stay acknowledged.
        change.arm("contact_undeliverable", contact_id, change.now, ladders.CONTACT_UNDELIVERABLE)
