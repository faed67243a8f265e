"""Events reach whoever subscribed: signed, in order, at least once, without holding each other up."""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer
from sqlalchemy import select
from werkzeug import Response

from lifecycle.db import Database
from lifecycle.partnerships import service as partnerships
from lifecycle.subscriptions import delivery, sending, service, streams
from lifecycle.subscriptions.models import webhook_stream
from lifecycle.subscriptions.words import Message, message_id
from tests.builders import contents, registered
from tests.subscriptions.receiver import PRIVATE, Receiver, deliver, happened, head, stream

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
_numbers = count(1)


def test_an_event_reaches_its_receiver_signed_and_once(
    database: Database, now: datetime, receiver: Receiver
) -> None:
    registered(database, now)
    receiver.subscribed(database, now)
    partnerships.transition(database, "harbour", "withdraw", "city-sponsor", now, "No money.")
    done = deliver(database, now)
    assert receiver.types() == ["partnership.withdrawn"]
    assert receiver.got[0]["data"]["partnership_id"] == "harbour"
    assert receiver.ids == [message_id("harbour", 2)]
    assert (done.delivered, done.failed, dict(done.by_type)) == (1, 0, {"partnership.withdrawn": 1})
    before = contents(database)
    assert deliver(database, now + DAY).delivered == 0
    assert len(receiver.got) == 1
    assert {**contents(database), "subscription": []} == {**before, "subscription": []}


def test_nothing_of_the_past_is_delivered_but_everything_of_a_later_partnership(
    database: Database, now: datetime, receiver: Receiver
) -> None:
    registered(database, now, id_="old")
    receiver.subscribed(database, now)
    registered(database, now, id_="new")
    happened(database, "old", now)
    deliver(database, now)
    assert receiver.seqs("old") == [2]
    assert receiver.seqs("new") == [1]


def test_what_happened_before_in_time_but_was_written_after_subscribing_is_delivered(
    database: Database, now: datetime, receiver: Receiver
) -> None:
    """A sweep that runs late dates its events back."""
    registered(database, now - DAY)
    receiver.subscribed(database, now)
    deliver(database, now)
    happened(database, "harbour", now - HOUR)
    deliver(database, now + HOUR + MINUTE)
    assert receiver.seqs("harbour") == [2]


def test_other_types_are_passed_over(database: Database, now: datetime, receiver: Receiver) -> None:
    registered(database, now)
    made = receiver.subscribed(database, now, event_types=["partnership.gate_ready"])
    happened(database, "harbour", now, "escalated", "gate_ready", "escalated", "escalated")
    done = deliver(database, now)
    assert receiver.types() == ["partnership.gate_ready"]
    assert (done.delivered, done.passed_over) == (1, 3)
    assert stream(database, made, "harbour").delivered_seq == 5
    happened(database, "harbour", now, "escalated")
    assert deliver(database, now).passed_over == 1
    assert stream(database, made, "harbour").delivered_seq == 6


def test_a_subscription_is_confined_to_its_portfolio_or_partnership(
    database: Database, now: datetime, receiver: Receiver, other: Receiver
) -> None:
    receiver.subscribed(database, now, portfolio="main")
    for id_ in ("first", "second", "third"):
        registered(database, now, id_=id_)
    move(database, "second", "elsewhere")
    other.subscribed(database, now, partnership_id="third")
    happened(database, "first", now)
    happened(database, "second", now)
    happened(database, "third", now)
    deliver(database, now)
    assert (receiver.seqs("first"), receiver.seqs("second"), receiver.seqs("third")) == ([1, 2], [], [1, 2])
    assert {one["data"]["partnership_id"] for one in other.got} == {"third"}


def move(database: Database, partnership_id: str, portfolio: str) -> None:
    from lifecycle.partnerships.models import partnership

    with database.write() as connection:
        connection.execute(
            partnership.update().where(partnership.c.id == partnership_id).values(portfolio=portfolio)
        )


def test_a_failure_holds_back_what_follows_it_in_its_partnership_only(
    database: Database, now: datetime, receiver: Receiver
) -> None:
    for id_ in ("first", "second"):
        registered(database, now, id_=id_)
    made = receiver.subscribed(database, now)
    happened(database, "first", now, "gate_ready", "escalated")
    happened(database, "second", now)
    receiver.answers = [500]
    done = deliver(database, now)
    assert (done.delivered, done.failed) == (1, 1)
    assert (receiver.seqs("first"), receiver.seqs("second")) == ([], [2])
    kept = stream(database, made, "first")
    assert (kept.attempts, kept.last_status, kept.detail) == (1, 500, "HTTP 500")
    assert kept.next_attempt_at == now + MINUTE
    assert deliver(database, now + MINUTE - timedelta(seconds=1)).delivered == 0
    assert deliver(database, now + MINUTE).delivered == 2
    assert receiver.seqs("first") == [2, 3]
    kept = stream(database, made, "first")
    assert (kept.attempts, kept.first_failed_at, kept.next_attempt_at, kept.detail) == (0, None, None, None)


