"""The errors of the engine: each knows its exit status, its HTTP problem type and its mend.

Interfaces translate them; nobody else catches them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lifecycle.gates.report import GateReport


class LifecycleError(Exception):
    """Something the reader can mend. `str(error)` is one readable paragraph that ends with the mend."""

    exit_status = 1
    problem_type = "error"
    title = "The request could not be carried out"

    def __init__(self, message: str, mend: str = "") -> None:
        """`message` says what is wrong, `mend` what to do about it: whole sentences both."""
        super().__init__(message, mend)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        """The message and its mend as one paragraph."""
        return f"{self.message} {self.mend}".strip()


class NotFound(LifecycleError):
    """What was named does not exist."""

    exit_status = 3
    problem_type = "not-found"
    title = "Not found"


class NotAllowed(LifecycleError):
    """A rule of the engine forbids it: the stage, the role, the window."""

    problem_type = "not-allowed"
    title = "Not allowed"


class Conflict(LifecycleError):
    """Somebody else changed it first, or the same key was used for another request."""

    problem_type = "conflict"
    title = "Conflict"


class Stale(Conflict):
    """What was read has changed since."""

    problem_type = "stale"
    title = "Changed meanwhile"


class KeyReused(Conflict):
    """An idempotency key came with another request before."""

    problem_type = "idempotency-key-reused"
    title = "The key was used for another request"


class Unavailable(LifecycleError):
    """Something outside the engine (database, mail provider, Prefect) is not ready."""

    problem_type = "unavailable"
    title = "Unavailable"


class Usage(LifecycleError):
    """The call itself is malformed."""

    exit_status = 2
    problem_type = "usage"
    title = "Wrong usage"


class Refused(LifecycleError):
    """A gate is shut. Carries the whole gate report."""

    problem_type = "gate-refused"
    title = "The gate is shut"

    def __init__(self, report: "GateReport") -> None:
        """The message counts what blocks; the mend lists each criterion with what to do."""
        self.report = report
        blocking = report.blocking
        count = "1 criterion blocks" if len(blocking) == 1 else f"{len(blocking)} criteria block"
        super().__init__(
            f"“{report.event}” was refused: {count} it.",
            mend=" ".join(f"{finding.code}: {finding.to_do}" for finding in blocking),
        )


@dataclass(frozen=True)
class Fault:
    """One fault of an input: where (JSON pointer, RFC 6901, or a setting's name), which rule, and how to mend it."""

    pointer: str
    rule: str
    mend: str


class Invalid(LifecycleError):
    """An input breaks rules; every fault is listed at once."""

    problem_type = "invalid"
    title = "Invalid input"

    def __init__(self, faults: Sequence[Fault], what: str = "The input") -> None:
        """`what` names the input in the message."""
        self.faults = tuple(faults)
        count = "1 fault" if len(self.faults) == 1 else f"{len(self.faults)} faults"
        super().__init__(f"{what} has {count}; nothing was changed.")

    def __str__(self) -> str:
        """The message, then each fault on its own line."""
        lines = (f"  {fault.pointer or '/'} ({fault.rule}): {fault.mend}" for fault in self.faults)
        return "\n".join((self.message, *lines))
