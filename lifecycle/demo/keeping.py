"""What people do about promises in the demo; each act goes through the service that the command line would call."""

from dataclasses import dataclass
from datetime import datetime

from lifecycle.demo.acts import Office, Told, names
from lifecycle.notices import words
from lifecycle.obligations import service


@dataclass(frozen=True)
class _About:
    """An act about one performance."""

    at: datetime
    partnership: str
    performance: str

    def _by(self, contact: str) -> str:
        return names(self.partnership)[contact]


@dataclass(frozen=True)
class Demand:
    """Somebody asks for what is owed on request."""

    at: datetime
    partnership: str
    obligation: str
    by: str

    async def play(self, office: Office) -> Told:
        """Ask for it."""
        one = service.demand(office.database, self.partnership, self.obligation, self.by, self.at)
        return Told(f"{names(self.partnership)[self.by]} asks for {one.name}, due on {one.due_at:%Y-%m-%d}.")


@dataclass(frozen=True)
class Report(_About):
    """Somebody says whether a promise was kept."""

    outcome: str
    by: str
    note: str

    async def play(self, office: Office) -> Told:
        """Report it."""
        content = {"outcome": self.outcome, "note": self.note}
        service.report(office.database, self.partnership, self.performance, content, self.by, self.at)
        said = words.OUTCOMES[self.outcome]
        return Told(f"{self._by(self.by)} reports {self.performance} as {said}: {self.note}")


@dataclass(frozen=True)
class Accept(_About):
    """The other side accepts a report."""

    by: str

    async def play(self, office: Office) -> Told:
        """Accept it."""
        service.accept(office.database, self.partnership, self.performance, self.by, self.at)
        return Told(f"{self._by(self.by)} accepts the report on {self.performance}.")


@dataclass(frozen=True)
class Dispute(_About):
    """The other side disputes a report."""

    by: str
    reason: str

    async def play(self, office: Office) -> Told:
        """Dispute it."""
        service.dispute(office.database, self.partnership, self.performance, self.reason, self.by, self.at)
        return Told(f"{self._by(self.by)} disputes the report on {self.performance}: {self.reason}")


@dataclass(frozen=True)
class Decide(_About):
    """The person whom the agreement names decides."""

    outcome: str
    by: str
    reason: str

    async def play(self, office: Office) -> Told:
        """Decide it."""
        service.decide(
            office.database, self.partnership, self.performance, self.outcome, self.reason, self.by, self.at
        )
        decided = words.OUTCOMES[self.outcome]
        return Told(f"{self._by(self.by)} decides that {self.performance} was {decided}: {self.reason}")


@dataclass(frozen=True)
class Restore(_About):
    """The side that was owed confirms that a breach is repaired."""

    by: str
    how: str

    async def play(self, office: Office) -> Told:
        """Confirm it."""
        service.confirm_restored(
            office.database, self.partnership, self.performance, self.how, self.by, self.at
        )
        return Told(f"{self._by(self.by)} confirms that {self.performance} is restored: {self.how}")
