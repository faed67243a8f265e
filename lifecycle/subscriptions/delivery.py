"""Delivering events: the trail is the outbox; a run reads on from each cursor, and moves it when a receiver has the event.

At least once: an event that was accepted is sent again only if this process ends before it could note that. In the
order of each partnership's trail: what follows a failure waits behind it.
"""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import select, update

from lifecycle import clock
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.subscriptions import streams, targets
from lifecycle.subscriptions.models import subscription
from lifecycle.subscriptions.sending import GONE, Answer, Line
from lifecycle.subscriptions.service import PREFECT_URL
from lifecycle.subscriptions.streams import Claim, Scope
from lifecycle.subscriptions.words import Message, message_of, wanted

TARGETS_AT_ONCE = 8
TARGET_SECONDS = 30
"""How long one target is served in a run: then others' turn comes, and it waits for the next run."""

STREAMS_A_RUN = 1000
EVENTS_A_RUN = 50
"""Of one stream; the next run goes on with it."""

READ_AHEAD = 500
LEASE = timedelta(minutes=2)
"""Longer than one message can take, a slow resolver included; renewed with each."""

Emit = Callable[[Message], None]
"""Hands a message to Prefect; raises when Prefect has not taken it."""


@dataclass
class Delivered:
    """What one run did, in events; `parked` counts streams, `disabled` subscriptions."""

    delivered: int = 0
    passed_over: int = 0
    failed: int = 0
    parked: int = 0
    disabled: int = 0
    by_type: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Delivered") -> None:
        """Count what another thread did."""
        for name in ("delivered", "passed_over", "failed", "parked", "disabled"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.by_type.update(other.by_type)


@dataclass(frozen=True)
class _Subscribed(Scope):
    url: str
    secret: str | None = field(repr=False)
    event_types: Sequence[str] | None

    @property
    def target(self) -> str:
        """Whose turn it takes: scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc.lower()}"


_Carry = Callable[[_Subscribed, Message], Answer]


def deliver(
    database: Database,
    settings: Settings,
    as_of: datetime,
    emit: Emit | None = None,
    resolve: targets.Resolve = targets.resolve,
) -> Delivered:
    """Send every event that is due as of an instant to whoever subscribed to it.

    Eight targets (scheme, host and port) are served at once, each by one thread for at most 30 seconds and one message; a
    target that gives no answer is left alone for the rest of the run. So a slow one holds up nobody but itself, and
    even eight slow ones hold others up for no longer than that. Two runs beside each other take different streams.
    Finding the work: see `streams.due`.

    Args:
        emit: hands events to Prefect; absent, they wait.
        resolve: how hosts' names are resolved.
    """
    run = _Run(database, settings, as_of, emit, resolve)
    turns: dict[str, list[_Subscribed]] = defaultdict(list)
    for one in _enabled(database):
        if emit is not None or one.url != PREFECT_URL:
            turns[one.target].append(one)
    total = Delivered()
    with ThreadPoolExecutor(TARGETS_AT_ONCE, thread_name_prefix="deliver") as pool:
        for done in pool.map(lambda turn: _Turn(run).serve(turn), turns.values()):
            total.add(done)
    return total


def _enabled(database: Database) -> list[_Subscribed]:
    columns = [subscription.c[name] for name in _Subscribed.__dataclass_fields__]
    statement = select(*columns).where(subscription.c.disabled_at.is_(None)).order_by(subscription.c.id)
    with database.read() as connection:
        return [_Subscribed(*row) for row in connection.execute(statement)]


@dataclass(frozen=True)
class _Run:
    database: Database
    settings: Settings
    as_of: datetime
    emit: Emit | None
    resolve: targets.Resolve
    began: float = field(default_factory=time.monotonic)

    def lease(self) -> datetime:
        """What is measured is how long this run has lasted: a long one must not let its later leases expire."""
        return self.as_of + timedelta(seconds=time.monotonic() - self.began) + LEASE


class _Turn:
    """One target's turn in a run: the streams of its subscriptions, one after the other, in one thread."""

    def __init__(self, run: _Run) -> None:
        self.run, self.done = run, Delivered()
        self.until = time.monotonic() + TARGET_SECONDS
        self.silent = False

    def serve(self, subscribed: Iterable[_Subscribed]) -> Delivered:
        line = Line(self.run.resolve, self.run.settings.webhook_private_targets)
        try:
            for one in subscribed:
                self._subscription(one, self._to_prefect if one.url == PREFECT_URL else _by(line))
        finally:
            line.close()
        return self.done

    def _to_prefect(self, _to: _Subscribed, message: Message) -> Answer:
        assert self.run.emit is not None
        try:
            self.run.emit(message)
        except Exception as error:  # noqa: BLE001 - whatever it is, Prefect has not taken the event
            return Answer(None, type(error).__name__)
        return Answer(204)

    @property
    def _over(self) -> bool:
        return self.silent or time.monotonic() > self.until

    def _subscription(self, one: _Subscribed, carry: _Carry) -> None:
        database, as_of = self.run.database, self.run.as_of
        if self._over:
            return
        found = streams.due(database, one, as_of, STREAMS_A_RUN)
        disabled = self.done.disabled
        for partnership_id in found:
            if self._over or self.done.disabled > disabled:
                return
            with database.write() as connection:
                held = streams.claim(connection, one.id, partnership_id, as_of, self.run.lease())
            if held is not None:
                self._stream(one, held, carry)

    def _stream(self, one: _Subscribed, held: Claim, carry: _Carry) -> None:
        with self.run.database.read() as connection:
            events = streams.events_after(connection, held.partnership_id, held.delivered_seq, READ_AHEAD)
        todo = [m for m in (message_of(event, held.title) for event in events) if wanted(m, one.event_types)]
        end = events[-1].seq if events else held.delivered_seq
        more = len(events) == READ_AHEAD
        # With each message, what follows it and is not wanted is passed over.
        ends = [*(message.seq - 1 for message in todo[1:]), end]
        for number, (message, reached) in enumerate(zip(todo, ends, strict=False), 1):
            if self._over or number > EVENTS_A_RUN:
                self._release(held, held.delivered_seq, self.run.as_of)
                return
            last = number == len(todo) and not more
            answer = carry(one, message)
            if not answer.accepted:
                self._refused(one, held, message, answer)
                return
            moved = self._accepted(held, message, reached, answer, last)
            if moved is None:
                return
            held = moved
        self._release(held, end, self.run.as_of if more else None)

    def _release(self, held: Claim, reached: int, again_at: datetime | None) -> None:
        self.done.passed_over += reached - held.delivered_seq
        streams.released(self.run.database, held, reached, again_at)

    def _accepted(
        self, held: Claim, message: Message, reached: int, answer: Answer, last: bool
    ) -> Claim | None:
        self.done.delivered += 1
        self.done.by_type[message.type] += 1
        # One is this message.
        self.done.passed_over += reached - held.delivered_seq - 1
        lease = None if last else self.run.lease()
        return streams.moved_on(self.run.database, held, reached, answer.status, lease)

    def _refused(self, one: _Subscribed, held: Claim, message: Message, answer: Answer) -> None:
        database, as_of, detail = self.run.database, self.run.as_of, answer.detail or ""
        self.silent = answer.status is None
        if answer.status == GONE:
            self.done.disabled += 1
            _disable(database, one.id, as_of)
        before = message.seq - 1
        self.done.failed += 1
        self.done.passed_over += before - held.delivered_seq
        self.done.parked += streams.held_back(database, held, before, answer.status, detail, as_of)


def _by(line: Line) -> _Carry:
    def carry(to: _Subscribed, message: Message) -> Answer:
        return line.post(to.url, str(to.secret), message, clock.now())

    return carry


def _disable(database: Database, subscription_id: str, as_of: datetime) -> None:
    """Its receiver has said that it is gone for good (Standard Webhooks)."""
    mine: Any = subscription.c.id == subscription_id
    with database.write() as connection:
        connection.execute(update(subscription).where(mine).values(disabled_at=as_of))
