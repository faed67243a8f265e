"""What users hand over or ask for: files, standard input, dates."""

import sys
from datetime import date
from pathlib import Path
from typing import Any

from lifecycle.errors import Fault, Invalid, Usage

_MEND = "Give the path of a YAML or JSON file, or - to read standard input."


def read_document(path: str) -> Any:
    """Read and parse one document; `-` is standard input.

    Raises:
        Usage: the file cannot be read.
        Invalid: it is neither YAML nor JSON, is too large, or goes too deep.
    """
    from lifecycle.documents import rules

    return rules.parse(_bytes(path))


def read_import(path: str) -> tuple[Any, Any]:
    """Read an import file: the registration, and the list of documents that it brings along."""
    from lifecycle.documents import rules

    found = rules.parse(_bytes(path))
    if not isinstance(found, dict):
        raise Invalid(
            [Fault("", "type", "Write a registration: an object with id, title, partners, …")], path
        )
    return {name: value for name, value in found.items() if name != "documents"}, found.get("documents", [])


def _bytes(path: str) -> bytes:
    from lifecycle.documents.limits import MAX_BYTES

    return read_bytes(path, MAX_BYTES)


def read_bytes(path: str, limit: int) -> bytes:
    """At most one byte more than the limit: enough for the parser to refuse it; `-` is standard input.

    Raises:
        Usage: the file cannot be read.
    """
    try:
        if path == "-":
            return sys.stdin.buffer.read(limit + 1)
        with Path(path).open("rb") as file:
            return file.read(limit + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a file name"
        raise Usage(f"The file {path[:200]} cannot be read: {reason}.", mend=_MEND) from None


def day(text: str) -> date:
    """Read a date such as `2026-03-31`.

    Raises:
        Usage: it is not one.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Usage(f"“{text[:40]}” is not a date.", mend="Write it like 2026-03-31.") from None


def write_text(path: str, text: str) -> None:
    """Write a file that the user named.

    Raises:
        Usage: it cannot be written.
    """
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: str, data: bytes) -> None:
    """Write a file that the user named.

    Raises:
        Usage: it cannot be written.
    """
    try:
        Path(path).write_bytes(data)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a file name"
        mend = "Name a file in a folder that exists and that you may write to."
        raise Usage(f"The file {path[:200]} cannot be written: {reason}.", mend=mend) from None
