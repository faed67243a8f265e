"""One partnership for its members: the frame of all its pages, and its overview."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from markupsafe import Markup
from sqlalchemy import Connection
from starlette.responses import HTMLResponse, Response

from lifecycle import diagram, stages
from lifecycle.evaluation import dossier as dossiers
from lifecycle.evaluation import page as dossier_page
from lifecycle.gates.report import GateReport
from lifecycle.languages import Language
from lifecycle.notices.words import EVENTS, KINDS, MATTERS, ROLES, STAGES
from lifecycle.partnerships import changes, queries, service
from lifecycle.partnerships.people import Contact, People
from lifecycle.portal.guard import STANDS_ALONE
from lifecycle.portal.members import Member, Signed, Standing
from lifecycle.timers.queries import INTERNAL

router = APIRouter()

DATES = 12
"""So many of the dates ahead are shown."""


@dataclass(frozen=True)
class Names:
    """What people and organisations are called; whoever is not registered any more, by id."""

    people: People
    language: Language

    def person(self, actor: str) -> str:
        """The name of whoever did something: a contact, a partner, or the engine by itself."""
        if actor == changes.SYSTEM:
            return self.language.gettext("the engine")
        found = self.people.contacts.get(actor)
        return self.organisation(actor) if found is None else found.name or actor

    def organisation(self, partner_id: str) -> str:
        """A partner's name."""
        return self.people.partners.get(partner_id, partner_id)

    def of(self, contact_id: str) -> str:
        """The name of a contact's organisation; empty where it is nobody's."""
        found = self.people.contacts.get(contact_id)
        return "" if found is None else self.organisation(found.partner_id)


def framed(
    member: Member,
    connection: Connection,
    standing: Standing,
    template: str,
    status: int = 200,
    **values: Any,
) -> Response:
    """A page about a partnership, with what its frame shows (`partnership.html`)."""
    return member.page(
        template,
        standing,
        status,
        names=Names(standing.people, member.language),
        said=member.request.query_params.get("said", ""),
        **values,
    )


