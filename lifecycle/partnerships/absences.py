"""Absences: somebody is away, and a deputy of the same partner gets their emails until they are back."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, update

from lifecycle.db import Database
from lifecycle.errors import Fault, Invalid, NotAllowed
from lifecycle.partnerships import changes
from lifecycle.partnerships.models import contact
from lifecycle.partnerships.people import BINDING_ROLES, Contact, People, people_of
from lifecycle.partnerships.standing_in import chain


def set_absence(
    database: Database,
    partnership_id: str,
    contact_id: str,
    deputy: str | None,
    until: date | None,
    by: str,
    now: datetime,
) -> None:
    """Say that a contact is away up to and including a local day, and who stands in; saying it again replaces it.

    Without `until` the absence is over, and `deputy` does not matter.

    Raises:
        NotFound: unknown partnership or contact.
        NotAllowed: `by` is neither the contact nor someone who can bind the contact's partner, the deputy belongs to
            another partner, deputies would stand in for each other in a circle, or nobody is away whose absence ends.
        Invalid: the day is over, or the deputy is missing or the contact themself.
    """
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        people = people_of(connection, partnership_id)[partnership_id]
        away = people.get(contact_id)
        _require_own(people, away, by)
        if until is None:
            _require_away(away)
            _save(connection, away, None, None)
            change.log("absence_ended", by, contact=contact_id)
        else:
            today = change.partnership.calendar.local_date(change.now)
            stands_in = _require_deputy(people, away, deputy, until, today)
            _save(connection, away, stands_in.id, until)
            change.log("absence_set", by, contact=contact_id, deputy=stands_in.id, until=until.isoformat())
        changes.write(connection, change)


def _save(connection: Connection, away: Contact, deputy_id: str | None, until: date | None) -> None:
    where = (contact.c.partnership_id == away.partnership_id, contact.c.id == away.id)
    values: dict[str, Any] = {"deputy_id": deputy_id, "absent_until": until}
    connection.execute(update(contact).where(*where).values(**values))


def _require_own(people: People, away: Contact, by: str) -> None:
    if by == away.id:
        return
    speaker = people.entitled(by, BINDING_ROLES, "say who is away")
    if speaker.partner_id != away.partner_id:
        raise NotAllowed(
            f"{by} belongs to {speaker.partner_id}: who stands in for {away.id} is for {away.partner_id} to say.",
            mend=f"Ask {_listed([away, *people.of(away.partner_id, BINDING_ROLES)])}.",
        )


def _require_away(away: Contact) -> None:
    if away.absent_until is None:
        raise NotAllowed(f"{away.id} is not away.", mend="Leave it: their emails go to them already.")


def _require_deputy(people: People, away: Contact, deputy: str | None, until: date, today: date) -> Contact:
    faults = []
    if until < today:
        faults.append(Fault("/until", "minimum", "Give a day that is not over."))
    if deputy is None or deputy == away.id:
        faults.append(Fault("/deputy", "another contact", "Name a colleague who reads the emails meanwhile."))
    if faults:
        raise Invalid(faults, "The absence")
    stands_in = people.get(str(deputy))
    if stands_in.partner_id != away.partner_id:
        colleagues = [one for one in people.contacts.values() if one.partner_id == away.partner_id]
        raise NotAllowed(
            f"{stands_in.id} belongs to {stands_in.partner_id} and cannot stand in for somebody of {away.partner_id}.",
            mend=f"Name {_listed([one for one in colleagues if one != away])}, or register a colleague first.",
        )
    _refuse_circle(people, away, stands_in, until, today)
    return stands_in


def _refuse_circle(people: People, away: Contact, stands_in: Contact, until: date, today: date) -> None:
    """Absences only end by themselves: what is no circle when each of them is said never becomes one."""
    said = replace(away, deputy_id=stands_in.id, absent_until=until)
    deputies = chain(replace(people, contacts=people.contacts | {away.id: said}), away.id, today)
    last = deputies[-1]
    names = [one.id for one in deputies]
    if last.is_absent(today) and last.deputy_id in names:
        circle = [*names[names.index(last.deputy_id) :], last.deputy_id]
        raise NotAllowed(
            f"Nobody would be left to read the emails: {' → '.join(circle)} stand in for each other in a circle.",
            mend=f"Name a deputy who is there, or end the absence of {stands_in.id} first (--end).",
        )


def _listed(contacts: Sequence[Contact]) -> str:
    return " or ".join(sorted({one.id for one in contacts})) or "nobody"
