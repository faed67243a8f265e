"""The command line `lifecycle`: parse, call one service function, present.

Nothing heavy is imported here: `lifecycle --help` costs what typer costs. Commands import what they need.
"""

import errno
import sys

from lifecycle.errors import LifecycleError, Usage


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status: 0 done, 1 refused by a rule, 2 wrong usage, 3 not found.

    An error that the user can mend is one paragraph on stderr; with `--json` it is a problem object on stdout.
    """
    from lifecycle.cli.app import app

    given = sys.argv[1:] if arguments is None else arguments
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        _require_text(given)
        app(args=given, prog_name="lifecycle")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except LifecycleError as error:
        from lifecycle.cli.output import report_error

        report_error(error, as_json="--json" in given)
        return error.exit_status
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EIO}:
            raise
        sys.stderr.write(f"The output could not be written: {error.strerror}.\n")
        # Python would try once more at its end, and say so in its own words.
        sys.stdout = None
        return 1
    return 0


def _require_text(arguments: list[str]) -> None:
    """What a terminal hands over as bytes that are no text would fail deep inside."""
    for argument in arguments:
        if not argument.isascii() and any("\ud800" <= char <= "\udfff" for char in argument):
            raise Usage(
                "An argument is not valid UTF-8 text.", mend="Set the terminal to UTF-8, and type it again."
            )
