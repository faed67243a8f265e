"""What runs beside the engine on one machine: a Prefect server of our own, and the secret and addresses of `lifecycle up`.

The server is a child process, for the demo, for `lifecycle up` and for the tests.
"""

import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from lifecycle.config import Settings
from lifecycle.errors import Unavailable
from lifecycle.links import MIN_SECRET

SECRET_FILE = "secret-key"  # noqa: S105 - its name
START_SECONDS = 90
STOP_SECONDS = 15
NOT_INHERITED = frozenset({"PREFECT_PROFILE", "PREFECT_PROFILES_PATH", "PREFECT_API_KEY"})
_PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


REPORTS_TO_NOBODY = {
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    "DO_NOT_TRACK": "1",
}
"""Keeps Prefect from calling home."""


def environment(home: Path, api_url: str) -> dict[str, str]:
    """What Prefect reads: its own home, this server, no call home, no noise. All times in UTC."""
    return {
        "PREFECT_HOME": str(home),
        "PREFECT_API_URL": api_url,
        **REPORTS_TO_NOBODY,
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{home / 'prefect.db'}",
        "PREFECT_CLI_PROMPT": "false",
    }


def installation(settings: Settings, home: Path, host: str, port: int) -> dict[str, str]:
    """What the processes of an embedded installation are told, where its operator has not said otherwise.

    Args:
        home: the folder where its secret is kept.
        host, port: where the portal is served.

    Raises:
        Unavailable: what is in the place of the secret is none.
    """
    said = settings.model_fields_set
    told = {}
    if "secret_key" not in said:
        told["LIFECYCLE_SECRET_KEY"] = kept_secret(home)
    if "public_url" not in said:
        told["LIFECYCLE_PUBLIC_URL"] = address_of(host, port)
    if "embedded" not in said and settings.mail_transport == "file":
        told["LIFECYCLE_EMBEDDED"] = "true"
    return told


def address_of(host: str, port: int) -> str:
    """Where a browser on this machine finds what listens there; behind an address that means all of them, this machine."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - read, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def kept_secret(home: Path) -> str:
    """The secret that signs this installation's links: made once, readable by its user alone, and kept.

    Raises:
        Unavailable: its file holds no secret.
    """
    home.mkdir(parents=True, exist_ok=True)
    path = home / SECRET_FILE
    if not path.exists():
        # Aside first: a crash leaves no half of a secret in its place. Only its user can read what `mkstemp` makes.
        handle, aside = tempfile.mkstemp(dir=home, prefix=f".{SECRET_FILE}.")
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48))
        Path(aside).replace(path)
    found = path.read_text(encoding="ascii", errors="replace").strip()
    if len(found) < MIN_SECRET:
        raise Unavailable(
            f"{path} holds no secret of at least {MIN_SECRET} characters.",
            mend="Put back the one that was there, or delete it: links in emails that were sent are then good for nothing.",
        )
    return found


@contextmanager
def prefect_server(home: Path, port: int | None = None, host: str = "127.0.0.1") -> Iterator[str]:
    """Run a Prefect server while the block lasts; yields its API's address.

    Args:
        home: the folder for its database and settings; made if absent.
        port: a free one if absent.
        host: where it listens.

    Start it from the main thread: on Linux the server dies with the thread that started it.

    Raises:
        Unavailable: the port is taken, or it did not come up; the message names its log.
    """
    home = home.resolve()
    home.mkdir(parents=True, exist_ok=True)
    port = port or free_port()
    require_free("Prefect server", host, port)
    api_url = f"http://{host}:{port}/api"
    log = home / "server.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", "prefect", "server", "start", "--host", host, "--port", str(port)]
        server = detached(command, _inherited() | environment(home, api_url), output)
    try:
        _wait(server, api_url, log)
        yield api_url
    finally:
        stop(server)


def detached(
    command: list[str], env: dict[str, str], output: IO[bytes] | int | None = None
) -> subprocess.Popen[bytes]:
    """Start a child that Ctrl-C in a terminal does not reach, and that ends with us however we end.

    A terminal sends it to a whole process group: runs in progress still find the server, and are stopped in order.
    """
    return subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
        command,
        env=env,
        stdout=output,
        stderr=None if output is None else subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        process_group=0,
        preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one call into libc
    )


def stop(child: subprocess.Popen[bytes], by: signal.Signals = signal.SIGINT) -> None:
    """Ask a child to stop; kill it when it does not within 15 seconds."""
    if child.poll() is None:
        child.send_signal(by)
        with suppress(subprocess.TimeoutExpired):
            child.wait(STOP_SECONDS)
    if child.poll() is None:
        child.kill()
        child.wait()


def _inherited() -> dict[str, str]:
    """Our environment without what would make the server another one: profiles live in a home of their own."""
    return {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}


def require_free(what: str, host: str, port: int) -> None:
    """Refuse a port that is taken: another server on it would answer in the place of ours.

    Raises:
        Unavailable: it is taken.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise Unavailable(
                f"The {what} cannot listen on {host}:{port}: {error.strerror}.",
                mend="Choose another one with --port or --api-port, or stop what listens there.",
            ) from None


def _die_with_parent() -> None:
    """The child must not outlive a parent that is killed."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait(server: subprocess.Popen[bytes], api_url: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{api_url}/ready", timeout=2) as answer:  # noqa: S310 - our own server
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    last = log.read_text(errors="replace").strip().splitlines()[-1:] or ["nothing"]
    raise Unavailable(
        f"The Prefect server did not start; its last word was: {last[0][:200]}",
        mend=f"Read {log}; is the port taken?",
    )
