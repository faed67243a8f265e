"""Subscriptions stay within the portfolio they were made in, and their secret with whoever made them."""

import base64
from datetime import datetime

import pytest

from lifecycle.db import Database
from lifecycle.errors import Conflict, Invalid, NotFound
from lifecycle.partnerships.models import partnership
from lifecycle.subscriptions import service
from tests.builders import contents, registered
from tests.subscriptions.receiver import PRIVATE, Receiver, deliver, happened

URL = "http://127.0.0.1:9/"


def in_two_portfolios(database: Database, now: datetime) -> None:
    registered(database, now, id_="ours")
    registered(database, now, id_="theirs")
    with database.write() as connection:
        connection.execute(partnership.update().where(partnership.c.id == "theirs").values(portfolio="north"))


def test_each_secret_is_its_own_and_long_enough(database: Database, now: datetime) -> None:
    secrets = {service.subscribe(database, URL, now, PRIVATE)[1] for _ in range(5)}
    assert len(secrets) == 5
    for secret in secrets:
        assert 24 <= len(base64.b64decode(secret.removeprefix("whsec_"))) <= 64


def test_an_unknown_type_and_an_empty_list_of_types_are_refused(database: Database, now: datetime) -> None:
    for types in ([], ["partnership.activated", "partnership.exploded"], ["activated"]):
        with pytest.raises(Invalid) as raised:
            service.subscribe(database, URL, now, PRIVATE, event_types=types)
        assert [fault.pointer for fault in raised.value.faults] == ["/event_types"]
    assert contents(database)["subscription"] == []


def test_a_portfolio_does_not_learn_what_another_subscribed_to(database: Database, now: datetime) -> None:
    in_two_portfolios(database, now)
    ours, _ = service.subscribe(database, URL, now, PRIVATE, portfolio="main")
    theirs, _ = service.subscribe(database, URL, now, PRIVATE, portfolio="north", partnership_id="theirs")
    alone, _ = service.subscribe(database, URL, now, PRIVATE, partnership_id="theirs")
    everybodys, _ = service.subscribe(database, URL, now, PRIVATE)
    with database.read() as connection:
        assert {one.id for one in service.overview(connection)} == {ours, theirs, alone, everybodys}
        assert {one.id for one in service.overview(connection, "main")} == {ours}
        assert {one.id for one in service.overview(connection, "north")} == {theirs, alone}
    before = contents(database)
    for foreign in (theirs, alone, everybodys, "nobody"):
        with database.read() as connection, pytest.raises(NotFound, match="no subscription"):
            service.streams(connection, foreign, "main")
        with pytest.raises(NotFound, match="no subscription"):
            service.unsubscribe(database, foreign, "main")
        with pytest.raises(NotFound, match="no subscription"):
            service.replay(database, foreign, "theirs", now, portfolio="main")
    with pytest.raises(NotFound, match="no partnership"):
        service.subscribe(database, URL, now, PRIVATE, portfolio="main", partnership_id="theirs")
    for partnership_id in ("theirs", "nobody"):
        with pytest.raises(NotFound, match="no partnership"):
            service.replay(database, ours, partnership_id, now)
    assert contents(database) == before


def test_streams_are_those_within_the_subscription(database: Database, now: datetime) -> None:
    in_two_portfolios(database, now)
    made, _ = service.subscribe(database, URL, now, PRIVATE, portfolio="north")
    happened(database, "ours", now)
    happened(database, "theirs", now, "gate_ready", "escalated")
    with database.read() as connection:
        [shown] = service.streams(connection, made, "north")
    assert (shown.partnership_id, shown.state, shown.backlog, shown.delivered_seq) == ("theirs", "due", 2, 1)


def test_only_what_is_covered_gets_a_cursor(database: Database, now: datetime) -> None:
    in_two_portfolios(database, now)
    service.subscribe(database, URL, now, PRIVATE, portfolio="north")
    assert [row[1] for row in contents(database)["webhook_stream"]] == ["theirs"]


def test_a_disabled_subscription_is_not_replayed(
    database: Database, now: datetime, receiver: Receiver
) -> None:
    registered(database, now)
    made = receiver.subscribed(database, now)
    happened(database, "harbour", now)
    receiver.answers = [410]
    deliver(database, now)
    with pytest.raises(Conflict, match="410"):
        service.replay(database, made, "harbour", now)
