"""The command table: every command and where it lives. Imports typer and the command modules, nothing heavy."""

from collections.abc import Callable
from typing import Annotated

import typer

from lifecycle import __version__
from lifecycle.cli import (
    accounting,
    actions,
    auditing,
    complaining,
    deciding,
    doctor,
    drawing,
    escalating,
    evidence,
    importing,
    keeping,
    measuring,
    outbox,
    reading,
    registering,
    reviewing,
    running,
    subscribing,
    tokening,
)

# Rich's help panels would double the time of `--help`.
app = typer.Typer(
    help="Runs partnerships between organisations, from the definition of their need to their evaluation.",
    epilog="Exit status: 0 done, 1 refused by a rule, 2 wrong usage, 3 not found.",
    rich_markup_mode=None,
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"partnership-lifecycle {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which.")
    ] = False,
) -> None:
    pass


_command: Callable[..., None]
for _name, _command in (
    ("demo", running.demo),
    ("up", running.up),
    ("init-db", registering.init_db),
    ("new", registering.new),
    ("import", importing.import_files),
    ("partner", registering.partner),
    ("list", reading.list_partnerships),
    ("show", reading.show),
    ("put", evidence.put),
    ("document", reading.document),
    ("signoff", evidence.signoff),
    ("check", deciding.check),
    ("transition", deciding.transition),
    ("waive", deciding.waive),
    ("respond", evidence.respond),
    ("demand", keeping.demand),
    ("report", keeping.report),
    ("verdict", keeping.verdict),
    ("signal", keeping.signal),
    ("actual", measuring.actual),
    ("dossier", measuring.dossier),
    ("handover", evidence.handover),
    ("lessons", measuring.lessons),
    ("complain", complaining.complain),
    ("withhold", complaining.withhold),
    ("acknowledge", escalating.acknowledge),
    ("absence", escalating.absence),
):
    app.command(_name)(_command)
app.add_typer(complaining.app, name="complaint")
app.add_typer(reviewing.app, name="review")
app.add_typer(actions.app, name="action")
app.add_typer(outbox.app, name="outbox")
app.add_typer(subscribing.app, name="subscription")
app.add_typer(auditing.app, name="audit")
app.add_typer(tokening.app, name="token")
app.add_typer(accounting.app, name="account")
for _name, _command in (
    ("run", running.run),
    ("diagram", drawing.diagram),
    ("plot", drawing.plot),
    ("export", reading.export),
    ("doctor", doctor.doctor),
):
    app.command(_name)(_command)
