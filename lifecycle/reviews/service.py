"""Review rounds: opened by the agreed schedule, answered, extended, closed; and what negative answers ask for."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, update

from lifecycle.bulk import Inserts
from lifecycle.db import Database
from lifecycle.documents import queries as documents
from lifecycle.documents import rules as document_rules
from lifecycle.documents.service import add_revision
from lifecycle.errors import Fault, Invalid
from lifecycle.notices import outbox
from lifecycle.notices.owed import Owed
from lifecycle.partnerships import changes
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.people import People, people_of
from lifecycle.partnerships.sweeps import sweep
from lifecycle.reviews import drafts, queries, questionnaire, reporting, rules
from lifecycle.reviews.models import corrective_action, review_invitation, review_round
from lifecycle.timers import ladders, recurrence
from lifecycle.timers import service as timers
from lifecycle.timers.service import Fired

REVIEW_DUE = "review_due"
REVIEW_CLOSES = "review_closes"
UNANSWERED = "review_unanswered"
OUTCOME_UNDECIDED = "outcome_undecided"
"""The ladder of an evaluation whose round has closed, until a way on is taken."""

EVALUATION_WORKING_DAYS = 20
"""How long the round that opens with an evaluation stays open."""


@dataclass(frozen=True)
class Opening:
    """A round to open in one partnership."""

    change: Change
    occasion: str
    respondents: Sequence[str]
    open_working_days: int
    questionnaire: Mapping[str, Any] = field(default_factory=questionnaire.reference)
    occurrences: Sequence[int] = ()
    """Of the review schedule; several where some were missed while the engine was down."""


def follow_schedule(change: Change, reviews: Mapping[str, Any]) -> None:
    """Start the clock of an agreement's review schedule (`every`, `first_on`, `respondents`, `open_working_days`).

    What a round needs is copied into the clock, so that a sweep reads nothing but clocks. Occurrences that are over
    by now are not made up for.
    """
    yesterday = change.partnership.calendar.local_date(change.now) - timedelta(days=1)
    upcoming = recurrence.next_after(reviews["every"], date.fromisoformat(reviews["first_on"]), yesterday)
    if upcoming is None:
        return
    schedule = {
        "every": reviews["every"],
        "first_on": reviews["first_on"],
        "respondents": sorted(reviews["respondents"]),
        "open_working_days": reviews.get("open_working_days", rules.OPEN_WORKING_DAYS),
        "questionnaire": questionnaire.reference(reviews),
    }
    change.arm(REVIEW_DUE, "", change.now, schedule, upcoming[0])


def sweep_reviews(database: Database, as_of: datetime) -> tuple[int, int]:
    """Open the rounds that are due and close those whose time is over; returns (opened, closed or extended)."""
    try:
        closed = sweep(database, [REVIEW_CLOSES], as_of, _close_due)
    finally:
        # A round that cannot be closed keeps none from being opened.
        opened = sweep(database, [REVIEW_DUE], as_of, _open_due)
    return len(opened), len(closed)


def _open_due(
    connection: Connection, locked: Mapping[str, Change], fired: Sequence[Fired]
) -> Sequence[Fired]:
    """One round each, even where several occurrences were missed: the trail names them all."""
    openings = []
    for one in fired:
        plan, occurrences = one.schedule, [number for number, _ in one.due]
        change = locked[one.partnership_id]
        openings.append(
            Opening(
                change,
                "schedule",
                plan["respondents"],
                plan["open_working_days"],
                # A clock that was armed by an older engine asks the default questions.
                plan.get("questionnaire") or questionnaire.reference(),
                occurrences,
            )
        )
    open_rounds(connection, openings)
    return fired


def open_rounds(connection: Connection, openings: Sequence[Opening]) -> None:
    """Open review rounds, in a handful of statements for the whole batch."""
    if not openings:
        return
    ids = [opening.change.partnership.id for opening in openings]
    last, unverified = queries.last_numbers(connection, ids), queries.unverified_actions(connection, ids)
    rounds, invitations = [], []
    for opening in openings:
        record, now = opening.change.partnership, opening.change.now
        number = last.get(record.id, 0) + 1
        closes_at = record.calendar.working_days_after(now, opening.open_working_days)
        rounds.append(_round_row(record.id, number, opening, now, closes_at))
        invitations += [
            {"partnership_id": record.id, "round": number, "contact_id": contact_id}
            for contact_id in opening.respondents
        ]
        _announce(opening, number, closes_at, unverified.get(record.id, ()))
    _insert_rounds(connection, rounds)
    _insert_invitations(connection, invitations)


_insert_rounds = Inserts(
    review_round,
    ("partnership_id", "number", "occasion", "opened_at", "closes_at", "extended", "questionnaire"),
)
_insert_invitations = Inserts(review_invitation, ("partnership_id", "round", "contact_id"))


def _round_row(
    partnership_id: str, number: int, opening: Opening, now: datetime, closes_at: datetime
) -> dict[str, Any]:
    return {
        "partnership_id": partnership_id,
        "number": number,
        "occasion": opening.occasion,
        "opened_at": now,
        "closes_at": closes_at,
        "extended": 0,
        "questionnaire": dict(opening.questionnaire),
    }


def _announce(
    opening: Opening, number: int, closes_at: datetime, unverified: Sequence[Mapping[str, Any]]
) -> None:
    change = opening.change
    change.log(
        "review_opened",
        changes.SYSTEM,
        round=number,
        occasion=opening.occasion,
        closes_at=closes_at.isoformat(),
        respondents=list(opening.respondents),
        occurrences=list(opening.occurrences),
    )
    facts = {
        "round": number,
        "occasion": opening.occasion,
        "respondents": len(opening.respondents),
        "questionnaire": dict(opening.questionnaire),
        "unverified": list(unverified),
        "sequence": 0,
    }
    change.owe(
        Owed(contact_id, "review_opened", f"review/{number}", facts, closes_at)
        for contact_id in opening.respondents
    )
    change.arm(REVIEW_CLOSES, str(number), closes_at, ladders.AT_ANCHOR)
    change.arm(UNANSWERED, str(number), closes_at, ladders.REVIEW_UNANSWERED, _first_reminder(opening))


def _first_reminder(opening: Opening) -> int:
    """The rung to begin at: in a short round the reminders before its opening would leave beside the invitation."""
    ahead = [-rung["offset"] < opening.open_working_days for rung in ladders.REVIEW_UNANSWERED["rungs"]]
    return ahead.index(True)


def move_open_rounds(connection: Connection, change: Change) -> None:
    """After a pause, the rounds that are open close when their clocks say."""
    partnership_id = change.partnership.id
    for one in queries.rounds(connection, partnership_id):
        closes_at = timers.due_of(connection, partnership_id, REVIEW_CLOSES, str(one.number))
        if one.closed_at is None and closes_at is not None and closes_at != one.closes_at:
            where = (review_round.c.partnership_id == partnership_id, review_round.c.number == one.number)
            connection.execute(update(review_round).where(*where).values(closes_at=closes_at))
            change.log("review_moved", changes.SYSTEM, round=one.number, closes_at=closes_at.isoformat())
            _tell_asked(connection, change, one, "review_moved", closes_at)


def cancel_open_rounds(connection: Connection, change: Change) -> None:
    """The partnership has ended: what is still asked is asked no more."""
    partnership_id = change.partnership.id
    drafts.drop_all(connection, partnership_id)
    for one in queries.rounds(connection, partnership_id):
        if one.closed_at is None:
            where = (review_round.c.partnership_id == partnership_id, review_round.c.number == one.number)
            ended = {"closed_at": change.now, "quorate": 0}
            connection.execute(update(review_round).where(*where).values(ended))
            change.log("review_cancelled", changes.SYSTEM, round=one.number)
            outbox.withdraw(
                connection, partnership_id, f"review/{one.number}", ("review_opened", "review_reminder")
            )
            _tell_asked(connection, change, one, "review_cancelled", one.closes_at)


def _tell_asked(
    connection: Connection, change: Change, one: queries.Round, template: str, closes_at: datetime
) -> None:
    """Tell those who have not answered yet that a round closes at another time, or is asked no more."""
    waiting = set(one.asked) - set(one.declined)
    waiting -= queries.responses(connection, change.partnership.id, one.number).keys()
    # Any number that rises does for calendar programs; the trail's does.
    facts = {"round": one.number, "occasion": one.occasion, "sequence": change.partnership.audit_seq}
    fact = f"review/{one.number}/{change.partnership.audit_seq}"
    change.owe(Owed(contact_id, template, fact, facts, closes_at) for contact_id in sorted(waiting))


def respond(
    database: Database, partnership_id: str, number: int, contact_id: str, content: Any, now: datetime
) -> documents.Revision:
    """Answer a round. Answering again is a new revision: the newest counts, all are kept.

    Every negative answer asks for a corrective action (guide, step four), once per question and partner in a round.
    After the round has closed an answer is kept and marked as late; it changes no result.

    Raises:
        Invalid: the response breaks its schema, or answers another round or other questions.
        NotFound: unknown partnership, round or contact.
        NotAllowed: the contact was not asked, or passed the round on.
    """
    document_rules.validate("review_response", content)
    if content["round"] != number:
        raise Invalid(
            [Fault("/round", "const", f"Write {number}: the round that this answers.")], "The response"
        )
    with database.write() as connection:
        change, people = begin(connection, partnership_id, now)
        person = people.get(contact_id)
        one = queries.find_round(connection, partnership_id, number)
        queries.require_asked(one, contact_id)
        asked = questionnaire.of(one.questionnaire)
        if faults := list(rules.faults_of(content, asked)):
            raise Invalid(faults, "The response")
        subject = f"{number}/{contact_id}"
        before = queries.newest_response(connection, partnership_id, number, contact_id)
        drafts.drop(connection, partnership_id, number, contact_id)
        if before is not None and before.sha256 == document_rules.sha256(content):
            return before
        revision = add_revision(connection, change, "review_response", subject, content, contact_id, before)
        if one.closed_at is not None:
            change.log("review_answered_late", contact_id, round=number)
        else:
            settle_answer(connection, change, number, contact_id)
            _ask_for_actions(connection, change, one, person.partner_id, content)
        changes.write(connection, change)
        return revision


def settle_answer(connection: Connection, change: Change, number: int, contact_id: str) -> None:
    """Nobody who answered is reminded; once all answered, the ladder stops."""
    record = change.partnership
    outbox.withdraw(connection, record.id, f"review/{number}", ("review_reminder",), contact_id)
    if not unanswered(connection, record.id, number):
        timers.stop(connection, record.id, change.now, UNANSWERED, str(number))


def unanswered(connection: Connection, partnership_id: str, number: int) -> list[str]:
    """The contacts asked in a round who have neither answered it nor declined to."""
    one = queries.find_round(connection, partnership_id, number)
    return sorted(
        set(one.asked) - set(one.declined) - queries.responses(connection, partnership_id, number).keys()
    )


def _ask_for_actions(
    connection: Connection, change: Change, one: queries.Round, partner_id: str, content: Mapping[str, Any]
) -> None:
    record, number = change.partnership, one.number
    existing = queries.actions(connection, record.id)
    asked = {(action.round, action.question, action.asked_by) for action in existing}
    negative = rules.negative_questions(content, questionnaire.of(one.questionnaire))
    questions = [question for question in negative if (number, question, partner_id) not in asked]
    rows = [
        {
            "partnership_id": record.id,
            "number": len(existing) + offset,
            "round": number,
            "question": question,
            "asked_by": partner_id,
        }
        for offset, question in enumerate(questions, start=1)
    ]
    if not rows:
        return
    connection.execute(insert(corrective_action), rows)
    numbered = [{"number": row["number"], "question": row["question"]} for row in rows]
    change.log("corrective_actions_asked", partner_id, round=number, actions=numbered)
    facts = {
        "round": number,
        "asked_by": partner_id,
        "actions": numbered,
        "questionnaire": one.questionnaire,
    }
    change.owe(
        [Owed(record.coordinator, "action_asked", f"review/{number}/actions/{rows[0]['number']}", facts)]
    )


def _close_due(
    connection: Connection, locked: Mapping[str, Change], fired: Sequence[Fired]
) -> Sequence[Fired]:
    everybody = people_of(connection, *locked)
    for one in fired:
        change = locked[one.partnership_id]
        _close_or_extend(connection, change, everybody[one.partnership_id], int(one.subject))
    return fired


def _close_or_extend(connection: Connection, change: Change, people: People, number: int) -> None:
    """Below quorum a round is extended once and the sponsors are told; then it closes, quorate or not."""
    record = change.partnership
    one = queries.find_round(connection, record.id, number)
    answers = queries.responses(connection, record.id, number)
    asked = {contact_id: people.get(contact_id).partner_id for contact_id in one.asked}
    quorate = rules.quorate(asked, answers.keys())
    where = (review_round.c.partnership_id == record.id, review_round.c.number == number)
    if not quorate and not one.extended:
        # Counted from now where the engine was down: whoever is asked gets the whole extension.
        since = max(one.closes_at, change.now)
        closes_at = record.calendar.working_days_after(since, rules.EXTENSION_WORKING_DAYS)
        connection.execute(update(review_round).where(*where).values(extended=1, closes_at=closes_at))
        change.log("review_extended", changes.SYSTEM, round=number, closes_at=closes_at.isoformat())
        change.arm(REVIEW_CLOSES, str(number), closes_at, ladders.AT_ANCHOR)
        change.owe(_tell_sponsors(people, asked, set(asked) - answers.keys(), number, closes_at))
        _tell_asked(connection, change, one, "review_moved", closes_at)
        return
    connection.execute(update(review_round).where(*where).values(closed_at=change.now, quorate=int(quorate)))
    if one.occasion == "evaluation":
        change.arm(OUTCOME_UNDECIDED, str(number), change.now, ladders.OUTCOME_UNDECIDED)
    asked_of = questionnaire.of(one.questionnaire)
    negative = sum(len(rules.negative_questions(answer, asked_of)) for answer in answers.values())
    change.log(
        "review_closed",
        changes.SYSTEM,
        round=number,
        quorate=quorate,
        asked=len(asked),
        answered=len(answers),
    )
    facts = {
        "round": number,
        "quorate": quorate,
        "asked": len(asked),
        "answered": len(answers),
        "negative": negative,
    }
    results = reporting.as_facts(reporting.results_of(connection, people, number, record.id))
    recipients = sorted({*asked, record.coordinator})
    change.owe(
        Owed(
            contact_id,
            "review_closed",
            f"review/{number}",
            facts
            | {"results": results if quorate and contact_id in {*answers, record.coordinator} else None},
        )
        for contact_id in recipients
    )


def _tell_sponsors(
    people: People, asked: Mapping[str, str], missing: Iterable[str], number: int, closes_at: datetime
) -> list[Owed]:
    silent = sorted(missing)
    facts = {"round": number, "missing": silent}
    partners = sorted({asked[contact_id] for contact_id in silent})
    sponsors = [
        person.id for partner_id in partners for person in people.reachable(partner_id, "sponsor", "primary")
    ]
    return [
        Owed(contact_id, "review_extended", f"review/{number}", facts, closes_at) for contact_id in sponsors
    ]


def begin(connection: Connection, partnership_id: str, now: datetime) -> tuple[Change, People]:
    """Lock a partnership whose record is open, and read who is in it.

    Raises:
        NotFound: there is none with this id.
        NotAllowed: its stage is final.
    """
    change = changes.begin(connection, partnership_id, now)
    changes.require_open(change)
    return change, people_of(connection, partnership_id)[partnership_id]
