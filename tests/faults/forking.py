"""Runs tests in forks of a process that has the libraries loaded, but nothing of the tree: `-m tests.faults.forking`.

Reads one JSON list of pytest's arguments a line, answers with one JSON pair a line: exit status and output.
"""

import importlib
import json
import os
import signal
import sys
import tempfile
from pathlib import Path
from typing import IO

ELSEWHERE = 99
"""The exit status of a run that imported another tree than the one in the working directory: none of pytest's."""

SECONDS = 120
LIBRARIES = (
    "alembic.command", "css_inline", "dateutil.rrule", "email_validator", "holidays", "hypothesis.stateful", "jinja2",
    "jsonschema", "psycopg", "pydantic_settings", "pytest", "rapidfuzz", "sendgrid", "sqlalchemy.dialects.sqlite",
    "sqlalchemy.dialects.postgresql", "statemachine", "yaml",
)  # fmt: skip
"""What most tests import: half the time of a single one."""


def main() -> None:
    """Serve until the input ends."""
    for library in LIBRARIES:
        importlib.import_module(library)
    for line in sys.stdin:
        with tempfile.TemporaryFile() as output:
            if (child := os.fork()) == 0:
                os._exit(run(json.loads(line), output))
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            output.seek(0)
            sys.stdout.write(json.dumps([status, output.read().decode(errors="replace")]) + "\n")
            sys.stdout.flush()


def run(arguments: list[str], output: IO[bytes]) -> int:
    """Run pytest in this fork, its output going to a file; a run that hangs is ended."""
    signal.alarm(SECONDS)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(output.fileno(), 1)
    os.dup2(output.fileno(), 2)
    pytest = importlib.import_module("pytest")
    status = int(pytest.main(arguments))
    if strangers := elsewhere():
        sys.stdout.write(f"not of {Path.cwd()}: {strangers}\n")
        status = ELSEWHERE
    sys.stdout.flush()
    return status


def elsewhere() -> list[str]:
    """The modules of the project that were imported from another tree, such as the installed one."""
    here = Path.cwd().resolve()
    ours = {name: module for name, module in sys.modules.items() if name.split(".")[0] in _OURS}
    files = {name: getattr(module, "__file__", None) for name, module in ours.items()}
    return [name for name, file in files.items() if file and not Path(file).resolve().is_relative_to(here)]


_OURS = {"flows", "lifecycle", "tests"}

if __name__ == "__main__":
    main()
