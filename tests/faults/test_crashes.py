"""Real crashes: a process of its own is killed in the middle, and the next one goes on (promises 1 to 4)."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from lifecycle.audit.models import audit_event
from lifecycle.audit.queries import verify_all
from lifecycle.db import Database
from lifecycle.notices import outbox
from lifecycle.notices.models import notice
from lifecycle.partnerships import service
from lifecycle.partnerships.correspondence import send_notices
from lifecycle.reviews.models import review_round
from lifecycle.reviews.service import sweep_reviews
from lifecycle.timers.models import timer, timer_firing
from tests.builders import SETTINGS, contents, count, registered, reviewed
from tests.fakes.sendgrid_api import SendGridApi

ROOT = Path(__file__).parents[2]
_CHILD = """
import os, sys
from datetime import datetime
from pathlib import Path
from pydantic import SecretStr
from sqlalchemy import event
from lifecycle.db import Database
from lifecycle.notices import outbox
from lifecycle.notices.transports.file import FileTransport
from lifecycle.partnerships import changes, correspondence, service, sweeps
from lifecycle.reviews.service import sweep_reviews
from lifecycle.timers import service as timers
from tests.builders import SETTINGS

url, mail, now, work, given, victim, name, when, at_call = sys.argv[1:]
database, now = Database(url), datetime.fromisoformat(now)
victims = {"changes": changes, "outbox": outbox, "timers": timers, "mailbox": FileTransport}
victims["database"] = database.engine.dialect
real, calls, reads = getattr(victims[victim], name), [0], [False]

@event.listens_for(database.engine, "commit")
def noted(connection):
    reads[0] = connection.get_execution_options().get("lifecycle_reads", False)

def killed(*positional, **named):
    if name == "do_commit" and reads[0]:
        return real(*positional, **named)
    calls[0] += 1
    last = calls[0] == int(at_call)
    if last and when == "before":
        os.kill(os.getpid(), 9)
    result = real(*positional, **named)
    if last:
        os.kill(os.getpid(), 9)
    return result

setattr(victims[victim], name, killed)
sweeps.CHUNK = 2
if work == "transition":
    service.transition(database, "p0", "suspend", "city-primary", now, "Frozen.", given)
elif work == "decide":
    service.decide(database, given, now)
elif work == "sweep":
    sweep_reviews(database, now)
elif mail.startswith("http://"):
    by_sendgrid = {"mail_transport": "sendgrid", "sendgrid_api_key": SecretStr(given), "sendgrid_host": mail}
    correspondence.send_notices(database, SETTINGS.model_copy(update=by_sendgrid), now)
else:
    correspondence.send_notices(database, SETTINGS.model_copy(update={"mailbox": Path(mail)}), now)
