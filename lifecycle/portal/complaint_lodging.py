"""Lodging a complaint: what the agreed procedure is, and what a complaint can name, in words to choose from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.datastructures import FormData

from lifecycle import stages
from lifecycle.db import Database
from lifecycle.documents.queries import Revision
from lifecycle.errors import Fault, Invalid, NotFound
from lifecycle.languages import Language
from lifecycle.notices import words
from lifecycle.obligations import terms
from lifecycle.obligations.queries import Performance
from lifecycle.partnerships.people import BINDING_ROLES, Contact
from lifecycle.portal import complaint_forms as forms
from lifecycle.portal.complaint_cases import Line, Record, lines, term_title
from lifecycle.redress import service
from lifecycle.redress.procedure import Procedure
from lifecycle.redress.queries import Complaint

MOST_PERFORMANCES = 100
"""So many of the latest are offered; about an older one, the promise as a whole is named."""

_LONGEST = 90
"""Characters of a promise's words in a list to choose from."""

_APART = frozenset({"obligations", "term", "time_zone", "holidays"})
"""What of an agreement is no term to complain of: its promises are offered by themselves, the others are its frame."""

Group = tuple[str, Sequence[tuple[str, str]]]
"""What a list to choose from is headed by, and its values with their words."""


@dataclass(frozen=True)
class Lodging:
    """What somebody can lodge a complaint with; without `agreement` there is nothing to complain by."""

    record: Record
    me: Contact
    agreement: Revision | None
    language: Language

    @property
    def ended(self) -> bool:
        """Whether the partnership has ended."""
        return self.record.partnership.stage in stages.FINAL_STAGES

    @property
    def procedure(self) -> Procedure:
        """The one that both sides agreed to."""
        assert self.agreement is not None, "asked of an agreement in force"
        return Procedure(self.agreement.content)

    @property
    def redress(self) -> Mapping[str, Any]:
        """The agreement's own words on it."""
        assert self.agreement is not None, "asked of an agreement in force"
        found: Mapping[str, Any] = self.agreement.content.get("redress", {})
        return found

    @property
    def able(self) -> list[Contact]:
        """Who of the reader's organisation can lodge a complaint."""
        if not self.procedure.may_complain(self.me.partner_id, self.record.people.partners):
            return []
        return self.record.people.of(self.me.partner_id, BINDING_ROLES)

    @property
    def possible(self) -> bool:
        """Whether the reader can lodge one now."""
        return not self.ended and self.agreement is not None and self.me in self.able

    @property
    def others(self) -> list[tuple[str, str]]:
        """The other partners, as id and name."""
        known = sorted(self.record.people.partners.items(), key=lambda one: one[1])
        return [one for one in known if one[0] != self.me.partner_id]

    @property
    def against_us(self) -> list[Line]:
        """The open complaints of others against the reader's organisation: what a complaint may answer."""
        mine = self.me.partner_id
        return [line for line in lines(self.record) if line.one.open and line.one.respondent == mine]

    @property
    def ours(self) -> list[Line]:
        """The open complaints of the reader's organisation."""
        mine = self.me.partner_id
        return [line for line in lines(self.record) if line.one.open and line.one.complainant == mine]

    @property
    def remedies(self) -> list[tuple[str, str]]:
        """Those of the agreement from the smallest, after the choice to leave it open."""
        listed = [(one.id, one.text) for one in self.procedure.remedies]
        return [("", self.language.gettext("I leave that open")), *listed]

    @property
    def about(self) -> list[Group]:
        """What a complaint can be about: what fell due, promises as a whole, other terms; those of the reader's side."""
        assert self.agreement is not None, "asked of an agreement in force"
        say = self.language.gettext
        groups = [
            (say("One time that a promise fell due"), self._performances()),
            (say("A promise as a whole"), self._promises(self.agreement)),
            (say("Another term of the agreement"), self._terms(self.agreement)),
        ]
        return [group for group in groups if group[1]]

    def _performances(self) -> list[tuple[str, str]]:
        mine, now = self.me.partner_id, self.record.now
        fallen = [
            one
            for one in list(self.record.performances.values())[::-1]
            if mine in {one.obligor, one.obligee} and (one.due_at <= now or one.state != "due")
        ]
        return [(f"performance:{one.name}", self._performance(one)) for one in fallen[:MOST_PERFORMANCES]]

    def _performance(self, one: Performance) -> str:
        due_on = self.record.partnership.calendar.local_date(one.due_at)
        said = self.language.gettext("%(day)s: %(promise)s (%(who)s)") % {
            "day": self.language.short_day(due_on),
            "promise": _short(self.record.act_of(one)),
            "who": self._between(one.obligor, one.obligee),
        }
        outcome = words.OUTCOMES.get(one.outcome or "")
        return said if outcome is None else f"{said} – {self.language.sentence(outcome)}"

    def _promises(self, agreement: Revision) -> list[tuple[str, str]]:
        return [
            (
                f"obligation:{one['id']}",
                f"{_short(str(one.get('act') or one['id']))} ({self._between(one.get('obligor', ''), one.get('obligee', ''))})",
            )
            for one in agreement.content.get("obligations", ())
            if self.me.partner_id in {one.get("obligor"), one.get("obligee")}
        ]

    def _terms(self, agreement: Revision) -> list[tuple[str, str]]:
        names = [name for name in agreement.content if name not in _APART]
        return [(f"term:/{name}", self.language.sentence(term_title(f"/{name}"))) for name in names]

    def _between(self, obligor: str, obligee: str) -> str:
        partners = self.record.people.partners
        sides = {"obligor": partners.get(obligor, obligor), "obligee": partners.get(obligee, obligee)}
        return self.language.gettext("%(obligor)s to %(obligee)s") % sides


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1].rstrip() + "…"


def lodging_of(of: Record, me: Contact, language: Language) -> Lodging:
    """What a contact can lodge a complaint with, now."""
    try:
        agreement = terms.agreement_in_force(of.connection, of.partnership.id)
    except NotFound:
        agreement = None
    return Lodging(of, me, agreement, language)


def lodge(database: Database, partnership_id: str, sent: FormData, by: str, now: datetime) -> Complaint:
    """Lodge the complaint that a form describes.

    Raises:
        Invalid: as `service.lodge`; also where what was chosen is not among the promises any more.
        NotAllowed: as `service.lodge`.
    """
    content = forms.complaint_of(sent)
    try:
        return service.lodge(database, partnership_id, content, by, now)
    except NotFound as error:
        raise Invalid([Fault("/about", "known", f"{error.message} {error.mend}")], "The complaint") from None
