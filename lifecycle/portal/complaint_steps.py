"""What a side does about a complaint, from the form of that action to the one service function that does it."""

from collections.abc import Callable, Mapping
from datetime import datetime

from starlette.datastructures import FormData

from lifecycle.access.once import Joined
from lifecycle.db import Database
from lifecycle.errors import NotFound, Stale
from lifecycle.partnerships import changes
from lifecycle.portal.complaint_forms import settlement_of
from lifecycle.portal.visits import text
from lifecycle.redress import queries, service
from lifecycle.redress.openings import ACTIONS
from lifecycle.redress.queries import Complaint


def take(
    database: Database,
    partnership_id: str,
    number: int,
    action: str,
    sent: FormData,
    by: str,
    now: datetime,
) -> Complaint:
    """Take one of `ACTIONS`. The names of a form's fields begin with its action.

    Raises:
        NotFound: there is no such action.
        Invalid, NotAllowed: as the service function of the action.
        Stale: they agreed to what is not on the table any more.
    """
    if action not in ACTIONS:
        raise NotFound(
            "There is no such step of a complaint.", mend="Go back, and use the buttons of the page."
        )
    note, reason = text(sent, f"{action}/note"), text(sent, f"{action}/reason")
    content = settlement_of(sent, action)
    about = (database, partnership_id, number)
    steps: Mapping[str, Callable[[], Complaint]] = {
        "acknowledge": lambda: service.acknowledge(*about, by, now),
        "answer": lambda: service.answer(*about, note, by, now),
        "propose": lambda: service.propose(*about, content, by, now),
        "agree": lambda: _agree(*about, text(sent, "agree/proposal"), by, now),
        "escalate": lambda: service.escalate(*about, reason, by, now),
        "decide": lambda: service.decide(*about, content, by, now),
        "withdraw": lambda: service.withdraw(*about, reason, by, now),
        "close": lambda: service.close(*about, note or None, by, now),
        "pause": lambda: service.pause(*about, reason, by, now),
        "resume": lambda: service.resume(*about, by, now),
    }
    return steps[action]()


def _agree(
    database: Database, partnership_id: str, number: int, seen: str, by: str, now: datetime
) -> Complaint:
    """Agree to the proposal that was read, in one transaction with seeing that it is still the newest."""
    with database.write() as connection:
        changes.begin(connection, partnership_id, now)
        past = queries.entries(connection, partnership_id, number)
        newest = next((str(entry.seq) for entry in reversed(past) if entry.kind == "propose"), "")
        if seen != newest:
            raise Stale(
                "Another settlement was proposed since you read this page.",
                mend="Read what is proposed now; then agree to that, or propose something else.",
            )
        return service.agree(Joined(database, connection), partnership_id, number, by, now)
