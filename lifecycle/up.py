"""Embedded mode: the engine with a Prefect server of its own and all flows on their schedules, in one command."""

import asyncio
import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle.config import Settings, load_settings
from lifecycle.db import Database
from lifecycle.embedded import (
    STOP_SECONDS,
    address_of,
    detached,
    environment,
    installation,
    prefect_server,
    require_free,
    stop,
)
from lifecycle.errors import Unavailable
from lifecycle.migrations import upgrade

if TYPE_CHECKING:
    from prefect.runner import Runner

HOME = Path(".prefect")
LOOK_SECONDS = 0.5
_INSTALLED = Path(__file__).parent / "prefect.yaml"
_IN_CHECKOUT = Path(__file__).parents[1] / "prefect.yaml"


def deployments() -> list[dict[str, Any]]:
    """The deployments of `prefect.yaml`, the one home of schedules and limits."""
    import yaml

    path = _INSTALLED if _INSTALLED.exists() else _IN_CHECKOUT
    found: list[dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["deployments"]
    return found


def run_up(host: str, port: int, api_port: int) -> None:
    """Bring the database to this version, start Prefect, serve the flows and the API; returns after Ctrl-C or SIGTERM.

    Raises:
        Unavailable: the database cannot be reached, the Prefect server does not start, or the API's port is taken.
    """
    settings = load_settings()
    require_free("API", host, api_port)
    database = Database(settings.database_url.get_secret_value())
    upgrade(database)
    database.close()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    home = HOME.resolve()
    # For the portal, and for the flows: they write the links that the portal opens.
    os.environ.update(installation(settings, home, host, api_port))
    settings = load_settings()
    with prefect_server(home, port, host) as api_url:
        # Set before Prefect is imported: it reads them once.
        os.environ.update(environment(home, api_url))
        os.environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
        _say_where(settings, api_url, address_of(host, api_port), home / "api.log")
        # In process groups of their own: a terminal sends Ctrl-C to a whole group, and runs would die of it midway.
        runner = detached([sys.executable, "-m", "lifecycle.up"], dict(os.environ), subprocess.PIPE)
        with (home / "api.log").open("ab") as log:
            serving = [sys.executable, "-m", "lifecycle.web", "--host", host, "--port", str(api_port)]
            api = detached(serving, dict(os.environ), log)
        stopping = threading.Event()
        said = threading.Thread(target=_pass_on, args=(runner, stopping, home / "stopped.log"), daemon=True)
        said.start()
        try:
            _wait_for_either({"flows' runner": runner, "API": api}, home)
        except (KeyboardInterrupt, SystemExit):
            stopping.set()
            _say("Stopping …")
        finally:
            stop(api, signal.SIGTERM)
            stop(runner, signal.SIGTERM)
            said.join(STOP_SECONDS)


def _say_where(settings: Settings, api_url: str, address: str, log: Path) -> None:
    """What is where, a line each."""
    emails = _emails(settings.mail_transport, settings.mailbox)
    _say(f"Prefect: {api_url.removesuffix('/api')} · emails: {emails}")
    _say(f"API: {address}/v1 · log: {log} · make a token with `lifecycle token create`")
    _say(f"Portal: {address}")
    if settings.embedded and settings.mail_transport == "file":
        _say(f"Mailbox: {address}/mailbox")
    _say("Flows run on their schedules. Ctrl-C stops everything.")


def _wait_for_either(children: dict[str, subprocess.Popen[bytes]], home: Path) -> None:
    while all(child.poll() is None for child in children.values()):
        time.sleep(LOOK_SECONDS)
    ended = next(name for name, child in children.items() if child.poll() is not None)
    raise Unavailable(
        f"The {ended} ended by itself.",
        mend=f"See what was said above and in {home / 'api.log'}, and start again.",
    )


def _pass_on(runner: subprocess.Popen[bytes], stopping: threading.Event, log: Path) -> None:
    """Show what the flows say; from Ctrl-C on, keep it in a log.

    A run that is stopped midway is tried again at the next start. Prefect 3.8.8 prints a traceback for it at times.
    """
    assert runner.stdout is not None
    with log.open("wb") as kept:
        for line in runner.stdout:
            if stopping.is_set():
                kept.write(line)
            else:
                sys.stderr.buffer.write(line)
                sys.stderr.flush()


def _emails(transport: str, mailbox: Path) -> str:
    return str(mailbox.resolve()) if transport == "file" else f"leave through {transport}"


async def _serve() -> None:
    """Register every deployment with a runner in this process; each run is a process of its own."""
    from prefect.runner import Runner

    runner = Runner(name="lifecycle", limit=5, query_seconds=5, pause_on_shutdown=False)
    for deployment in deployments():
        # One at a time: Prefect's server on SQLite answers 503 to many writers at once.
        await _register(runner, deployment)
    loop = asyncio.get_running_loop()

    def end(*_: object) -> None:
        asyncio.run_coroutine_threadsafe(runner.astop(), loop)

    # Prefect 3.8.8's own handler of SIGTERM calls this coroutine without awaiting it, and runs are left behind.
    runner.handle_sigterm = end  # type: ignore[method-assign]
    await runner.start()


async def _register(runner: "Runner", deployment: dict[str, Any]) -> None:
    from prefect.client.schemas.objects import ConcurrencyLimitConfig
    from prefect.events import DeploymentEventTrigger
    from prefect.schedules import Cron
    from prefect.types.entrypoint import EntrypointType

    path, _, name = deployment["entrypoint"].partition(":")
    module = importlib.import_module(path.removesuffix(".py").replace("/", "."))
    await runner.aadd_flow(
        getattr(module, name),
        name=deployment["name"],
        description=deployment["description"],
        tags=deployment["tags"],
        schedules=[Cron(plan["cron"], **_without(plan, "cron")) for plan in deployment["schedules"]],
        concurrency_limit=ConcurrencyLimitConfig(**deployment["concurrency_limit"]),
        triggers=[DeploymentEventTrigger(**_without(one, "type")) for one in deployment.get("triggers", [])],
        # By module: installed elsewhere, the flows are no files of the folder that this runs in.
        entrypoint_type=EntrypointType.MODULE_PATH,
    )


def _without(entry: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key != name}


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve())
