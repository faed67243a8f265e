"""`lifecycle demo`: three partnerships from need to renewal, in simulated time, with everything else real."""

import asyncio
import time
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

from lifecycle.errors import Unavailable

if TYPE_CHECKING:
    from lifecycle.demo.folder import Folder
    from lifecycle.demo.prefect_flows import PrefectFlows
    from lifecycle.demo.screen import Screen


def run_demo(directory: Path, keep: bool) -> None:
    """Play the story in a folder of its own, which is emptied first, and print what happened.

    Args:
        directory: where its database, its mailbox and its Prefect server's files go.
        keep: leave the Prefect server running afterwards, until Ctrl-C.

    Raises:
        NotAllowed: the folder holds files that the demo did not make.
        Conflict: another demo runs in it.
        Unavailable: the folder cannot be written, or the Prefect server does not start or goes away.
    """
    from contextlib import ExitStack

    import httpx

    from lifecycle.cli.output import console
    from lifecycle.demo.folder import fresh
    from lifecycle.demo.prefect_flows import running
    from lifecycle.demo.screen import Screen

    try:
        with fresh(directory) as folder, ExitStack() as stack:
            screen = Screen(console(), folder.mailbox)
            screen.opening(folder)
            with screen.waiting("Starting a Prefect server of its own (about ten seconds) …"):
                flows = stack.enter_context(running(folder))
            _tell(folder, screen, flows)
            if keep:
                screen.say("\nThe Prefect server keeps running until Ctrl-C.")
                _wait()
    except KeyboardInterrupt:
        console().print("\nStopped, and the Prefect server with it. Run it again whenever you like.")
        raise
    except httpx.HTTPError as error:
        raise Unavailable(
            f"The demo's Prefect server went away ({type(error).__name__}).", mend="Run the demo again."
        ) from None


def _tell(folder: "Folder", screen: "Screen", flows: "PrefectFlows") -> None:
    from lifecycle.config import load_settings
    from lifecycle.db import Database
    from lifecycle.demo import outcome
    from lifecycle.demo.acts import Office
    from lifecycle.demo.player import play
    from lifecycle.demo.story import ENDS_AT, STORY
    from lifecycle.migrations import upgrade

    settings = load_settings()
    database = Database(settings.database_url.get_secret_value())
    try:
        upgrade(database)
        screen.say(f"Prefect UI, to watch the flow runs: {flows.api_url.removesuffix('/api')}\n")
        began = time.monotonic()
        asyncio.run(play(STORY, Office(database, settings, flows), screen, ENDS_AT))
        runs = outcome.flow_runs(flows.api_url, flows.runs)
        outcome.show(screen.console, database, folder, runs, time.monotonic() - began)
    finally:
        database.close()


def _wait() -> None:
    try:
        Event().wait()
    except KeyboardInterrupt:
        return
