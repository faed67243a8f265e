"""`doctor`: what is wrong with this installation, and how to mend it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import typer

from lifecycle import clock
from lifecycle.cli.installation import opened
from lifecycle.cli.options import Json
from lifecycle.cli.output import print_json, say
from lifecycle.errors import LifecycleError

LATE = timedelta(hours=1)
"""The flows run every few minutes: what has waited longer than this waits for nobody."""


@dataclass(frozen=True)
class Line:
    """One thing that was looked at; `mend` is empty when it is well."""

    what: str
    well: bool
    found: str
    mend: str = ""


def doctor(json: Json = False) -> None:
    """Find what is wrong here, and its mend.

    Looks at the database, the clocks, the outbox, the mail settings and Prefect. Exit status 1 if one is ill.
    """
    lines = list(_examine(clock.now()))
    if json:
        print_json({"well": all(line.well for line in lines), "lines": lines})
    else:
        for line in lines:
            mend = f" {line.mend}" if line.mend else ""
            say(f"{'ok  ' if line.well else 'ILL '} {line.what}: {line.found}{mend}")
    if not all(line.well for line in lines):
        raise typer.Exit(1)


def _examine(now: datetime) -> Iterator[Line]:
    try:
        with opened() as (database, _):
            where = database.shown
            yield Line("database", True, f"{where} answers and is of this version.")
            with database.read() as connection:
                yield from _clocks(connection, now)
                yield from _outbox(connection, now)
                yield from _webhooks(connection)
    except LifecycleError as error:
        yield Line("database", False, error.message, _mend(error))
    yield _mail()
    yield _prefect()


def _mend(error: LifecycleError) -> str:
    """The error's mend, or the list of its faults."""
    return str(error).removeprefix(error.message).strip()


def _clocks(connection: Any, now: datetime) -> Iterator[Line]:
    from lifecycle.timers import service as timers

    late = timers.overdue_unfired(connection, now - LATE)
    if not late:
        yield Line("clocks", True, "none is overdue.")
        return
    matters = ", ".join(sorted({matter for _, matter, _ in late}))
    yield Line(
        "clocks",
        False,
        f"overdue: {len(late)}, the first since {late[0][2]:%Y-%m-%d %H:%M} UTC ({matters}).",
        "The flows do not run: start a worker (`lifecycle up`), or catch up with `lifecycle run gate-readiness`, "
        "`scheduled-reviews` and `escalations`.",
    )


def _outbox(connection: Any, now: datetime) -> Iterator[Line]:
    from lifecycle.notices import queries

    count, oldest = queries.in_state(connection), queries.oldest_pending(connection)
    mends = {
        "failed": "See `lifecycle outbox list --state failed`; correct the addresses with `lifecycle partner`.",
        "unknown": "Look at the provider's activity, then `lifecycle outbox settle NUMBER --sent` or `--not-sent`.",
    }
    ill = {state: mend for state, mend in mends.items() if count.get(state)}
    for state, mend in ill.items():
        yield Line("outbox", False, f"emails of state {state}: {count[state]}.", mend)
    if late := queries.events_waiting(connection):
        mend = "If the engine was down for longer, they are good: `lifecycle outbox heed`."
        yield Line("outbox", False, f"delivery events that came too late: {late}.", mend)
    if oldest is not None and oldest < now - LATE:
        since = f"{oldest:%Y-%m-%d %H:%M} UTC"
        mend = "Start a worker (`lifecycle up`), or send them with `lifecycle outbox send`."
        yield Line("outbox", False, f"emails waiting since {since}: {count['pending']}.", mend)
    elif not ill:
        yield Line("outbox", True, f"emails waiting: {count.get('pending', 0)}, none for long.")


def _webhooks(connection: Any) -> Iterator[Line]:
    from lifecycle.subscriptions import service

    for subscription_id, parked in service.parked(connection).items():
        yield Line(
            "webhooks",
            False,
            f"subscription {subscription_id} has {parked} parked streams: its receiver accepted nothing for a day.",
            f"See `lifecycle subscription list {subscription_id}`; once it is mended, `lifecycle subscription replay`.",
        )


def _mail() -> Line:
    from lifecycle.config import load_settings
    from lifecycle.notices.transports import transport_from

    try:
        settings = load_settings()
        transport_from(settings)
    except LifecycleError as error:
        return Line("mail", False, error.message, _mend(error))
    where = f" into {settings.mailbox.absolute()}" if settings.mail_transport == "file" else ""
    return Line("mail", True, f"leaves through {settings.mail_transport}{where}, from {settings.mail_from}.")


def _prefect() -> Line:
    from lifecycle.cli.prefect_server import answers, api_url

    url = api_url()
    if url is None:
        return Line(
            "prefect",
            True,
            "PREFECT_API_URL is not set: `lifecycle run` and `up` start a server of their own.",
        )
    if answers(url):
        return Line("prefect", True, f"{url} answers.")
    return Line(
        "prefect",
        False,
        f"{url} does not answer.",
        "Start it (`prefect server start`), or correct PREFECT_API_URL; requests are kept meanwhile.",
    )
