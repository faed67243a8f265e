"""No event goes into a private network, however its address is written."""

import socket
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import insert

from lifecycle.db import Database
from lifecycle.errors import Invalid
from lifecycle.subscriptions import delivery, service, targets
from lifecycle.subscriptions.models import subscription
from tests.builders import SETTINGS, contents, registered
from tests.subscriptions.receiver import happened, stream

PRIVATE_HOSTS = [
    "127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "0.0.0.0", "[::1]", "[::]", "[::ffff:10.0.0.1]",
    "[::ffff:7f00:1]", "[::127.0.0.1]", "[64:ff9b::a00:1]", "[64:ff9b:1::a00:1]", "[2002:7f00:1::]", "[2001:0:4136:e378::1]",
    "[fe80::1]", "[fc00::1]", "[fec0::1]", "[ff02::1]", "localhost", "LOCALHOST", "10.1.2.3", "172.16.0.1", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1",
]  # fmt: skip


def answering(*addresses: str) -> Callable[[str, int], Sequence[str]]:
    return lambda _host, _port: addresses


@pytest.mark.parametrize("host", PRIVATE_HOSTS)
def test_a_private_target_is_refused_in_every_notation(host: str) -> None:
    with pytest.raises(Invalid) as raised:
        targets.check(f"https://{host}/hook", private=False)
    assert [fault.rule for fault in raised.value.faults] == ["private"]


@pytest.mark.parametrize("found", [("10.0.0.1",), ("93.184.215.14", "10.0.0.1"), ("fd00::1",)])
def test_a_name_that_leads_into_a_private_network_is_refused(found: tuple[str, ...]) -> None:
    with pytest.raises(Invalid) as raised:
        targets.check("https://inside.example/", private=False, resolve=answering(*found))
    assert [fault.rule for fault in raised.value.faults] == ["private"]


@pytest.mark.parametrize(
    "found", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e"]
)
def test_a_public_address_is_not_refused(found: str) -> None:
    targets.check("https://there.example/hook?key=1", private=False, resolve=answering(found))
    assert targets.is_public(found)


def nowhere(_host: str, _port: int) -> Sequence[str]:
    raise socket.gaierror("no such name")


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://there.example/", "scheme"),
        ("ftp://there.example/", "scheme"),
        ("prefect:", "scheme"),
        ("//there.example/", "scheme"),
        ("https:///hook", "format"),
        ("https://there.example:port/", "format"),
        ("https://there.example:70000/", "format"),
        ("https://[::1/", "format"),
        ("https://bücher.example/", "format"),
        ("https://there.example/a b", "format"),
        ("https://there.example\\@10.0.0.1/", "format"),
        ("https://there.example/\r\nHost: other", "format"),
        ("https://user:password@there.example/", "credentials"),
        ("https://user@there.example/", "credentials"),
        ("", "length"),
        (f"https://there.example/{'x' * 2000}", "length"),
        ("https://nowhere.example/", "resolves"),
    ],
)
def test_a_malformed_url_is_refused_in_words(url: str, rule: str) -> None:
    with pytest.raises(Invalid) as raised:
        targets.check(url, private=False, resolve=nowhere)
    assert rule in [fault.rule for fault in raised.value.faults]
    assert all(fault.pointer == "/url" and fault.mend for fault in raised.value.faults)


def test_a_refused_subscription_changes_nothing_and_names_every_fault(
    database: Database, now: datetime
) -> None:
    before = contents(database)
    with pytest.raises(Invalid) as raised:
        service.subscribe(
            database,
            "https://127.1/",
            now,
            SETTINGS,
            portfolio="x" * 65,
            event_types=["partnership.activate"],
            description="x" * 201,
        )
    found = {(fault.pointer, fault.rule) for fault in raised.value.faults}
    assert found == {
        ("/url", "private"),
        ("/portfolio", "length"),
        ("/event_types", "enum"),
        ("/description", "length"),
    }
    assert contents(database) == before


@pytest.mark.parametrize(
    ("url", "addresses"),
    [
        ("https://127.1:9/", None),
        ("https://there.example:9/", ("10.0.0.1",)),
        ("https://there.example:9/", ("::ffff:127.0.0.1",)),
        ("http://there.example:9/", ("93.184.215.14",)),
    ],
)
def test_what_became_private_since_is_refused_at_delivery_and_never_connected_to(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch, url: str, addresses: Any
) -> None:
    registered(database, now)
    made, _ = service.subscribe(
        database, "https://there.example/", now, SETTINGS, resolve=answering("93.184.215.14")
    )
    with database.write() as connection:
        connection.execute(subscription.update().values(url=url))
    happened(database, "harbour", now)

    def connect(*_: Any, **__: Any) -> Any:
        raise AssertionError("it was connected to")

    monkeypatch.setattr(socket, "create_connection", connect)
    resolve = targets.resolve if addresses is None else answering(*addresses)
    done = delivery.deliver(database, SETTINGS, now, resolve=resolve)
    assert (done.delivered, done.failed) == (0, 1)
    assert stream(database, made, "harbour").detail.startswith("refused: it is")


def test_the_connection_goes_to_the_address_that_was_checked(
    database: Database, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name that answers differently each time (rebinding) is asked once, and its first answer is what counts."""
    registered(database, now)
    service.subscribe(database, "https://there.example/", now, SETTINGS, resolve=answering("93.184.215.14"))
    happened(database, "harbour", now)
    lookups = iter([["93.184.215.14"], ["127.0.0.1"]])
    connected: list[Any] = []

    def connect(address: Any, *_: Any, **__: Any) -> Any:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    delivery.deliver(database, SETTINGS, now, resolve=lambda _host, _port: next(lookups))
    assert connected == [("93.184.215.14", 443)]


def test_the_environment_names_no_proxy(
    monkeypatch: pytest.MonkeyPatch, database: Database, now: datetime
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    registered(database, now)
    row = {
        "id": "s",
        "url": "https://there.example/",
        "secret": "whsec_c2VjcmV0",
        "description": "",
        "created_at": now,
    }
    with database.write() as connection:
        connection.execute(insert(subscription).values(**row, created_by="operator"))
    connected: list[Any] = []

    def connect(address: Any, *_: Any, **__: Any) -> Any:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    delivery.deliver(database, SETTINGS, now, resolve=answering("93.184.215.14"))
    assert connected == [("93.184.215.14", 443)]
