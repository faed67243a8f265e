"""Reminders and warnings: never more than one email a day per person and partnership, and none is lost by that."""

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, update

from lifecycle.db import Database
from lifecycle.notices import outbox
from lifecycle.notices.models import notice
from lifecycle.notices.owed import Owed
from lifecycle.notices.transports import Outcome
from lifecycle.notices.words import FOLDED, TEMPLATES
from lifecycle.partnerships import changes, correspondence
from lifecycle.partnerships.correspondence import send_notices
from tests.builders import SETTINGS, registered

SENT = Outcome("sent", "Taken.")
LONDON = ZoneInfo("Europe/London")
DAY = timedelta(days=1)
DEPUTY = "city-deputy"


@dataclass
class Post:
    """A provider that answers as it is told, and keeps what it was given: (time, to, category, text, subject)."""

    answers: Iterator[Outcome] = field(default_factory=lambda: itertools.repeat(SENT))
    left: list[tuple[datetime, str, str, str, str]] = field(default_factory=list)

    def send(self, message: Any, now: datetime) -> Outcome:
        answer = next(self.answers)
        if answer.state in {"sent", "unknown"}:
            self.left.append((now, message.to_address, message.category, message.text, message.subject))
        return answer

    @property
    def subjects(self) -> list[str]:
        return [subject for *_, subject in self.left]


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch) -> Post:
    provider = Post()
    monkeypatch.setattr(correspondence, "transport_from", lambda _settings: provider)
    return provider


def owe(
    database: Database,
    now: datetime,
    *rounds: int,
    to: str = "city-primary",
    template: str = "review_reminder",
    due_at: datetime | None = None,
    id_: str = "harbour",
) -> None:
    """Owe one notice for each review round."""
    closed = {"quorate": True, "asked": 2, "answered": 2, "negative": 0, "results": None}
    with database.write() as connection:
        change = changes.begin(connection, id_, now)
        facts = [(f"review/{n}/", {"round": n} | closed) for n in rounds]
        change.owe(Owed(to, template, fact, about, due_at) for fact, about in facts)
        changes.write(connection, change)


def states(database: Database, id_: str = "harbour") -> list[str]:
    with database.read() as connection:
        found = select(notice.c.state).where(notice.c.partnership_id == id_).order_by(notice.c.id)
        return list(connection.execute(found).scalars())


def carriers(database: Database) -> list[int | None]:
    with database.read() as connection:
        return list(connection.execute(select(notice.c.folded_into).order_by(notice.c.id)).scalars())


def drained(database: Database, at: datetime) -> int:
    return send_notices(database, SETTINGS, at).sent


def test_what_is_folded_is_a_template() -> None:
    assert set(TEMPLATES) > FOLDED
    # A complaint that has come up a level is news, and its people are asked for the first time.
    reminding = {name for name in TEMPLATES if name.endswith(("_reminder", "_escalated", "_warning"))}
    assert reminding - {"complaint_escalated"} <= FOLDED


def test_reminders_of_one_day_leave_as_one_email_that_tells_them_all(
    database: Database, now: datetime, post: Post
) -> None:
    registered(database, now)
    owe(database, now, 1, 2)
    owe(database, now, 3, due_at=now + DAY)
    done = send_notices(database, SETTINGS, now)
    assert (done.sent, done.folded, done.sent_by_template) == (1, 2, {"review_reminder": 1})
    assert states(database) == ["folded", "folded", "sent"], "the one that is due first carries"
    assert carriers(database) == [3, 3, None]
    ((_, to, _, text, subject),) = post.left
    assert to == "city-primary@city.example"
    assert subject.endswith("Reminder: please answer review round 3, by Tuesday 3 March 2026 (and 2 more)")
    assert "ALSO WAITING FOR YOU" in text
    for number in (1, 2):
        assert f"  * Reminder: please answer review round {number}" in text
        assert f"    lifecycle respond harbour {number} answers.yaml --as city-primary" in text


def test_other_emails_leave_at_once_and_each_person_and_partnership_counts_alone(
    database: Database, now: datetime, post: Post
) -> None:
    registered(database, now)
    registered(database, now, id_="tram")
    for template in ("review_reminder", "review_closed"):
        owe(database, now, 1, 2, template=template)
        owe(database, now, 1, 2, template=template, to=DEPUTY)
        owe(database, now, 1, 2, template=template, id_="tram")
    assert drained(database, now) == 9
    folded = Counter((to, "tram" in text) for _, to, category, text, _ in post.left if category in FOLDED)
    assert set(folded.values()) == {1}
    assert len(folded) == 3


