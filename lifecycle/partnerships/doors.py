"""What a person of a partnership can open by a link of their own, and the links that go with an email.

Each link is for one purpose and one person. It is good until 90 days after what it is about is due, and for nothing as
soon as its person is registered no more, or has their links revoked.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, get_args
from urllib.parse import quote

from sqlalchemy import Connection, update

from lifecycle import links
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.errors import NotAllowed
from lifecycle.partnerships import changes
from lifecycle.partnerships.models import contact
from lifecycle.partnerships.people import BINDING_ROLES, Contact, people_of

Purpose = Literal[
    "review", "report", "verdict", "decision", "sign", "complaint", "complain", "hand-over", "preferences"
]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)
"""Each is the first part of a page's address: `/<purpose>/<token>`."""

GOOD_AFTER = timedelta(days=90)
"""So long after it was due, or written if nothing is due, a link still opens: a late answer is worth having."""

Subject = Mapping[str, Any]


@dataclass(frozen=True)
class Door:
    """What a link opens, and for whom."""

    purpose: Purpose
    partnership_id: str
    contact_id: str
    subject: Subject
    """The rest: `round`; `performance` (its name); `kind`, `subject`, `revision`; `number`."""
    expires_at: datetime


def _round(facts: Subject) -> Subject:
    return {"round": facts["round"]}


def _performance(facts: Subject) -> Subject:
    return {"performance": f"{facts['obligation']}/{facts['number']}"}


def _revision(facts: Subject) -> Subject:
    return {name: facts[name] for name in ("kind", "subject", "revision")}


def _complaint(facts: Subject) -> Subject:
    return {"number": facts["complaint"]}


OPENED_BY: Mapping[str, tuple[Purpose, Callable[[Subject], Subject]]] = {
    "review_opened": ("review", _round),
    "review_reminder": ("review", _round),
    "review_extended": ("review", _round),
    "review_moved": ("review", _round),
    "report_reminder": ("report", _performance),
    "performance_overdue": ("report", _performance),
    "performance_demanded": ("report", _performance),
    "report_received": ("verdict", _performance),
    "answer_reminder": ("verdict", _performance),
    "decision_asked": ("decision", _performance),
    "decision_reminder": ("decision", _performance),
    "signoff_asked": ("sign", _revision),
    "signoff_reminder": ("sign", _revision),
    "complaint_lodged": ("complaint", _complaint),
    "complaint_moved": ("complaint", _complaint),
    "complaint_proposal": ("complaint", _complaint),
    "complaint_pause": ("complaint", _complaint),
    "complaint_late": ("complaint", _complaint),
    "complaint_warning": ("complaint", _complaint),
    "complaint_escalated": ("complaint", _complaint),
    "complaint_remedied": ("complaint", _complaint),
}
"""Notice template → what its button opens, and the facts that say which one. Other emails open the partnership's page."""


def address(
    settings: Settings,
    purpose: Purpose,
    partnership_id: str,
    contact_id: str,
    now: datetime,
    subject: Subject | None = None,
    due_at: datetime | None = None,
) -> str:
    """The address of a link, whole.

    Raises:
        Usage: the installation has no secret to sign with.
    """
    said = {"partnership": partnership_id, "contact": contact_id, **(subject or {})}
    token = links.issue(settings, purpose, said, now, max(now, due_at or now) + GOOD_AFTER)
    return f"{base(settings)}/{purpose}/{token}"


def page(settings: Settings, partnership_id: str) -> str:
    """The address of a partnership's page, for whoever signs in."""
    return f"{base(settings)}/partnerships/{quote(partnership_id)}"


def base(settings: Settings) -> str:
    """Where the portal is, without a slash at its end."""
    return settings.public_url.rstrip("/")


def of_notice(
    settings: Settings,
    template: str,
    facts: Subject,
    partnership_id: str,
    contact_id: str,
    now: datetime,
    due_at: datetime | None,
) -> dict[str, str]:
    """The links of an email to one person: `act`, its button; `hand_over`, `preferences` and `complain`.

    Nothing where the installation has no secret to sign with.
    """
    if not links.can_sign(settings):
        return {}

    def to(purpose: Purpose, subject: Subject | None = None) -> str:
        return address(settings, purpose, partnership_id, contact_id, now, subject, due_at)

    opened = OPENED_BY.get(template)
    return {
        "act": page(settings, partnership_id) if opened is None else to(opened[0], opened[1](facts)),
        "hand_over": to("hand-over"),
        "preferences": to("preferences"),
        "complain": to("complain"),
    }


def enter(connection: Connection, settings: Settings, purpose: Purpose, token: str, now: datetime) -> Door:
    """What a token opens, if it still does.

    Raises:
        Usage: the installation has no secret.
        NotAllowed: it was made for something else, changed, has expired or was revoked, or its person is not
            registered any more.
    """
    signed = links.read(settings, purpose, token, now)
    subject = dict(signed.subject)
    partnership_id, contact_id = subject.pop("partnership"), subject.pop("contact")
    holder = people_of(connection, partnership_id)[partnership_id].contacts.get(contact_id)
    if holder is None or _revoked(holder, signed.issued_at):
        raise NotAllowed(
            "This link was made good for nothing.",
            mend="Use the link in an email that came later, or ask the coordinator for a new one.",
        )
    return Door(purpose, partnership_id, contact_id, subject, signed.expires_at)


def _revoked(holder: Contact, issued_at: datetime) -> bool:
    return holder.links_since is not None and issued_at < holder.links_since


def revoke(database: Database, partnership_id: str, contact_id: str, by: str, now: datetime) -> None:
    """Make all links that a contact has been sent until now good for nothing.

    Raises:
        NotFound: unknown partnership or contact.
        NotAllowed: `by` is neither the contact nor someone who can bind the contact's partner.
    """
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        people = people_of(connection, partnership_id)[partnership_id]
        holder = people.get(contact_id)
        if (
            by != contact_id
            and people.entitled(by, BINDING_ROLES, "revoke links").partner_id != holder.partner_id
        ):
            raise NotAllowed(
                f"{by} belongs to another partner than {contact_id}.",
                mend=f"Ask {contact_id}, or somebody who can bind {holder.partner_id}.",
            )
        # Tokens know whole seconds: one that was issued in this very second is revoked too.
        since = change.now.replace(microsecond=0) + timedelta(seconds=1)
        where = (contact.c.partnership_id == partnership_id, contact.c.id == contact_id)
        connection.execute(update(contact).where(*where).values(links_since=since))
        change.log("links_revoked", by, contact=contact_id)
        changes.write(connection, change)
