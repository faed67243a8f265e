"""`lifecycle --help` is quick: nothing heavy is imported before a command needs it (`benchmarks/startup.py` has the time)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import example, registration

HEAVY = (
    "prefect",
    "sendgrid",
    "sqlalchemy",
    "jsonschema",
    "alembic",
    "statemachine",
    "yaml",
    "rich",
    "httpx",
    "jinja2",
    "itsdangerous",
    "lxml",
    "icalendar",
    "httpcore",
    "standardwebhooks",
)
# typer itself loads pydantic as soon as a command has parameters.
HEAVY_BEFORE_A_COMMAND = (*HEAVY, "pydantic")
LIFECYCLE = [sys.executable, "-m", "lifecycle.cli"]


@pytest.mark.parametrize(
    "arguments", [["--help"], ["transition", "--help"], ["--version"], ["outbox", "--help"]]
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    heavy = HEAVY_BEFORE_A_COMMAND if len(arguments) == 1 else HEAVY
    script = (
        "import sys; from lifecycle.cli import main; status = main(sys.argv[1:]); "
        f"print(status, [name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    assert ran.stderr.strip() == "0 []"


def test_every_command_explains_itself() -> None:
    names = [
        "demo",
        "up",
        "init-db",
        "new",
        "import",
        "partner",
        "list",
        "show",
        "put",
        "document",
        "signoff",
        "check",
        "transition",
        "waive",
        "respond",
        "run",
        "diagram",
        "export",
        "doctor",
        "action",
        "outbox",
        "subscription",
        "audit",
    ]
    overview = subprocess.run([*LIFECYCLE, "--help"], capture_output=True, text=True, check=True).stdout
    assert "..." not in overview.partition("Commands:")[2], "a summary is cut off"
    for name in names:
        assert f"\n  {name} " in overview


def test_the_installed_command_keeps_a_partnership_between_runs(tmp_path: Path) -> None:
    """As a user runs it: separate processes, the default database file, standard input, exit statuses."""
    file = tmp_path / "new.json"
    file.write_text(json.dumps(registration()), encoding="utf-8")
    need = json.dumps(example("need_assessment"))
    name = registration()["id"]

    first = _run(tmp_path, "list")
    assert (first.returncode, first.stdout) == (1, "")
    assert "Run `lifecycle init-db`" in first.stderr
    assert "Created the tables" in _run(tmp_path, "init-db").stdout
    assert "nothing was changed" in _run(tmp_path, "init-db").stdout
    assert _run(tmp_path, "new", "new.json").returncode == 0
    put = _run(tmp_path, "put", name, "need_assessment", "-", "--as", "amira-haddad", stdin=need)
    assert (put.returncode, put.stderr) == (0, "")
    assert "revision 1" in put.stdout
    assert "need_assessment" in _run(tmp_path, "show", name).stdout
    assert _run(tmp_path, "show", "nobody").returncode == 3
    assert _run(tmp_path, "frobnicate").returncode == 2
    assert "whole" in _run(tmp_path, "audit", "verify").stdout


def _run(folder: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("LIFECYCLE_", "PREFECT_"))
    }
    command = [*LIFECYCLE, *arguments]
    return subprocess.run(
        command, cwd=folder, input=stdin, capture_output=True, text=True, env=environment, check=False
    )
