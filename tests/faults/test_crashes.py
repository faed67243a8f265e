"""Real crashes: a process of its own is killed in the middle, and the next one goes on (promises 1 to 4)."""

import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from lifecycle.audit.queries import verify_all
from lifecycle.db import Database
from lifecycle.notices import outbox
from lifecycle.notices.models import notice
from lifecycle.partnerships import service
from lifecycle.partnerships.correspondence import send_notices
from lifecycle.reviews.models import review_round
from lifecycle.reviews.service import sweep_reviews
from lifecycle.timers.models import timer_firing
from tests.builders import SETTINGS, contents, count, registered, reviewed

ROOT = Path(__file__).parents[2]
_CHILD = """
import os, sys
from datetime import datetime
from pathlib import Path
from lifecycle.db import Database
from lifecycle.notices import outbox
from lifecycle.partnerships import changes, correspondence, service, sweeps
from lifecycle.reviews.service import sweep_reviews
from lifecycle.timers import service as timers
from tests.builders import SETTINGS

url, mailbox, now, work, module, name, at_call = sys.argv[1:]
database, now = Database(url), datetime.fromisoformat(now)
victim, calls = {"changes": changes, "outbox": outbox, "timers": timers}[module], [0]
real = getattr(victim, name)

def killed(*given, **named):
    calls[0] += 1
    if calls[0] == int(at_call):
        os.kill(os.getpid(), 9)
    return real(*given, **named)

setattr(victim, name, killed)
sweeps.CHUNK = 2
if work == "transition":
    service.transition(database, "p0", "suspend", "city-primary", now, "Frozen.")
elif work == "sweep":
    sweep_reviews(database, now)
else:
    correspondence.send_notices(database, SETTINGS.model_copy(update={"mailbox": Path(mailbox)}), now)
"""


def killed_in(
    url: str, mailbox: Path, now: datetime, work: str, module: str, name: str, at_call: int = 1
) -> None:
    """Do the work in another process, which is killed (SIGKILL) when it calls the function for the n-th time."""
    ran = subprocess.run(
        [sys.executable, "-c", _CHILD, url, str(mailbox), now.isoformat(), work, module, name, str(at_call)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == -9, ran.stderr


@pytest.fixture
def five(database: Database, now: datetime) -> Database:
    """Five partnerships, each with a review round due tomorrow."""
    for number in range(5):
        registered(database, now, id_=f"p{number}", stage="maintaining")
        reviewed(database, f"p{number}", now)
    return database


@pytest.mark.parametrize("point", ["_insert_events", "_insert_notices", "_notice_rows"])
def test_a_transition_that_is_killed_leaves_nothing_and_takes_effect_once_when_asked_again(
    five: Database, database_url: str, now: datetime, tmp_path: Path, point: str
) -> None:
    before = contents(five)
    killed_in(database_url, tmp_path, now, "transition", "changes", point)
    assert contents(five) == before
    assert service.transition(five, "p0", "suspend", "city-primary", now, "Frozen.", "key").state == "taken"
    assert service.transition(five, "p0", "suspend", "city-primary", now, "Frozen.", "key").state == "taken"
    assert count(five, notice, notice.c.template == "stage_changed") == 2


@pytest.mark.parametrize("point", ["_insert_notices", "_insert_events"])
def test_a_sweep_that_is_killed_keeps_whole_chunks_and_the_next_one_does_the_rest_once(
    five: Database, database_url: str, now: datetime, tmp_path: Path, point: str
) -> None:
    due = now + timedelta(days=1)
    killed_in(database_url, tmp_path, due, "sweep", "changes", point, at_call=2)
    done = count(five, review_round)
    assert done == 2, "the first chunk was committed, the second was not"
    assert count(five, timer_firing) == done
    assert count(five, notice) == 2 * done
    assert sweep_reviews(five, due) == (3, 0)
    assert (count(five, review_round), count(five, timer_firing), count(five, notice)) == (5, 5, 10)
    assert sweep_reviews(five, due) == (0, 0)
    with five.read() as connection:
        assert verify_all(connection) == []


def test_a_sender_that_is_killed_after_the_email_left_sends_no_second_one(
    five: Database, database_url: str, now: datetime, tmp_path: Path
) -> None:
    due, mailbox = now + timedelta(days=1), tmp_path / "mailbox"
    sweep_reviews(five, due)
    killed_in(database_url, mailbox, due, "send", "outbox", "_record", at_call=4)
    assert len(list(mailbox.glob("*.eml"))) == 4
    assert (
        count(five, notice, notice.c.state == "sent"),
        count(five, notice, notice.c.state == "sending"),
    ) == (3, 1)
    settings = SETTINGS.model_copy(update={"mailbox": mailbox})
    drained = send_notices(five, settings, due + timedelta(hours=1))
    assert (drained.sent, drained.unknown) == (6, 1), "what may have left waits to be reconciled"
    assert len(list(mailbox.glob("*.eml"))) == 10
    with five.write() as connection:
        unknown = outbox.overview(connection, ["unknown"])
        outbox.settle(connection, unknown[0]["id"], True, due + timedelta(hours=2))
    assert send_notices(five, settings, due + timedelta(hours=3)).sent == 0
    assert len(list(mailbox.glob("*.eml"))) == 10, "none is lost, none is doubled"
