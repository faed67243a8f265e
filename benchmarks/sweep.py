"""W2: a sweep over N partnerships of which 1% are due, beside hand-written SQL that writes the same rows.

    python -m benchmarks.sweep [--stored 1000000]

A due partnership gets its review round: firing, clock moved on, round, invitations, notices, two clocks, a chained
audit event. The hand-written reference does the same with the bare driver. To reach (facts): ≤ 2 × the reference;
a rerun ≤ 5% of the first run; N stored ≤ 1.5 × of N/100 stored with the same number due.
"""

import argparse
import hashlib
import json
import sqlite3
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from sqlalchemy import func, insert, select, text

from benchmarks.stores import START, databases, fill, fresh, report
from lifecycle.db import Database
from lifecycle.reviews import service as reviews
from lifecycle.reviews.models import review_round
from lifecycle.timers import ladders
from lifecycle.timers.models import timer

AS_OF = START + timedelta(days=1)
LATER = START + timedelta(days=90)
SCHEDULE = {
    "every": "FREQ=MONTHLY;INTERVAL=3",
    "first_on": "2026-01-06",
    "respondents": ["city-primary", "clinic-primary"],
    "open_working_days": 10,
    "questionnaire": {"id": "guide-step-four", "version": 1},
}


def prepare(database: Database, stored: int, due: int) -> None:
    """Store partnerships, each with a running review clock, `due` of them due at AS_OF."""
    fill(database, stored)
    every = stored // due
    for start in range(0, stored, 10_000):
        rows = [_clock(f"p{n}", AS_OF - timedelta(hours=1) if n % every == 0 else LATER) for n in
                range(start, min(start + 10_000, stored))]  # fmt: skip
        with database.write() as connection:
            connection.execute(insert(timer), rows)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _clock(partnership_id: str, due_at: datetime) -> dict[str, Any]:
    return {
        "partnership_id": partnership_id,
        "matter": reviews.REVIEW_DUE,
        "subject": "",
        "generation": 1,
        "rung": 0,
        "anchor_at": START,
        "schedule": SCHEDULE,
        "calendar": "Europe/London|",
        "pauses": [],
        "due_at": due_at,
    }


def by_service(database: Database) -> float:
    """Seconds of one sweep through the service."""
    started = time.perf_counter()
    reviews.sweep_reviews(database, AS_OF)
    return time.perf_counter() - started


