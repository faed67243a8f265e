"""The demo's own folder: made, recognised and emptied without touching what the demo did not make."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lifecycle.errors import Conflict, NotAllowed, Unavailable

MARK = ".lifecycle-demo"
_NOTE = "This folder belongs to `lifecycle demo`, which empties it when it runs again.\n"
_DATABASE = frozenset({"lifecycle.db", "lifecycle.db-wal", "lifecycle.db-shm", "lifecycle.db-journal"})


@dataclass(frozen=True)
class Folder:
    """Where one run of the demo keeps everything."""

    path: Path

    @property
    def database_url(self) -> str:
        """The URL of its SQLite database."""
        return f"sqlite:///{self.path / 'lifecycle.db'}"

    @property
    def mailbox(self) -> Path:
        """The folder of its emails."""
        return self.path / "mailbox"

    @property
    def prefect_home(self) -> Path:
        """What its Prefect server keeps."""
        return self.path / "prefect"


@contextmanager
def fresh(path: Path) -> Iterator[Folder]:
    """An empty folder for one run, kept from other runs while the block lasts.

    Raises:
        NotAllowed: it holds files that the demo did not make.
        Conflict: another demo runs in it.
        Unavailable: it cannot be written.
    """
    folder = Folder(path)
    try:
        _require_own(folder)
        path.mkdir(parents=True, exist_ok=True)
        mark = (path / MARK).open("a")
    except OSError as error:
        raise Unavailable(
            f"The folder {path} cannot be used: {error.strerror}.",
            mend="Choose another one with --directory.",
        ) from None
    with mark:
        _lock(mark.fileno(), path)
        _empty(folder)
        (path / MARK).write_text(_NOTE)
        yield folder


def _require_own(folder: Folder) -> None:
    if not folder.path.exists():
        return
    if folder.path.is_dir() and not (foreign := _foreign(folder)):
        return
    what = (
        f"holds what the demo did not make ({', '.join(foreign[:3])})"
        if folder.path.is_dir()
        else "is a file"
    )
    raise NotAllowed(
        f"The folder {folder.path} {what}; nothing was touched.",
        mend="Choose another one: `lifecycle demo --directory FOLDER`.",
    )


def _foreign(folder: Folder) -> list[str]:
    """What in the folder is not the demo's. Without its mark nothing is; a link never is."""
    entries = sorted(folder.path.iterdir())
    if entries and not (folder.path / MARK).is_file():
        return [entry.name for entry in entries]
    known = {MARK, *_DATABASE, folder.mailbox.name, folder.prefect_home.name}
    foreign = [entry.name for entry in entries if entry.name not in known or entry.is_symlink()]
    mails = sorted(folder.mailbox.iterdir()) if folder.mailbox.is_dir() else []
    return foreign + [
        f"mailbox/{mail.name}"
        for mail in mails
        if not mail.is_file() or mail.is_symlink() or not _is_mail(mail.name)
    ]


def _is_mail(name: str) -> bool:
    """What the `file` transport leaves: messages, its lock, and messages half written when it was killed."""
    return name.endswith((".eml", ".part")) or name == ".lock"


def _lock(descriptor: int, path: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Conflict(
            f"Another demo is running in {path}.", mend="Wait for its end, or choose another --directory."
        ) from None


def _empty(folder: Folder) -> None:
    for name in _DATABASE:
        (folder.path / name).unlink(missing_ok=True)
    for made in (folder.mailbox, folder.prefect_home):
        if made.is_dir():
            shutil.rmtree(made)
