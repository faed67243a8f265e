"""Complaints: lodged, acknowledged, answered, settled or escalated, remedied, closed. One transaction each."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert

from lifecycle import machines
from lifecycle.db import Database
from lifecycle.documents import rules as document_rules
from lifecycle.errors import Fault, Invalid, NotAllowed
from lifecycle.obligations import queries as obligations
from lifecycle.obligations import record as performing
from lifecycle.obligations import terms
from lifecycle.obligations.queries import Performance
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import BINDING_ROLES, Contact, people_of
from lifecycle.redress import queries, record, standing, steps
from lifecycle.redress.models import complaint
from lifecycle.redress.procedure import Procedure
from lifecycle.redress.queries import Complaint, Entry
from lifecycle.redress.record import Hearing
from lifecycle.redress.states import CLOSED, IN_DISCUSSION, TRANSITIONS, UPHELD
from lifecycle.timers import service as timers


def lodge(database: Database, partnership_id: str, content: Any, by: str, now: datetime) -> Complaint:
    """Lodge a complaint, by the procedure of the agreement in force. The other side hears of it at once.

    The engine puts the smallest remedy on the table. While the other side's own complaint against this one is open,
    this one answers it: both are one case, at one level, with one time limit.

    Args:
        content: as `schemas/complaint/v1.json` has it.
        by: a primary contact, deputy or sponsor of the side that complains.

    Raises:
        Invalid: the content breaks its schema, has no standing, names a remedy the agreement does not list, or leaves
            out which complaint it answers.
        NotFound: unknown partnership, contact, performance, obligation, or no agreement is in force.
        NotAllowed: a complaint about the same is open.
    """
    document_rules.validate("complaint", content)
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        changes.require_open(change)
        people = people_of(connection, partnership_id)[partnership_id]
        person = people.entitled(by, BINDING_ROLES, "complain")
        agreement = terms.agreement_in_force(connection, partnership_id)
        procedure = Procedure(agreement.content)
        known = queries.complaints(connection, partnership_id)
        standing.require(connection, change, people, person.partner_id, content, agreement, procedure, known)
        answered = next((one for one in known if one.number == content.get("in_answer_to")), None)
        one = _new(change, person, content, agreement.revision, len(known) + 1, answered)
        connection.execute(insert(complaint), vars(one) | {"partnership_id": partnership_id})
        change.log(
            "complaint_lodged", by, complaint=one.number, case=one.case,
            complainant=one.complainant, respondent=one.respondent, about=dict(one.about),
        )  # fmt: skip
        at = Hearing(connection, change, people, procedure, one)
        record.enter(at, "lodge", by, content)
        joins = answered if answered is not None and answered.state in IN_DISCUSSION else None
        record.start_clocks(at, joins)
        proposed = record.propose_smallest(at)
        acknowledge_by = record.due_by(at, at.level.acknowledge_days)
        record.tell(at, "complaint_lodged", "lodge", by, proposed, [one.respondent], acknowledge_by)
        changes.write(connection, change)
        return one


def _new(
    change: Change,
    person: Contact,
    content: Mapping[str, Any],
    revision: int,
    number: int,
    answered: Complaint | None,
) -> Complaint:
    """The complaint as it begins: at level 1, or where the one that it answers has got to."""
    discussed = answered is not None and answered.state in IN_DISCUSSION
    return Complaint(
        number=number,
        case=number if answered is None else answered.case,
        complainant=person.partner_id,
        respondent=content["against"],
        lodged_by=person.id,
        agreement_revision=revision if answered is None else answered.agreement_revision,
        about=content["about"],
        state="lodged",
        level=1 if answered is None else answered.level,
        level_at=answered.level_at if answered is not None and discussed else change.now,
        lodged_at=change.now,
        closed_at=None,
        paused_at=None,
        exhausted_at=None,
    )


@dataclass(frozen=True)
class _Turn:
    """Somebody's turn to act on a complaint."""

    at: Hearing
    person: Contact

    @property
    def one(self) -> Complaint:
        return self.at.complaint

    @property
    def side(self) -> str:
        return self.person.partner_id

    @property
    def other_side(self) -> str:
        return self.one.other_side(self.side)

    def require(self, event: str) -> None:
        machines.next_state(TRANSITIONS, self.one.state, event, f"Complaint {self.one.number}")

    def require_side(self, partner_id: str, what: str) -> None:
        if self.side != partner_id:
            able = sorted(self.at.level.entitled(partner_id, self.at.people))
            raise NotAllowed(
                f"{self.person.id} belongs to {self.side}; only {partner_id} can {what}.",
                mend=f"Ask {' or '.join(able) or partner_id}.",
            )

    def enter(self, kind: str, content: Mapping[str, Any]) -> None:
        record.enter(self.at, kind, self.person.id, content)

    def tell(
        self, template: str, event: str, content: Mapping[str, Any], moved: Hearing | None = None
    ) -> None:
        record.tell(moved or self.at, template, event, self.person.id, content, [self.other_side])


