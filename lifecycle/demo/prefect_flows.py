"""The flows as Prefect flow runs: called in this process, recorded by the demo's own Prefect server."""

import importlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from lifecycle.demo.folder import Folder

QUIET: Mapping[str, str] = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "DO_NOT_TRACK": "1",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_CLI_PROMPT": "false",
}
"""Prefect calls nobody's home, and leaves the screen to the story."""

_NOT_OURS = (
    "PREFECT_API_KEY",
    "PREFECT_API_AUTH_STRING",
    "PREFECT_SERVER_API_AUTH_STRING",
    "PREFECT_PROFILE",
)


def environment(folder: Folder) -> dict[str, str]:
    """The settings of a demo, whatever this installation's own are: its database, its mailbox, no real email."""
    return {
        **QUIET,
        "PREFECT_HOME": str(folder.prefect_home.absolute()),
        "LIFECYCLE_DATABASE_URL": f"sqlite:///{(folder.path / 'lifecycle.db').absolute()}",
        "LIFECYCLE_MAIL_TRANSPORT": "file",
        "LIFECYCLE_MAILBOX": str(folder.mailbox),
    }


@contextmanager
def settled_in(folder: Folder) -> Iterator[None]:
    """Point this process at the demo's folder, for the block. Before Prefect is imported: it reads its settings then."""
    before = dict(os.environ)
    for name in _NOT_OURS:
        os.environ.pop(name, None)
    os.environ.update(environment(folder))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


class PrefectFlows:
    """Runs the flows in `flows/` and counts the runs of each."""

    def __init__(self, api_url: str) -> None:
        """`api_url` is the server that records the runs; enter `settled_in` first."""
        os.environ["PREFECT_API_URL"] = api_url
        self.api_url = api_url
        self.runs: Counter[str] = Counter()

    async def run(self, name: str, as_of: datetime, **parameters: Any) -> None:
        """Run the flow of this name, to its end."""
        module = name.replace("-", "_")
        # By name: the engine imports nothing of the flows, only this demonstration plays them.
        flow = getattr(importlib.import_module(f"flows.{module}"), module)
        await flow(as_of=as_of, **parameters)
        self.runs[name] += 1
