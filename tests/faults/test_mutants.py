"""Each promise is broken on purpose, in a copy of the tree, and its test is seen to fail."""

import compileall
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from py_compile import PycInvalidationMode
from queue import SimpleQueue

import pytest

from tests.faults.forking import ELSEWHERE
from tests.faults.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("lifecycle", "flows", "schemas", "tests", "pyproject.toml", "prefect.yaml")
CORES = 2


@dataclass(frozen=True)
class Ran:
    """How a run of pytest ended, and what it wrote."""

    status: int
    output: str


class Copy:
    """A copy of the tree to break, and a process that runs its tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)
        # Two mutants of one file within a second look the same to bytecode that goes by time; this goes by hash.
        for name in ("lifecycle", "flows", "tests"):
            by_hash = PycInvalidationMode.CHECKED_HASH
            assert compileall.compile_dir(folder / name, quiet=1, invalidation_mode=by_hash)
        environment = {
            **os.environ,
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        }
        # A session that runs under xdist is not what its tests run under.
        environment = {name: value for name, value in environment.items() if "XDIST" not in name}
        command = [sys.executable, "-m", "tests.faults.forking"]
        self.process = subprocess.Popen(
            command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, *tests: str) -> Ran:
        """Run tests as the copy is now."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        arguments = ["-q", "-x", "--tb=short", "-p", "no:cacheprovider", *tests]
        self.process.stdin.write(json.dumps(arguments) + "\n")
        self.process.stdin.flush()
        return Ran(*json.loads(self.process.stdout.readline()))

    def run_broken(self, mutant: Mutant) -> Ran:
        """Break the copy, run the mutant's test, and mend it."""
        path = self.folder / mutant.file
        whole = path.read_text(encoding="utf-8")
        path.write_text(whole.replace(mutant.text, mutant.instead), encoding="utf-8")
        try:
            return self.run(mutant.test)
        finally:
            path.write_text(whole, encoding="utf-8")

    def close(self) -> None:
        """End the process: its input ends."""
        self.process.communicate(timeout=60)


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Copy]]:
    """A copy for each core."""
    opened = [Copy(tmp_path_factory.mktemp("copy")) for _ in range(CORES)]
    yield opened
    for copy in opened:
        copy.close()


@pytest.fixture(scope="module")
def outcomes(request: pytest.FixtureRequest, copies: list[Copy]) -> dict[Mutant, Ran]:
    """What became of each mutant that was chosen to run: in each copy one at a time."""
    params = (item.callspec.params for item in request.session.items if hasattr(item, "callspec"))
    chosen = [given["mutant"] for given in params if "mutant" in given]
    free: SimpleQueue[Copy] = SimpleQueue()
    for copy in copies:
        free.put(copy)

    def work(mutant: Mutant) -> Ran:
        copy = free.get()
        try:
            return copy.run_broken(mutant)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(CORES) as workers:
        return dict(zip(chosen, workers.map(work, chosen), strict=True))


def test_a_run_that_imports_another_tree_counts_for_nothing(copies: list[Copy]) -> None:
    """Without its own engine the copy falls back on the installed one, and that is told."""
    copy = copies[0]
    kept = (copy.folder / "lifecycle").rename(copy.folder / "kept_aside")
    try:
        ran = copy.run("tests/test_stages.py::test_the_table_is_the_designs")
    finally:
        kept.rename(copy.folder / "lifecycle")
    assert ran.status == ELSEWHERE, ran.output


def test_without_a_mutation_all_of_them_pass(copies: list[Copy]) -> None:
    ran = copies[0].run(*sorted({mutant.test for mutant in MUTANTS}))
    assert ran.status == 0, ran.output[-3000:]
    assert "skipped" not in ran.output


def test_every_promise_is_broken_at_least_once() -> None:
    assert {mutant.promise.split()[0] for mutant in MUTANTS} == {str(number) for number in range(11)}


def test_no_mutant_needs_a_server() -> None:
    assert [mutant.test for mutant in MUTANTS if "postgresql" in mutant.test] == []


@pytest.mark.parametrize(
    "mutant", MUTANTS, ids=lambda mutant: f"{mutant.promise.split()[0]}: {mutant.breaks}"
)
def test_a_broken_promise_is_noticed(outcomes: dict[Mutant, Ran], mutant: Mutant) -> None:
    whole = (ROOT / mutant.file).read_text(encoding="utf-8")
    assert whole.count(mutant.text) == 1, "the text to replace is there once"
    ran = outcomes[mutant]
    assert ran.status == 1, f"it went unnoticed, or could not be run:\n{ran.output[-3000:]}"
    # An error while a test is set up has the same exit status, and has noticed nothing.
    assert re.search(r"^1 failed\b(?!.*error)", ran.output, re.MULTILINE), ran.output[-3000:]
    assert mutant.noticed_as in ran.output, f"failed, but not as “{mutant.noticed_as}”:\n{ran.output[-3000:]}"
