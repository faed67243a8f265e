"""What people do about a grievance in the demo; each act goes through the service that the command line would call."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lifecycle.demo.acts import Office, Told, names
from lifecycle.redress import service


@dataclass(frozen=True)
class _About:
    """An act about one complaint."""

    at: datetime
    partnership: str
    complaint: int
    by: str

    @property
    def who(self) -> str:
        return names(self.partnership)[self.by]


@dataclass(frozen=True)
class Complain:
    """Somebody lodges a complaint."""

    at: datetime
    partnership: str
    by: str
    content: Mapping[str, Any]

    async def play(self, office: Office) -> Told:
        """Lodge it."""
        one = service.lodge(office.database, self.partnership, dict(self.content), self.by, self.at)
        who = names(self.partnership)[self.by]
        return Told(f"{who} lodges complaint {one.number} against {one.respondent}: {self.content['facts']}")


@dataclass(frozen=True)
class Acknowledge(_About):
    """The side complained of says that it has arrived."""

    async def play(self, office: Office) -> Told:
        """Acknowledge it."""
        service.acknowledge(office.database, self.partnership, self.complaint, self.by, self.at)
        return Told(f"{self.who} acknowledges complaint {self.complaint}.")


@dataclass(frozen=True)
class Reply(_About):
    """The side complained of says how it sees it."""

    note: str

    async def play(self, office: Office) -> Told:
        """Answer it."""
        service.answer(office.database, self.partnership, self.complaint, self.note, self.by, self.at)
        return Told(f"{self.who} answers complaint {self.complaint}: {self.note}")


@dataclass(frozen=True)
class Propose(_About):
    """One side proposes a remedy."""

    content: Mapping[str, Any]

    async def play(self, office: Office) -> Told:
        """Propose it."""
        content = dict(self.content)
        service.propose(office.database, self.partnership, self.complaint, content, self.by, self.at)
        return Told(f"{self.who} proposes how complaint {self.complaint} ends: {self.content['act']}")


@dataclass(frozen=True)
class Agree(_About):
    """The other side agrees."""

    async def play(self, office: Office) -> Told:
        """Agree to it."""
        service.agree(office.database, self.partnership, self.complaint, self.by, self.at)
        return Told(f"{self.who} agrees. The remedy is now a promise with a date of its own.")


@dataclass(frozen=True)
class Close(_About):
    """The side that complained confirms that it is put right."""

    note: str

    async def play(self, office: Office) -> Told:
        """Close it."""
        service.close(office.database, self.partnership, self.complaint, self.note, self.by, self.at)
        return Told(f"{self.who} closes complaint {self.complaint}, and the breach is restored: {self.note}")
