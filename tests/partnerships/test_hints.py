"""What needs attention is said, and nothing else."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from lifecycle.partnerships import hints

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
CLOSES = NOW + timedelta(days=3)
ROUND: dict[str, Any] = {
    "number": 2,
    "closed_at": None,
    "closes_at": CLOSES,
    "unanswered": [],
    "quorate": None,
}
ACTION: dict[str, Any] = {"number": 1, "owner": "bo-lind", "due_on": date(2026, 3, 2), "verified_at": None}
PROMISE: dict[str, Any] = {
    "obligation": "lists",
    "number": 3,
    "state": "due",
    "due_at": NOW,
    "obligor": "clinic",
    "obligee": "city",
}
COMPLAINT: dict[str, Any] = {
    "number": 1,
    "complainant": "city",
    "respondent": "clinic",
    "state": "answered",
    "level": 2,
    "lodged_at": NOW - timedelta(days=12),
    "closed_at": None,
    "exhausted_at": None,
}
WELL: dict[str, Any] = {
    "partners": [{"contacts": [{"id": "bo-lind", "deliverable": True}]}],
    "documents": [{"kind": "agreement", "revision": 2, "missing_sign_offs": []}],
    "performances": [PROMISE, PROMISE | {"state": "reported"}, PROMISE | {"state": "settled"}],
    "complaints": [COMPLAINT | {"closed_at": NOW}, COMPLAINT | {"state": "remedy_agreed"}],
    "rounds": [ROUND, ROUND | {"closed_at": NOW, "quorate": True}],
    "actions": [ACTION, ACTION | {"due_on": date(2026, 1, 1), "verified_at": NOW}],
    "timers": [{"due_at": NOW}, {"due_at": None}, {"due_at": CLOSES}],
    "pending_requests": [],
    "notices": {"sent": 7, "pending": 1},
}


def _hints(**changed: Any) -> list[str]:
    return hints.of(WELL | changed, NOW, NOW.date()).all


def test_where_all_is_well_nothing_is_said() -> None:
    assert _hints() == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"partners": [{"contacts": [{"id": "bo-lind", "deliverable": False}]}]}, "Emails to bo-lind"),
        (
            {"documents": [{"kind": "agreement", "revision": 2, "missing_sign_offs": ["a", "b"]}]},
            "sign-off of a, b.",
        ),
        (
            {"rounds": [ROUND | {"unanswered": ["bo-lind"]}]},
            "closes on 2026-03-05; no answer yet from bo-lind",
        ),
        ({"performances": [PROMISE | {"state": "overdue"}]}, "No report on lists/3, due on 2026-03-02"),
        ({"performances": [PROMISE | {"state": "disputed"}]}, "lists/3 is disputed"),
        ({"rounds": [ROUND | {"closed_at": NOW, "quorate": False}]}, "without a quorum"),
        ({"actions": [ACTION | {"owner": None, "due_on": None}]}, "has no plan"),
        ({"actions": [ACTION | {"due_on": date(2026, 3, 1)}]}, "was due on 2026-03-01"),
        (
            {"pending_requests": [{"event": "activate", "requested_by": "bo-lind"}]},
            "lifecycle run gate-check",
        ),
        ({"timers": [{"due_at": NOW - timedelta(hours=2)}]}, "Clocks overdue since 2026-03-02 07:00 UTC: 1"),
        ({"complaints": [COMPLAINT]}, "is open for 12 days, at level 2"),
        ({"complaints": [COMPLAINT | {"state": "remedied"}]}, "waits for city to confirm"),
        ({"complaints": [COMPLAINT | {"exhausted_at": NOW}]}, "no level is left"),
        ({"notices": {"failed": 2}}, "Emails that did not arrive: 2"),
        ({"notices": {"unknown": 1}}, "may or may not have left: 1"),
    ],
)
def test_one_ill_is_one_hint(changed: dict[str, Any], said: str) -> None:
    (only,) = _hints(**changed)
    assert said in only
