"""Receivers for the tests: HTTP servers on 127.0.0.1."""

from collections.abc import Iterator

import pytest
from pytest_httpserver import HTTPServer

from tests.subscriptions.receiver import Receiver


@pytest.fixture
def receiver(httpserver: HTTPServer) -> Receiver:
    """A receiver that accepts everything, unless a test says otherwise."""
    return Receiver(httpserver)


@pytest.fixture
def other() -> Iterator[Receiver]:
    """A second receiver, on a server of its own."""
    with HTTPServer(host="127.0.0.1", port=0) as server:
        yield Receiver(server)
