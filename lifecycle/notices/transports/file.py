"""Emails as `.eml` files in a folder, which any mail program opens."""

import fcntl
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from lifecycle.notices.message import Message
from lifecycle.notices.transports import Outcome, in_short


class FileTransport:
    """Writes each message once: a reference that already has its file is not written again."""

    name = "file"

    def __init__(self, mailbox: Path) -> None:
        """`mailbox` is made when the first message arrives."""
        self.mailbox = mailbox

    def send(self, message: Message, now: datetime) -> Outcome:
        """Write the message as `<time, UTC>-<category>-<reference>.eml`; the provider id is its name."""
        try:
            self.mailbox.mkdir(parents=True, exist_ok=True)
            with self._alone():
                name = self._written(message) or self._write(message, now)
        except PermissionError as error:
            return Outcome("stopped", in_short(f"The mailbox folder cannot be written: {error.strerror}."))
        except OSError as error:
            return Outcome("retry", in_short(f"The mailbox folder cannot be written: {error.strerror}."))
        return Outcome("sent", "Written to the mailbox folder.", provider_id=name)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep other senders out between looking for the file and writing it; a crash frees the lock."""
        with (self.mailbox / ".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _written(self, message: Message) -> str | None:
        """The file that a message of this reference already has; its time may be an earlier attempt's."""
        ending = _ending(message)
        with os.scandir(self.mailbox) as entries:
            return next((entry.name for entry in entries if entry.name[16:] == ending), None)

    def _write(self, message: Message, now: datetime) -> str:
        """Write aside, then rename: a reader never sees half a message."""
        name = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}{_ending(message)}"
        with tempfile.NamedTemporaryFile(dir=self.mailbox, prefix=".", suffix=".part", delete=False) as part:
            try:
                part.write(message.as_mime(now, message.sender_domain).as_bytes())
                part.flush()
                os.fsync(part.fileno())
                Path(part.name).replace(self.mailbox / name)
            except OSError:
                Path(part.name).unlink(missing_ok=True)
                raise
        return name


def _ending(message: Message) -> str:
    """The part of the name that depends on the reference alone; the digest parts what the slug blurs."""
    slug = re.sub(r"[^a-z0-9]+", "-", message.reference.lower()).strip("-")[:60].strip("-")
    digest = hashlib.sha256(message.reference.encode()).hexdigest()[:12]
    return "".join(f"-{part}" for part in (message.category, slug, digest) if part) + ".eml"
