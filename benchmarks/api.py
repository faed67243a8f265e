"""W3: transitions through the HTTP API, beside the same write in bare FastAPI with SQLAlchemy Core, in the same run.

    python -m benchmarks.api [--count 400]

Both are served by uvicorn in a process of their own. The bare one takes a bearer token on trust, reads a JSON body of
three fields, and writes the same rows in one transaction; it asks no gate, checks no version and keeps no key. To
reach (issue 5): ≥ 0.4 of it, under 1, 8 and 32 clients.
"""

import argparse
import asyncio
import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from fastapi import FastAPI, Header
from pydantic import BaseModel
from sqlalchemy import insert, select, update

from benchmarks.stores import databases, fill, fresh, report
from lifecycle.access import tokens
from lifecycle.audit.models import audit_event
from lifecycle.db import Database
from lifecycle.embedded import free_port
from lifecycle.notices.models import notice
from lifecycle.partnerships.models import contact, partnership, transition_request
from lifecycle.timers.models import timer

EVENTS = ("suspend", "resume")
REASON = "The city's budget is frozen until April."
CLIENTS = (1, 8, 32)


class Asked(BaseModel):
    """What the bare application is asked."""

    event: str
    reason: str
    by: str


def engine() -> FastAPI:
    """The API, with a limit that no benchmark reaches."""
    from lifecycle.api.app import create

    return create(per_minute=10**9)


def bare() -> FastAPI:
    """The bare application."""
    app, database = FastAPI(), Database(os.environ["LIFECYCLE_DATABASE_URL"])

    @app.post("/v1/partnerships/{id}/transitions")
    def transition(id: str, body: Asked, authorization: str = Header()) -> dict[str, Any]:
        with database.write() as connection:
            return _write(connection, id, body)

    return app


def _write(connection: Any, id_: str, body: Asked) -> dict[str, Any]:
    now, request = datetime.now(UTC), uuid.uuid4().hex
    c = partnership.c
    row = connection.execute(
        select(c.stage, c.suspended_from, c.version, c.audit_seq, c.audit_hash)
        .where(c.id == id_)
        .with_for_update()
    ).one()
    people = connection.execute(select(contact).where(contact.c.partnership_id == id_)).all()
    target = "suspended" if body.event == "suspend" else row.suspended_from
    findings = [{"code": "Y1", "outcome": "met"}, {"code": "Y2", "outcome": "met"}]
    gate = {"event": body.event, "open": True, "checked_at": now.isoformat(), "findings": findings}
    asked = {
        "id": request, "partnership_id": id_, "event": body.event, "requested_by": body.by, "reason": body.reason,
        "requested_at": now, "idempotency_key": request, "state": "taken", "decided_at": now, "report": gate,
    }  # fmt: skip
    connection.execute(insert(transition_request), asked)
    payload = json.dumps({"event": body.event, "source": row.stage, "target": target, "waived": []})
    seq = row.audit_seq + 1
    digest = hashlib.sha256(f"{id_}{seq}{now}{payload}{row.audit_hash}".encode()).hexdigest()
    event = {
        "partnership_id": id_, "seq": seq, "at": now, "type": "stage_changed", "actor": body.by, "payload": payload,
        "previous_hash": row.audit_hash, "hash": digest,
    }  # fmt: skip
    connection.execute(insert(audit_event), event)
    connection.execute(
        update(partnership)
        .where(c.id == id_, c.version == row.version)
        .values(
            stage=target, suspended_from=row.stage if target == "suspended" else None, stage_entered_at=now,
            version=row.version + 1, audit_seq=seq, audit_hash=digest, audit_at=now,
        )
    )  # fmt: skip
    connection.execute(
        select(timer.c.id).where(timer.c.partnership_id == id_, timer.c.done_at.is_(None))
    ).all()
    owed = [
        {
            "key": f"{id_}:{request}:{one.id}", "partnership_id": id_, "contact_id": one.id, "template": "stage_changed",
            "facts": gate, "created_at": now, "state": "pending", "attempts": 0, "next_attempt_at": now,
        }
        for one in people
        if one.role == "primary"
    ]  # fmt: skip
    connection.execute(insert(notice), owed)
    return {"id": request, "state": "taken", "report": gate}


