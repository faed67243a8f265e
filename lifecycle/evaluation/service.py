"""What is done about an evaluation from outside: results come and go as IATI files, an exit plan is carried out."""

from copy import deepcopy
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert

from lifecycle.db import Database
from lifecycle.documents import queries as documents
from lifecycle.documents import rules as document_rules
from lifecycle.documents import service as documents_service
from lifecycle.errors import Fault, Invalid, NotAllowed, NotFound
from lifecycle.evaluation import exiting, iati, indicators, queries
from lifecycle.evaluation.models import iati_import
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Partnership
from lifecycle.partnerships.people import BINDING_ROLES, People, people_of

STATUS = {
    "need_definition": "1",
    "starting": "1",
    "setting_up": "1",
    "maintaining": "2",
    "evaluating": "2",
    "suspended": "6",
    "closed": "4",
}
"""IATI's activity status of each stage; what ended before its time is cancelled (5)."""

ROLES = {"funder": "1", "lead": "2", "delivery": "4", "advisory": "4"}
"""IATI's role code of each role that a convening gives."""


def import_iati(database: Database, partnership_id: str, data: bytes, by: str, now: datetime) -> int:
    """Keep the results of an IATI file beside the partnership's own; a newer import replaces the one before, all are kept.

    Of several activities in the file the one counts whose identifier is the partnership's. Results that were exported
    from this partnership's own agreement are left out: they are here already.

    Returns:
        How many results were taken.

    Raises:
        Invalid: the file cannot be read, or it is not clear which of its activities is meant.
        NotFound, NotAllowed: as for `indicators.record_actual`.
    """
    activities = iati.read(data)
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        changes.require_open(change)
        people_of(connection, partnership_id)[partnership_id].entitled(by, BINDING_ROLES, "import results")
        chosen = _chosen(activities, partnership_id)
        results = [one for one in chosen.results if not iati.is_ours(one, partnership_id)]
        number = queries.imports(connection, partnership_id) + 1
        sha256 = document_rules.sha256(results)
        row = {"number": number, "results": results, "sha256": sha256, "imported_by": by}
        row |= {"partnership_id": partnership_id, "imported_at": change.now}
        connection.execute(insert(iati_import), row)
        change.log("results_imported", by, number=number, results=len(results), sha256=sha256)
        changes.write(connection, change)
        return len(results)


def _chosen(activities: list[iati.Activity], partnership_id: str) -> iati.Activity:
    if len(activities) == 1:
        return activities[0]
    found = [one for one in activities if one.identifier == partnership_id]
    if len(found) != 1:
        known = ", ".join(one.identifier or "(none)" for one in activities[:10])
        mend = f"Leave one activity, or let one have the identifier {partnership_id}. The file has: {known}."
        raise Invalid([Fault("/iati-activities", "one activity", mend)], "The IATI file")
    return found[0]


def export_iati(connection: Connection, partnership_id: str, now: datetime) -> bytes:
    """A partnership as an IATI activity file: its own indicators, and the results that were imported.

    Raises:
        NotFound: unknown partnership.
    """
    record = changes.find(connection, partnership_id)
    people = people_of(connection, partnership_id)[partnership_id]
    found = queries.actuals(connection, partnership_id)
    own = [
        iati.result_of(one, [a for a in found if a.indicator == one["id"]], partnership_id)
        for one in indicators.agreed(connection, partnership_id)
    ]
    results = [*own, *queries.imported(connection, partnership_id)]
    return iati.write(_about(connection, record, people), results, now)


def _about(connection: Connection, record: Partnership, people: People) -> iati.About:
    content = {
        one.kind: one.content
        for one in documents.latest(connection, record.id, ["need_assessment", "convening", "agreement"])
    }
    term = content.get("agreement", {}).get("term", {})
    dates = [(kind, term[name]) for kind, name in (("1", "starts_on"), ("3", "ends_on")) if name in term]
    began = record.calendar.local_date(record.created_at).isoformat()
    roles = {
        one["organisation"]: one.get("role", "") for one in content.get("convening", {}).get("partners", ())
        if "organisation" in one
    }  # fmt: skip
    return iati.About(
        identifier=record.id,
        title=record.title,
        description=content.get("need_assessment", {}).get("purpose") or record.title,
        language="en",
        reporting=(record.proposed_by, people.partners.get(record.proposed_by, record.proposed_by)),
        partners=[
            (partner_id, name, ROLES.get(roles.get(partner_id, ""), "4"))
            for partner_id, name in sorted(people.partners.items())
        ],
        status=STATUS.get(record.stage, "5"),
        dates=dates or [("1", began)],
    )


def hand_over(
    database: Database, partnership_id: str, number: int, by: str, now: datetime, done_on: date | None = None
) -> documents.Revision:
    """Say that a line of the exit plan is done: the plan's next revision says since when.

    Args:
        number: the line's place in the plan's handover, from 1.
        done_on: since when; today if absent.

    Raises:
        NotFound: unknown partnership or contact, or there is no such line.
        NotAllowed: it is done already, the plan cannot be changed in this stage, or `by` has no part in it: only its
            owner, the coordinator, and who can bind the partner that gives or takes have.
        Invalid: the day has not come yet.
    """
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        people = people_of(connection, partnership_id)[partnership_id]
        task, content = _line(connection, partnership_id, number)
        _require_part(people, task, by, change.partnership.coordinator)
        today = change.partnership.calendar.local_date(change.now)
        if done_on is not None and done_on > today:
            raise Invalid([Fault("/done_on", "maximum", "Give a day that has come.")], "The handover")
        content["handover"][number - 1]["done_on"] = (done_on or today).isoformat()
        revision = documents_service.add(connection, change, people, "exit_plan", content, by)
        changes.write(connection, change)
        return revision


def _line(connection: Connection, partnership_id: str, number: int) -> tuple[exiting.Task, dict[str, Any]]:
    plan = exiting.plan_of(connection, partnership_id)
    tasks = [] if plan is None else exiting.tasks_of(plan.content)
    if plan is None or not 1 <= number <= len(tasks):
        raise NotFound(
            f"The exit plan of {partnership_id} has no line {number}.",
            mend=f"Its handover has {len(tasks)} lines: `lifecycle show {partnership_id}` lists them.",
        )
    task = tasks[number - 1]
    if task.done_on is not None:
        raise NotAllowed(f"It was handed over on {task.done_on} already.", mend="Nothing is left to do.")
    return task, deepcopy(dict(plan.content))


def _require_part(people: People, task: exiting.Task, by: str, coordinator: str) -> None:
    if by in {task.owner, coordinator}:
        return
    person = people.entitled(by, BINDING_ROLES, "say that something is handed over")
    if person.partner_id not in {task.giver, task.taker}:
        able = [
            task.owner,
            coordinator,
            *(c.id for side in (task.giver, task.taker) if side for c in people.of(side, BINDING_ROLES)),
        ]
        raise NotAllowed(
            f"{by} belongs to {person.partner_id}, which neither gives nor takes this.",
            mend=f"Ask {' or '.join(dict.fromkeys(one for one in able if one))}.",
        )
