"""What in a partnership needs somebody's attention, in sentences. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

LATE = timedelta(hours=1)
"""A clock that is due longer than this and has not fired means that the flows do not run."""


def of(overview: Mapping[str, Any], now: datetime, today: date) -> list[str]:
    """The hints about an overview (`queries.overview`) at `now`; `today` is the date in the partnership's zone."""
    return [
        *_addresses(overview),
        *_sign_offs(overview),
        *_promises(overview),
        *_complaints(overview, today),
        *_rounds(overview),
        *_actions(overview, today),
        *_requests(overview),
        *_clocks(overview, now),
        *_notices(overview),
    ]


def _addresses(overview: Mapping[str, Any]) -> Iterator[str]:
    for partner in overview["partners"]:
        for contact in partner["contacts"]:
            if not contact["deliverable"]:
                yield f"Emails to {contact['id']} do not arrive: correct the address with `lifecycle partner`."


def _sign_offs(overview: Mapping[str, Any]) -> Iterator[str]:
    for document in overview["documents"]:
        if missing := document["missing_sign_offs"]:
            yield f"{document['kind']} revision {document['revision']} waits for the sign-off of {', '.join(missing)}."


def _promises(overview: Mapping[str, Any]) -> Iterator[str]:
    for one in overview["performances"]:
        name = f"{one['obligation']}/{one['number']}"
        if one["state"] == "overdue":
            yield f"No report on {name}, due on {one['due_at']:%Y-%m-%d}: {one['obligor']} owes it to {one['obligee']}."
        elif one["state"] == "disputed":
            yield f"The report on {name} is disputed and waits for a decision."


def _complaints(overview: Mapping[str, Any], today: date) -> Iterator[str]:
    for one in overview["complaints"]:
        if one["closed_at"] is not None:
            continue
        name = f"Complaint {one['number']} of {one['complainant']} against {one['respondent']}"
        if one["exhausted_at"] is not None:
            yield f"{name}: no level is left. Settle it, or end the partnership with the agreed notice."
        elif one["state"] in {"resolved", "remedied"}:
            yield f"{name} waits for {one['complainant']} to confirm that it is put right."
        elif one["state"] != "remedy_agreed":
            days = (today - one["lodged_at"].date()).days
            yield f"{name} is open for {days} days, at level {one['level']}: `lifecycle complaint show`."


def _rounds(overview: Mapping[str, Any]) -> Iterator[str]:
    for one in overview["rounds"]:
        if one["closed_at"] is None and one["unanswered"]:
            names = ", ".join(one["unanswered"])
            yield f"Review round {one['number']} closes on {one['closes_at']:%Y-%m-%d}; no answer yet from {names}."
        elif one["quorate"] is False:
            yield f"Review round {one['number']} closed without a quorum."


def _actions(overview: Mapping[str, Any], today: date) -> Iterator[str]:
    for action in overview["actions"]:
        if action["verified_at"] is not None:
            continue
        if action["owner"] is None:
            yield f"Corrective action {action['number']} has no plan: `lifecycle action plan`."
        elif action["due_on"] < today:
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
