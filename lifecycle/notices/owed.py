"""A notice that is owed to someone, before it is an outbox row."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True)
class Owed:
    """What is owed to whom about which fact.

    `fact` identifies the fact within its partnership (e.g. `review/3`, `agreement//2`); with the template, the
    contact and the rung it makes the notice's key, so the same notice can never be created twice.
    """

    contact_id: str
    template: str
    fact: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    due_at: datetime | None = None
    rung: int | None = None
    not_before: datetime | None = None
    """It leaves no earlier; at once where it is None."""

    def key(self, partnership_id: str) -> str:
        """The notice's unique key."""
        rung = "" if self.rung is None else f"#{self.rung}"
        return f"{partnership_id}:{self.fact}:{self.template}{rung}:{self.contact_id}"
