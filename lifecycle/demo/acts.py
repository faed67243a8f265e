"""What people do in the demo: each act goes through the service that the command line would call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Protocol

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.documents import rules
from lifecycle.documents import service as documents
from lifecycle.errors import Unavailable
from lifecycle.notices import words
from lifecycle.partnerships import registration, service
from lifecycle.reviews import actions
from lifecycle.reviews import service as reviews


class Flows(Protocol):
    """Runs a flow as of an instant; the demo's are Prefect flow runs."""

    async def run(self, name: str, as_of: datetime, **parameters: Any) -> None:
        """Run the flow of this name, to its end."""


@dataclass(frozen=True)
class Office:
    """Where the acts take place: one installation and its flows."""

    database: Database
    settings: Settings
    flows: Flows


@dataclass(frozen=True)
class Told:
    """An act as a sentence, with the gate report that it brought about."""

    text: str
    report: Mapping[str, Any] | None = None


class Act(Protocol):
    """Something that a person does at an instant."""

    @property
    def at(self) -> datetime:
        """When, UTC."""

    @property
    def partnership(self) -> str:
        """In which partnership."""

    async def play(self, office: Office) -> Told:
        """Do it, and say what happened."""


@cache
def read(partnership: str, name: str) -> Any:
    """The content of one of a partnership's example files."""
    return rules.parse((files("lifecycle.examples") / partnership / f"{name}.yaml").read_bytes())


@cache
def names(partnership: str) -> Mapping[str, str]:
    """What everybody in an example is called, by contact id."""
    partners = read(partnership, "partnership")["partners"]
    return {contact["id"]: contact["name"] for one in partners for contact in one["contacts"]}


@dataclass(frozen=True)
class Register:
    """The coordinator registers the partnership."""

    at: datetime
    partnership: str

    async def play(self, office: Office) -> Told:
        """Register it with its partners and their people."""
        entry = read(self.partnership, "partnership")
        registration.create(office.database, entry, office.settings, self.at)
        people = sum(len(partner["contacts"]) for partner in entry["partners"])
        who = names(self.partnership)[entry["coordinator"]]
        return Told(f"{who} registers {len(entry['partners'])} partners with {people} people.")


@dataclass(frozen=True)
class Digest:
    """It is Monday morning: each manager gets the week's digest."""

    at: datetime
    partnership: str

    async def play(self, office: Office) -> Told:
        """Run the flow that a schedule runs weekly."""
        await office.flows.run("portfolio-digest", self.at)
        return Told("Monday morning: the weekly digest tells each manager what waits on whom.")


@dataclass(frozen=True)
class Put:
    """Somebody submits a document; its file's name begins with its kind."""

    at: datetime
    partnership: str
    file: str
    by: str

    async def play(self, office: Office) -> Told:
        """Submit it."""
        kind, content = self.file.split("-")[0], read(self.partnership, self.file)
        revision = documents.put(office.database, self.partnership, kind, content, self.by, self.at).revision
        again = f", revision {revision}" if revision > 1 else ""
        text = f"{names(self.partnership)[self.by]} submits the {words.KINDS[kind]}{again}."
        if kind == "decision_record":
            text += f" Instead: {' '.join(content['instead'].split())}"
        return Told(text)


@dataclass(frozen=True)
class Sign:
    """A partner's own contact signs one exact revision."""

    at: datetime
    partnership: str
    kind: str
    revision: int
    by: str

    async def play(self, office: Office) -> Told:
        """Sign it."""
        documents.sign(office.database, self.partnership, self.kind, self.revision, self.by, self.at)
        who = names(self.partnership)[self.by]
        return Told(f"{who} signs revision {self.revision} of the {words.KINDS[self.kind]}.")


@dataclass(frozen=True)
class Ask:
    """Somebody asks for a transition; the `gate-check` flow decides it."""

    at: datetime
    partnership: str
    event: str
    by: str
    reason_in: str | None = None
    """The document whose `reason` is the reason."""

    async def play(self, office: Office) -> Told:
        """Have the request kept, then decided by the flow."""
        reason = read(self.partnership, self.reason_in)["reason"] if self.reason_in else None
        database = office.database
        request = service.request_transition(database, self.partnership, self.event, self.by, self.at, reason)
        await office.flows.run("gate-check", self.at, transition_id=request)
        if request in service.pending_requests(database):
            raise Unavailable(
                "The gate-check flow left a request undecided.", mend="See its run in the Prefect UI."
            )
        return self._told(service.decide(database, request, self.at))

    def _told(self, decision: service.Decision) -> Told:
        asked = f"{names(self.partnership)[self.by]} asks to {words.EVENTS[self.event]}"
        if decision.state == "taken":
            return Told(f"{asked}: granted. Stage: {decision.stage}.", decision.report)
        return Told(f"{asked}: refused.", decision.report)


@dataclass(frozen=True)
class Check:
    """Somebody looks what a transition still needs."""

    at: datetime
    partnership: str
    event: str
    by: str

    async def play(self, office: Office) -> Told:
        """Dry-run the gate; nothing changes."""
        report = service.check(office.database, self.partnership, self.event, self.at, self.by)
        needs = ", ".join(f"{finding.name} ({finding.code})" for finding in report.blocking) or "nothing"
        who = names(self.partnership)[self.by]
        return Told(f"{who} checks what is still needed to {words.EVENTS[self.event]}: {needs}.")


@dataclass(frozen=True)
class Answer:
    """Respondents answer a review round."""

    at: datetime
    partnership: str
    number: int
    by: tuple[str, ...]

    async def play(self, office: Office) -> Told:
        """Answer, each for herself, in this order."""
        for contact in self.by:
            content = read(self.partnership, f"review_response-{self.number}-{contact}")
            reviews.respond(office.database, self.partnership, self.number, contact, content, self.at)
        who = ", ".join(names(self.partnership)[contact] for contact in self.by)
        return Told(f"{who} {'answer' if len(self.by) > 1 else 'answers'} review round {self.number}.")


@dataclass(frozen=True)
class Plan:
    """The corrective action that a negative answer asked for gets an owner and a date."""

    at: datetime
    partnership: str
    number: int
    owner: str
    due_on: date
    by: str
    what: str = field(repr=False)

    async def play(self, office: Office) -> Told:
        """Plan it."""
        actions.plan_action(
            office.database,
            self.partnership,
            self.number,
            self.what,
            self.owner,
            self.due_on,
            self.by,
            self.at,
        )
        called = names(self.partnership)
        owner = f"owner {called[self.owner]}, due {self.due_on}"
        return Told(f"{called[self.by]} plans corrective action {self.number} ({owner}): {self.what}")


@dataclass(frozen=True)
class Verify:
    """Another partner confirms that a corrective action was carried out."""

    at: datetime
    partnership: str
    number: int
    by: str

    async def play(self, office: Office) -> Told:
        """Verify it."""
        actions.verify_action(office.database, self.partnership, self.number, self.by, self.at)
        return Told(f"{names(self.partnership)[self.by]} verifies corrective action {self.number}.")
