"""`activate`, promptness of feedback: is a breach seen before it is a grievance? Criteria P1–P4."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from lifecycle.gates.facts import DocumentFact, Facts
from lifecycle.gates.reading import Problem, items, lacks, listed, on, part, settle
from lifecycle.gates.report import Criterion, Judgement
from lifecycle.timers import recurrence

REPORT_DUE_WORKING_DAYS = 3
ANSWER_WINDOW_WORKING_DAYS = 5
AGREED_LAG_DAYS = 14
LONGEST_LAG_DAYS = 45
QUARTER_DAYS = 92
_ANCHOR = date(2024, 1, 1)


def detection_lag_days(obligation: Mapping[str, Any], feedback: Mapping[str, Any]) -> int | None:
    """The longest time between a breach and the other side's knowing, in calendar days.

    The gap between observations, the time until the report is due and, where only the obligor reports, the window to
    answer it (domain reference, section 3). None when a standing duty is never sampled: nobody would ever know.
    """
    gap = observation_gap_days(obligation)
    if gap is None:
        return None
    lag = gap + _calendar_days(feedback.get("report_due_working_days", REPORT_DUE_WORKING_DAYS))
    if obligation.get("reported_by", "obligor") == "obligor":
        lag += _calendar_days(feedback.get("answer_window_working_days", ANSWER_WINDOW_WORKING_DAYS))
    return lag


def observation_gap_days(obligation: Mapping[str, Any]) -> int | None:
    """The longest time that something may be broken before anybody looks; 0 where the due date itself is looked at."""
    observed, due = obligation.get("observed_every"), part(obligation, "due")
    cadence = observed if observed is not None else due.get("sampled_every")
    if cadence is None:
        return None if due.get("standing") else 0
    if isinstance(cadence, int):
        return cadence
    return recurrence.longest_gap_days(cadence, _anchor(due))


def _anchor(due: Mapping[str, Any]) -> date:
    return date.fromisoformat(due["starting_on"]) if due.get("starting_on") else _ANCHOR


def _calendar_days(working_days: int) -> int:
    """The most calendar days that so many working days can take, public holidays aside: a weekend for each five."""
    return working_days + 2 * -(-working_days // 5)


def lag(_facts: Facts, document: DocumentFact) -> Judgement:
    """P1."""
    return settle(document, "/feedback", "Shorten the time until a breach is seen", _lags(document))


def _lags(document: DocumentFact) -> Iterator[Problem]:
    feedback = part(document.content, "feedback")
    agreed = feedback.get("max_lag_days", AGREED_LAG_DAYS)
    if agreed > LONGEST_LAG_DAYS:
        yield "/feedback/max_lag_days", f"agree on at most {LONGEST_LAG_DAYS} days, not {agreed}"
    for index, obligation in enumerate(items(document.content, "obligations")):
        days = detection_lag_days(obligation, feedback)
        if days is None:
            yield (
                f"/obligations/{index}/due",
                f"{obligation['id']} is never observed: say how often it is sampled",
            )
        elif days > min(agreed, LONGEST_LAG_DAYS):
            yield f"/obligations/{index}", f"{obligation['id']} takes up to {days} days, {agreed} are agreed"


def observers(facts: Facts, document: DocumentFact) -> Judgement:
    """P2."""
    return settle(document, "/obligations", "Name an observer on the other side", _observers(facts, document))


def _observers(facts: Facts, document: DocumentFact) -> Iterator[Problem]:
    for index, obligation in enumerate(items(document.content, "obligations")):
        observer = facts.contacts.get(obligation.get("observer", ""))
        if observer is None:
            yield f"/obligations/{index}", f"{obligation['id']} has none"
        elif observer.partner_id == obligation.get("obligor"):
            yield (
                f"/obligations/{index}/observer",
                f"{observer.id} observes {obligation['id']} for the side that owes it",
            )


def answer_window(_facts: Facts, document: DocumentFact) -> Judgement:
    """P3."""
    missing = lacks(part(document.content, "feedback"), ("answer_window_working_days", "on_silence"))
    problems = [("/feedback", f"it lacks {listed(missing)}")] if missing else []
    return settle(
        document, "/feedback", "Agree on a window to accept or dispute, and on what silence means", problems
    )


def quarterly(_facts: Facts, document: DocumentFact) -> Judgement:
    """P4."""
    return settle(
        document, "/obligations", "Observe recurring obligations at least quarterly", _rarely(document)
    )


def _rarely(document: DocumentFact) -> Iterator[Problem]:
    for index, obligation in enumerate(items(document.content, "obligations")):
        due = part(obligation, "due")
        if not due.get("every") and not due.get("standing"):
            continue
        gap = observation_gap_days(obligation)
        if due.get("every") and obligation.get("observed_every") is None:
            gap = recurrence.longest_gap_days(due["every"], _anchor(due))
        if gap is None or gap > QUARTER_DAYS:
            often = "never" if gap is None else f"every {gap} days"
            yield f"/obligations/{index}", f"{obligation['id']} is observed {often}"


_KIND = "agreement"
PROMPTNESS = (
    Criterion(
        "P1", "detection within the agreed lag", "blocking",
        "Can each side see the other's performance before a problem becomes a grievance?", True, on(_KIND, lag),
    ),
    Criterion(
        "P2", "an observer on the other side", "blocking", "Who on the other side looks?", True, on(_KIND, observers),
    ),
    Criterion(
        "P3", "a window to answer, and what silence means", "blocking",
        "By when is a report accepted or disputed, and what if nobody answers?", True, on(_KIND, answer_window),
    ),
    Criterion(
        "P4", "observed at least quarterly", "blocking",
        "Is what recurs looked at often enough to respond in time?", True, on(_KIND, quarterly),
    ),
)  # fmt: skip
