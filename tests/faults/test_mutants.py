"""Each promise is broken once on purpose, in a copy of the tree, and its test is seen to fail."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.mutants import MUTANTS, Mutant

ROOT = Path(__file__).parents[2]
COPIED = ("lifecycle", "flows", "schemas", "tests", "pyproject.toml", "prefect.yaml")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree to break."""
    folder = tmp_path_factory.mktemp("copy")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    return folder


def run(folder: Path, *tests: str) -> subprocess.CompletedProcess[str]:
    # Python would take a mutant's stale bytecode: two mutants of one file within a second look the same to it.
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_without_a_mutation_all_of_them_pass(copy: Path) -> None:
    ran = run(copy, *sorted({mutant.test for mutant in MUTANTS}))
    assert ran.returncode == 0, ran.stdout[-3000:]
    assert "skipped" not in ran.stdout


def test_every_promise_is_broken_at_least_once() -> None:
    assert {mutant.promise.split()[0] for mutant in MUTANTS} == {str(number) for number in range(11)}


@pytest.mark.parametrize(
    "mutant", MUTANTS, ids=lambda mutant: f"{mutant.promise.split()[0]}: {mutant.breaks}"
)
def test_a_broken_promise_is_noticed(copy: Path, mutant: Mutant) -> None:
    path = copy / mutant.file
    whole = path.read_text()
    assert whole.count(mutant.text) == 1, "the text to replace is there once"
    path.write_text(whole.replace(mutant.text, mutant.instead))
    try:
        ran = run(copy, mutant.test)
    finally:
        path.write_text(whole)
    assert ran.returncode == 1, (
        f"it went unnoticed, or could not be run:\n{ran.stdout[-3000:]}{ran.stderr[-500:]}"
    )
