"""The command line `lifecycle`: parse, call one service function, present.

Nothing heavy is imported here: `lifecycle --help` costs what typer costs. Commands import what they need.
"""

import sys

from lifecycle.errors import LifecycleError


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
        app(args=given, prog_name="lifecycle")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except LifecycleError as error:
        from lifecycle.cli.output import report_error

        report_error(error, as_json="--json" in given)
        return error.exit_status
    return 0