def test_a_message_is_tried_for_a_day_then_parked_and_goes_on_when_asked(
    database: Database, now: datetime, receiver: Receiver
) -> None:
    registered(database, now)
    made = receiver.subscribed(database, now)
    happened(database, "harbour", now, "gate_ready", "escalated")
    receiver.answers = [503] * 1000
    at, waits, parked = now, [], 0
    while not parked:
        parked = deliver(database, at).parked
        following = stream(database, made, "harbour").next_attempt_at or at
        waits.append((following - at) / MINUTE)
        at = following
    assert waits == [1, 2, 4, 8, 16, 32, 64, *[120] * 11, 0]
    assert DAY <= at - now < DAY + 2 * HOUR
    assert len(receiver.refused) == len(waits)
    assert set(receiver.refused) == {message_id("harbour", 2)}, "every attempt has the same id"
    receiver.answers = []
    assert deliver(database, at + 30 * DAY).delivered == 0, "a parked stream waits for a person"
    with database.read() as connection:
        [shown] = service.streams(connection, made)
    assert (shown.state, shown.backlog, shown.delivered_seq, shown.detail) == ("parked", 2, 1, "HTTP 503")
    service.replay(database, made, "harbour", at + DAY)
    assert deliver(database, at + DAY).delivered == 2
    assert receiver.seqs("harbour") == [2, 3]
    with database.read() as connection:
        assert service.streams(connection, made) == []


@pytest.mark.parametrize(("from_seq", "expected"), [(1, [1, 2, 3, 4]), (3, [3, 4]), (5, [])])
def test_a_replay_repeats_or_skips(
    database: Database, now: datetime, receiver: Receiver, from_seq: int, expected: list[int]
) -> None:
    registered(database, now)
    made = receiver.subscribed(database, now)
    happened(database, "harbour", now, "gate_ready", "escalated", "escalated")
    service.replay(database, made, "harbour", now, from_seq)
    deliver(database, now)
    assert receiver.seqs("harbour") == expected
    assert stream(database, made, "harbour").delivered_seq == 4


def test_gone_disables_the_subscription(database: Database, now: datetime, receiver: Receiver) -> None:
    for id_ in ("first", "second"):
        registered(database, now, id_=id_)
    made = receiver.subscribed(database, now)
    happened(database, "first", now)
    happened(database, "second", now)
    receiver.answers = [410]
    assert deliver(database, now).disabled == 1
    assert deliver(database, now + DAY).delivered == 0
    assert (len(receiver.refused), receiver.got) == (1, [])
    with database.read() as connection:
        assert service.find(connection, made).disabled_at == now


def test_a_redirect_is_not_followed(
    database: Database, now: datetime, receiver: Receiver, httpserver: HTTPServer
) -> None:
    registered(database, now)
    made = receiver.subscribed(database, now)
    happened(database, "harbour", now)
    receiver.answers = [307]
    assert deliver(database, now).failed == 1
    assert [request.path for request, _ in httpserver.log] == ["/hook"]
    assert stream(database, made, "harbour").last_status == 307


def test_what_an_answer_says_is_kept_nowhere(
    database: Database, now: datetime, httpserver: HTTPServer
) -> None:
    registered(database, now)
    service.subscribe(database, httpserver.url_for("/"), now, PRIVATE)
    httpserver.expect_request("/").respond_with_data("inside-information " * 10_000, status=400)
    happened(database, "harbour", now)
    assert deliver(database, now).failed == 1
    assert "inside-information" not in repr(contents(database))


def test_a_long_trail_goes_out_in_several_runs(
    database: Database, now: datetime, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "EVENTS_A_RUN", 3)
    monkeypatch.setattr(delivery, "READ_AHEAD", 5)
    registered(database, now)
    receiver.subscribed(database, now, event_types=["partnership.gate_ready"])
    happened(
        database, "harbour", now, *["gate_ready", "escalated"] * 3, *["escalated"] * 6, *["gate_ready"] * 4
    )
    delivered = [deliver(database, now).delivered for _ in range(6)]
    assert sum(delivered) == 7
    assert max(delivered) <= 3
    assert receiver.seqs("harbour") == [2, 4, 6, 14, 15, 16, 17]
    assert delivered[-1] == 0


