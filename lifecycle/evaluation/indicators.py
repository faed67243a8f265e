"""Recording what indicators came to. Source: the IATI results model, result → indicator → period (version 2.03)."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert

from lifecycle.db import Database
from lifecycle.documents import queries as documents
from lifecycle.documents import rules as document_rules
from lifecycle.errors import Fault, Invalid, NotFound
from lifecycle.evaluation import queries
from lifecycle.evaluation.models import indicator_actual
from lifecycle.evaluation.periods import Period, target_periods
from lifecycle.evaluation.queries import Actual
from lifecycle.partnerships import changes
from lifecycle.partnerships.people import BINDING_ROLES, people_of
from lifecycle.timers import ladders


def record_actual(
    database: Database,
    partnership_id: str,
    indicator_id: str,
    value: float,
    period: Period,
    by: str,
    now: datetime,
    dimensions: Mapping[str, str] | None = None,
    comment: str | None = None,
) -> Actual:
    """Record what an indicator came to in a period; for the same period and dimensions again, it is a correction.

    Args:
        indicator_id: one of the agreement's.
        dimensions: of which part of the whole, such as `{"sex": "female"}`; of all of it without.

    Raises:
        NotFound: unknown partnership, contact or indicator.
        Invalid: the indicator has no baseline, the period cannot be or overlaps another, or the value is no number.
        NotAllowed: `by` is an observer or member, or the partnership has ended.
    """
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        changes.require_open(change)
        people_of(connection, partnership_id)[partnership_id].entitled(by, BINDING_ROLES, "record an actual")
        indicator = _indicator(connection, partnership_id, indicator_id)
        known = queries.all_actuals(connection, partnership_id)
        today = change.partnership.calendar.local_date(change.now)
        faults = [
            *_faults(indicator, value, period, today),
            *_overlaps(indicator, period, known),
            *_wordy(dimensions or {}, comment),
        ]
        if faults:
            raise Invalid(faults, "The actual")
        number = len(known) + 1
        parts = dict(dimensions or {})
        one = Actual(number, indicator_id, *period, float(value), parts, comment, by, change.now)
        connection.execute(insert(indicator_actual), vars(one) | {"partnership_id": partnership_id})
        said = [indicator_id, *(day.isoformat() for day in period), float(value), parts, comment]
        change.log(
            "actual_recorded", by, number=number, indicator=indicator_id, sha256=document_rules.sha256(said)
        )
        change.arm("gate_readiness", "", change.now, ladders.NOW)
        changes.write(connection, change)
        return one


def agreed(connection: Connection, partnership_id: str) -> Sequence[Mapping[str, Any]]:
    """The indicators of a partnership's newest agreement."""
    found = documents.latest(connection, partnership_id, ["agreement"])
    indicators: Sequence[Mapping[str, Any]] = found[0].content.get("indicators", ()) if found else ()
    return indicators


def overview(connection: Connection, partnership_id: str) -> list[dict[str, Any]]:
    """Each agreed indicator with its baseline, its targets and the actuals that count."""
    found = queries.actuals(connection, partnership_id)
    return [
        {
            "id": one["id"],
            "title": one["title"],
            "unit": one.get("unit"),
            "ascending": one.get("ascending", True),
            "baseline": one.get("baseline"),
            "targets": one.get("targets", []),
            "actuals": [vars(actual) for actual in found if actual.indicator == one["id"]],
        }
        for one in agreed(connection, partnership_id)
    ]


def _indicator(connection: Connection, partnership_id: str, indicator_id: str) -> Mapping[str, Any]:
    known = {one["id"]: one for one in agreed(connection, partnership_id)}
    if indicator_id not in known:
        raise NotFound(
            f"The agreement has no indicator “{indicator_id[:64]}”.",
            mend=f"It has: {', '.join(known) or 'none'}.",
        )
    return known[indicator_id]


def _faults(indicator: Mapping[str, Any], value: float, period: Period, today: date) -> Iterator[Fault]:
    starts_on, ends_on = period
    if "value" not in indicator.get("baseline", {}):
        yield Fault(
            "/indicator", "baseline", "Agree on its baseline first: without it nobody can tell a change."
        )
    if not math.isfinite(value):
        yield Fault("/value", "number", "Write a number.")
    if ends_on < starts_on:
        yield Fault("/ends_on", "order", "The last day comes after the first.")
    if starts_on > today:
        yield Fault("/starts_on", "begun", "Record it when the period has begun.")


def _wordy(dimensions: Mapping[str, str], comment: str | None) -> Iterator[Fault]:
    if comment is not None and not 0 < len(comment) <= 2000:
        yield Fault("/comment", "length", "Write at most 2,000 characters, or nothing.")
    for name, value in dimensions.items():
        if not (0 < len(name) <= 80 and 0 < len(value) <= 200):
            yield Fault("/dimensions", "length", "Name each as NAME=VALUE, in at most 80 and 200 characters.")


def _overlaps(indicator: Mapping[str, Any], period: Period, known: Sequence[Actual]) -> Iterator[Fault]:
    periods = {(one.starts_on, one.ends_on) for one in known if one.indicator == indicator["id"]}
    periods |= set(target_periods(indicator))
    for starts_on, ends_on in sorted(periods - {period}):
        if starts_on <= period[1] and period[0] <= ends_on:
            yield Fault(
                "/starts_on", "overlap",
                f"It overlaps the period from {starts_on} to {ends_on}: use exactly that one, or one beside it.",
            )  # fmt: skip
