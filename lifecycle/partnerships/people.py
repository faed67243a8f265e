"""Who is who in a partnership: its partners and contacts, and who answers for what."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Connection, bindparam, select

from lifecycle.errors import NotAllowed, NotFound
from lifecycle.partnerships.models import contact, partner

ROLES = ("primary", "deputy", "sponsor", "observer", "member")
BINDING_ROLES = ("primary", "deputy", "sponsor")
"""Contacts who can sign and ask for transitions on their partner's behalf."""


@dataclass(frozen=True)
class Contact:
    """A person of a partner, as registered."""

    partnership_id: str
    id: str
    partner_id: str
    role: str
    name: str
    email: str
    time_zone: str
    undeliverable: bool
    deputy_id: str | None = None
    absent_until: date | None = None
    language: str = "en"
    digest: str = "weekly"
    links_since: datetime | None = None
    """Links that were issued to them before this instant are good for nothing."""

    def is_absent(self, today: date) -> bool:
        """Whether a deputy stands in on this day, a date in the partnership's time zone."""
        return self.absent_until is not None and today <= self.absent_until


@dataclass(frozen=True)
class People:
    """Everybody in one partnership."""

    partners: dict[str, str]
    """Partner id → name."""
    contacts: dict[str, Contact]

    def get(self, contact_id: str) -> Contact:
        """A registered contact.

        Raises:
            NotFound: nobody of this id is registered here.
        """
        found = self.contacts.get(contact_id)
        if found is None:
            raise NotFound(
                f"“{contact_id[:64]}” is not a contact of this partnership.",
                mend=f"Registered are: {', '.join(sorted(self.contacts)) or 'nobody yet'}.",
            )
        return found

    def entitled(self, contact_id: str, roles: Collection[str], what: str) -> Contact:
        """A registered contact whose role entitles them to something on their partner's behalf.

        Raises:
            NotFound: nobody of this id is registered here.
            NotAllowed: the contact has another role.
        """
        found = self.get(contact_id)
        if found.role not in roles:
            able = [c.id for c in self.of(found.partner_id, roles)]
            raise NotAllowed(
                f"{contact_id} is {found.role} of {found.partner_id} and cannot {what} on its behalf.",
                mend=f"Ask {' or '.join(able)}."
                if able
                else f"Register a {' or '.join(roles)} of that partner.",
            )
        return found

    def of(self, partner_id: str, roles: Iterable[str]) -> list[Contact]:
        """A partner's contacts of some roles, in the order of their ids."""
        wanted = set(roles)
        return [
            c for _, c in sorted(self.contacts.items()) if c.partner_id == partner_id and c.role in wanted
        ]

    def reachable(self, partner_id: str, *roles: str) -> list[Contact]:
        """The first role of the list that has contacts with a working address, and those contacts.

        A contact without a deliverable address falls to the next role.
        """
        for role in roles:
            if found := [c for c in self.of(partner_id, (role,)) if not c.undeliverable]:
                return found
        return []


_EVERYBODY = (
    select(
        contact.c.partnership_id,
        contact.c.id,
        contact.c.partner_id,
        contact.c.role,
        contact.c.name,
        contact.c.email,
        contact.c.time_zone,
        contact.c.undeliverable_since.is_not(None),
        contact.c.deputy_id,
        contact.c.absent_until,
        contact.c.language,
        contact.c.digest,
        contact.c.links_since,
        partner.c.name,
    )
    .join_from(contact, partner)
    .where(contact.c.partnership_id.in_(bindparam("ids", expanding=True)))
)


def people_of(connection: Connection, *partnership_ids: str) -> dict[str, People]:
    """Everybody in each of these partnerships, in one statement. A partner always has a contact."""
    found = {partnership_id: People({}, {}) for partnership_id in partnership_ids}
    for *person, partner_name in connection.execute(_EVERYBODY, {"ids": list(partnership_ids)}):
        one = Contact(*person)
        found[one.partnership_id].contacts[one.id] = one
        found[one.partnership_id].partners[one.partner_id] = partner_name
    return found
