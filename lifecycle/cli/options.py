"""Arguments and options that several commands share."""

from typing import Annotated

import typer

Id = Annotated[str, typer.Argument(metavar="ID", help="The partnership's id.", show_default=False)]
Kind = Annotated[
    str, typer.Argument(metavar="KIND", help="A document kind, e.g. agreement.", show_default=False)
]
Event = Annotated[str, typer.Argument(metavar="EVENT", help="An event, e.g. activate.", show_default=False)]
File = Annotated[
    str,
    typer.Argument(metavar="FILE", help="A YAML or JSON file; - reads standard input.", show_default=False),
]
Subject = Annotated[
    str, typer.Option(help="Which of several: the event of a decision record, ROUND/CONTACT of a response.")
]
AsContact = Annotated[str, typer.Option("--as", metavar="CONTACT", help="Who does it: a contact's id.")]
By = Annotated[str, typer.Option("--by", metavar="CONTACT", help="Who does it: a contact's id.")]
Reason = Annotated[str | None, typer.Option(help="Why, in a sentence; it goes into the record.")]
Json = Annotated[bool, typer.Option("--json", help="Machine-readable JSON on standard output.")]
