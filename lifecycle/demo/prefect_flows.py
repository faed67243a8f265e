"""The flows as Prefect flow runs: called in this process, recorded by the demo's own Prefect server."""

import importlib
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from lifecycle import embedded
from lifecycle.demo.folder import Folder

FLOWS = (
    "gate-check",
    "gate-readiness",
    "scheduled-reviews",
    "obligation-monitor",
    "escalations",
    "portfolio-digest",
    "send-notices",
)

_NOT_OURS = (
    "PREFECT_API_KEY",
    "PREFECT_API_AUTH_STRING",
    "PREFECT_SERVER_API_AUTH_STRING",
    "PREFECT_PROFILE",
)


def environment(folder: Folder, api_url: str) -> dict[str, str]:
    """The settings of a demo, whatever this installation's own are: its database, its mailbox, no real email.

    Prefect's log is kept off the screen, which belongs to the story. A server that goes away is missed soon.
    """
    return {
        **embedded.environment(folder.prefect_home.absolute(), api_url),
        "PREFECT_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_LOGGING_TO_API_ENABLED": "false",
        "PREFECT_INTERNAL_LOGGING_LEVEL": "CRITICAL",
        "PREFECT_CLIENT_MAX_RETRIES": "3",
        "LIFECYCLE_DATABASE_URL": f"sqlite:///{(folder.path / 'lifecycle.db').absolute()}",
        "LIFECYCLE_MAIL_TRANSPORT": "file",
        "LIFECYCLE_MAILBOX": str(folder.mailbox.absolute()),
    }


@contextmanager
def running(folder: Folder) -> Iterator["PrefectFlows"]:
    """A Prefect server for the block, and the flows that it records; this process works in the demo's folder.

    Raises:
        Unavailable: the server did not come up.
    """
    port = embedded.free_port()
    with (
        _settled_in(folder, f"http://127.0.0.1:{port}/api"),
        ThreadPoolExecutor(1) as importer,
    ):
        # Prefect takes seconds to import: meanwhile the server boots.
        flows = importer.submit(_import_flows)
        with embedded.prefect_server(folder.prefect_home.absolute(), port) as api_url:
            yield PrefectFlows(api_url, flows.result())


@contextmanager
def _settled_in(folder: Folder, api_url: str) -> Iterator[None]:
    """Before Prefect is imported: it reads its settings then."""
    before = dict(os.environ)
    for name in _NOT_OURS:
        os.environ.pop(name, None)
    os.environ.update(environment(folder, api_url))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _import_flows() -> dict[str, Callable[..., Awaitable[Any]]]:
    """By name: the engine imports nothing of the flows, only this demonstration plays them."""
    modules = {name: name.replace("-", "_") for name in FLOWS}
    return {
        name: getattr(importlib.import_module(f"flows.{module}"), module) for name, module in modules.items()
    }


class PrefectFlows:
    """Runs the flows of `flows/` in this process and counts the runs of each."""

    def __init__(self, api_url: str, flows: Mapping[str, Callable[..., Awaitable[Any]]]) -> None:
        """`api_url` is the server that records the runs."""
        self.api_url = api_url
        self.runs: Counter[str] = Counter()
        self._flows = flows

    async def run(self, name: str, as_of: datetime, **parameters: Any) -> None:
        """Run the flow of this name, to its end."""
        await self._flows[name](as_of=as_of, **parameters)
        self.runs[name] += 1