"""
KEY = "SG.test-key"
COMMIT = "database.do_commit"
"""The commit of a transaction that writes; those that only read are not counted."""


def killed_in(
    url: str,
    now: datetime,
    work: str,
    point: str,
    at_call: int = 1,
    mail: str | Path = "",
    given: str = "key",
    when: str = "before",
) -> None:
    """Do the work in another process, which is killed (SIGKILL) `when` it calls a function for the n-th time."""
    victim, name = point.split(".")
    arguments = [url, str(mail), now.isoformat(), work, given, victim, name, when, str(at_call)]
    ran = subprocess.run(
        [sys.executable, "-c", _CHILD, *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == -9, ran.stderr


def suspended(database: Database, now: datetime) -> service.Decision:
    return service.transition(database, "p0", "suspend", "city-primary", now, "Frozen.", "key")


def whole(database: Database) -> bool:
    """Whether every trail ends at its head."""
    with database.read() as connection:
        return verify_all(connection) == []


@pytest.fixture
def five(database: Database, now: datetime) -> Database:
    """Five partnerships, each with a review round due tomorrow."""
    for number in range(5):
        registered(database, now, id_=f"p{number}", stage="maintaining")
        reviewed(database, f"p{number}", now)
    return database


@pytest.mark.parametrize(
    "point",
    ["timers.pause_all", "changes._insert_events", "changes._insert_notices", "changes._notice_rows", COMMIT],
)
def test_a_transition_that_is_killed_leaves_nothing_and_takes_effect_once_when_asked_again(
    five: Database, database_url: str, now: datetime, point: str
) -> None:
    before = contents(five)
    killed_in(database_url, now, "transition", point)
    assert contents(five) == before
    for _ in range(2):
        assert (suspended(five, now).state, suspended(five, now).stage) == ("taken", "suspended")
    assert count(five, notice, notice.c.template == "stage_changed") == 2
    assert count(five, audit_event, audit_event.c.type == "stage_changed") == 1
    assert whole(five)


def test_a_transition_whose_answer_is_lost_is_whole_and_asking_again_only_tells_it(
    five: Database, database_url: str, now: datetime
) -> None:
    """Killed after the commit: who asks again with the same key gets the decision, and nothing happens twice."""
    killed_in(database_url, now, "transition", COMMIT, when="after")
    after = contents(five)
    assert count(five, audit_event, audit_event.c.type == "stage_changed") == 1
    assert count(five, notice, notice.c.template == "stage_changed") == 2
    assert count(five, timer, timer.c.partnership_id == "p0", timer.c.due_at.is_not(None)) == 0, "paused"
    decision = suspended(five, now + timedelta(hours=1))
    assert (decision.state, decision.stage) == ("taken", "suspended")
    assert contents(five) == after
    assert whole(five)


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kept_request_survives_the_worker_that_was_killed_deciding_it(
    five: Database, database_url: str, now: datetime, when: str
) -> None:
    kept = service.request_transition(five, "p0", "suspend", "city-primary", now, "Frozen.")
    before = contents(five)
    killed_in(database_url, now, "decide", COMMIT, given=kept, when=when)
    assert (contents(five) == before) == (when == "before")
    assert service.pending_requests(five) == ([kept] if when == "before" else [])
    for _ in range(2):
        decision = service.decide(five, kept, now)
        assert (decision.state, decision.stage) == ("taken", "suspended")
    assert count(five, audit_event, audit_event.c.type == "stage_changed") == 1
    assert count(five, notice, notice.c.template == "stage_changed") == 2
    assert whole(five)


@pytest.mark.parametrize(
    ("point", "at_call", "when", "done"),
    [
        ("changes._insert_notices", 2, "before", 2),
        ("changes._insert_events", 2, "before", 2),
        ("timers.claim", 2, "after", 2),
        (COMMIT, 2, "before", 2),
        (COMMIT, 2, "after", 4),
    ],
)
def test_a_sweep_that_is_killed_keeps_whole_chunks_and_the_next_one_does_the_rest_once(
    five: Database, database_url: str, now: datetime, point: str, at_call: int, when: str, done: int
) -> None:
    due = now + timedelta(days=1)
    killed_in(database_url, due, "sweep", point, at_call, when=when)
    assert count(five, review_round) == done, "whole chunks were committed, the one that was killed was not"
    assert count(five, timer_firing) == done
    assert count(five, notice) == 2 * done
    assert whole(five)
    assert sweep_reviews(five, due) == (5 - done, 0)
    assert (count(five, review_round), count(five, timer_firing), count(five, notice)) == (5, 5, 10)
    assert sweep_reviews(five, due) == (0, 0)
    assert whole(five)


def test_a_sender_that_is_killed_after_the_email_left_sends_no_second_one(
    five: Database, database_url: str, now: datetime, tmp_path: Path
) -> None:
    due, mailbox = now + timedelta(days=1), tmp_path / "mailbox"
    sweep_reviews(five, due)
    killed_in(database_url, due, "send", "outbox._record", 4, mailbox)
    assert len(list(mailbox.glob("*.eml"))) == 4
    assert (
        count(five, notice, notice.c.state == "sent"),
        count(five, notice, notice.c.state == "sending"),
    ) == (3, 1)
    settings = SETTINGS.model_copy(update={"mailbox": mailbox})
    drained = send_notices(five, settings, due + timedelta(hours=1))
    assert (drained.sent, drained.unknown) == (6, 1), "what may have left waits to be reconciled"
    assert len(list(mailbox.glob("*.eml"))) == 10
    settled(five, True, due + timedelta(hours=2))
    assert send_notices(five, settings, due + timedelta(hours=3)).sent == 0
    assert len(list(mailbox.glob("*.eml"))) == 10, "none is lost, none is doubled"


def test_a_sender_that_is_killed_before_the_email_left_loses_none(
    five: Database, database_url: str, now: datetime, tmp_path: Path
) -> None:
    """From outside the two crashes look the same: this one, too, is unknown until somebody says it did not leave."""
    due, mailbox = now + timedelta(days=1), tmp_path / "mailbox"
    sweep_reviews(five, due)
    killed_in(database_url, due, "send", "mailbox.send", 4, mailbox)
    assert len(list(mailbox.glob("*.eml"))) == 3
    settings = SETTINGS.model_copy(update={"mailbox": mailbox})
    drained = send_notices(five, settings, due + timedelta(hours=1))
    assert (drained.sent, drained.unknown) == (6, 1)
    assert len(list(mailbox.glob("*.eml"))) == 9, "not sent again unasked"
    settled(five, False, due + timedelta(hours=2))
    assert send_notices(five, settings, due + timedelta(hours=3)).sent == 1
    assert len(list(mailbox.glob("*.eml"))) == 10, "none is lost, none is doubled"


def test_a_provider_gets_each_email_once_although_the_sender_is_killed_after_its_202(
    five: Database, database_url: str, now: datetime
) -> None:
    """A mailbox folder writes no email twice by itself; a provider would, so the outbox alone must see to it."""
    due = now + timedelta(days=1)
    sweep_reviews(five, due)
    with SendGridApi(KEY) as api:
        killed_in(database_url, due, "send", "outbox._record", 4, api.url, KEY)
        assert len(api.accepted) == 4
        settings = SETTINGS.model_copy(
            update={
                "mail_transport": "sendgrid",
                "sendgrid_api_key": SecretStr(KEY),
                "sendgrid_host": api.url,
            }
        )
        drained = send_notices(five, settings, due + timedelta(hours=1))
        assert (drained.sent, drained.unknown) == (6, 1)
        settled(five, True, due + timedelta(hours=2))
        assert send_notices(five, settings, due + timedelta(hours=3)).sent == 0
        names = [sent["personalizations"][0]["custom_args"]["notice"] for sent in api.accepted]
    assert len(names) == len(set(names)) == 10, "none is lost, none is doubled"


def settled(database: Database, sent: bool, now: datetime) -> None:
    """Reconcile the one notice of unknown outcome."""
    with database.write() as connection:
        (unknown,) = outbox.overview(connection, ["unknown"])
        outbox.settle(connection, unknown["id"], sent, now)
