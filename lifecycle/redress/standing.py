"""Whether a complaint can be lodged, and a settlement made: the refusals of redress, each with its mend."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection

from lifecycle.documents.queries import Revision
from lifecycle.errors import Fault, Invalid, NotAllowed
from lifecycle.obligations import queries as obligations
from lifecycle.obligations import terms
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import People
from lifecycle.redress.procedure import Procedure, Remedy
from lifecycle.redress.queries import Complaint
from lifecycle.redress.record import Hearing


def require(
    connection: Connection,
    change: Change,
    people: People,
    complainant: str,
    content: Mapping[str, Any],
    agreement: Revision,
    procedure: Procedure,
    known: Sequence[Complaint],
) -> None:
    """See that a partner can lodge this complaint.

    Raises:
        Invalid: with every fault.
        NotFound: the performance or obligation that it is about is unknown.
        NotAllowed: a complaint about the same is open already.
    """
    sides = _sides(connection, change.partnership.id, content["about"])
    faults = [
        *_parties(people, complainant, content["against"], sides, procedure),
        *_term(agreement.content, content["about"]),
        *_wanted(procedure, content),
        *_answered(complainant, content, known),
    ]
    if faults:
        raise Invalid(faults, "The complaint")
    for one in known:
        same = one.complainant == complainant and one.respondent == content["against"]
        if one.open and same and one.about == content["about"]:
            raise NotAllowed(
                f"Complaint {one.number} is about the same and still open.", mend="Go on with that one."
            )


def _sides(connection: Connection, partnership_id: str, about: Mapping[str, str]) -> set[str]:
    """The two sides of what a complaint is about; nobody in particular, of a term."""
    if "performance" in about:
        one = obligations.find(connection, partnership_id, about["performance"])
        return {one.obligor, one.obligee}
    if "obligation" in about:
        found = terms.in_force(connection, partnership_id, about["obligation"]).obligation
        return {found.get("obligor", ""), found.get("obligee", "")}
    return set()


def _parties(
    people: People, complainant: str, against: str, sides: set[str], procedure: Procedure
) -> Iterator[Fault]:
    if against not in people.partners:
        yield Fault("/against", "partner", f"Name one of: {', '.join(sorted(people.partners))}.")
    elif against == complainant:
        yield Fault("/against", "another partner", "Name the other side: nobody complains of themselves.")
    elif sides and sides != {complainant, against}:
        between = " and ".join(sorted(sides))
        yield Fault(
            "/about", "standing", f"It is between {between}: only they complain about it, of each other."
        )
    if not procedure.may_complain(complainant, people.partners):
        yield Fault(
            "/about", "standing", f"The agreement does not name {complainant} among those who may complain."
        )


def _term(agreement: Mapping[str, Any], about: Mapping[str, str]) -> Iterator[Fault]:
    if "term" not in about:
        return
    node: Any = agreement
    for part in about["term"].split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, Mapping) and name in node:
            node = node[name]
        elif isinstance(node, list) and name.isdecimal() and int(name) < len(node):
            node = node[int(name)]
        else:
            node = None
    if node is None or not about["term"].startswith("/"):
        yield Fault(
            "/about/term", "term", "Give a JSON pointer to a term of the agreement, such as /decisions."
        )


def _wanted(procedure: Procedure, content: Mapping[str, Any]) -> Iterator[Fault]:
    wanted = content.get("wanted_remedy")
    if wanted is not None and procedure.remedy(wanted) is None:
        yield _unknown_remedy("/wanted_remedy", procedure)


def _unknown_remedy(pointer: str, procedure: Procedure) -> Fault:
    listed = ", ".join(one.id for one in procedure.remedies) or "none"
    return Fault(pointer, "remedy of the agreement", f"The agreement lists, from the smallest: {listed}.")


def _answered(complainant: str, content: Mapping[str, Any], known: Sequence[Complaint]) -> Iterator[Fault]:
    """No echo: a complaint against somebody whose own complaint is open answers that one, in the same case."""
    theirs = [
        one.number
        for one in known
        if one.open and one.complainant == content["against"] and one.respondent == complainant
    ]
    given = content.get("in_answer_to")
    if given is not None and given not in theirs:
        open_ones = (
            f"They have: {', '.join(map(str, theirs))}." if theirs else "They have none: leave it out."
        )
        yield Fault(
            "/in_answer_to", "open complaint", f"Name an open complaint of {content['against']}. {open_ones}"
        )
    elif given is not None and any(one.number == given and one.paused_at is not None for one in known):
        yield Fault(
            "/in_answer_to", "running", f"The clocks of complaint {given} are paused: resume it first."
        )
    elif given is None and theirs:
        yield Fault(
            "/in_answer_to", "linked",
            f"Complaint {theirs[0]} of {content['against']} against {complainant} is open: name it here, and both are "
            "heard as one case.",
        )  # fmt: skip


def settlement(at: Hearing, content: Mapping[str, Any]) -> dict[str, Any]:
    """A proposed or decided settlement, with what was left to the agreement filled in.

    Raises:
        Invalid: it names a remedy that the agreement does not list, lacks what its remedy needs, or asks for what is past.
    """
    faults = list(_settlement(at, content))
    if faults:
        raise Invalid(faults, "The settlement")
    remedy = at.procedure.remedy(content.get("remedy", ""))
    return dict(content) if remedy is None else {"act": remedy.text} | dict(content)


def _settlement(at: Hearing, content: Mapping[str, Any]) -> Iterator[Fault]:
    if content["settlement"] == "unfounded" and "reason" not in content:
        yield Fault("/reason", "required", "Say why the complaint has no ground.")
    if content["settlement"] != "remedy":
        for name in ("remedy", "act", "due_on", "obligation", "until"):
            if name in content:
                yield Fault(f"/{name}", "remedy only", "Leave it out, or settle with a remedy.")
        return
    remedy = at.procedure.remedy(content.get("remedy", ""))
    if remedy is None:
        yield _unknown_remedy("/remedy", at.procedure)
        return
    yield from _remedy(at, remedy, content)


def _remedy(at: Hearing, remedy: Remedy, content: Mapping[str, Any]) -> Iterator[Fault]:
    one, change = at.complaint, at.change
    today = change.partnership.calendar.local_date(change.now).isoformat()
    for name in ("due_on", "until"):
        if content.get(name, today) < today:
            yield Fault(f"/{name}", "not past", "Name today or a later day.")
    if remedy.kind != "withholding":
        return
    for name in ("obligation", "until"):
        if name not in content:
            yield Fault(f"/{name}", "required", "Say which promise may be withheld, and until when.")
    if "obligation" in content:
        owed = terms.in_force(at.connection, change.partnership.id, content["obligation"]).obligation
        if (owed.get("obligor"), owed.get("obligee")) != (one.complainant, one.respondent):
            yield Fault(
                "/obligation",
                "own promise",
                f"Name an obligation that {one.complainant} owes to {one.respondent}.",
            )


def still_possible(change: Change, content: Mapping[str, Any]) -> Mapping[str, Any]:
    """A proposal as it takes effect now: a due day that has passed meanwhile counts as the usual time from today.

    A withholding whose last day has passed meanwhile can no longer be agreed.

    Raises:
        NotAllowed: nothing would come of it any more.
    """
    today: date = change.partnership.calendar.local_date(change.now)
    if "until" in content and date.fromisoformat(content["until"]) < today:
        raise NotAllowed("What was proposed is past.", mend="Propose it anew, until a later day.")
    if "due_on" in content and date.fromisoformat(content["due_on"]) < today:
        return {name: value for name, value in content.items() if name != "due_on"}
    return content