def test_an_acceptance_that_could_not_be_noted_is_asked_for_again_under_the_same_id(
    database: Database, now: datetime, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(database, now)
    receiver.subscribed(database, now)
    happened(database, "harbour", now)

    def killed(*_: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(streams, "moved_on", killed)
        with pytest.raises(KeyboardInterrupt):
            deliver(database, now)
    assert deliver(database, now + MINUTE).delivered == 0, "its lease is not over"
    assert deliver(database, now + 2 * delivery.LEASE).delivered == 1
    assert receiver.ids == [message_id("harbour", 2)] * 2


def test_a_run_beside_another_sends_nothing_twice(
    database: Database, now: datetime, receiver: Receiver
) -> None:
    registered(database, now)
    receiver.subscribed(database, now)
    happened(database, "harbour", now, *["gate_ready"] * 4)
    beside: list[int] = []
    receiver.after = lambda: beside.append(deliver(database, now + MINUTE).delivered)
    assert deliver(database, now).delivered == 4
    assert (beside, receiver.seqs("harbour")) == ([0] * 4, [2, 3, 4, 5])


def test_runs_at_the_same_time_share_the_work(database: Database, now: datetime, receiver: Receiver) -> None:
    names = [f"p{number}" for number in range(12)]
    for name in names:
        registered(database, now, id_=name)
    receiver.subscribed(database, now)
    for name in names:
        happened(database, name, now, "gate_ready", "escalated")
    with ThreadPoolExecutor(3) as pool:
        done = [run.result().delivered for run in [pool.submit(deliver, database, now) for _ in range(3)]]
    # A run may have passed a stream while another held it: the next one finds nothing left.
    assert sum(done) == len(receiver.got) == 24
    assert all(receiver.seqs(name) == [2, 3] for name in names)


def test_whoever_lost_the_lease_changes_nothing(
    database: Database, now: datetime, receiver: Receiver
) -> None:
    registered(database, now)
    made = receiver.subscribed(database, now)
    happened(database, "harbour", now, "gate_ready", "escalated", "escalated")
    receiver.after = lambda: (
        service.replay(database, made, "harbour", now, 4) if len(receiver.got) == 1 else None
    )
    deliver(database, now)
    assert receiver.seqs("harbour") == [2]
    assert stream(database, made, "harbour").delivered_seq == 3
    deliver(database, now)
    assert receiver.seqs("harbour") == [2, 4]


def test_a_subscription_that_ends_meanwhile_ends_its_delivery(
    database: Database, now: datetime, receiver: Receiver
) -> None:
    for id_ in ("first", "second"):
        registered(database, now, id_=id_)
    made = receiver.subscribed(database, now)
    happened(database, "first", now, "gate_ready", "escalated")
    happened(database, "second", now)
    receiver.after = lambda: service.unsubscribe(database, made) if len(receiver.got) == 1 else None
    deliver(database, now)
    assert len(receiver.got) == 1
    rows = contents(database)
    assert (rows["subscription"], rows["webhook_stream"]) == ([], [])


def test_a_slow_target_holds_up_no_other(
    database: Database, now: datetime, receiver: Receiver, other: Receiver
) -> None:
    """The first answers only once the second has everything."""
    for id_ in ("first", "second", "third"):
        registered(database, now, id_=id_)
    receiver.subscribed(database, now)
    other.subscribed(database, now)
    for id_ in ("first", "second", "third"):
        happened(database, id_, now)
    everything, waited = threading.Event(), []
    other.after = lambda: everything.set() if len(other.got) == 3 else None
    receiver.after = lambda: waited.append(everything.wait(10))
    assert deliver(database, now).delivered == 6
    assert waited == [True] * 3


def test_a_target_whose_time_is_over_goes_on_with_the_next_run(
    database: Database, now: datetime, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    registered(database, now)
    made = receiver.subscribed(database, now)
    happened(database, "harbour", now, "gate_ready", "escalated")
    clock = [time.monotonic()]
    monkeypatch.setattr(delivery, "time", SimpleNamespace(monotonic=lambda: clock[0]))

    def take_long() -> None:
        clock[0] += delivery.TARGET_SECONDS + 1

    receiver.after = take_long
    assert deliver(database, now).delivered == 1
    receiver.after = lambda: None
    assert stream(database, made, "harbour").attempts == 0, "nothing has failed"
    assert deliver(database, now).delivered == 1
    assert receiver.seqs("harbour") == [2, 3]


def test_a_target_that_does_not_answer_is_asked_once_a_run(
    database: Database, now: datetime, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TOTAL_SECONDS", 0.2)
    for id_ in ("first", "second"):
        registered(database, now, id_=id_)
    made = receiver.subscribed(database, now)
    happened(database, "first", now)
    happened(database, "second", now)
    given_up = threading.Event()
    receiver.after = lambda: keep_silent(given_up)
    done = deliver(database, now)
    given_up.set()
    assert (done.delivered, done.failed) == (0, 1)
    kept = stream(database, made, "first")
    assert (kept.attempts, kept.last_status, kept.detail) == (1, None, "no answer in time")
    assert stream(database, made, "second").attempts == 0


def keep_silent(given_up: threading.Event) -> None:
    assert given_up.wait(10)


def test_an_answer_that_drips_is_cut_off(
    database: Database, now: datetime, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every byte comes in time; the whole does not."""
    import socket

    monkeypatch.setattr(sending, "TOTAL_SECONDS", 0.3)
    over = threading.Event()

    def drip(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            while not over.wait(0.02):
                try:
                    connection.sendall(b"a")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = threading.Thread(target=drip, args=(listening,))
        server.start()
        registered(database, now)
        service.subscribe(database, f"http://127.0.0.1:{listening.getsockname()[1]}/", now, PRIVATE)
        happened(database, "harbour", now)
        done = deliver(database, now)
        over.set()
        server.join(10)
    assert (done.delivered, done.failed) == (0, 1)


def test_nothing_listens(database: Database, now: datetime) -> None:
    from lifecycle.embedded import free_port

    registered(database, now)
    made, _ = service.subscribe(database, f"http://127.0.0.1:{free_port()}/", now, PRIVATE)
    happened(database, "harbour", now)
    assert deliver(database, now).failed == 1
    assert stream(database, made, "harbour").detail == "ConnectError"


def test_an_event_that_is_written_late_is_found_within_the_hour(
    database: Database, now: datetime, receiver: Receiver
) -> None:
    registered(database, now - DAY)
    registered(database, now - DAY, id_="other")
    receiver.subscribed(database, now)
    deliver(database, now)
    happened(database, "harbour", now + MINUTE)
    deliver(database, now + 2 * MINUTE)
    assert receiver.seqs("harbour") == [2], "what was just written is found by the next run"
    # The other one's last change is a day old, so its trail takes an event that lies half a day back.
    happened(database, "other", now - DAY / 2)
    deliver(database, now + 3 * MINUTE)
    deliver(database, now + streams.COMPARED_EVERY)
    assert receiver.seqs("other") == [2]


@pytest.fixture
def postgres_only(database: Database) -> Database:
    if database.engine.dialect.name != "postgresql":
        pytest.skip("SQLite always compares")
    return database


def test_runs_between_comparisons_look_only_at_what_is_new(
    postgres_only: Database, now: datetime, receiver: Receiver
) -> None:
    registered(postgres_only, now - DAY)
    receiver.subscribed(postgres_only, now)
    deliver(postgres_only, now)
    happened(postgres_only, "harbour", now - DAY / 2)
    assert deliver(postgres_only, now + streams.COMPARED_EVERY - MINUTE).delivered == 0
    assert deliver(postgres_only, now + streams.COMPARED_EVERY).delivered == 1


def test_what_a_comparison_found_and_the_run_left_undone_waits_for_the_next(
    postgres_only: Database, now: datetime, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for id_ in ("first", "second", "third"):
        registered(postgres_only, now - DAY, id_=id_)
    receiver.subscribed(postgres_only, now)
    for id_ in ("first", "second", "third"):
        happened(postgres_only, id_, now - DAY / 2)
    monkeypatch.setattr(delivery, "STREAMS_A_RUN", 1)
    assert [deliver(postgres_only, now + number * MINUTE).delivered for number in range(4)] == [1, 1, 1, 0]


def test_comparing_takes_no_stream_from_whoever_has_claimed_it(
    postgres_only: Database, now: datetime, receiver: Receiver
) -> None:
    registered(postgres_only, now - DAY)
    made = receiver.subscribed(postgres_only, now)
    happened(postgres_only, "harbour", now, "gate_ready", "escalated")
    receiver.after = lambda: deliver(postgres_only, now - MINUTE)
    assert deliver(postgres_only, now).delivered == 2
    assert receiver.seqs("harbour") == [2, 3]
    assert stream(postgres_only, made, "harbour").next_attempt_at is None


def test_a_secret_is_neither_logged_nor_shown(
    database: Database, now: datetime, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    registered(database, now)
    made = receiver.subscribed(database, now)
    happened(database, "harbour", now, "gate_ready", "escalated")
    receiver.answers = [204, 500]
    deliver(database, now)
    assert "httpcore" in caplog.text
    assert receiver.secret.removeprefix("whsec_") not in caplog.text
    with database.read() as connection:
        shown = repr(
            (service.overview(connection), service.streams(connection, made), delivery._enabled(database))
        )
    assert receiver.secret not in shown


def test_prefect_gets_every_event_once_it_is_there(database: Database, now: datetime) -> None:
    registered(database, now)
    assert service.to_prefect(database, now)
    assert not service.to_prefect(database, now)
    happened(database, "harbour", now, "gate_ready", "escalated")
    got: list[Message] = []
    assert deliver(database, now).delivered == 0, "no server, no events; they wait"
    assert deliver(database, now, emit=refusing).failed == 1
    assert deliver(database, now + MINUTE, emit=got.append).delivered == 2
    assert [(one.type, one.title) for one in got] == [
        ("partnership.gate_ready", "Harbour Falls Prevention"),
        ("partnership.escalated", "Harbour Falls Prevention"),
    ]


def refusing(_message: Message) -> None:
    raise ConnectionError


@settings(max_examples=30)
@given(
    written=st.lists(
        st.lists(st.sampled_from(["gate_ready", "escalated"]), max_size=5), min_size=1, max_size=3
    ),
    later=st.lists(st.integers(0, 2), max_size=4),
    answers=st.lists(st.sampled_from([204, 200, 301, 404, 429, 500, 503]), max_size=14),
    crashes=st.sets(st.integers(1, 8), max_size=2),
)
def test_whatever_fails_every_event_arrives_in_its_partnerships_order(
    database: Database,
    now: datetime,
    receiver: Receiver,
    written: list[list[str]],
    later: list[int],
    answers: list[int],
    crashes: set[int],
) -> None:
    receiver.got, receiver.ids, receiver.refused, receiver.answers = [], [], [], list(answers)
    names = [registered(database, now, id_=f"p{next(_numbers)}") for _ in written]
    made = receiver.subscribed(database, now)
    for name, types in zip(names, written, strict=True):
        if types:
            happened(database, name, now, *types)
    at, noted = now, count(1)
    for number in range(40):
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(streams, "moved_on", failing(streams.moved_on, noted, crashes))
            with suppress(KeyboardInterrupt):
                deliver(database, at)
        if number < len(later):
            happened(database, names[later[number] % len(names)], at)
        at = max(at + MINUTE, next_due(database, made) or at)
    for name in names:
        seqs = receiver.seqs(name)
        assert list(dict.fromkeys(seqs)) == list(range(2, head(database, name) + 1)), "in order, nothing lost"
        assert len(seqs) - len(set(seqs)) <= len(crashes), "only what could not be noted came twice"
    service.unsubscribe(database, made)


def failing(moved_on: Callable[..., Any], noted: Any, crashes: set[int]) -> Callable[..., Any]:
    """The process ends after a message was accepted, before that was noted."""

    def note(*arguments: Any) -> Any:
        if next(noted) in crashes:
            raise KeyboardInterrupt
        return moved_on(*arguments)

    return note


def next_due(database: Database, subscription_id: str) -> datetime | None:
    with database.read() as connection:
        return min(
            connection.execute(
                select(webhook_stream.c.next_attempt_at).where(
                    webhook_stream.c.subscription_id == subscription_id,
                    webhook_stream.c.next_attempt_at.is_not(None),
                )
            ).scalars(),
            default=None,
        )


def test_https_is_verified_by_the_targets_name(
    database: Database, now: datetime, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.subscriptions.authority import contexts

    registered(database, now)
    serving, trusting = contexts(tmp_path, "receiver.example")
    monkeypatch.setattr(sending, "_trusted", lambda: trusting)
    with HTTPServer(host="127.0.0.1", port=0, ssl_context=serving) as server:
        server.expect_request("/").respond_with_handler(lambda _request: Response(status=204))
        made = [
            service.subscribe(database, f"https://{host}:{server.port}/", now, PRIVATE)[0]
            for host in ("receiver.example", "impostor.example")
        ]
        happened(database, "harbour", now)
        done = deliver(database, now, resolve=lambda _host, _port: ["127.0.0.1"])
    assert (done.delivered, done.failed) == (1, 1)
    assert stream(database, made[0], "harbour").last_status == 204
    assert stream(database, made[1], "harbour").detail == "ConnectError"
