"""Serving an application over HTTP: its options, its log, its limits."""

import argparse
import logging
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI
from pythonjsonlogger.json import JsonFormatter

KEEP_ALIVE_SECONDS = 5
STOP_SECONDS = 10
AT_ONCE = 500
"""Connections; more are answered 503, so that those there are get their answer."""


def serve(create: Callable[[], FastAPI]) -> None:
    """Serve until SIGINT or SIGTERM. Each request is one line of JSON on stderr, without personal data."""
    parser = argparse.ArgumentParser(description=serve.__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8080)
    given = parser.parse_args()
    handler = logging.StreamHandler()
    # `timestamp` is UTC, in ISO 8601 with its zone.
    handler.setFormatter(
        JsonFormatter(
            "{levelname}{name}{message}", style="{", timestamp="at", rename_fields={"levelname": "level"}
        )
    )
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    # uvicorn's own access log would show query strings, and with them the secrets of calendar links.
    uvicorn.run(
        create(),
        host=given.host,
        port=given.port,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        limit_concurrency=AT_ONCE,
    )
