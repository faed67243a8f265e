"""What the engine did by itself, told from its own record: the audit trail and the outbox."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection

from lifecycle.audit import queries as audit
from lifecycle.db import Database
from lifecycle.demo.acts import names, read
from lifecycle.demo.story import PARTNERSHIPS
from lifecycle.notices import outbox, words
from lifecycle.partnerships.changes import SYSTEM

_CLIMBS = ("_reminder", "_escalated", "_undeliverable", "_warning")
_ALL = 100_000


@dataclass
class Chronicle:
    """Reads on from where it stopped the last time."""

    database: Database
    _seen: Counter[str] = field(default_factory=Counter)
    """The last event read of each trail."""
    _last_notice: int = 0
    _sent: set[int] = field(default_factory=set)

    def news(self) -> list[tuple[str, str]]:
        """What happened since, as (partnership, sentence)."""
        with self.database.read() as connection:
            return [*self._climbed(connection), *self._events(connection)]

    def sent(self) -> list[Mapping[str, Any]]:
        """The emails that left since, as rows of the outbox."""
        with self.database.read() as connection:
            rows = outbox.overview(connection, ["sent"], _ALL)
        found = [row for row in reversed(rows) if row["id"] not in self._sent]
        self._sent |= {row["id"] for row in found}
        return found

    def _events(self, connection: Connection) -> Iterator[tuple[str, str]]:
        for partnership in PARTNERSHIPS:
            for event in audit.trail(connection, partnership)[self._seen[partnership] :]:
                self._seen[partnership] = event.seq
                tell = _TOLD.get(event.type)
                told = tell and tell(partnership, {"actor": event.actor, **json.loads(event.payload)})
                if told:
                    yield partnership, told

    def _climbed(self, connection: Connection) -> Iterator[tuple[str, str]]:
        """Whom the rungs of ladders reached."""
        told: dict[tuple[str, str], list[str]] = {}
        rows = [row for row in outbox.overview(connection, limit=_ALL) if row["id"] > self._last_notice]
        for row in reversed(rows):
            self._last_notice = max(self._last_notice, row["id"])
            if row["template"].endswith(_CLIMBS) or row["template"] in {"evaluation_due", "outcome_asked"}:
                told.setdefault((row["partnership_id"], row["template"]), []).append(row["contact_id"])
        for (partnership, template), contacts in told.items():
            whom = " and ".join(_with_role(partnership, contact) for contact in contacts)
            yield partnership, f"{words.TEMPLATES[template].capitalize()} goes to {whom}."


def _with_role(partnership: str, contact_id: str) -> str:
    for partner in read(partnership, "partnership")["partners"]:
        for contact in partner["contacts"]:
            if contact["id"] == contact_id:
                return f"{contact['name']} ({words.ROLES[contact['role']]}, {partner['name']})"
    return contact_id


def _listed(partnership: str, contacts: list[str]) -> str:
    return ", ".join(names(partnership)[contact] for contact in contacts)


def _opened(partnership: str, facts: Mapping[str, Any]) -> str:
    asked = _listed(partnership, facts["respondents"])
    return f"Review round {facts['round']} opens; asked are {asked}. It closes on {facts['closes_at'][:10]}."


def _extended(partnership: str, facts: Mapping[str, Any]) -> str:
    return f"Review round {facts['round']} is below its quorum and runs until {facts['closes_at'][:10]}; the sponsor is told."


def _closed(partnership: str, facts: Mapping[str, Any]) -> str:
    quorum = "quorate" if facts["quorate"] else "below its quorum"
    return (
        f"Review round {facts['round']} closes, {quorum}: {facts['answered']} of {facts['asked']} answered."
    )


def _actions(partnership: str, facts: Mapping[str, Any]) -> str:
    asked = " and ".join(f"{one['number']} (question {one['question'][1:]})" for one in facts["actions"])
    partners = {one["id"]: one["name"] for one in read(partnership, "partnership")["partners"]}
    return f"A negative answer of {partners[facts['actor']]} asks for corrective action {asked}."


def _voided(partnership: str, facts: Mapping[str, Any]) -> str:
    return f"The sign-off by {_listed(partnership, facts['contacts'])} of revision {facts['revision']} is void: asked again."


def _ready(partnership: str, facts: Mapping[str, Any]) -> str:
    return f"The last piece has arrived: the way is open to {words.EVENTS[facts['event']]}. The coordinator hears it."


def _moved(partnership: str, facts: Mapping[str, Any]) -> str:
    if facts["event"] != "fall_overdue":
        return ""
    return f"No report on {facts['performance']} has come in the agreed time: both sides hear it."


def _asked(partnership: str, facts: Mapping[str, Any]) -> str:
    """What the engine asked for by itself."""
    if facts["actor"] != SYSTEM:
        return ""
    asked = f"The engine asks to {words.EVENTS[facts['event']]}, as agreed"
    if "target" in facts:
        return f"{asked}: granted. Stage: {facts['target']}."
    return f"{asked}: refused ({', '.join(facts['blocking'])}). The coordinator hears why."


def _complaint(partnership: str, facts: Mapping[str, Any]) -> str:
    if facts["event"] != "escalate":
        return ""
    return (
        f"The time of level {facts['level'] - 1} is over: complaint {facts['complaint']} goes to level {facts['level']}, "
        "whose people hear what has been tried."
    )


_TOLD: Mapping[str, Callable[[str, Mapping[str, Any]], str]] = {
    "stage_changed": _asked,
    "transition_refused": _asked,
    "performance_moved": _moved,
    "complaint_moved": _complaint,
    "review_opened": _opened,
    "review_extended": _extended,
    "review_closed": _closed,
    "corrective_actions_asked": _actions,
    "sign_offs_voided": _voided,
    "gate_ready": _ready,
}
