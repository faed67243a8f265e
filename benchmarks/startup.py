"""Start-up and gate check: `lifecycle --help` ≤ 0.25 s, a gate check of ten criteria ≤ 0.2 ms, N5 ≤ 1 s.

python -m benchmarks.startup [--stored 100000]
"""

import argparse
import random
import statistics
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import insert

from benchmarks.stores import databases, fill, fresh, report
from lifecycle.gates import look_alikes
from lifecycle.gates.models import registry_profile

NEED = {
    "title": "Falls prevention in the harbour quarter",
    "purpose": "Fewer older people fall at home, because clinic, city and charity check homes and train balance.",
    "place": ["GB-SCT", "Harbour quarter"],
    "goals": [{"id": "falls", "statement": "Fewer falls that need a hospital among people over 70"}],
    "benefits": [{"organisation": "clinic", "benefit": "fewer admissions"}],
}
WORDS = [
    "school",
    "river",
    "health",
    "energy",
    "housing",
    "youth",
    "transport",
    "garden",
    "music",
    "library",
    "sport",
    "water",
    "harvest",
    "climate",
    "training",
    "jobs",
    "elder",
    "nursery",
    "harbour",
    "forest",
    "museum",
    "market",
    "digital",
    "repair",
    "kitchen",
    "cycling",
    "safety",
    "nature",
    "heritage",
    "language",
    "sleep",
]


def help_seconds() -> float:
    """Median wall time of `lifecycle --help`, each in a new process."""
    command = [str(Path(sys.executable).parent / "lifecycle"), "--help"]
    times = []
    for _ in range(11):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def python_seconds() -> float:
    """Median wall time of an interpreter that does nothing, for comparison."""
    times = []
    for _ in range(11):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def look_alike_seconds(stores: dict[str, str], kind: str, stored: int) -> float:
    """Seconds to find the look-alikes of one need among `stored` partnerships."""
    database = fresh(stores, kind, "n5")
    fill(database, stored)
    chance = random.Random(1)
    with database.write() as connection:
        for start in range(0, stored, 10_000):
            rows = [_profile(f"p{number}", chance) for number in range(start, min(start + 10_000, stored))]
            connection.execute(insert(registry_profile), rows)
        look_alikes.index(connection, "p0", NEED)
        look_alikes.index(connection, "p1", NEED | {"title": "Preventing falls around the harbour"})
    with database.read() as connection:
        started = time.perf_counter()
        found = look_alikes.find(connection, "p0")
        taken = time.perf_counter() - started
    assert "p1" in {one.partnership_id for one in found}
    database.close()
    return taken


def _profile(partnership_id: str, chance: random.Random) -> dict[str, object]:
    words = [(word + chance.choice(("", "s", "ing", "ed", "er")))[:7] for word in chance.choices(WORDS, k=20)]
    return {
        "partnership_id": partnership_id,
        "words": " ".join(words),
        "places": ["gb-sct"],
        "organisations": ["city"],
    }


def main() -> None:
    """Print the figures with what is to be reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stored", type=int, default=100_000)
    options = parser.parse_args()
    rows = [("what", "seconds", "to reach"), ("python -c pass", f"{python_seconds():.3f}", "")]
    rows.append(("lifecycle --help", f"{help_seconds():.3f}", "≤ 0.25"))
    with databases() as stores:
        for kind in ("sqlite", "postgresql"):
            taken = look_alike_seconds(stores, kind, options.stored)
            rows.append((f"look-alikes among {options.stored:,} ({kind})", f"{taken:.2f}", "≤ 1"))
    report("Start-up and look-alikes", rows)


if __name__ == "__main__":
    main()