def test_a_second_one_of_the_same_local_day_waits_until_nine_of_the_next(
    database: Database, now: datetime, post: Post
) -> None:
    """The day is one of the partnership's zone: in British Summer Time 23:30 UTC is the next day."""
    morning = datetime(2026, 7, 6, 9, tzinfo=UTC)
    registered(database, now)
    owe(database, morning, 1)
    assert drained(database, morning) == 1
    owe(database, morning, 2, 3)
    assert drained(database, morning + timedelta(hours=13, minutes=59)) == 0
    assert states(database) == ["sent", "pending", "pending"]
    assert drained(database, datetime(2026, 7, 6, 23, 30, tzinfo=UTC)) == 0, "not before nine"
    assert drained(database, datetime(2026, 7, 7, 7, 59, tzinfo=UTC)) == 0
    assert drained(database, datetime(2026, 7, 7, 8, tzinfo=UTC)) == 1
    assert states(database) == ["sent", "sent", "folded"]


def test_what_was_put_off_rides_in_whatever_leaves_the_next_day_before_nine(
    database: Database, now: datetime, post: Post
) -> None:
    """Else an email just after each midnight would put it off for ever."""
    registered(database, now)
    owe(database, now, 1)
    assert drained(database, now) == 1
    owe(database, now, 2)
    assert drained(database, now) == 0
    midnight = datetime(2026, 3, 3, 0, 1, tzinfo=UTC)
    owe(database, midnight, 3)
    assert drained(database, midnight) == 1
    assert states(database) == ["sent", "sent", "folded"]


def test_a_withdrawn_reminder_rides_in_nothing(database: Database, now: datetime, post: Post) -> None:
    registered(database, now)
    owe(database, now, 1, 2)
    with database.write() as connection:
        outbox.withdraw(connection, "harbour", "review/2/", ["review_reminder"])
    drained(database, now)
    assert states(database) == ["sent", "withdrawn"]
    assert "and 1 more" not in post.subjects[0]


def test_an_email_that_is_tried_again_sets_free_what_rode_in_it(
    database: Database, now: datetime, post: Post
) -> None:
    registered(database, now)
    owe(database, now, 1, 2, 3)
    post.answers = iter([Outcome("retry", "Busy."), SENT])
    done = send_notices(database, SETTINGS, now)
    assert (done.sent, done.retried) == (0, 1), "the riders are not tried by themselves"
    assert states(database) == ["pending"] * 3
    assert carriers(database) == [None] * 3
    with database.write() as connection:
        outbox.withdraw(connection, "harbour", "review/2/", ["review_reminder"])
    assert drained(database, now + timedelta(minutes=5)) == 1
    assert states(database) == ["sent", "withdrawn", "folded"]


def test_a_rejected_account_sets_free_what_rode(database: Database, now: datetime, post: Post) -> None:
    registered(database, now)
    owe(database, now, 1, 2)
    post.answers = iter([Outcome("stopped", "The key was revoked."), SENT])
    with pytest.raises(Exception, match="revoked"):
        send_notices(database, SETTINGS, now)
    assert states(database) == ["pending", "pending"]
    assert drained(database, now) == 1
    assert states(database) == ["sent", "folded"]


def test_an_unknown_outcome_is_that_of_all_and_counts_as_an_email_of_its_day(
    database: Database, now: datetime, post: Post
) -> None:
    registered(database, now)
    owe(database, now, 1, 2)
    post.answers = iter([Outcome("unknown", "Cut off."), SENT, SENT])
    drained(database, now)
    assert states(database) == ["unknown", "folded"]
    owe(database, now, 3)
    assert drained(database, now + timedelta(hours=1)) == 0, "it may have left today"
    assert drained(database, now + DAY) == 1
    with database.write() as connection:
        outbox.settle(connection, 1, sent=False, as_of=now + 2 * DAY)
    assert states(database) == ["pending", "pending", "sent"]
    assert drained(database, now + 2 * DAY) == 1
    assert states(database) == ["sent", "folded", "sent"]


def test_one_that_left_after_all_keeps_what_rode_in_it(database: Database, now: datetime, post: Post) -> None:
    registered(database, now)
    owe(database, now, 1, 2)
    post.answers = iter([Outcome("unknown", "Cut off.")])
    drained(database, now)
    with database.write() as connection:
        outbox.settle(connection, 1, sent=True, as_of=now)
    assert states(database) == ["sent", "folded"]


def test_what_rode_in_an_email_that_failed_is_tried_again_with_it(
    database: Database, now: datetime, post: Post
) -> None:
    registered(database, now)
    owe(database, now, 1, 2)
    post.answers = iter([Outcome("refused", "Too large."), SENT, SENT])
    assert send_notices(database, SETTINGS, now).failed == 1
    assert states(database) == ["failed", "folded", "sent"], "and the coordinator was told"
    with database.write() as connection:
        outbox.requeue(connection, 1, now)
    assert states(database) == ["pending", "pending", "sent"]
    assert drained(database, now) == 1
    assert states(database) == ["sent", "folded", "sent"]


