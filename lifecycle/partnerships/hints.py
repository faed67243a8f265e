"""What in a partnership needs somebody's attention, in sentences. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

LATE = timedelta(hours=1)
"""A clock that is due longer than this and has not fired means that the flows do not run."""


@dataclass(frozen=True)
class Hints:
    """What needs attention, by what it is."""

    missed: list[str]
    """What was due and has not come."""
    waiting: list[str]
    """What waits for somebody, who is named."""
    operating: list[str]
    """What only whoever runs the engine can mend."""

    @property
    def all(self) -> list[str]:
        """All of them, what was missed first."""
        return [*self.missed, *self.waiting, *self.operating]


def of(overview: Mapping[str, Any], now: datetime, today: date) -> Hints:
    """The hints about an overview (`queries.overview`) at `now`; `today` is the date in the partnership's zone."""
    return Hints(
        missed=[
            *_overdue(overview),
            *_exhausted(overview),
            *_not_quorate(overview),
            *_actions_overdue(overview, today),
        ],
        waiting=[
            *_addresses(overview),
            *_sign_offs(overview),
            *_disputed(overview),
            *_complaints(overview, now),
            *_unanswered(overview),
            *_unplanned(overview),
            *_requests(overview),
        ],
        operating=[*_clocks(overview, now), *_notices(overview)],
    )


def _addresses(overview: Mapping[str, Any]) -> Iterator[str]:
    for partner in overview["partners"]:
        for contact in partner["contacts"]:
            if not contact["deliverable"]:
                yield f"Emails to {contact['id']} do not arrive: correct the address with `lifecycle partner`."


def _sign_offs(overview: Mapping[str, Any]) -> Iterator[str]:
    for document in overview["documents"]:
        if missing := document["missing_sign_offs"]:
            yield f"{document['kind']} revision {document['revision']} waits for the sign-off of {', '.join(missing)}."


def _overdue(overview: Mapping[str, Any]) -> Iterator[str]:
    for one in overview["performances"]:
        if one["state"] == "overdue":
            name = f"{one['obligation']}/{one['number']}"
            yield f"No report on {name}, due on {one['due_at']:%Y-%m-%d}: {one['obligor']} owes it to {one['obligee']}."


def _disputed(overview: Mapping[str, Any]) -> Iterator[str]:
    for one in overview["performances"]:
        if one["state"] == "disputed":
            yield f"The report on {one['obligation']}/{one['number']} is disputed and waits for a decision."


def _exhausted(overview: Mapping[str, Any]) -> Iterator[str]:
    for one in overview["complaints"]:
        if one["closed_at"] is None and one["exhausted_at"] is not None:
            yield f"{_complaint(one)}: no level is left. Settle it, or end the partnership with the agreed notice."


def _complaints(overview: Mapping[str, Any], now: datetime) -> Iterator[str]:
    for one in overview["complaints"]:
        if one["closed_at"] is not None or one["exhausted_at"] is not None:
            continue
        if one["state"] in {"resolved", "remedied"}:
            yield f"{_complaint(one)} waits for {one['complainant']} to confirm that it is put right."
        elif one["state"] != "remedy_agreed":
            days = (now - one["lodged_at"]).days
            yield f"{_complaint(one)} is open for {days} days, at level {one['level']}: `lifecycle complaint show`."


def _complaint(one: Mapping[str, Any]) -> str:
    return f"Complaint {one['number']} of {one['complainant']} against {one['respondent']}"


def _unanswered(overview: Mapping[str, Any]) -> Iterator[str]:
    for one in overview["rounds"]:
        if one["closed_at"] is None and one["unanswered"]:
            names = ", ".join(one["unanswered"])
            yield f"Review round {one['number']} closes on {one['closes_at']:%Y-%m-%d}; no answer yet from {names}."


def _not_quorate(overview: Mapping[str, Any]) -> Iterator[str]:
    for one in overview["rounds"]:
        if one["quorate"] is False:
            yield f"Review round {one['number']} closed without a quorum."


def _unplanned(overview: Mapping[str, Any]) -> Iterator[str]:
    for action in overview["actions"]:
        if action["verified_at"] is None and action["owner"] is None:
            yield f"Corrective action {action['number']} has no plan: `lifecycle action plan`."


def _actions_overdue(overview: Mapping[str, Any], today: date) -> Iterator[str]:
    for action in overview["actions"]:
        if action["verified_at"] is None and action["owner"] is not None and action["due_on"] < today:
            yield f"Corrective action {action['number']} of {action['owner']} was due on {action['due_on']}."


def _requests(overview: Mapping[str, Any]) -> Iterator[str]:
    for request in overview["pending_requests"]:
        yield (
            f"“{request['event']}”, asked for by {request['requested_by']}, waits for a decision: "
            "`lifecycle run gate-check`."
        )


def _clocks(overview: Mapping[str, Any], now: datetime) -> Iterator[str]:
    late = [
        timer for timer in overview["timers"] if timer["due_at"] is not None and timer["due_at"] < now - LATE
    ]
    if late:
        since = min(timer["due_at"] for timer in late)
        yield f"Clocks overdue since {since:%Y-%m-%d %H:%M} UTC: {len(late)}. Do the flows run? `lifecycle doctor`"


def _notices(overview: Mapping[str, Any]) -> Iterator[str]:
    for state, what in (("failed", "that did not arrive"), ("unknown", "that may or may not have left")):
        if count := overview["notices"].get(state, 0):
            yield f"Emails {what}: {count}, see `lifecycle outbox list --state {state}`."
