"""What can be done about a complaint now, and by whom: what `service` would take, told beforehand for pages to offer.

`service` decides when somebody acts; a test holds the two together, whatever has happened before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from lifecycle import stages
from lifecycle.errors import NotAllowed
from lifecycle.partnerships.people import Contact
from lifecycle.redress import standing
from lifecycle.redress.queries import Entry
from lifecycle.redress.record import Hearing
from lifecycle.redress.states import TRANSITIONS

_EVENTS = {
    "acknowledge": "acknowledge",
    "answer": "answer",
    "agree": "resolve",
    "propose": "resolve",
    "close": "close",
    "decide": "resolve",
    "escalate": "escalate",
    "withdraw": "withdraw",
}
"""What can be done → the event of the complaint's machine that its state must have. Pauses are no event."""

ACTIONS = (*_EVENTS, "pause", "resume")
"""Everything that a side can do about a complaint, what moves it on first."""


@dataclass(frozen=True)
class Openings:
    """One complaint as it stands, with what each person can do about it."""

    at: Hearing

    def open_to(self, person: Contact) -> tuple[str, ...]:
        """Which of `ACTIONS` this person can take now; nothing for who does not deal with it at its level."""
        if self.at.change.partnership.stage in stages.FINAL_STAGES or not self.dealt_with_by(person):
            return ()
        return tuple(one for one in ACTIONS if self._is_open(one, person.partner_id))

    def dealt_with_by(self, person: Contact) -> bool:
        """Whether this person acts for one of the two sides at the complaint's level."""
        side = person.partner_id
        return side in self.at.sides and person.id in self.at.level.entitled(side, self.at.people)

    @cached_property
    def past(self) -> Sequence[Entry]:
        """What was said and done so far."""
        return self.at.past

    @cached_property
    def on_the_table(self) -> Entry | None:
        """The newest proposal, while the sides can still agree to it."""
        if not self._has("resolve"):
            return None
        return next((entry for entry in reversed(self.past) if entry.kind == "propose"), None)

    @cached_property
    def agreed(self) -> frozenset[str]:
        """The sides that have agreed to what is on the table: whoever proposed it has."""
        if self.on_the_table is None:
            return frozenset()
        seq = self.on_the_table.seq
        said = [e.by for e in self.past if e.kind == "agree" and e.content["proposal"] == seq]
        return self._sides_of((self.on_the_table.by, *said))

    @cached_property
    def asked_to_pause(self) -> frozenset[str]:
        """The sides that have asked for a pause since the clocks last ran on."""
        resumed = max((e.seq for e in self.past if e.kind == "resume"), default=0)
        return self._sides_of(e.by for e in self.past if e.kind == "pause" and e.seq > resumed)

    def _is_open(self, action: str, side: str) -> bool:
        one = self.at.complaint
        if action == "pause":
            return one.open and one.paused_at is None and side not in self.asked_to_pause
        if action == "resume":
            return one.open and one.paused_at is not None
        return self._has(_EVENTS[action]) and self._is_for(action, side)

    def _is_for(self, action: str, side: str) -> bool:
        """Of an action that the state allows: whether it is this side's, at this level, now."""
        one = self.at.complaint
        if action in {"acknowledge", "answer"}:
            return side == one.respondent
        if action in {"close", "withdraw"}:
            return side == one.complainant
        if action == "agree":
            return self._can_agree(side)
        if action == "decide":
            return self.at.level.last
        return action == "propose" or self._can_escalate(side)

    def _can_agree(self, side: str) -> bool:
        if self.on_the_table is None or side in self.agreed:
            return False
        if self.at.complaint.other_side(side) not in self.agreed:
            return True
        try:
            standing.still_possible(self.at.change, self.on_the_table.content)
        except NotAllowed:
            return False
        return True

    def _can_escalate(self, side: str) -> bool:
        one = self.at.complaint
        heard = one.state == "answered" or (one.state == "resolved" and side == one.complainant)
        return heard and one.paused_at is None and not self.at.level.last

    def _sides_of(self, contact_ids: Iterable[str]) -> frozenset[str]:
        contacts = self.at.people.contacts
        return frozenset(contacts[one].partner_id for one in contact_ids if one in contacts)

    def _has(self, event: str) -> bool:
        return (self.at.complaint.state, event) in TRANSITIONS
