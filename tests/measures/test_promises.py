"""The measures are those of the domain reference, section 7, and favour nobody."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.measures.promises import measure, survival_quantile, wilson
from lifecycle.obligations.queries import Performance

DUE = datetime(2026, 3, 31, 23, tzinfo=UTC)
NOW = DUE + timedelta(days=100)
SWAP = {"clinic": "city", "city": "clinic"}


def one(
    outcome: str | None = "kept", state: str = "settled", weight: int = 1, obligor: str = "clinic",
    seen: float | None = 0, answered: float | None = 1, closed: float | None = 1,
) -> Performance:  # fmt: skip
    def at(days: float | None) -> datetime | None:
        return None if days is None else DUE + timedelta(days=days)

    return Performance(
        "lists",
        1,
        1,
        obligor,
        SWAP[obligor],
        weight,
        DUE,
        state,
        outcome,
        at(seen),
        at(seen),
        at(answered),
        at(closed),
    )


def test_the_cooperation_rate_is_weighted_and_partly_kept_counts_half() -> None:
    found = [
        one("kept", weight=3),
        one("partly_kept", weight=2),
        one("not_kept", weight=5),
        one("cannot_tell", weight=9),
    ]
    (cooperation,) = measure(found, NOW, 14).cooperation
    assert cooperation.rate == pytest.approx((3 + 1) / 10)
    assert (cooperation.settled, cooperation.undetermined) == (4, 1)
    assert cooperation.interval == pytest.approx(wilson(1.5, 3))


def test_thirty_need_no_interval_and_none_has_no_rate() -> None:
    assert measure([one()] * 30, NOW, 14).cooperation[0].interval is None
    empty = measure([one(None, "due", seen=None, answered=None, closed=None)], NOW, 14).cooperation[0]
    assert (empty.rate, empty.interval) == (None, None)


@pytest.mark.parametrize(
    ("kept", "count", "low", "high"),
    [(8, 10, 0.4902, 0.9433), (0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (1, 1, 0.2065, 1.0)],
)
def test_the_interval_is_wilsons(kept: int, count: int, low: float, high: float) -> None:
    assert wilson(kept, count) == pytest.approx((low, high), abs=1e-4)


def test_the_balance_is_of_what_was_delivered() -> None:
    found = [one(weight=3), one(weight=1, obligor="city")]
    assert measure(found, NOW, 14).balance == (("city", "clinic", pytest.approx((1 - 3) / 4)),)
    nothing = [one("not_kept"), one("not_kept", obligor="city")]
    assert measure(nothing, NOW, 14).balance == (("city", "clinic", None),)


def test_the_median_lag_counts_what_has_not_been_seen_yet() -> None:
    # Kaplan–Meier by hand: 1, 2, 4+, 5, 6+ (+: not yet). S = .8, .6, .6, .3; half after 5 days.
    lags = [(1.0, True), (2.0, True), (4.0, False), (5.0, True), (6.0, False)]
    assert survival_quantile(lags, 0.5) == 5.0
    assert survival_quantile(lags, 0.9) is None
    assert survival_quantile([], 0.5) is None


def test_detection_timeliness_answers_and_repair() -> None:
    found = [
        one(seen=2, answered=5),
        one(seen=20, answered=22),
        one(None, "overdue", seen=None, answered=None, closed=None),
        one("not_kept", "restored", seen=4, answered=6, closed=30),
        one("not_kept", seen=4, answered=6),
    ]
    measures = measure(found, NOW, 14)
    assert (measures.detection.count, measures.detection.happened, measures.detection.median_days) == (
        5,
        4,
        4.0,
    )
    assert measures.timely == (3, 5)
    assert measures.answer.median_days == 2.0
    assert (measures.breaches, measures.restored, measures.repair_days) == (2, 1, 30.0)


def test_what_is_undetermined_is_a_share_of_what_was_reported() -> None:
    found = [one(), one("cannot_tell"), one(None, "overdue", seen=None, answered=None, closed=None)]
    assert measure(found, NOW, 14).undetermined == (1, 2)


def test_what_is_superseded_or_not_due_yet_counts_nowhere() -> None:
    ahead = replace(one(None, "due", seen=None, answered=None, closed=None), due_at=NOW + timedelta(days=1))
    measures = measure([ahead, one(None, "superseded", seen=None, answered=None)], NOW, 14)
    assert (measures.cooperation, measures.detection.count, measures.timely) == ((), 0, (0, 0))


PERFORMANCES = st.lists(
    st.builds(
        one,
        outcome=st.sampled_from(["kept", "partly_kept", "not_kept", "cannot_tell"]),
        state=st.sampled_from(["settled", "restored"]),
        weight=st.integers(1, 5),
        obligor=st.sampled_from(["clinic", "city"]),
        seen=st.integers(-5, 60),
        answered=st.integers(60, 70),
        closed=st.integers(70, 90),
    ),
    max_size=40,
)


@given(PERFORMANCES)
def test_the_two_sides_measures_mirror_each_other(found: list[Performance]) -> None:
    mirrored = [replace(p, obligor=p.obligee, obligee=p.obligor) for p in found]
    mine, theirs = measure(found, NOW, 14), measure(mirrored, NOW, 14)
    assert {replace(c, obligor=c.obligee, obligee=c.obligor) for c in mine.cooperation} == set(
        theirs.cooperation
    )
    for (_, _, there), (_, _, back) in zip(mine.balance, theirs.balance, strict=True):
        assert (there is None and back is None) or (
            there is not None and there == pytest.approx(-(back or 0))
        )
    assert (mine.detection, mine.timely, mine.answer) == (theirs.detection, theirs.timely, theirs.answer)


@given(PERFORMANCES)
def test_rates_lie_within_their_intervals_and_bounds(found: list[Performance]) -> None:
    measures = measure(found, NOW, 14)
    for direction in measures.cooperation:
        assert (
            direction.settled
            == direction.kept + direction.partly_kept + direction.not_kept + direction.undetermined
        )
        assert direction.rate is None or 0 <= direction.rate <= 1
        if direction.interval is not None:
            low, high = direction.interval
            share = (direction.kept + direction.partly_kept / 2) / (
                direction.settled - direction.undetermined
            )
            assert 0 <= low <= share + 1e-9
            assert share - 1e-9 <= high <= 1
    assert measures.timely[0] <= measures.timely[1] <= len(found)