def by_hand(database: Database) -> float:
    """Seconds of the same rows written with the bare driver, in chunks of the same size."""
    if database.engine.dialect.name == "sqlite":
        connection: Any = sqlite3.connect(str(database.url.database), isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        mark, cursor = "?", connection.cursor()
    else:
        url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
        connection = psycopg.connect(url, autocommit=True)
        mark, cursor = "%s", connection.cursor()
    started = time.perf_counter()
    while _chunk(cursor, mark):
        pass
    taken = time.perf_counter() - started
    connection.close()
    return taken


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _chunk(cursor: Any, mark: str) -> bool:
    def sql(statement: str) -> str:
        return statement.replace("?", mark)

    now, closes, following = _stamp(AS_OF), _stamp(AS_OF + timedelta(days=14)), _stamp(LATER)
    cursor.execute("BEGIN IMMEDIATE" if mark == "?" else "BEGIN")
    cursor.execute(
        sql("SELECT id, partnership_id, generation, rung, schedule, due_at FROM timer WHERE matter = 'review_due'"
            " AND done_at IS NULL AND due_at IS NOT NULL AND due_at <= ? ORDER BY due_at, id LIMIT 1000"),
        (now,),
    )  # fmt: skip
    due = cursor.fetchall()
    if not due:
        cursor.execute("COMMIT")
        return False
    places = ",".join([mark] * len(due))
    ids = [row[1] for row in due]
    lock = "" if mark == "?" else " ORDER BY id FOR UPDATE"
    cursor.execute(
        f"SELECT id, version, audit_seq, audit_hash FROM partnership WHERE id IN ({places}){lock}", ids
    )
    heads = {row[0]: row[1:] for row in cursor.fetchall()}
    cursor.execute(
        f"SELECT partnership_id, max(number) FROM review_round WHERE partnership_id IN ({places})"
        " GROUP BY partnership_id", ids,
    )  # fmt: skip
    last = dict(cursor.fetchall())
    cursor.execute(
        "SELECT partnership_id, number, question, round, what, owner FROM corrective_action"
        f" WHERE verified_at IS NULL AND partnership_id IN ({places})", ids,
    )  # fmt: skip
    unverified = {row[0]: [row[1:]] for row in cursor.fetchall()}
    firings, moves, saves, events, rounds, asked, notices, clocks = [], [], [], [], [], [], [], []
    for timer_id, partnership_id, generation, rung, schedule, due_at in due:
        plan = json.loads(schedule) if isinstance(schedule, str) else schedule
        version, seq, head = heads[partnership_id]
        number = last.get(partnership_id, 0) + 1
        firings.append((timer_id, generation, rung, due_at, now))
        moves.append((rung + 1, following, timer_id))
        facts = {
            "round": number,
            "closes_at": closes,
            "occasion": "schedule",
            "respondents": plan["respondents"],
            "occurrences": [rung],
        }
        payload, seq = json.dumps(facts), seq + 1
        line = "|".join((partnership_id, str(seq), now, "review_opened", payload, head))
        digest = hashlib.sha256(line.encode()).hexdigest()
        events.append((partnership_id, seq, now, "review_opened", "engine", payload, head, digest))
        head = digest
        saves.append((seq, head, now, partnership_id, version))
        asks = json.dumps(plan["questionnaire"])
        rounds.append((partnership_id, number, "schedule", now, closes, 0, asks))
        told = json.dumps({
            "round": number, "occasion": "schedule", "respondents": 2, "questionnaire": plan["questionnaire"],
            "unverified": unverified.get(partnership_id, []), "sequence": 0,
        })  # fmt: skip
        for contact_id in plan["respondents"]:
            asked.append((partnership_id, number, contact_id))
            key = f"{partnership_id}:review/{number}:review_opened:{contact_id}"
            notices.append(
                (key, partnership_id, contact_id, "review_opened", told, closes, now, "pending", 0, now)
            )
        for matter, ladder in (("review_closes", _AT), ("review_unanswered", _LADDER)):
            clocks.append(
                (partnership_id, matter, str(number), 1, 0, closes, ladder, "Europe/London|", "[]", closes)
            )
    for statement, rows in (
        ("INSERT INTO timer_firing VALUES (?,?,?,?,?) ON CONFLICT DO NOTHING", firings),
        ("UPDATE timer SET rung = ?, due_at = ? WHERE id = ?", moves),
        ("UPDATE partnership SET audit_seq = ?, audit_hash = ?, audit_at = ?, version = version + 1"
         " WHERE id = ? AND version = ?", saves),
        ("INSERT INTO audit_event (partnership_id, seq, at, type, actor, payload, previous_hash, hash)"
         " VALUES (?,?,?,?,?,?,?,?)", events),
        ("INSERT INTO review_round (partnership_id, number, occasion, opened_at, closes_at, extended, questionnaire)"
         " VALUES (?,?,?,?,?,?,?)", rounds),
        ("INSERT INTO review_invitation (partnership_id, round, contact_id) VALUES (?,?,?)", asked),
        ("INSERT INTO notice (key, partnership_id, contact_id, template, facts, due_at, created_at, state, attempts,"
         " next_attempt_at) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (key) DO NOTHING", notices),
        ("INSERT INTO timer (partnership_id, matter, subject, generation, rung, anchor_at, schedule, calendar, pauses,"
         " due_at) VALUES (?,?,?,?,?,?,?,?,?,?) ON CONFLICT (partnership_id, matter, subject) DO NOTHING", clocks),
    ):  # fmt: skip
        cursor.executemany(sql(statement), rows)
    cursor.execute("COMMIT")
    return True


_AT, _LADDER = json.dumps(ladders.AT_ANCHOR), json.dumps(ladders.REVIEW_UNANSWERED)


def _rounds(database: Database) -> int:
    with database.read() as connection:
        return int(connection.execute(select(func.count()).select_from(review_round)).scalar_one())


def main() -> None:
    """Sweep by hand and by service, rerun, and compare with a hundredth stored, on both databases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stored", type=int, default=1_000_000)
    options = parser.parse_args()
    stored, due = options.stored, options.stored // 100
    rows = [
        (
            "database",
            "by hand s",
            "service s",
            "ratio (≤ 2)",
            "rerun (≤ 5%)",
            f"vs {stored // 100:,} stored (≤ 1.5)",
        )
    ]
    with databases() as stores:
        for kind in ("sqlite", "postgresql"):
            times = {}
            for name, work, size in (
                ("hand", by_hand, stored),
                ("service", by_service, stored),
                ("few", by_service, due),
            ):
                database = fresh(stores, kind, f"w2_{name}")
                prepare(database, size, due)
                times[name] = work(database)
                assert _rounds(database) == due, (kind, name, _rounds(database))
                if name == "service":
                    times["rerun"] = work(database)
                database.close()
            rows.append((
                kind, f"{times['hand']:.2f}", f"{times['service']:.2f}", f"{times['service'] / times['hand']:.2f}",
                f"{times['rerun'] / times['service']:.1%}", f"{times['service'] / times['few']:.2f}",
            ))  # fmt: skip
    report(f"W2, a sweep of {stored:,} stored with {due:,} due", rows)


if __name__ == "__main__":
    main()
