"""The steps of the procedure that people, clocks and remedies bring about alike: climb, settle, end."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert

from lifecycle.documents import queries as documents
from lifecycle.errors import NotFound
from lifecycle.obligations import queries as obligations
from lifecycle.obligations import record as performing
from lifecycle.obligations import terms
from lifecycle.obligations.models import remedy
from lifecycle.obligations.queries import REMEDY, Performance
from lifecycle.obligations.states import BREACHES, OPEN
from lifecycle.obligations.terms import Terms
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import People
from lifecycle.redress import queries, record
from lifecycle.redress.procedure import REMEDY_WORKING_DAYS
from lifecycle.redress.record import Hearing
from lifecycle.redress.states import IN_DISCUSSION, SETTLEMENTS
from lifecycle.reviews import occasions


def escalate(at: Hearing, actor: str, reason: str) -> Hearing:
    """Take a complaint to the next level, whose people hear what has been tried; from the last, redress is exhausted.

    What belongs to the same case and is under discussion at the same level goes with it.
    """
    moved = _climb(at, actor, reason)
    for other in queries.complaints(at.connection, at.change.partnership.id):
        of_case = other.case == at.complaint.case and other.number != at.complaint.number
        if of_case and other.level == at.complaint.level and other.state in IN_DISCUSSION:
            _climb(at.of(other), actor, reason)
    return moved


def _climb(at: Hearing, actor: str, reason: str) -> Hearing:
    record.stop_clocks(at)
    if at.level.last:
        return _exhaust(at, actor, reason)
    record.enter(at, "escalate", actor, {"reason": reason})
    moved = record.move(at, "escalate", actor, level=at.complaint.level + 1, level_at=at.change.now)
    record.start_clocks(moved)
    by = record.due_by(moved, moved.level.days)
    record.tell(moved, "complaint_escalated", "escalate", actor, {"reason": reason}, due_at=by)
    return moved


def _exhaust(at: Hearing, actor: str, reason: str) -> Hearing:
    """The ladder is used up: the sides may still settle, and the partnership can be terminated."""
    record.enter(at, "exhaust", actor, {"reason": reason})
    ended = record.keep(at, exhausted_at=at.complaint.exhausted_at or at.change.now)
    at.change.log("redress_exhausted", actor, complaint=at.complaint.number)
    record.tell(ended, "complaint_moved", "exhaust", actor, {"reason": reason})
    return ended


def settle(at: Hearing, content: Mapping[str, Any], actor: str) -> Hearing:
    """Settle a complaint as the sides agreed, or as was decided: a remedy is owed, nothing more is, or it had no ground."""
    record.stop_clocks(at)
    event = SETTLEMENTS[content["settlement"]]
    kind = _remedy_kind(at, content)
    record.enter(at, event, actor, content)
    values: dict[str, Any] = {"closed_at": at.change.now} if event == "dismiss" else {}
    if kind == "ending":
        values["exhausted_at"] = at.change.now
    settled = record.move(at, event, actor, **values)
    if kind is not None:
        _put_on_record(settled, content, kind)
    record.tell(settled, "complaint_moved", event, actor, content)
    if kind == "withholding":
        # Nothing is left to be carried out: from now on the other side may withhold what was named.
        settled = record.move(settled, "carry_out", actor)
    if event == "resolve" or kind == "withholding":
        record.await_closing(settled)
    return settled


def _remedy_kind(at: Hearing, content: Mapping[str, Any]) -> str | None:
    if content["settlement"] != "remedy":
        return None
    found = at.procedure.remedy(content["remedy"])
    assert found is not None, "a remedy is looked up in the agreement before it is settled on"
    return found.kind


def _put_on_record(at: Hearing, content: Mapping[str, Any], kind: str) -> None:
    """Keep the remedy; one to be carried out is a promise with a performance of its own."""
    record_, one = at.change.partnership, at.complaint
    number = len(obligations.remedies(at.connection, record_.id, one.number)) + 1
    agreed = _obligation(at, content) if kind == "act" else _released(content)
    row = {
        "partnership_id": record_.id,
        "complaint": one.number,
        "number": number,
        "remedy": content["remedy"],
        "kind": kind,
        "terms": agreed,
        "agreed_at": at.change.now,
    }
    at.connection.execute(insert(remedy), row)
    if kind == "act":
        agreement = documents.find(at.connection, record_.id, "agreement", "", one.agreement_revision)
        due_at = record_.calendar.end_of_day(date.fromisoformat(agreed["due"]["on"]))
        owed = Terms(agreement.content, agreed, agreement.revision)
        performing.add(at.connection, at.change, owed, due_at, number)


def _released(content: Mapping[str, Any]) -> dict[str, Any]:
    return {name: content[name] for name in ("obligation", "until") if name in content}


def _obligation(at: Hearing, content: Mapping[str, Any]) -> dict[str, Any]:
    """The remedy as an obligation of the side that was complained of."""
    calendar = at.change.partnership.calendar
    usual = calendar.add_working_days(calendar.local_date(at.change.now), REMEDY_WORKING_DAYS)
    broken = _complained_of(at)
    owed = {
        "id": f"{REMEDY}{at.complaint.number}",
        "obligor": at.complaint.respondent,
        "obligee": at.complaint.complainant,
        "act": content["act"],
        "standard": {"deliverable": content["act"]},
        "due": {"on": content.get("due_on", usual.isoformat())},
        "weight": broken.get("weight", 1),
    }
    return owed | ({"decider": broken["decider"]} if "decider" in broken else {})


def _complained_of(at: Hearing) -> Mapping[str, Any]:
    """The obligation that a complaint is about; nothing, of a term or of one that the terms have dropped since."""
    about = at.complaint.about
    name = about.get("performance", about.get("obligation", "")).partition("/")[0]
    try:
        return terms.in_force(at.connection, at.change.partnership.id, name).obligation
    except NotFound:
        return {}


def close(at: Hearing, actor: str, note: str | None = None) -> Hearing:
    """Close a complaint that was settled; the breach it was about, if any, counts as restored."""
    record.stop_clocks(at)
    record.enter(at, "close", actor, {"note": note})
    closed = record.move(at, "close", actor, closed_at=at.change.now)
    _restore(closed, actor, note)
    if at.complaint.state == "remedied":
        occasions.open_for(at.connection, at.change, "complaint")
    record.tell(closed, "complaint_moved", "close", actor, {"note": note})
    return closed


def _restore(at: Hearing, actor: str, note: str | None) -> None:
    """A repaired breach counts as restored for the side that was owed, which is the one that complained."""
    one = at.complaint
    if "performance" not in one.about:
        return
    broken = obligations.find(at.connection, at.change.partnership.id, one.about["performance"])
    if broken.state == "settled" and broken.outcome in BREACHES and broken.obligee == one.complainant:
        _end(at, broken, "restore", actor, note or f"Complaint {one.number} was closed.")


def _end(at: Hearing, owed: Performance, event: str, actor: str, reason: str) -> None:
    agreed = terms.of(at.connection, at.change.partnership.id, owed)
    performing.enter(at.connection, at.change, owed, event, actor, {"note": reason})
    performing.settle(at.connection, at.change, at.people, owed, agreed, event, actor, owed.outcome, reason)


def withdraw(at: Hearing, actor: str, reason: str) -> Hearing:
    """Take a complaint back; a remedy still owed is given up with it."""
    record.stop_clocks(at)
    record.enter(at, "withdraw", actor, {"reason": reason})
    withdrawn = record.move(at, "withdraw", actor, closed_at=at.change.now)
    for owed in obligations.performances(at.connection, at.change.partnership.id):
        if owed.obligation == f"{REMEDY}{at.complaint.number}" and owed.state in OPEN:
            _end(at, owed, "waive", actor, reason)
    record.tell(withdrawn, "complaint_moved", "withdraw", actor, {"reason": reason})
    return withdrawn


def follow_remedy(connection: Connection, change: Change, people: People, owed: Performance) -> None:
    """What became of a remedy decides how its complaint goes on; other performances decide nothing.

    One that was carried out, or given up by the side it was owed to, ends the complaint. One that was not, or of which
    no report came in time, takes it to the next level, with the next larger remedy on the table.
    """
    if not owed.is_remedy or owed.state not in {"settled", "waived", "overdue"}:
        return
    at = record.hear(connection, change, people, int(owed.obligation.removeprefix(REMEDY)))
    if at.complaint.state != "remedy_agreed":
        return
    if owed.state == "waived" or owed.outcome == "kept":
        _carry_out(at, owed)
    else:
        moved = _climb(at, changes.SYSTEM, f"The remedy {owed.name} was not carried out.")
        record.propose_smallest(moved)


def _carry_out(at: Hearing, owed: Performance) -> None:
    record.enter(at, "carry_out", changes.SYSTEM, {"remedy": owed.name})
    remedied = record.move(at, "carry_out", changes.SYSTEM)
    record.await_closing(remedied)
    closes_at = record.due_by(remedied, at.procedure.closing_days)
    sides, said = [at.complaint.complainant], {"remedy": owed.name}
    record.tell(remedied, "complaint_remedied", "carry_out", changes.SYSTEM, said, sides, closes_at)