@contextmanager
def _turn(database: Database, partnership_id: str, number: int, by: str, now: datetime) -> Iterator[_Turn]:
    """Lock the partnership, see that `by` deals with this complaint at its level, and write what the turn brings."""
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        changes.require_open(change)
        people = people_of(connection, partnership_id)[partnership_id]
        at = record.hear(connection, change, people, number)
        person = people.get(by)
        _require_party(at, person)
        yield _Turn(at, person)
        changes.write(connection, change)


def _require_party(at: Hearing, person: Contact) -> None:
    one = at.complaint
    if person.partner_id not in at.sides:
        raise NotAllowed(
            f"{person.id} belongs to {person.partner_id}, which is no side of complaint {one.number}.",
            mend=f"Its sides are {one.complainant} and {one.respondent}.",
        )
    able = at.level.entitled(person.partner_id, at.people)
    if person.id not in able:
        raise NotAllowed(
            f"{person.id} does not deal with complaint {one.number} at level {one.level}.",
            mend=f"For {person.partner_id} the agreement names {', '.join(sorted(able)) or 'nobody'}.",
        )


def acknowledge(database: Database, partnership_id: str, number: int, by: str, now: datetime) -> Complaint:
    """Acknowledge that a complaint has arrived, on behalf of the side complained of.

    Raises:
        NotFound: unknown partnership, complaint or contact.
        NotAllowed: it is acknowledged already, or not for `by` to acknowledge.
    """
    with _turn(database, partnership_id, number, by, now) as turn:
        turn.require_side(turn.one.respondent, "acknowledge it")
        turn.require("acknowledge")
        record.stop_clocks(turn.at, record.ACKNOWLEDGE)
        turn.enter("acknowledge", {})
        moved = record.move(turn.at, "acknowledge", by)
        turn.tell("complaint_moved", "acknowledge", {}, moved)
        return moved.complaint


def answer(
    database: Database, partnership_id: str, number: int, note: str, by: str, now: datetime
) -> Complaint:
    """Answer a complaint: how the side complained of sees it.

    Raises:
        Invalid: the answer is empty or too long.
        NotFound, NotAllowed: as `acknowledge`.
    """
    _require_words("/note", note, "Say how you see it")
    with _turn(database, partnership_id, number, by, now) as turn:
        turn.require_side(turn.one.respondent, "answer it")
        turn.require("answer")
        record.stop_clocks(turn.at, record.ACKNOWLEDGE)
        turn.enter("answer", {"note": note})
        moved = record.move(turn.at, "answer", by)
        turn.tell("complaint_moved", "answer", {"note": note}, moved)
        return moved.complaint


def propose(
    database: Database, partnership_id: str, number: int, content: Any, by: str, now: datetime
) -> Complaint:
    """Propose how a complaint ends; it ends so when the other side agrees. A newer proposal replaces an older one.

    Args:
        content: as `schemas/complaint_proposal/v1.json` has it.

    Raises:
        Invalid: the content breaks its schema, or names a remedy, an obligation or a day that cannot be.
        NotFound: unknown partnership, complaint or contact.
        NotAllowed: the complaint is not under discussion, or not for `by` to settle.
    """
    document_rules.validate("complaint_proposal", content)
    with _turn(database, partnership_id, number, by, now) as turn:
        turn.require("resolve")
        proposed = standing.settlement(turn.at, content)
        turn.enter("propose", proposed)
        turn.tell("complaint_proposal", "propose", proposed)
        return turn.one


def agree(database: Database, partnership_id: str, number: int, by: str, now: datetime) -> Complaint:
    """Agree to the proposal on the table. It takes effect once both sides have: whoever proposed it has agreed to it.

    Raises:
        NotFound: unknown partnership, complaint or contact.
        NotAllowed: nothing is proposed, this side has agreed already, or it is not for `by` to settle.
    """
    with _turn(database, partnership_id, number, by, now) as turn:
        turn.require("resolve")
        proposal, agreed = _on_the_table(turn.at)
        if turn.side in agreed:
            raise NotAllowed(
                f"{turn.side} has agreed to it already.", mend=f"It waits for {turn.other_side}."
            )
        turn.enter("agree", {"proposal": proposal.seq})
        if turn.other_side not in agreed:
            turn.tell("complaint_proposal", "agree", proposal.content)
            return turn.one
        content = standing.still_possible(turn.at.change, proposal.content)
        return steps.settle(turn.at, content, by).complaint


