"""W1: one durable transition through the service function, beside hand-written SQL that writes the same rows.

    python -m benchmarks.transition [--count 400]

Both suspend and resume partnerships in turn: gate, stage, the decided request with its gate report, a chained audit event, notices, clocks. To reach (facts): ≥ 0.6 of hand-written SQL on PostgreSQL, ≥ 0.4 on SQLite with synchronous=FULL.
"""

import argparse
import hashlib
import json
import sqlite3
import statistics
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg

from benchmarks.stores import START, databases, fill, fresh, report
from lifecycle.db import Database
from lifecycle.partnerships import service

EVENTS = ("suspend", "resume")
REASON = "The city's budget is frozen until April."


def through_the_service(database: Database, count: int) -> float:
    """Transitions per second through `service.transition`."""
    started = time.perf_counter()
    for number in range(count):
        partnership_id = f"p{number // 2 % 50}"
        at = START + timedelta(minutes=number)
        decision = service.transition(
            database, partnership_id, EVENTS[number % 2], "clinic-primary", at, REASON
        )
        assert decision.state == "taken", decision
    return count / (time.perf_counter() - started)


def by_hand(database: Database, count: int) -> float:
    """Transitions per second of the same rows written by SQL on the bare driver."""
    connect, mark = _driver(database)
    connection = connect()
    started = time.perf_counter()
    for number in range(count):
        _transition_by_hand(connection, mark, f"p{number // 2 % 50}", EVENTS[number % 2], number)
    rate = count / (time.perf_counter() - started)
    connection.close()
    return rate


def _driver(database: Database) -> tuple[Callable[[], Any], str]:
    if database.engine.dialect.name == "sqlite":

        def sqlite() -> sqlite3.Connection:
            connection = sqlite3.connect(str(database.url.database), isolation_level=None)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            return connection

        return sqlite, "?"
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return lambda: psycopg.connect(url, autocommit=True), "%s"


def _transition_by_hand(connection: Any, mark: str, partnership_id: str, event: str, number: int) -> None:
    def run(sql: str, *values: Any) -> Any:
        return connection.execute(sql.replace("?", mark), values)

    sqlite = mark == "?"
    at = (START + timedelta(minutes=number)).isoformat(timespec="microseconds")
    run("BEGIN IMMEDIATE" if sqlite else "BEGIN")
    lock = "" if sqlite else " FOR UPDATE"
    stage, left, version, seq, head = run(
        f"SELECT stage, suspended_from, version, audit_seq, audit_hash FROM partnership WHERE id = ?{lock}",
        partnership_id,
    ).fetchone()
    people = run(
        "SELECT id, partner_id, role FROM contact WHERE partnership_id = ?", partnership_id
    ).fetchall()
    target = "suspended" if event == "suspend" else left
    findings = [{"code": "Y1", "outcome": "met" if REASON else "unmet"}, {"code": "Y2", "outcome": "met"}]
    gate = json.dumps({"event": event, "open": True, "checked_at": at, "findings": findings})
    request = uuid.uuid4().hex
    run(
        "INSERT INTO transition_request (id, partnership_id, event, requested_by, reason, requested_at,"
        " idempotency_key, state, decided_at, report) VALUES (?,?,?,?,?,?,?,?,?,?)",
        request, partnership_id, event, "clinic-primary", REASON, at, request, "taken", at, gate,
    )  # fmt: skip
    changed = json.dumps({"event": event, "source": stage, "target": target, "waived": []})
    for kind, payload in (("stage_changed", changed),):
        seq += 1
        digest = hashlib.sha256(
            "|".join((partnership_id, str(seq), at, kind, payload, head)).encode()
        ).hexdigest()
        run(
            "INSERT INTO audit_event (partnership_id, seq, at, type, actor, payload, previous_hash, hash)"
            " VALUES (?,?,?,?,?,?,?,?)",
            partnership_id, seq, at, kind, "clinic-primary", payload, head, digest,
        )  # fmt: skip
        head = digest
    run(
        "UPDATE partnership SET stage = ?, suspended_from = ?, stage_entered_at = ?, version = version + 1,"
        " audit_seq = ?, audit_hash = ?, audit_at = ? WHERE id = ? AND version = ?",
        target, stage if target == "suspended" else None, at, seq, head, at, partnership_id, version,
    )  # fmt: skip
    run(
        "SELECT id, due_at, pauses FROM timer WHERE partnership_id = ? AND done_at IS NULL", partnership_id
    ).fetchall()
    facts = json.dumps({"event": event, "source": stage, "target": target, "reason": REASON, "waived": []})
    for contact_id, _, role in people:
        if role == "primary":
            run(
                "INSERT INTO notice (key, partnership_id, contact_id, template, facts, created_at, state, attempts,"
                " next_attempt_at) VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (key) DO NOTHING",
                f"{partnership_id}:{request}:stage_changed:{contact_id}", partnership_id, contact_id,
                "stage_changed", facts, at, "pending", 0, at,
            )  # fmt: skip
    run("COMMIT")


def main() -> None:
    """Interleave the two in rounds and print their medians and ratio, on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=400, help="transitions a round")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    rows = [("database", "hand-written/s", "service/s", "ratio", "to reach")]
    with databases() as stores:
        for kind, goal in (("sqlite", 0.4), ("postgresql", 0.6)):
            hand, service_ = [], []
            for turn in range(options.rounds):
                for rates, work in ((hand, by_hand), (service_, through_the_service)):
                    database = fresh(stores, kind, f"w1_{work.__name__}_{turn}")
                    fill(database, 50)
                    work(database, 20)
                    rates.append(work(database, options.count))
                    database.close()
            a, b = statistics.median(hand), statistics.median(service_)
            ratio = statistics.median(one / other for one, other in zip(service_, hand, strict=True))
            rows.append((kind, f"{a:.0f}", f"{b:.0f}", f"{ratio:.2f}", f"≥ {goal}"))
    report(f"W1, one durable transition, median of {options.rounds} rounds", rows)


if __name__ == "__main__":
    main()
