"""The periods of an indicator's targets. Pure."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from lifecycle.errors import Fault

Period = tuple[date, date]
"""First and last day."""


def target_periods(indicator: Mapping[str, Any]) -> Iterator[Period]:
    """Those of its targets that have both days."""
    for target in indicator.get("targets", ()):
        if {"starts_on", "ends_on"} <= target.keys():
            yield date.fromisoformat(target["starts_on"]), date.fromisoformat(target["ends_on"])


def overlapping_targets(agreement: Mapping[str, Any]) -> Iterator[Fault]:
    """The target periods of an agreement that end before they start, or overlap an earlier one of their indicator."""
    for place, indicator in enumerate(agreement.get("indicators", ())):
        seen: list[Period] = []
        for number, target in enumerate(indicator.get("targets", ())):
            here = f"/indicators/{place}/targets/{number}"
            for starts_on, ends_on in target_periods({"targets": [target]}):
                if ends_on < starts_on:
                    yield Fault(f"{here}/ends_on", "order", "The last day comes after the first.")
                elif any(first <= ends_on and starts_on <= last for first, last in seen):
                    yield Fault(here, "overlap", "Let its period begin after the one before it has ended.")
                seen.append((starts_on, ends_on))