def _on_the_table(at: Hearing) -> tuple[Entry, set[str]]:
    """The newest proposal, and the sides that have agreed to it."""
    entries = at.past
    proposal = next((entry for entry in reversed(entries) if entry.kind == "propose"), None)
    if proposal is None:
        raise NotAllowed(
            f"Nothing is proposed for complaint {at.complaint.number}.", mend="Propose a settlement."
        )
    consents = [e.by for e in entries if e.kind == "agree" and e.content["proposal"] == proposal.seq]
    said = [at.people.contacts[one] for one in (proposal.by, *consents) if one in at.people.contacts]
    return proposal, {one.partner_id for one in said}


def escalate(
    database: Database, partnership_id: str, number: int, reason: str, by: str, now: datetime
) -> Complaint:
    """Take a complaint to the next level before its time is over: either side, once it has been answered.

    The side that complained may also do so when a settlement without a remedy turns out to be none.

    Raises:
        Invalid: no reason.
        NotFound: unknown partnership, complaint or contact.
        NotAllowed: it is not answered yet, its clocks are paused, it is at the last level, or not for `by` to escalate.
    """
    _require_words("/reason", reason, "Say why")
    with _turn(database, partnership_id, number, by, now) as turn:
        turn.require("escalate")
        if turn.one.state == "resolved":
            turn.require_side(turn.one.complainant, "say that it is not resolved")
        elif turn.one.state != "answered":
            raise NotAllowed(
                f"Complaint {number} is {turn.one.state.replace('_', ' ')}: this level has not heard both sides yet.",
                mend="It is escalated once it has been answered; without an answer, when the level's time is over.",
            )
        if turn.one.paused_at is not None:
            raise NotAllowed(f"The clocks of complaint {number} are paused.", mend="Resume them first.")
        if turn.at.level.last:
            raise NotAllowed(f"Complaint {number} is at the last level.", mend="There it is decided.")
        return steps.escalate(turn.at, by, reason).complaint


def decide(
    database: Database, partnership_id: str, number: int, content: Any, by: str, now: datetime
) -> Complaint:
    """Put the decision of the independent last level on record. Either side can; none can block it.

    Args:
        content: as `schemas/complaint_proposal/v1.json` has it, with the reason and where the decision lies.

    Raises:
        Invalid: the content breaks its schema, lacks the reason or the decision, or names a remedy that cannot be.
        NotFound: unknown partnership, complaint or contact.
        NotAllowed: the complaint is not at the last level, or not for `by` to record.
    """
    document_rules.validate("complaint_proposal", content)
    with _turn(database, partnership_id, number, by, now) as turn:
        turn.require("resolve")
        if not turn.at.level.last:
            raise NotAllowed(
                f"Complaint {number} is at level {turn.one.level}, where only both sides together can settle it.",
                mend="Propose a settlement, or escalate.",
            )
        missing = [name for name in ("reason", "evidence") if name not in content]
        if missing:
            ask = "A decision says why, and where its text lies."
            raise Invalid([Fault(f"/{name}", "required", ask) for name in missing], "The decision")
        decided = standing.settlement(turn.at, content)
        turn.enter("decide", decided)
        return steps.settle(turn.at, decided, by).complaint


def withdraw(
    database: Database, partnership_id: str, number: int, reason: str, by: str, now: datetime
) -> Complaint:
    """Take a complaint back, on behalf of the side that lodged it. A remedy still owed is given up with it.

    Raises:
        Invalid: no reason.
        NotFound, NotAllowed: as `acknowledge`.
    """
    _require_words("/reason", reason, "Say why")
    with _turn(database, partnership_id, number, by, now) as turn:
        turn.require_side(turn.one.complainant, "withdraw it")
        turn.require("withdraw")
        return steps.withdraw(turn.at, by, reason).complaint


def close(
    database: Database, partnership_id: str, number: int, note: str | None, by: str, now: datetime
) -> Complaint:
    """Confirm, for the side that complained, that the matter is put right. A breach that it was about is restored.

    Raises:
        NotFound, NotAllowed: as `acknowledge`.
    """
    if note is not None:
        _require_words("/note", note, "Say how it was put right, or nothing")
    with _turn(database, partnership_id, number, by, now) as turn:
        turn.require_side(turn.one.complainant, "close it")
        turn.require("close")
        return steps.close(turn.at, by, note).complaint


