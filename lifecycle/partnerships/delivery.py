"""What the mail provider tells of emails that left: an address that fails has the consequences of a refused one."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import InterfaceError, OperationalError

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import Invalid, Unavailable
from lifecycle.notices import outbox, provider_events, signature
from lifecycle.notices.provider_events import AMISS, Event, Fate
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.correspondence import (
    ABOUT_DELIVERY,
    log_failure,
    mark_undeliverable,
    tell_of_failure,
)
from lifecycle.partnerships.people import Contact, people_of


@dataclass
class Taken:
    """What a post of events held: `new` about notices of ours, those about none, those that cannot be read, and those
    that were kept before."""

    new: int = 0
    unmatched: int = 0
    malformed: int = 0
    duplicates: int = 0


def take_events(
    database: Database, settings: Settings, headers: Mapping[str, str], body: bytes, now: datetime
) -> Taken:
    """Take a post of SendGrid's signed event webhook: any number of times, in any order, with one result.

    A good post that is too old is kept aside with no effect, and refused nevertheless (`take_waiting` heeds it).

    Raises:
        Unavailable: no verification key is set, or it cannot be read; or some events could not be taken, after all others
            were.
        Forged: the post is not signed, or not by the provider; as `Expired`, signed at another time.
        Invalid: it is no JSON array.
    """
    key = settings.sendgrid_webhook_public_key
    try:
        signature.verify(key.get_secret_value() if key else "", headers, body, now)
    except signature.Expired:
        with suppress(Invalid):
            _keep_aside(database, provider_events.parse(body), now)
        raise
    return _take_all(database, provider_events.parse(body), now)


def _keep_aside(database: Database, events: Sequence[Event], now: datetime) -> None:
    with database.write() as connection:
        provider_events.keep(connection, events, {}, now, stale=True)


def take_waiting(database: Database, now: datetime) -> Taken:
    """Heed the events that came too late, because the engine was down: somebody has said that they are good."""
    with database.read() as connection:
        events = provider_events.waiting(connection)
    return _take_all(database, events, now)


def _take_all(database: Database, events: Sequence[Event], now: datetime) -> Taken:
    """What harms nobody in one transaction, and the rest in one for each partnership, which is locked for it."""
    with database.read() as connection:
        partnerships = outbox.partnerships_of(connection, _references(events))
    of_event = [partnerships.get(one.reference or "", "") for one in events]
    amiss = {id_ for one, id_ in zip(events, of_event, strict=True) if one.event in AMISS}
    groups: dict[str, list[Event]] = defaultdict(list)
    for one, partnership_id in zip(events, of_event, strict=True):
        groups[partnership_id if partnership_id in amiss else ""].append(one)
    taken, faults = Taken(), dict[str, Exception]()
    for partnership_id, group in sorted(groups.items()):
        try:
            with database.write() as connection:
                _take(connection, partnership_id, group, taken, now)
        except (OperationalError, InterfaceError):
            raise
        except Exception as fault:  # noqa: BLE001 - whatever it is, it holds up no other partnership
            faults[partnership_id] = fault
    if faults:
        raise _incomplete(faults)
    return taken


def _incomplete(faults: Mapping[str, Exception]) -> Unavailable:
    partnership_id, fault = next(iter(faults.items()))
    error = Unavailable(
        f"Partnerships whose delivery events could not be taken: {len(faults)}; all others were. "
        f"The first, {partnership_id or 'of good news only'}: {type(fault).__name__}.",
        mend="The provider posts them again; mend the cause meanwhile.",
    )
    error.__cause__ = fault
    return error


def _references(events: Iterable[Event]) -> set[str]:
    return {one.reference for one in events if one.reference}


def _take(
    connection: Connection, partnership_id: str, events: Sequence[Event], taken: Taken, now: datetime
) -> None:
    """Keep events, and derive from all that are kept what became of the notices; the partnership first is the lock."""
    locked = changes.begin_many(connection, [partnership_id], now) if partnership_id else {}
    rows = {row.reference: row for row in outbox.lock_written(connection, _references(events))}
    new = provider_events.keep(connection, events, {name: row.id for name, row in rows.items()}, now)
    heard: dict[int, list[Event]] = defaultdict(list)
    for one in new:
        if one.reference in rows:
            heard[rows[one.reference].id].append(one)
    fates = provider_events.fates(connection, list(heard))
    got = [(row, fates[row.id]) for row in rows.values() if row.id in fates]
    outbox.deliver(connection, got)
    for change in locked.values():
        _suffer(connection, change, got, heard)
        changes.write(connection, change)
    _count(taken, events, new, rows)


def _suffer(
    connection: Connection,
    change: Change,
    got: Sequence[tuple[Row[Any], Fate]],
    heard: Mapping[int, Sequence[Event]],
) -> None:
    """The consequences of emails that did not get where they should."""
    people = people_of(connection, change.partnership.id)[change.partnership.id]
    for row, fate in got:
        reader_id = row.reader_id or row.contact_id
        newly = fate.event in AMISS and row.delivery not in AMISS
        if newly:
            for one in (row, *outbox.riding_in(connection, row)):
                log_failure(change, one, reader_id)
        if row.template in ABOUT_DELIVERY:
            continue
        if newly:
            tell_of_failure(connection, change, row, reader_id, fate.detail)
        if _is_at_fault(people.contacts.get(reader_id), heard[row.id]):
            mark_undeliverable(connection, change, reader_id)


def _is_at_fault(reader: Contact | None, heard: Iterable[Event]) -> bool:
    """Whether the address that fails is still the one on record: it may have been put right since."""
    faulty = {one.address_sha256 for one in heard if one.address_at_fault}
    return reader is not None and bool(faulty) and provider_events.address_hash(reader.email) in faulty


def _count(taken: Taken, events: Sequence[Event], new: Sequence[Event], rows: Collection[str]) -> None:
    taken.duplicates += len(events) - len(new)
    for one in new:
        if one.malformed:
            taken.malformed += 1
        elif one.reference in rows:
            taken.new += 1
        else:
            taken.unmatched += 1