@contextmanager
def served(application: str, url: str) -> Iterator[int]:
    """The port of an application in a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "--factory", f"benchmarks.api:{application}",
               "--port", str(port), "--log-level", "error", "--no-access-log"]  # fmt: skip
    environment = {name: value for name, value in os.environ.items() if name != "PREFECT_API_URL"}
    child = subprocess.Popen(command, env=environment | {"LIFECYCLE_DATABASE_URL": url})
    try:
        asyncio.run(_up(port))
        yield port
    finally:
        child.terminate()
        child.wait()


async def _up(port: int) -> None:
    for _ in range(600):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise TimeoutError


async def _client(port: int, number: int, count: int, token: str, lasted: list[float], first: int) -> None:
    """One client, on one connection, in one partnership. Bare bytes: the client must not be what is measured."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for turn in range(first, first + count):
        said = {"event": EVENTS[turn % 2], "reason": REASON}
        body = json.dumps(said | ({"by": "clinic-primary"} if not token else {})).encode()
        head = (
            f"POST /v1/partnerships/p{number}/transitions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token or 'x'}\r\n"
            f"On-Behalf-Of: clinic-primary\r\nIf-Match: *\r\nPrefer: wait=5\r\nIdempotency-Key: {number}-{turn}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        began = time.perf_counter()
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        text = await reader.readexactly(int(length.partition(b":")[2]))
        lasted.append(time.perf_counter() - began)
        if b" 200 " not in answer.split(b"\r\n")[0] + b" ":
            raise RuntimeError(answer.decode() + text.decode())
    writer.close()


async def _load(port: int, clients: int, count: int, token: str, first: int) -> tuple[float, float]:
    """Requests per second, and the 99th percentile in milliseconds."""
    lasted: list[float] = []
    each, began = max(1, count // clients), time.perf_counter()
    await asyncio.gather(*(_client(port, one, each, token, lasted, first) for one in range(clients)))
    return len(lasted) / (time.perf_counter() - began), statistics.quantiles(lasted, n=100)[98] * 1000


def _measured(stores: dict[str, str], kind: str, application: str, count: int, rounds: int) -> dict[int, Any]:
    """Per number of clients: the median rate, and the median 99th percentile."""
    database = fresh(stores, kind, f"w3_{application}")
    fill(database, max(CLIENTS))
    token = (
        tokens.create(database, "w3", "service", datetime.now(UTC), 1, "main")
        if application == "engine"
        else ""
    )
    url = database.url.render_as_string(hide_password=False)
    found: dict[int, Any] = {}
    with served(application, url) as port:
        asyncio.run(_load(port, 1, 20, token, 0))
        first = 20
        for clients in CLIENTS:
            asyncio.run(_load(port, clients, clients * 2, token, first))
            rates = []
            first += 2
            for _ in range(rounds):
                rates.append(asyncio.run(_load(port, clients, count, token, first)))
                first += count // clients + count // clients % 2
            found[clients] = tuple(statistics.median(one) for one in zip(*rates, strict=True))
    database.close()
    return found


def main() -> None:
    """Print both applications' rates and their ratio, on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=640, help="transitions a round")
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    rows = [("database", "clients", "bare/s", "p99 ms", "engine/s", "p99 ms", "ratio", "to reach")]
    with databases() as stores:
        for kind in ("sqlite", "postgresql"):
            plain, ours = (
                _measured(stores, kind, name, options.count, options.rounds) for name in ("bare", "engine")
            )
            for clients in CLIENTS:
                (rate, p99), (our_rate, our_p99) = plain[clients], ours[clients]
                rows.append(
                    (kind, str(clients), f"{rate:.0f}", f"{p99:.0f}", f"{our_rate:.0f}", f"{our_p99:.0f}",
                     f"{our_rate / rate:.2f}", "≥ 0.4")
                )  # fmt: skip
    report(f"W3, transitions through HTTP, median of {options.rounds} rounds", rows)


if __name__ == "__main__":
    main()
