"""Closing: what the exit plan hands over, as tasks with owners and days, reminded of until they are done."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection

from lifecycle.documents import queries as documents
from lifecycle.notices import outbox
from lifecycle.notices.owed import Owed
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import BINDING_ROLES, People
from lifecycle.timers import ladders
from lifecycle.timers import queries as clocks
from lifecycle.timers import service as timers

TASK = "exit_task"
TEMPLATES = ("exit_task_asked", "exit_task_reminder", "exit_task_escalated")
_NAME_LENGTH = 60


@dataclass(frozen=True)
class Task:
    """One line of an exit plan's handover; `number` is its place in the plan, from 1."""

    number: int
    name: str
    what: str
    giver: str | None
    """The partner that hands it over."""
    taker: str | None
    """A partner id, or the name of an organisation that carries on."""
    owner: str | None
    by: date | None
    done_on: date | None

    @property
    def fact(self) -> str:
        """How notices name it: another day is another task to remind of."""
        return f"{TASK}/{self.name}/{self.by}"

    def facts(self) -> dict[str, Any]:
        """What notices say of it."""
        return {
            "number": self.number,
            "name": self.name,
            "what": self.what,
            "giver": self.giver,
            "taker": self.taker,
            "by": None if self.by is None else self.by.isoformat(),
        }

    def contacts(self, people: People, coordinator: str) -> list[str]:
        """Who does it: its owner, else whoever can be reached of the partner that hands it over, else the coordinator."""
        if self.owner is not None:
            return [self.owner]
        reachable = people.reachable(self.giver, *BINDING_ROLES) if self.giver else ()
        return [one.id for one in reachable] or [coordinator]


def tasks_of(plan: Mapping[str, Any]) -> list[Task]:
    """The tasks of an exit plan, in its order. Pure."""
    found: list[Task] = []
    for number, item in enumerate(plan.get("handover", ()), start=1):
        name = _name(item["what"], {one.name for one in found})
        by, done_on = (date.fromisoformat(item[key]) if key in item else None for key in ("by", "done_on"))
        found.append(
            Task(number, name, item["what"], item.get("from"), item.get("to"), item.get("owner"), by, done_on)
        )
    return found


def _name(what: str, taken: set[str]) -> str:
    """What a task's clock is called: the same words are the same task in every revision of the plan."""
    stem = re.sub(r"\W+", "-", what.lower()).strip("-")[:_NAME_LENGTH].strip("-") or "task"
    name, again = stem, 2
    while name in taken:
        name, again = f"{stem}-{again}", again + 1
    return name


def plan_of(connection: Connection, partnership_id: str) -> documents.Revision | None:
    """The newest exit plan."""
    found = documents.latest(connection, partnership_id, ["exit_plan"])
    return found[0] if found else None


def is_closing(connection: Connection, partnership_id: str) -> bool:
    """Whether the evaluation on record decides to close."""
    found = documents.latest(connection, partnership_id, ["evaluation"])
    return bool(found) and found[0].content.get("decision", {}).get("outcome") == "close"


def follow(connection: Connection, change: Change, people: People) -> None:
    """Start and stop the clocks of tasks, as the newest evaluation and exit plan have them.

    Tasks run while it is evaluated and the decision on record is to close; a plan made before is only a plan.
    """
    record = change.partnership
    plan = plan_of(connection, record.id)
    stage = record.suspended_from or record.stage
    running = stage == "evaluating" and is_closing(connection, record.id)
    tasks = tasks_of(plan.content) if plan is not None and running else []
    due = {one.name: one for one in tasks if one.by is not None and one.done_on is None}
    known = {
        one.subject: record.calendar.local_date(one.anchor_at)
        for one in clocks.open_timers(connection, record.id)
        if one.matter == TASK
    }
    for name, by in known.items():
        if name not in due or due[name].by != by:
            timers.stop(connection, record.id, change.now, TASK, name)
            outbox.withdraw(connection, record.id, f"{TASK}/{name}/{by}", TEMPLATES)
    for name, task in due.items():
        if task.by is not None and known.get(name) != task.by:
            ends_at = record.calendar.end_of_day(task.by)
            change.arm(TASK, name, ends_at, ladders.EXIT_TASK)
            change.owe(
                Owed(contact_id, "exit_task_asked", task.fact, task.facts(), ends_at)
                for contact_id in task.contacts(people, record.coordinator)
            )


def find_open(connection: Connection, partnership_id: str, name: str) -> Task | None:
    """The task of a clock; None where it is done, or not planned any more."""
    plan = plan_of(connection, partnership_id)
    tasks = () if plan is None else tasks_of(plan.content)
    return next((one for one in tasks if one.name == name and one.done_on is None), None)