def pause(
    database: Database, partnership_id: str, number: int, reason: str, by: str, now: datetime
) -> Complaint:
    """Ask that a complaint's clocks stand still, or agree to it: they do once both sides have asked.

    Raises:
        Invalid: no reason.
        NotFound: unknown partnership, complaint or contact.
        NotAllowed: they stand still already, this side has asked already, nothing waits, or it is not for `by` to ask.
    """
    _require_words("/reason", reason, "Say why")
    with _turn(database, partnership_id, number, by, now) as turn:
        if turn.one.state in CLOSED or turn.one.paused_at is not None:
            raise NotAllowed(f"No clock of complaint {number} runs.", mend="There is nothing to pause.")
        asked = _asked_to_pause(turn.at)
        if turn.side in asked:
            raise NotAllowed(f"{turn.side} has asked already.", mend=f"It waits for {turn.other_side}.")
        turn.enter("pause", {"reason": reason})
        if not asked:
            turn.tell("complaint_pause", "pause", {"reason": reason})
            return turn.one
        now = turn.at.change.now
        paused = record.keep(turn.at, paused_at=now)
        timers.pause_case(turn.at.connection, partnership_id, now, record.CLOCKS, f"{number}/")
        turn.at.change.log("complaint_paused", by, complaint=number)
        turn.tell("complaint_moved", "pause", {"reason": reason}, paused)
        return paused.complaint


def _asked_to_pause(at: Hearing) -> set[str]:
    """The sides that have asked for a pause since the clocks last ran on."""
    asked = set[str]()
    for entry in at.past:
        if entry.kind == "resume":
            asked.clear()
        elif entry.kind == "pause":
            asked.add(at.people.get(entry.by).partner_id)
    return asked


def resume(database: Database, partnership_id: str, number: int, by: str, now: datetime) -> Complaint:
    """Let a complaint's clocks run on, with the time that each had left. Either side can.

    Raises:
        NotFound: unknown partnership, complaint or contact.
        NotAllowed: they do not stand still, or it is not for `by` to say.
    """
    with _turn(database, partnership_id, number, by, now) as turn:
        if turn.one.paused_at is None:
            raise NotAllowed(f"The clocks of complaint {number} are not paused.", mend="Leave them.")
        turn.enter("resume", {})
        resumed = record.keep(turn.at, paused_at=None)
        now = turn.at.change.now
        timers.resume_case(turn.at.connection, partnership_id, now, record.CLOCKS, f"{number}/")
        turn.at.change.log("complaint_resumed", by, complaint=number)
        turn.tell("complaint_moved", "resume", {}, resumed)
        return resumed.complaint


def withhold(
    database: Database, partnership_id: str, name: str, number: int, by: str, now: datetime
) -> Performance:
    """Withhold a performance of one's own, as the remedy of an upheld complaint allows.

    Args:
        name: the performance, such as `menu-answer/2`.
        number: the complaint whose remedy allows it.

    Raises:
        NotFound: unknown partnership, performance, complaint or contact.
        NotAllowed: it is not this side's to perform; or no upheld complaint of this side allows to withhold it.
    """
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        changes.require_open(change)
        people = people_of(connection, partnership_id)[partnership_id]
        person = people.entitled(by, BINDING_ROLES, "withhold it")
        owed = obligations.find(connection, partnership_id, name)
        one = queries.find(connection, partnership_id, number)
        if person.partner_id != owed.obligor:
            raise NotAllowed(f"{name} is owed by {owed.obligor}.", mend="Only that side could withhold it.")
        if one.complainant != owed.obligor or one.respondent != owed.obligee or not _upheld(one):
            raise NotAllowed(
                f"Complaint {number} is none of {owed.obligor} against {owed.obligee} that was upheld.",
                mend="Nobody withholds what they promised without an upheld complaint: lodge one, or perform.",
            )
        if not _allows(connection, change, owed, number):
            raise NotAllowed(
                f"The remedy of complaint {number} does not allow to withhold {name}.",
                mend="Perform it; or propose a remedy that suspends this obligation for that time.",
            )
        agreed = terms.of(connection, partnership_id, owed)
        reason = f"As the remedy of complaint {number} allows."
        performing.enter(connection, change, owed, "withhold", by, {"note": reason})
        withheld = performing.settle(connection, change, people, owed, agreed, "withhold", by, None, reason)
        changes.write(connection, change)
        return withheld


def _upheld(one: Complaint) -> bool:
    return one.state in UPHELD or one.state == "closed"


def _allows(connection: Connection, change: Change, owed: Performance, number: int) -> bool:
    due_on = change.partnership.calendar.local_date(owed.due_at)
    return any(
        remedy.kind == "withholding"
        and remedy.terms["obligation"] == owed.obligation
        and due_on <= date.fromisoformat(remedy.terms["until"])
        and owed.due_at >= remedy.agreed_at
        for remedy in obligations.remedies(connection, change.partnership.id, number)
    )


def _require_words(pointer: str, text: str, ask: str) -> None:
    if not text.strip() or len(text) > 2000:
        raise Invalid([Fault(pointer, "minLength", f"{ask}, in at most 2,000 characters.")], "The entry")
