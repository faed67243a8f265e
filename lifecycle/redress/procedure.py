"""The redress procedure that an agreement sets out: its levels, who deals with a complaint there, its remedies. Pure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lifecycle.gates.promptness import ANSWER_WINDOW_WORKING_DAYS
from lifecycle.partnerships.people import Contact, People
from lifecycle.timers import ladders
from lifecycle.timers.ladders import Rung

REMEDY_WORKING_DAYS = 10
"""By when a remedy is carried out unless the sides say otherwise."""

_BY_SPONSORS = ("sponsor", "deputy", "primary")
_BY_PRIMARIES = ("primary", "deputy", "sponsor")


@dataclass(frozen=True)
class Level:
    """One level of the ladder. Times are working days."""

    number: int
    name: str
    people: Mapping[str, Sequence[str]]
    """For each partner, the ids of its contacts who deal with complaints here."""
    acknowledge_days: int
    days: int
    default_decision: bool
    """Whether, when the time runs out, the smallest remedy is owed; else the next level takes over."""
    last: bool

    def roles(self) -> tuple[str, ...]:
        """Who stands in where nobody that the agreement names can be reached."""
        return _BY_PRIMARIES if self.number == 1 else _BY_SPONSORS

    def handlers(self, partner_id: str, people: People) -> list[Contact]:
        """Who of a partner deals with a complaint here: those named, as far as they can be reached, else by role."""
        named = [people.contacts[one] for one in self.people.get(partner_id, ()) if one in people.contacts]
        found = [one for one in named if one.partner_id == partner_id and not one.undeliverable]
        return found or people.reachable(partner_id, *self.roles())

    def entitled(self, partner_id: str, people: People) -> set[str]:
        """Who may act for a partner here: those who deal with it, and the partner's sponsors."""
        named = set(self.people.get(partner_id, ())) | {one.id for one in self.handlers(partner_id, people)}
        sponsors = {one.id for one in people.of(partner_id, ("sponsor",))}
        return {one for one in named | sponsors if one in people.contacts}

    def acknowledge_ladder(self) -> dict[str, Any]:
        """When the acknowledgement is due. Anchor: the arrival at this level."""
        return ladders.to_json([Rung(self.acknowledge_days)])

    def resolve_ladder(self) -> dict[str, Any]:
        """When the level's time is over. Anchor: the arrival at this level."""
        return ladders.to_json([Rung(self.days)])

    def warning_ladder(self) -> dict[str, Any] | None:
        """Warnings at half of the time and one working day before its end (domain reference, section 3)."""
        offsets = sorted({self.days // 2, self.days - 1} - {0})
        rungs = [Rung(offset, whom="contact", notice="complaint_warning") for offset in offsets]
        return ladders.to_json(rungs) if rungs else None


_DEFAULT = (
    {"name": "Operational", "acknowledge_working_days": 2, "working_days": 10},
    {"name": "Sponsors", "acknowledge_working_days": 2, "working_days": 15},
    {"name": "Mediation", "acknowledge_working_days": 5, "working_days": 20},
    {"name": "Independent decision", "acknowledge_working_days": 5, "working_days": 30},
)
"""The field's ladder, for what an agreement leaves open (possible where the sponsors waived R1)."""


@dataclass(frozen=True)
class Remedy:
    """A remedy that the agreement lists; `kind` is act, withholding or ending."""

    id: str
    text: str
    kind: str


class Procedure:
    """The redress procedure of one agreement."""

    def __init__(self, agreement: Mapping[str, Any]):
        """`agreement` is the content of one revision."""
        self._redress: Mapping[str, Any] = agreement.get("redress", {})
        feedback = agreement.get("feedback", {})
        window = feedback.get("answer_window_working_days", ANSWER_WINDOW_WORKING_DAYS)
        self.closing_days = max(1, int(window))
        """Working days in which the side that complained confirms the end; silence then closes it."""
        levels = self._redress.get("levels") or _DEFAULT
        self.levels = tuple(self._level(index, one, len(levels)) for index, one in enumerate(levels))
        self.remedies = tuple(
            Remedy(one["id"], one["remedy"], one.get("kind", "act"))
            for one in self._redress.get("remedies", ())
        )
        """From the smallest."""

    def _level(self, index: int, level: Mapping[str, Any], count: int) -> Level:
        usual = _DEFAULT[min(index, len(_DEFAULT) - 1)]
        last = index == count - 1
        independent = self._redress.get("independent", {}) if last else {}
        body = f": {independent['body']}" if "body" in independent else ""
        return Level(
            number=index + 1,
            name=f"{level['name']}{body}",
            people=level.get("people", {}),
            acknowledge_days=max(1, level.get("acknowledge_working_days", usual["acknowledge_working_days"])),
            days=level.get("working_days", independent.get("working_days", usual["working_days"])),
            default_decision=level.get("on_expiry") == "default_decision" and not last,
            last=last,
        )

    def level(self, number: int) -> Level:
        """A level by its number; the lowest is 1."""
        return self.levels[number - 1]

    def remedy(self, remedy_id: str) -> Remedy | None:
        """A remedy by its id, if the agreement lists it."""
        return next((one for one in self.remedies if one.id == remedy_id), None)

    def smallest(self, tried: Collection[str]) -> Remedy | None:
        """The smallest remedy that was not tried yet and can be proposed without further terms."""
        return next((one for one in self.remedies if one.kind == "act" and one.id not in tried), None)

    def may_complain(self, partner_id: str, partners: Collection[str]) -> bool:
        """Whether a partner has standing. Only a list that consists of partner ids can exclude one."""
        listed = self._redress.get("who_may_complain", ())
        return partner_id in listed or not listed or not all(one in partners for one in listed)

    def closing_ladder(self) -> dict[str, Any]:
        """When silence closes a complaint that is settled. Anchor: the settlement."""
        return ladders.to_json([Rung(self.closing_days)])

    def closing_reminder(self) -> dict[str, Any] | None:
        """A reminder at half of that time."""
        half = self.closing_days // 2
        return ladders.to_json([Rung(half, whom="contact", notice="complaint_warning")]) if half else None
