"""What somebody who is asked in a round can do besides answering: pass it on, or decline."""

from datetime import datetime

from sqlalchemy import insert, update

from lifecycle.db import Database
from lifecycle.documents import limits
from lifecycle.errors import Fault, Invalid, NotAllowed
from lifecycle.notices import outbox
from lifecycle.notices.owed import Owed
from lifecycle.partnerships import changes
from lifecycle.reviews import queries
from lifecycle.reviews.models import review_invitation
from lifecycle.reviews.queries import Round
from lifecycle.reviews.service import begin, settle_answer

_ASKED = ("review_opened", "review_reminder", "review_escalated")


def pass_on(
    database: Database, partnership_id: str, number: int, contact_id: str, to: str, now: datetime
) -> Round:
    """Have somebody else of the same partner answer a round instead; they are asked at once.

    Raises:
        NotFound: unknown partnership, round or contact.
        NotAllowed: the contact is not asked, has answered or declined, the round is closed, or `to` belongs to another
            partner or is asked already.
    """
    with database.write() as connection:
        change, people = begin(connection, partnership_id, now)
        person, other = people.get(contact_id), people.get(to)
        one = queries.find_round(connection, partnership_id, number)
        _require_waiting(one, contact_id, contact_id in queries.responses(connection, partnership_id, number))
        if other.partner_id != person.partner_id:
            raise NotAllowed(
                f"{to} belongs to {other.partner_id}.", mend=f"Name somebody else of {person.partner_id}."
            )
        if to in one.asked:
            raise NotAllowed(f"{to} is asked in round {number} already.", mend="Name somebody who is not.")
        where = (
            review_invitation.c.partnership_id == partnership_id,
            review_invitation.c.round == number,
        )
        mine = (*where, review_invitation.c.contact_id == contact_id)
        connection.execute(update(review_invitation).where(*mine).values(passed_to=to))
        theirs = (*where, review_invitation.c.contact_id == to)
        if connection.execute(update(review_invitation).where(*theirs).values(passed_to=None)).rowcount == 0:
            row = {"partnership_id": partnership_id, "round": number, "contact_id": to}
            connection.execute(insert(review_invitation), row)
        outbox.withdraw(connection, partnership_id, f"review/{number}", _ASKED, contact_id)
        change.log("review_passed_on", contact_id, round=number, to=to)
        facts = {
            "round": number,
            "occasion": one.occasion,
            "respondents": len(one.asked),
            "questionnaire": one.questionnaire,
            "unverified": queries.unverified_actions(connection, [partnership_id]).get(partnership_id, []),
            "sequence": 0,
        }
        change.owe([Owed(to, "review_opened", f"review/{number}/{contact_id}", facts, one.closes_at)])
        changes.write(connection, change)
        return queries.find_round(connection, partnership_id, number)


def decline(
    database: Database, partnership_id: str, number: int, contact_id: str, reason: str, now: datetime
) -> Round:
    """Decline to answer a round; the reason is on record, and nobody is reminded any more.

    For the quorum, whoever declined was asked and has not answered.

    Raises:
        Invalid: no reason, or one that is no plain text.
        NotFound: unknown partnership, round or contact.
        NotAllowed: the contact is not asked, has answered or declined already, or the round is closed.
    """
    faults = list(limits.faults_of(reason, "/reason"))
    if not reason.strip() or len(reason) > 2000:
        faults.append(Fault("/reason", "minLength", "Say why, in at most 2,000 characters."))
    if faults:
        raise Invalid(faults, "The declination")
    with database.write() as connection:
        change, people = begin(connection, partnership_id, now)
        people.get(contact_id)
        one = queries.find_round(connection, partnership_id, number)
        _require_waiting(one, contact_id, contact_id in queries.responses(connection, partnership_id, number))
        mine = (
            review_invitation.c.partnership_id == partnership_id,
            review_invitation.c.round == number,
            review_invitation.c.contact_id == contact_id,
        )
        values = {"declined_at": change.now, "declined_because": reason}
        connection.execute(update(review_invitation).where(*mine).values(values))
        change.log("review_declined", contact_id, round=number)
        settle_answer(connection, change, number, contact_id)
        changes.write(connection, change)
        return queries.find_round(connection, partnership_id, number)


def _require_waiting(one: Round, contact_id: str, answered: bool) -> None:
    queries.require_asked(one, contact_id)
    if one.closed_at is not None:
        raise NotAllowed(
            f"Round {one.number} closed on {one.closed_at:%Y-%m-%d}.", mend="Nothing is asked any more."
        )
    if answered:
        raise NotAllowed(f"{contact_id} has answered round {one.number}.", mend="Answer again to change it.")
    if contact_id in one.declined:
        raise NotAllowed(f"{contact_id} has declined round {one.number}.", mend="An answer still counts.")