@router.get("/partnerships/{id}")
def show_overview(member: Signed, id: str) -> Response:
    """Where a partnership stands, what each way on needs, what to do next, and who is who."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        found = queries.overview(connection, id, member.now)
    ways = list(ways_of(member, standing))
    with member.database.read() as connection:
        return framed(
            member, connection, standing, "partnership_overview.html",
            found=found,
            picture=_picture(member.language, standing),
            ways=ways,
            hints=[(_discreet(one, found["rounds"]), _leads_to(one)) for one in found["hints"]],
            dates=_dates(found["timers"], standing, member.now),
            people=_people(member, standing),
            EVENTS=EVENTS, ROLES=ROLES, STAGES=STAGES, KINDS=KINDS,
        )  # fmt: skip


@dataclass(frozen=True)
class Way:
    """A way out of the present stage: where it leads, and how much of what it needs is there."""

    event: str
    target: str
    report: GateReport

    @property
    def needed(self) -> int:
        """How many criteria have to be met."""
        return sum(one.severity == "blocking" for one in self.report.findings)

    @property
    def there(self) -> int:
        """How many of them are met or waived."""
        return self.needed - len(self.report.blocking)


def ways_of(member: Member, standing: Standing) -> Iterator[Way]:
    """The ways out of the present stage, as the reader would take them."""
    record = standing.record
    for event in stages.events_allowed(record.stage):
        target = stages.next_stage(record.stage, event, record.suspended_from)
        yield Way(event, target, dry_run(member, standing, event))


def dry_run(member: Member, standing: Standing, event: str) -> GateReport:
    """The report that the reader would get now, once they give a reason: the page asks for it.

    Raises:
        NotAllowed: the stage does not allow the event.
    """
    me = None if standing.me is None else standing.me.id
    reason = member.language.gettext("(your reason)")
    return service.check(member.database, standing.record.id, event, member.now, me, reason)


def _picture(language: Language, standing: Standing) -> Markup:
    record = standing.record
    name = language.sentence(STAGES[record.stage].name)
    drawn = diagram.inline(
        record.stage,
        record.suspended_from,
        language.gettext("The stages of a partnership"),
        language.gettext("The present stage is: %s. The table below says what each way on needs.") % name,
        language.sentence,
    )
    # Made of the engine's own words, each of them escaped.
    return Markup(drawn)  # noqa: S704


def _discreet(hint: str, rounds: list[dict[str, Any]]) -> str:
    """A hint that says of an anonymous round that answers are missing, and not whose."""
    match = re.match(r"(Review round (\d+) closes on [^;]+);", hint)
    one = next((one for one in rounds if match is not None and one["number"] == int(match[2])), None)
    if match is None or one is None or not (one["questionnaire"] or {}).get("anonymous"):
        return hint
    return f"{match[1]}; answers are missing."


_LEADS: Mapping[str, str] = {
    r"Corrective action (\d+)": "/reviews/actions/{0}",
    r"Complaint (\d+)": "/complaints/{0}",
    r"Review round (\d+)": "/reviews/{0}",
    r"(?:No report|The report) on ([a-z0-9:-]+/\d+)": "/promises/{0}",
    r"“([a-z_]+)”, asked for by": "/gates/{0}",
    r"([a-z_]+) revision \d+ waits for the sign-off": "/documents/{0}",
    r"Emails that": "/timeline?show=emails",
    r"Emails to": "#people",
}


def _leads_to(hint: str) -> str | None:
    """Where on these pages an English hint leads."""
    for beginning, path in _LEADS.items():
        if (match := re.match(beginning, hint)) is not None:
            return path.format(*match.groups())
    return None


def _dates(timers: list[dict[str, Any]], standing: Standing, now: datetime) -> list[dict[str, Any]]:
    """What is due next, as pages say it, in the partnership's days."""
    calendar = standing.record.calendar
    shown = [one for one in timers if one["due_at"] is not None and one["matter"] not in INTERNAL]
    return [
        {
            "on": calendar.local_date(one["due_at"]),
            "what": MATTERS.get(one["matter"], one["matter"].replace("_", " ")),
            "path": f"/promises/{one['subject']}" if one["matter"] in _OF_PROMISES else None,
            "name": one["subject"] if one["matter"] in _OF_PROMISES else "",
            "late": one["due_at"] < now,
        }
        for one in shown[:DATES]
    ]


_OF_PROMISES = frozenset({"performance", "answer", "decision"})


def _people(member: Member, standing: Standing) -> list[tuple[str, list[dict[str, Any]]]]:
    """Each organisation with its people. Addresses are for their own organisation and for whoever looks after all."""
    me, record, people = standing.me, standing.record, standing.people
    sees_all = record.portfolio in member.reach.portfolios or (me is not None and me.id == record.coordinator)
    today = record.calendar.local_date(member.now)

    def shown(one: Contact) -> dict[str, Any]:
        away = one.is_absent(today)
        return {
            "name": one.name or one.id,
            "id": one.id,
            "role": one.role,
            "email": one.email if sees_all or (me is not None and me.partner_id == one.partner_id) else None,
            "undeliverable": one.undeliverable,
            "away_until": one.absent_until if away else None,
            "deputy": one.deputy_id if away else None,
            "is_coordinator": one.id == record.coordinator,
            "is_me": me is not None and one.id == me.id,
        }

    return [
        (name, [shown(c) for _, c in sorted(people.contacts.items()) if c.partner_id == partner_id])
        for partner_id, name in sorted(people.partners.items())
    ]


@router.get("/partnerships/{id}/dossier")
def show_dossier(member: Signed, id: str) -> Response:
    """The evaluation dossier: what the record says, for those who decide how the partnership goes on."""
    with member.database.read() as connection:
        member.standing(connection, id)
        gathered = dossiers.gather(connection, id, member.now)
    return HTMLResponse(dossier_page.page(gathered), headers=STANDS_ALONE)