def test_a_sender_that_died_leaves_its_riders_with_the_email(
    database: Database, now: datetime, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(database, now)
    owe(database, now, 1, 2)

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(outbox, "_record", killed)
        with pytest.raises(KeyboardInterrupt):
            send_notices(database, SETTINGS, now)
    assert states(database) == ["sending", "folded"]
    owe(database, now, 3)
    assert drained(database, now + timedelta(hours=1)) == 0
    assert states(database) == ["unknown", "folded", "pending"]
    assert len(post.left) == 1


@pytest.mark.parametrize("faulty", [1, 2, 3])
def test_one_that_cannot_be_written_holds_up_no_other(
    database: Database, now: datetime, post: Post, faulty: int
) -> None:
    registered(database, now)
    owe(database, now, 1, 2, 3)
    with database.write() as connection:
        connection.execute(update(notice).where(notice.c.id == faulty).values(facts={}))
    done = send_notices(database, SETTINGS, now)
    assert (done.sent, done.folded, done.failed) == (2, 1, 1), "with the word that one failed"
    assert Counter(states(database)) == {"failed": 1, "sent": 2, "folded": 1}
    assert states(database)[faulty - 1] == "failed"


def test_two_senders_at_once_send_a_person_one_email(
    database: Database, now: datetime, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have picked one of two reminders before either looks what else waits (SQLite has one writer)."""
    registered(database, now)
    owe(database, now, 1, 2)
    both, zone_of = threading.Barrier(2), correspondence._zone_of

    def met(*arguments: Any) -> Any:
        if database.engine.dialect.name == "postgresql" and not both.broken:
            with suppress(threading.BrokenBarrierError):
                both.wait(5)
        return zone_of(*arguments)

    monkeypatch.setattr(correspondence, "_zone_of", met)
    senders = [threading.Thread(target=send_notices, args=(database, SETTINGS, now)) for _ in range(2)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join(60)
    assert len(post.left) == 1
    both.abort()
    drained(database, now + DAY)
    assert "pending" not in states(database)


def test_a_drain_without_reminders_asks_nothing_more_of_the_database(
    database: Database, now: datetime, post: Post
) -> None:
    registered(database, now)
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda _c, _u, sql, *_: asked.append(sql))
    owe(database, now, 1, 2, 3, template="review_closed")
    asked.clear()
    assert drained(database, now) == 3
    assert not [sql for sql in asked if "folded_into =" in sql.partition("WHERE")[2] or "left_today" in sql]
    owe(database, now, 4, 5, 6)
    asked.clear()
    assert drained(database, now) == 1
    assert len([sql for sql in asked if "left_today" in sql]) == 1


PEOPLE = ("city-primary", DEPUTY)
ids = (f"random-{number}" for number in itertools.count())
steps = st.one_of(
    st.tuples(st.just("owe"), st.sampled_from(PEOPLE), st.booleans(), st.integers(0, 4)),
    st.tuples(st.just("drain"), st.integers(0, 20 * 60), st.lists(st.sampled_from("srru"), max_size=3)),
    st.tuples(st.just("withdraw"), st.integers(1, 8)),
)
ANSWERS = {"s": SENT, "r": Outcome("retry", "Busy."), "u": Outcome("unknown", "Cut off.")}


@settings(max_examples=60)
@given(script=st.lists(steps, min_size=4, max_size=20))
def test_at_most_one_a_day_and_each_is_told_once(database: Database, script: list[Any]) -> None:
    at = datetime(2026, 3, 27, 15, tzinfo=UTC)  # two days before the clocks change
    id_, provider, rounds = next(ids), Post(), itertools.count(1)
    registered(database, at, id_=id_)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(correspondence, "transport_from", lambda _settings: provider)
        for kind, *values in script:
            if kind == "owe":
                person, reminds, days = values
                due_at = at + days * DAY if days else None
                template = "review_reminder" if reminds else "review_closed"
                owe(database, at, next(rounds), to=person, template=template, due_at=due_at, id_=id_)
            elif kind == "withdraw":
                with database.write() as connection:
                    outbox.withdraw(connection, id_, f"review/{values[0]}/", ["review_reminder"])
            else:
                at += timedelta(minutes=values[0])
                provider.answers = itertools.chain(map(ANSWERS.get, values[1]), itertools.repeat(SENT))
                drained(database, at)
        provider.answers = itertools.repeat(SENT)
        for _ in range(3):
            at += DAY
            drained(database, at)
    _require_one_a_day(provider)
    _require_each_told_once(database, id_, provider)


def _require_one_a_day(provider: Post) -> None:
    days: Counter[tuple[str, date]] = Counter(
        (to, at.astimezone(LONDON).date()) for at, to, category, *_ in provider.left if category in FOLDED
    )
    assert set(days.values()) <= {1}


def _require_each_told_once(database: Database, id_: str, provider: Post) -> None:
    with database.read() as connection:
        rows = connection.execute(select(notice).where(notice.c.partnership_id == id_)).all()
    by_id = {row.id: row for row in rows}
    for row in rows:
        outcome = by_id[row.folded_into].state if row.state == "folded" else row.state
        assert outcome in {"sent", "unknown", "withdrawn"}
        if row.template in FOLDED:
            command = f"lifecycle respond {id_} {row.facts['round']} "
            told = sum(text.count(command) for *_, text, _ in provider.left)
            assert told == (0 if row.state == "withdrawn" else 1)
