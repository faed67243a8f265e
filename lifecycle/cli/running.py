"""`run`, `demo`, `up`: the flows, the story, the whole installation."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from lifecycle.cli.installation import opened
from lifecycle.cli.options import Json
from lifecycle.cli.output import print_json, say
from lifecycle.errors import Unavailable

Flow = Literal[
    "gate-check",
    "gate-readiness",
    "scheduled-reviews",
    "obligation-monitor",
    "escalations",
    "portfolio-digest",
    "send-notices",
    "publish-events",
]


def run(
    flow: Annotated[Flow, typer.Argument(metavar="FLOW", help="Which flow.", show_default=False)],
    as_of: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="As if it were this instant, e.g. 2026-03-31T09:00:00Z."),
    ] = None,
    json: Json = False,
) -> None:
    """Run a flow once, here.

    One of gate-check, gate-readiness, scheduled-reviews, obligation-monitor, escalations, portfolio-digest,
    send-notices, publish-events."""
    from lifecycle.clock import instant

    moment = None if as_of is None else instant(as_of)
    _require_prefect()
    _quieten_prefect()
    with opened():
        summary = _run_flow(flow, moment)
    if json:
        print_json(summary)
    else:
        say(f"{flow}: {_in_words(summary)}")


def _require_prefect() -> None:
    from lifecycle.cli.prefect_server import answers, api_url

    url = api_url()
    if url is not None and not answers(url):
        raise Unavailable(
            f"The Prefect server at {url} does not answer.",
            mend="Start it (`prefect server start` or `lifecycle up`), or unset PREFECT_API_URL to run without one.",
        )


def _quieten_prefect() -> None:
    """Without a server, Prefect starts a temporary one: it reports to nobody, and its log is not the answer."""
    import os

    from lifecycle.embedded import REPORTS_TO_NOBODY

    for name, value in REPORTS_TO_NOBODY.items():
        os.environ.setdefault(name, value)
    os.environ.setdefault("PREFECT_LOGGING_LEVEL", "CRITICAL")
    os.environ.setdefault("PREFECT_INTERNAL_LOGGING_LEVEL", "CRITICAL")


def _run_flow(name: str, as_of: datetime | None) -> Any:
    import asyncio
    import importlib

    module = name.replace("-", "_")
    flow = getattr(importlib.import_module(f"flows.{module}"), module)
    return asyncio.run(flow(as_of=as_of))


def _in_words(summary: Any) -> str:
    from lifecycle.cli.output import as_data

    data = as_data(summary)
    if not isinstance(data, dict):
        return str(data)
    return ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in data.items())


def demo(
    directory: Annotated[
        Path, typer.Option(metavar="FOLDER", help="Where its database and mailbox go.")
    ] = Path("demo"),
    keep: Annotated[bool, typer.Option("--keep", help="Keep the Prefect server running afterwards.")] = False,
) -> None:
    """Watch three partnerships from need to renewal.

    In simulated time, with real flows and real emails."""
    from lifecycle.demo import run_demo

    run_demo(directory, keep)


def up(
    host: Annotated[str, typer.Option(help="Where they listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="On which port the Prefect server.")] = 4200,
    api_port: Annotated[int, typer.Option(min=1, max=65535, help="On which port the API.")] = 8080,
) -> None:
    """Run everything until Ctrl-C.

    The engine with its API, its own Prefect server, worker and schedules."""
    from lifecycle.up import run_up

    run_up(host, port, api_port)
