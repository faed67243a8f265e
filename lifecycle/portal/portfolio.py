"""The portfolio: every partnership that a member reaches, what waits for them, and the list as a file."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response, StreamingResponse

from lifecycle.errors import Fault, Invalid
from lifecycle.notices.letter import zone_named
from lifecycle.notices.words import KINDS, MATTERS
from lifecycle.partnerships import queries, waiting
from lifecycle.partnerships.health import LEVELS, Level
from lifecycle.partnerships.people import People, people_of
from lifecycle.partnerships.waiting import Waiting
from lifecycle.portal.forms import by_field
from lifecycle.portal.members import Member, Signed
from lifecycle.stages import STAGES

router = APIRouter()

ON_A_PAGE = 50
AT_ONCE = 500
"""So many are read at once for a file."""

WITHIN_DAYS = (7, 14, 30, 90)
_LONGEST = 100
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Chosen:
    """What the reader wants to see of their portfolio."""

    stage: str | None
    health: Level | None
    within_days: int | None
    text: str | None
    after: str
    error: Invalid | None
    """What of it cannot be; that part is left out."""

    def read(self, connection: Connection, member: Member, after: str, limit: int) -> list[dict[str, Any]]:
        """The partnerships that it chooses, in the order of their ids."""
        within = self.within_days
        return queries.portfolio(
            connection, self.stage, after, limit, health=self.health, reader=member.session.email, text=self.text,
            due_before=None if within is None else member.now + timedelta(days=within),
        )  # fmt: skip

    def query(self, **more: str) -> str:
        """It as the query of an address."""
        within = None if self.within_days is None else str(self.within_days)
        chosen = {"stage": self.stage, "health": self.health, "due": within, "text": self.text, **more}
        return urlencode({name: value for name, value in chosen.items() if value})


def _chosen(request: Request) -> Chosen:
    """What the address asks for; a filter that is sent empty is none."""
    given = {name: value.strip()[:_LONGEST] for name, value in request.query_params.items()}
    faults = []
    if given.get("stage") and given["stage"] not in STAGES:
        faults.append(Fault("stage", "enum", "Choose one of the stages."))
    if given.get("health") and given["health"] not in LEVELS:
        faults.append(Fault("health", "enum", "Choose one of the answers."))
    due = given.get("due", "")
    if due and not (due.isascii() and due.isdigit() and 0 < int(due) <= 3660):
        faults.append(Fault("due", "range", "Give a number of days from 1 to 3660."))
    if "\0" in "".join(given.values()):
        faults.append(Fault("text", "pattern", "Use letters, digits and signs that can be read."))
        given = {}
    wrong = {fault.pointer for fault in faults}
    kept = {name: value for name, value in given.items() if value and name not in wrong}
    level = next((one for one in LEVELS if one == kept.get("health")), None)
    within = int(kept["due"]) if "due" in kept else None
    error = Invalid(faults, "The choice") if faults else None
    return Chosen(kept.get("stage"), level, within, kept.get("text"), kept.get("after", ""), error)


Choice = Annotated[Chosen, Depends(_chosen)]


@router.get("/")
def show_portfolio(member: Signed, chosen: Choice) -> Response:
    """What waits for the reader, and their partnerships with how each fares and what is due next."""
    with member.database.read() as connection:
        found = chosen.read(connection, member, chosen.after, ON_A_PAGE + 1)
        everybody = people_of(connection, *(one["id"] for one in found))
        counts = queries.stage_counts(connection, member.session.email)
        mine = waiting.for_reader(connection, member.session.email, member.now)
    shown = [_row(one, everybody[one["id"]], member.now) for one in found[:ON_A_PAGE]]
    more = chosen.query(after=found[ON_A_PAGE - 1]["id"]) if len(found) > ON_A_PAGE else None
    return member.page(
        "portfolio.html",
        status=200 if chosen.error is None else 422,
        chosen=chosen,
        faults=by_field(chosen.error, member.language),
        partnerships=shown,
        next_page=more,
        counts=[(stage, counts[stage]) for stage in STAGES if stage in counts],
        total=sum(counts.values()),
        mine=[(one, address_of(one), _day_of(one)) for one in mine],
        today=member.now.date(),
        WITHIN_DAYS=WITHIN_DAYS,
        LEVELS=LEVELS,
        KIND_WORDS=KINDS,
    )


def address_of(one: Waiting) -> str:
    """Where what waits is done."""
    here = f"/partnerships/{one.partnership_id}"
    if one.what in {"report", "verdict", "decision"}:
        return f"{here}/promises/{one.name}"
    if one.what == "review":
        return f"{here}/reviews/{one.name}/answer"
    if one.what == "sign":
        return f"{here}/documents/{one.name}"
    return f"{here}/reviews/actions/{one.name}" if one.what == "action" else f"{here}/complaints/{one.name}"


def _day_of(one: Waiting) -> date | None:
    return one.due.astimezone(zone_named(one.time_zone)).date() if isinstance(one.due, datetime) else one.due


def _row(one: Mapping[str, Any], people: People, now: datetime) -> dict[str, Any]:
    """A partnership as the list shows it: its coordinator by name, its next date in its own zone."""
    due = one["next_due"]
    coordinator = people.contacts.get(one["coordinator"])
    return {
        **one,
        "partners": [name for _, name in sorted(people.partners.items())],
        "coordinator": one["coordinator"] if coordinator is None else coordinator.name or coordinator.id,
        "due_what": None if due is None else MATTERS.get(due.matter, due.matter.replace("_", " ")),
        "due_on": None if due is None else due.due_at.astimezone(zone_named(one["time_zone"])).date(),
        "late": due is not None and due.due_at < now,
    }


@router.get("/portfolio.csv")
def portfolio_as_csv(member: Signed, chosen: Choice) -> Response:
    """The list as a spreadsheet reads it."""
    return _file(_csv_lines(_everything(member, chosen)), "text/csv; charset=utf-8", "csv")


@router.get("/portfolio.json")
def portfolio_as_json(member: Signed, chosen: Choice) -> Response:
    """The list as a program reads it."""
    return _file(_json_parts(_everything(member, chosen)), "application/json", "json")


def _file(parts: Iterator[str], media_type: str, ending: str) -> Response:
    disposition = {"Content-Disposition": f'attachment; filename="partnerships.{ending}"'}
    return StreamingResponse(parts, media_type=media_type, headers=disposition)


def _everything(member: Member, chosen: Chosen) -> Iterator[dict[str, Any]]:
    """All that was chosen, a page at a time: a large portfolio needs no more memory than a small one."""
    if chosen.error is not None:
        raise chosen.error
    return _all_pages(member, chosen)


def _all_pages(member: Member, chosen: Chosen) -> Iterator[dict[str, Any]]:
    after = ""
    while True:
        with member.database.read() as connection:
            found = chosen.read(connection, member, after, AT_ONCE)
            everybody = people_of(connection, *(one["id"] for one in found))
        for one in found:
            yield _record(_row(one, everybody[one["id"]], member.now))
        if len(found) < AT_ONCE:
            return
        after = found[-1]["id"]


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    due = row["next_due"]
    return {
        "id": row["id"],
        "title": row["title"],
        "stage": row["stage"],
        "stage_entered_at": row["stage_entered_at"].isoformat(),
        "health": row["health"]["level"],
        "health_reasons": list(row["health"]["reasons"].values()),
        "partners": row["partners"],
        "coordinator": row["coordinator"],
        "next_due": row["due_what"],
        "next_due_at": None if due is None else due.due_at.isoformat(),
        "time_zone": row["time_zone"],
    }


def _csv_lines(records: Iterator[dict[str, Any]]) -> Iterator[str]:
    names = (
        "id", "title", "stage", "stage_entered_at", "health", "health_reasons", "partners", "coordinator", "next_due",
        "next_due_at", "time_zone",
    )  # fmt: skip
    # The mark tells spreadsheets that it is UTF-8.
    yield "\ufeff" + _csv_line(names)
    for record in records:
        yield _csv_line(record[name] for name in names)


def _csv_line(cells: Any) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([cell_of(cell) for cell in cells])
    return line.getvalue()


def cell_of(value: Any) -> str:
    """A value as a cell. What a spreadsheet would take for a formula is marked as text (OWASP, CSV injection)."""
    said = "" if value is None else " | ".join(value) if isinstance(value, list) else str(value)
    return f"'{said}" if said.startswith(_FORMULA) else said


def _json_parts(records: Iterator[dict[str, Any]]) -> Iterator[str]:
    yield "["
    for place, record in enumerate(records):
        yield (",\n" if place else "\n") + json.dumps(record, ensure_ascii=False)
    yield "\n]\n"
