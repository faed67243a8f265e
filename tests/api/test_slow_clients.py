"""Clients that send slowly, on a real server: they wait, and nobody else does."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from lifecycle.api.app import create
from lifecycle.db import Database
from tests.api.clients import Clients, settings_of, started

SLOW = 150
"""More than there are worker threads."""


@pytest.fixture
def port(sqlite_api: Clients) -> Iterator[int]:
    """A served application."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    app = create(
        settings_of("sqlite://"), Database(sqlite_api.database.url.render_as_string(hide_password=False))
    )
    server = uvicorn.Server(uvicorn.Config(app, log_config=None))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    started(server)
    yield int(listening.getsockname()[1])
    server.should_exit = True
    # A client that never ends must not hold up the end either.
    server.force_exit = True
    thread.join(20)
    app.state.database.close()


async def status(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    line = await reader.readline()
    writer.close()
    return line


def test_who_sends_slowly_holds_up_nobody_else(port: int, sqlite_api: Clients) -> None:
    token = sqlite_api.of("owner").token
    head = (
        f"POST /v1/partnerships HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
    )
    quick = f"GET /v1/partnerships HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n"

    async def both() -> tuple[list[bytes], float]:
        slow = [await asyncio.open_connection("127.0.0.1", port) for _ in range(SLOW)]
        for _, writer in slow:
            writer.write(head.encode())
            await writer.drain()
        began = time.monotonic()
        found = [await asyncio.wait_for(status(port, quick.encode()), 20) for _ in range(5)]
        lasted = time.monotonic() - began
        for _, writer in slow:
            writer.close()
        return found, lasted

    found, lasted = asyncio.run(both())
    assert {line.split()[1] for line in found} == {b"200"}
    # Far less than the slow ones may take (30 s): nobody waited for them.
    assert lasted < 15
