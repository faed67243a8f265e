"""Who reads an email that is owed to somebody who is away or cannot be reached. Pure."""

from dataclasses import dataclass
from datetime import date

from lifecycle.partnerships.people import Contact, People

REACHED_INSTEAD = ("deputy", "sponsor", "primary")
"""Who gets what cannot be delivered to a colleague, in this order."""


@dataclass(frozen=True)
class Reader:
    """Who reads an email, and why, where it is not the one it is owed to.

    `until` is the last day of standing in for somebody who is away; `unreachable` is whose address does not work.
    """

    contact: Contact
    until: date | None = None
    unreachable: Contact | None = None


def reader_of(people: People, contact_id: str, today: date) -> Reader:
    """Who reads today what is owed to a contact; the contact, where nobody else can.

    Raises:
        NotFound: nobody of this id is registered here.
    """
    owed_to, *deputies = chain(people, contact_id, today)
    wanted = deputies[-1] if deputies else owed_to
    absent = [one.absent_until for one in (owed_to, *deputies[:-1]) if one.absent_until is not None]
    until = min(absent, default=None) if deputies else None
    if not wanted.undeliverable:
        return Reader(wanted, until)
    present = [
        one
        for role in REACHED_INSTEAD
        for one in people.of(wanted.partner_id, (role,))
        if not one.undeliverable and not one.is_absent(today)
    ]
    return Reader(present[0], until, wanted) if present else Reader(owed_to)


def chain(people: People, contact_id: str, today: date) -> list[Contact]:
    """A contact and, as long as each of them is away today, the deputies one after the other.

    Raises:
        NotFound: nobody of this id is registered here.
    """
    found = [people.get(contact_id)]
    while found[-1].is_absent(today) and found[-1].deputy_id in people.contacts:
        deputy = people.contacts[found[-1].deputy_id]
        if deputy in found:
            break
        found.append(deputy)
    return found
