"""`import`: registrations with their first documents, checked whole before anything is written."""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from lifecycle import clock
from lifecycle.cli.inputs import read_import
from lifecycle.cli.installation import opened
from lifecycle.cli.measuring import import_iati
from lifecycle.cli.options import Json
from lifecycle.cli.output import print_json, say
from lifecycle.errors import Fault, Invalid, LifecycleError

Files = Annotated[
    list[str],
    typer.Argument(metavar="FILE…", help="YAML or JSON files; - reads standard input.", show_default=False),
]


IATI_WORDS = 2
"""`iati` and the file."""


def import_files(
    files: Files,
    partnership: Annotated[
        str | None, typer.Option(metavar="ID", help="With iati: the partnership that the results are of.")
    ] = None,
    as_contact: Annotated[
        str | None, typer.Option("--as", metavar="CONTACT", help="With iati: who imports them.")
    ] = None,
    json: Json = False,
) -> None:
    """Load partnerships with their documents.

    Each FILE is a registration, optionally with documents: [{kind, author, content}].

    Every file is checked first. If one has a fault, the faults of all are listed and nothing is written.

    `import iati FILE --partnership ID --as CONTACT` loads the results of an IATI activity file.
    """
    if len(files) == IATI_WORDS and files[0] == "iati":
        import_iati(files[1], partnership, as_contact, json)
        return
    with opened() as (database, settings):
        imports = _checked(database, files)
        done: list[dict[str, Any]] = []
        for checked in imports:
            try:
                done.append(_load(database, settings, *checked))
            except LifecycleError as error:
                loaded = ", ".join(found["file"] for found in done)
                error.mend += (
                    f" Loaded before it: {loaded}; leave them out when you repeat." if loaded else ""
                )
                raise
    if json:
        print_json({"imported": done})
        return
    for one in done:
        say(f"{one['file']}: registered {one['id']} with {len(one['documents'])} documents.")


def _checked(database: Any, files: list[str]) -> list[tuple[str, Any, Any]]:
    faults: list[Fault] = []
    imports: list[tuple[str, Any, Any]] = []
    ids: set[str] = set()
    for file in files:
        try:
            registration, documents = read_import(file)
        except Invalid as error:
            faults += _in_file(file, error.faults)
            continue
        found = [*_registration_faults(registration), *_document_faults(registration, documents)]
        faults += _in_file(file, [*found, *_taken(database, registration, ids)])
        imports.append((file, registration, documents))
    if faults:
        what = f"The import of {len(files)} files" if len(files) > 1 else f"The import of {files[0]}"
        raise Invalid(faults, what)
    return imports


def _in_file(file: str, faults: Any) -> list[Fault]:
    return [Fault(f"{file}#{fault.pointer}", fault.rule, fault.mend) for fault in faults]


def _registration_faults(registration: Any) -> tuple[Fault, ...]:
    from lifecycle.partnerships import registration as registering

    return _faults_of(lambda: registering.validate(registration))


def _document_faults(registration: Any, documents: Any) -> Iterator[Fault]:
    from lifecycle.documents.service import WRITABLE_IN

    if not isinstance(documents, list):
        yield Fault("/documents", "type", "Write a list of {kind, author, content}.")
        return
    allowed = sorted(kind for kind, stages in WRITABLE_IN.items() if "need_definition" in stages)
    for index, one in enumerate(documents):
        at = f"/documents/{index}"
        if not isinstance(one, dict) or one.keys() != {"kind", "author", "content"}:
            yield Fault(at, "required", "Write exactly kind, author and content.")
            continue
        if one["kind"] not in allowed:
            yield Fault(f"{at}/kind", "stage", f"In the first stage only {' and '.join(allowed)} can be put.")
            continue
        if str(one["author"]) not in _contacts(registration):
            yield Fault(f"{at}/author", "known contact", "Name one of the contacts listed under /partners.")
        for fault in _content_faults(registration, one["kind"], one["content"]):
            yield Fault(f"{at}/content{fault.pointer}", fault.rule, fault.mend)


def _content_faults(registration: Any, kind: str, content: Any) -> tuple[Fault, ...]:
    from lifecycle.documents import references, rules

    contacts, partners = _contacts(registration), _ids(registration.get("partners"))
    shape = _faults_of(lambda: rules.validate(kind, content))
    return shape or _faults_of(lambda: references.require_known(kind, content, contacts, partners))


def _contacts(registration: Any) -> set[str]:
    """The contact ids of a registration that may still be malformed."""
    partners = registration.get("partners")
    listed = (
        [one.get("contacts") for one in partners if isinstance(one, dict)]
        if isinstance(partners, list)
        else []
    )
    return {contact for contacts in listed for contact in _ids(contacts)}


def _ids(entries: Any) -> set[str]:
    found = [one.get("id") for one in entries if isinstance(one, dict)] if isinstance(entries, list) else []
    return {one for one in found if isinstance(one, str)}


def _taken(database: Any, registration: Any, ids: set[str]) -> Iterator[Fault]:
    from lifecycle.partnerships import queries

    wanted = registration.get("id")
    if not isinstance(wanted, str):
        return
    with database.read() as connection:
        taken = queries.known(connection, [wanted])
    if wanted in taken or wanted in ids:
        yield Fault("/id", "unique", f"“{wanted[:64]}” is taken: choose another id.")
    ids.add(wanted)


def _faults_of(check: Any) -> tuple[Fault, ...]:
    try:
        check()
    except Invalid as error:
        return error.faults
    except LifecycleError as error:
        return (Fault("", error.problem_type, str(error)),)
    return ()


def _load(database: Any, settings: Any, file: str, registration: Any, documents: Any) -> dict[str, Any]:
    from lifecycle.documents import rules
    from lifecycle.partnerships import registration as registering

    drafts = [registering.Draft(**one) for one in documents]
    partnership_id = registering.create(database, registration, settings, clock.now(), drafts)
    stored = [{"kind": one.kind, "sha256": rules.sha256(one.content)} for one in drafts]
    return {"file": file, "id": partnership_id, "documents": stored}
