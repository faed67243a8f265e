"""What people do about an evaluation in the demo; each act goes through the service that the command line would call."""

from dataclasses import dataclass, field
from datetime import date, datetime

from lifecycle.demo.acts import Office, Told, names
from lifecycle.evaluation import dossier, indicators
from lifecycle.notices import words


@dataclass(frozen=True)
class Measure:
    """Somebody records what an indicator came to."""

    at: datetime
    partnership: str
    indicator: str
    value: float
    period: tuple[date, date]
    by: str
    dimensions: dict[str, str] = field(default_factory=dict)

    async def play(self, office: Office) -> Told:
        """Record it."""
        indicators.record_actual(
            office.database,
            self.partnership,
            self.indicator,
            self.value,
            self.period,
            self.by,
            self.at,
            self.dimensions,
        )
        part = "".join(f", {name} {value}" for name, value in self.dimensions.items())
        until = f"from {self.period[0]} to {self.period[1]}"
        who = names(self.partnership)[self.by]
        return Told(f"{who} records that {self.indicator}{part} came to {self.value:g} {until}.")


@dataclass(frozen=True)
class Consult:
    """A sponsor reads the dossier before deciding."""

    at: datetime
    partnership: str
    by: str

    async def play(self, office: Office) -> Told:
        """Gather it; nothing changes."""
        with office.database.read() as connection:
            brief = dossier.summary(dossier.gather(connection, self.partnership, self.at))
        reached = [one["title"] for one in brief["indicators"] if one["reached"]]
        open_gates = [words.EVENTS[one["event"]] for one in brief["gates"] if one["open"]]
        ways = f"open is the way to {' and to '.join(open_gates)}" if open_gates else "no way on is open yet"
        return Told(
            f"{names(self.partnership)[self.by]} reads the dossier: {len(reached)} of {len(brief['indicators'])} "
            f"indicators reached, {_count(brief['actions_open'], 'action')} and "
            f"{_count(brief['complaints_open'], 'complaint')} open; {ways}."
        )


def _count(number: int, one: str) -> str:
    return f"{number} {one}" if number == 1 else f"{number} {one}s"
