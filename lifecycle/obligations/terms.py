"""The terms that a performance is measured by: one obligation of one revision of the agreement."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from lifecycle.documents import queries as documents
from lifecycle.errors import NotFound
from lifecycle.gates.promptness import ANSWER_WINDOW_WORKING_DAYS, REPORT_DUE_WORKING_DAYS
from lifecycle.obligations import queries
from lifecycle.obligations.queries import Performance
from lifecycle.timers import ladders
from lifecycle.timers.calendars import Calendar
from lifecycle.timers.ladders import Rung


@dataclass(frozen=True)
class Terms:
    """An agreement's content, one of its obligations, and the revision they stand in."""

    agreement: Mapping[str, Any]
    obligation: Mapping[str, Any]
    revision: int

    @property
    def _feedback(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.agreement.get("feedback", {})
        return found

    @property
    def _term(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.agreement.get("term", {})
        return found

    @property
    def report_days(self) -> int:
        """Working days after the due date until the report is there."""
        return max(1, int(self._feedback.get("report_due_working_days", REPORT_DUE_WORKING_DAYS)))

    @property
    def answer_days(self) -> int:
        """Working days to accept or dispute a report."""
        return max(1, int(self._feedback.get("answer_window_working_days", ANSWER_WINDOW_WORKING_DAYS)))

    @property
    def on_silence(self) -> str:
        """What silence means when the window is over: `accepted` or `disputed`."""
        return str(self._feedback.get("on_silence", "accepted"))

    def reporters(self) -> tuple[str, ...]:
        """The partners that report, the one that owes first."""
        obligor, obligee = self.obligation["obligor"], self.obligation["obligee"]
        sides = {"obligor": (obligor,), "obligee": (obligee,), "both": (obligor, obligee)}
        return sides[self.obligation.get("reported_by", "obligor")]

    def measure(self) -> str:
        """The agreed standard in one line."""
        standard = self.obligation.get("standard", {})
        if "measure" in standard:
            target = " ".join(str(standard[name]) for name in ("target", "unit") if name in standard)
            return f"{standard['measure']}: {target}"
        return str(standard.get("deliverable", ""))

    def answer_by(self, since: datetime, calendar: Calendar) -> datetime:
        """When the window that opened at `since` closes."""
        found = ladders.due_at(since, Rung(self.answer_days), calendar, ())
        assert found is not None, "a clock that is not paused has a due time"
        return found

    def due_ladder(self) -> dict[str, Any]:
        """When the performance is due, and when a missing report makes it overdue. Anchor: the due time.

        The term's end is copied into it: a renewal prolongs the term without a new revision of the agreement.
        """
        return ladders.to_json([Rung(0), Rung(self.report_days)]) | {"ends_on": self._term.get("ends_on")}

    def until(self, ends_on: str | None) -> "Terms":
        """The same terms with another end of the term."""
        return replace(self, agreement={**self.agreement, "term": {**self._term, "ends_on": ends_on}})

    def overdue_ladder(self) -> dict[str, Any]:
        """Who hears of a report that is missing (domain reference, section 5). Anchor: the due time."""
        sponsor = max(5, self.report_days + 1)
        return ladders.to_json(
            [
                Rung(1, whom="contact", notice="report_reminder"),
                Rung(sponsor, whom="sponsor", notice="performance_escalated"),
                Rung(sponsor + 5, whom="lead_and_sponsors", notice="performance_escalated"),
            ]
        )

    def answer_ladder(self) -> dict[str, Any]:
        """When the window to answer or to decide is over. Anchor: its opening."""
        return ladders.to_json([Rung(self.answer_days)])

    def reminder_ladder(self, notice: str) -> dict[str, Any]:
        """A reminder at half the window. Anchor: its opening."""
        return ladders.to_json([Rung(max(1, self.answer_days // 2), whom="contact", notice=notice)])


def of(connection: Connection, partnership_id: str, one: Performance) -> Terms:
    """The terms of a performance: those of its own revision, whatever was agreed later."""
    found = documents.find(connection, partnership_id, "agreement", "", one.agreement_revision)
    if one.is_remedy:
        complaint = int(one.obligation.removeprefix(queries.REMEDY))
        agreed = {remedy.number: remedy for remedy in queries.remedies(connection, partnership_id, complaint)}
        return Terms(found.content, agreed[one.number].terms, found.revision)
    return _terms(found, one.obligation)


def in_force(connection: Connection, partnership_id: str, obligation_id: str) -> Terms:
    """The terms of an obligation by the agreement that performances are measured by now.

    Raises:
        NotFound: no agreement is in force, or it has no such obligation.
    """
    return _terms(agreement_in_force(connection, partnership_id), obligation_id)


def agreement_in_force(connection: Connection, partnership_id: str) -> documents.Revision:
    """The revision of the agreement that performances are measured by now.

    Raises:
        NotFound: no agreement is in force.
    """
    revisions = [one.agreement_revision for one in queries.performances(connection, partnership_id)]
    if not revisions:
        raise NotFound(
            "No agreement is in force yet.", mend="What it says counts from the event `activate` on."
        )
    return documents.find(connection, partnership_id, "agreement", "", max(revisions))


def _terms(agreement: documents.Revision, obligation_id: str) -> Terms:
    obligations = {one["id"]: one for one in agreement.content.get("obligations", ())}
    if obligation_id not in obligations:
        raise NotFound(
            f"The agreement has no obligation “{obligation_id[:64]}”.",
            mend=f"It has: {', '.join(obligations)}.",
        )
    return Terms(agreement.content, obligations[obligation_id], agreement.revision)
