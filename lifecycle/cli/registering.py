"""`init-db`, `new`, `partner`: the database, and who takes part."""

from typing import Annotated

import typer

from lifecycle import clock
from lifecycle.cli.inputs import read_document
from lifecycle.cli.installation import opened
from lifecycle.cli.options import AsContact, File, Id, Json
from lifecycle.cli.output import print_json, say


def init_db(json: Json = False) -> None:
    """Create or upgrade the database.

    Keeps all data; running it again does nothing.
    """
    from lifecycle.db import SCHEMA_HEAD
    from lifecycle.migrations import upgrade

    with opened(current=False) as (database, _):
        before = upgrade(database)
        where = database.shown
    if json:
        print_json(
            {"database": where, "before": before, "now": SCHEMA_HEAD, "changed": before != SCHEMA_HEAD}
        )
    elif before is None:
        say(
            f"Created the tables of version {SCHEMA_HEAD} in {where}. Next: `lifecycle new FILE` or `lifecycle demo`."
        )
    elif before == SCHEMA_HEAD:
        say(f"{where} is at version {SCHEMA_HEAD} already; nothing was changed.")
    else:
        say(f"Brought {where} from version {before} to {SCHEMA_HEAD}; all data was kept.")


def new(
    file: File,
    portfolio: Annotated[
        str, typer.Option(help="In which portfolio; ids of any but main begin with its name.")
    ] = "main",
    json: Json = False,
) -> None:
    """Register a partnership with its people.

    FILE is a registration, see schemas/partnership/v1.json.
    """
    from lifecycle.partnerships import registration

    content = read_document(file)
    with opened() as (database, settings):
        partnership_id = registration.create(database, content, settings, clock.now(), portfolio=portfolio)
    if json:
        print_json({"id": partnership_id, "stage": "need_definition"})
    else:
        say(f"Registered {partnership_id} in stage need_definition.")
        say(f"Next: `lifecycle put {partnership_id} need_assessment FILE --as CONTACT`.")


def partner(id: Id, file: File, as_contact: AsContact, json: Json = False) -> None:
    """Add or change a partner and its contacts.

    FILE is one entry of `partners` in schemas/partnership/v1.json. Contacts that it leaves out stay.
    """
    from lifecycle.partnerships import registration

    content = read_document(file)
    with opened() as (database, _):
        registration.put_partner(database, id, content, as_contact, clock.now())
    contacts = [contact["id"] for contact in content["contacts"]]
    if json:
        print_json({"partnership_id": id, "partner": content["id"], "contacts": contacts})
    else:
        say(
            f"{content['id']} stands in {id} with {', '.join(contacts)}; contacts not named were left as they are."
        )
