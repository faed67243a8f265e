"""How promises fare, in numbers: the formulas of the domain reference, section 7, with their uncertainty. Pure.

Counts always stand beside ratios; a ratio without anything to count is None. All lags are calendar days.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import NormalDist, median

from lifecycle.obligations.queries import Performance
from lifecycle.obligations.states import BREACHES

SCORES = {"kept": 1.0, "partly_kept": 0.5, "not_kept": 0.0}
"""What an outcome counts; what cannot be told is left out, and counted by itself."""

SMALL_SAMPLE = 30
"""With fewer settled performances than this the rate has an interval."""

_CLOSED = frozenset({"settled", "restored"})
_RELEASED = frozenset({"waived", "withheld"})
"""Nothing was to be seen of it any more, unless it had been seen before."""


@dataclass(frozen=True)
class Cooperation:
    """How one partner keeps what it owes to another."""

    obligor: str
    obligee: str
    settled: int
    kept: int
    partly_kept: int
    not_kept: int
    undetermined: int
    rate: float | None
    """Σ weight · kept / Σ weight, over what is settled and determined."""
    interval: tuple[float, float] | None
    """95 % (Wilson) of the unweighted share, where fewer than 30 are settled."""
    delivered: float
    """G: Σ weight · kept."""


@dataclass(frozen=True)
class Lag:
    """How long something takes that may not have happened yet (Kaplan–Meier: what is open counts until now)."""

    count: int
    happened: int
    median_days: float | None
    ninetieth_days: float | None
    """Within so many days nine of ten have happened."""


@dataclass(frozen=True)
class Measures:
    """The measures of one partnership at one instant."""

    cooperation: tuple[Cooperation, ...]
    balance: tuple[tuple[str, str, float | None], ...]
    """For each pair (a, b): (G_ab − G_ba) / (G_ab + G_ba); 0 is balanced, ±1 one-sided, None where nothing was given."""
    detection: Lag
    """From the due time until the side that is owed knew how things stood."""
    timely: tuple[int, int]
    """(seen within the agreed lag, due so long ago or seen)."""
    answer: Lag
    """From a report until it was answered."""
    undetermined: tuple[int, int]
    """(cannot tell, reported): a defect of the terms, not of a partner."""
    breaches: int
    restored: int
    repair_days: float | None
    """Median from the due time of a breach until it was confirmed as restored."""


def measure(performances: Sequence[Performance], now: datetime, agreed_lag_days: int) -> Measures:
    """Measure what has fallen due by `now` or was reported before."""
    due = [
        one for one in performances if one.state != "superseded" and (one.due_at <= now or one.reported_at)
    ]
    cooperation = _cooperation(due)
    breaches = [one for one in due if one.state in _CLOSED and one.outcome in BREACHES]
    repaired = [
        _days(one.closed_at - one.due_at) for one in breaches if one.state == "restored" and one.closed_at
    ]
    reported = [one for one in due if one.reported_at is not None or one.outcome == "cannot_tell"]
    return Measures(
        cooperation=cooperation,
        balance=_balance(cooperation),
        detection=_lag(
            ((one.due_at, one.seen_at) for one in due if one.state not in _RELEASED or one.seen_at), now
        ),
        timely=_timely(due, now, timedelta(days=agreed_lag_days)),
        answer=_lag(((one.reported_at, one.answered_at) for one in due if one.reported_at), now),
        undetermined=(sum(one.outcome == "cannot_tell" for one in reported), len(reported)),
        breaches=len(breaches),
        restored=len(repaired),
        repair_days=median(repaired) if repaired else None,
    )


def _cooperation(due: Iterable[Performance]) -> tuple[Cooperation, ...]:
    directions: dict[tuple[str, str], list[Performance]] = {}
    for one in due:
        directions.setdefault((one.obligor, one.obligee), []).append(one)
    return tuple(_direction(*pair, found) for pair, found in sorted(directions.items()))


def _direction(obligor: str, obligee: str, found: Sequence[Performance]) -> Cooperation:
    closed = [one for one in found if one.state in _CLOSED]
    told = [(one.weight, SCORES[one.outcome]) for one in closed if one.outcome in SCORES]
    weight, delivered = sum(w for w, _ in told), sum(w * score for w, score in told)
    outcomes = [one.outcome for one in closed]
    kept = sum(score for _, score in told)
    return Cooperation(
        obligor,
        obligee,
        len(closed),
        outcomes.count("kept"),
        outcomes.count("partly_kept"),
        outcomes.count("not_kept"),
        outcomes.count("cannot_tell"),
        delivered / weight if weight else None,
        wilson(kept, len(told)) if 0 < len(told) < SMALL_SAMPLE else None,
        delivered,
    )


def wilson(successes: float, count: int) -> tuple[float, float]:
    """The 95 % score interval of a share (Wilson 1927). Half a success counts half."""
    z = NormalDist().inv_cdf(0.975)
    share, spread = successes / count, z * z / count
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(0.0, middle - half), min(1.0, middle + half)


def _balance(cooperation: Iterable[Cooperation]) -> tuple[tuple[str, str, float | None], ...]:
    given = {(one.obligor, one.obligee): one.delivered for one in cooperation}
    pairs = sorted({(min(pair), max(pair)) for pair in given})
    found = []
    for a, b in pairs:
        there, back = given.get((a, b), 0.0), given.get((b, a), 0.0)
        found.append((a, b, (there - back) / (there + back) if there + back else None))
    return tuple(found)


def _timely(due: Iterable[Performance], now: datetime, agreed: timedelta) -> tuple[int, int]:
    judged = [
        one
        for one in due
        if one.seen_at is not None or (one.state not in _RELEASED and now - one.due_at > agreed)
    ]
    return sum(one.seen_at is not None and one.seen_at - one.due_at <= agreed for one in judged), len(judged)


def _lag(spans: Iterable[tuple[datetime | None, datetime | None]], now: datetime) -> Lag:
    lags = [
        (max(0.0, _days((end or now) - start)), end is not None) for start, end in spans if start is not None
    ]
    happened = sum(ended for _, ended in lags)
    return Lag(len(lags), happened, survival_quantile(lags, 0.5), survival_quantile(lags, 0.9))


def survival_quantile(lags: Sequence[tuple[float, bool]], share: float) -> float | None:
    """After how many days this share has happened, by the product-limit estimate (Kaplan and Meier 1958).

    Args:
        lags: (days, whether it happened then; if not, it had not happened by then).
        share: between 0 and 1.

    Returns:
        None where it has not come so far.
    """
    waiting, at_risk = 1.0, len(lags)
    for days in sorted({days for days, _ in lags}):
        here = [happened for when, happened in lags if when == days]
        waiting *= 1 - sum(here) / at_risk
        at_risk -= len(here)
        if waiting <= 1 - share + 1e-12:
            return days
    return None


def _days(span: timedelta) -> float:
    return span / timedelta(days=1)
