"""Keeps the catalogues of messages: `python -m lifecycle.catalogue update | check`.

`update` extracts every message, brings `locales/<language>/LC_MESSAGES/<domain>.po` up to date (what is new stands there
untranslated, what is gone is dropped) and compiles each to the `.mo` that is read. `check` changes nothing, and fails
where a catalogue is stale or a message has no translation, or one with other gaps.

Domains: `portal` and `emails` are what templates and modules hand to gettext; `domain` is what the engine's rules and
services say, read off their own string literals, an f-string's expressions becoming `{gaps}`; `schemas` is titles,
descriptions and choices of the JSON Schemas.
"""

import ast
import io
import json
import re
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from lifecycle.gates.criteria import CRITERIA
from lifecycle.languages import DEFAULT, DOMAINS, LANGUAGES, LOCALES

HERE = Path(__file__).parent
SCHEMAS = next(path for path in (HERE.parent / "schemas", HERE / "schemas") if path.exists())

_KEYWORDS = {"gettext": None, "_": None, "ngettext": (1, 2), "say": None}
"""`say` is what modules call a language's `gettext` where they say much."""
_OPTIONS = {"trimmed": "true", "newstyle_gettext": "true", "trim_blocks": "true", "lstrip_blocks": "true"}

SPEAKING = (
    "access", "documents", "evaluation", "gates", "measures", "obligations", "partnerships", "redress", "reviews",
    "timers", "errors.py", "links.py", "stages.py", "diagram.py", "notices/words.py",
)  # fmt: skip
"""What of the engine says something to people; what it says to operators alone stays English."""

SILENT = frozenset(("models.py",))

PLURALS = "nplurals=2; plural=(n != 1)"
"""One or many: what counts here are things, of which there are never millions."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Found = dict[str | tuple[str, str], None]
"""Messages in the order in which they were found."""


def messages(domain: str) -> Found:
    """Every message of a domain; one with a plural is a pair."""
    if domain == "schemas":
        return dict.fromkeys(_of_schemas())
    if domain == "domain":
        return dict.fromkeys(_of_the_engine())
    places = [HERE / "languages.py", HERE / "portal"] if domain == "portal" else [HERE / "notices"]
    return dict.fromkeys(found for place in places for found in _of_gettext(place))


def _of_gettext(place: Path) -> Iterator[str | tuple[str, str]]:
    for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
        method = _method(path)
        if method is None:
            continue
        with path.open("rb") as file:
            for _, found, _, _ in extract(method, file, keywords=_KEYWORDS, options=_OPTIONS):
                yield found if isinstance(found, str) else (str(found[0]), str(found[1]))


def _method(path: Path) -> str | None:
    if path.suffix == ".py":
        return "python"
    is_template = "templates" in path.parts and path.suffix in {".html", ".txt", ".jinja", ".parts"}
    return "jinja2.ext:babel_extract" if is_template else None


def _of_schemas() -> Iterator[str]:
    for path in sorted(SCHEMAS.rglob("*.json")):
        yield from _labels(json.loads(path.read_text(encoding="utf-8")))


def _labels(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from (node[name] for name in ("title", "description") if isinstance(node.get(name), str))
        yield from (str(one).replace("_", " ") for one in node.get("enum", ()) if isinstance(one, str))
        for name, inner in node.items():
            if name not in {"examples", "enum"}:
                yield from _labels(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _labels(inner)


def _of_the_engine() -> Iterator[str]:
    yield from (one.name for one in CRITERIA.values())
    for name in SPEAKING:
        place = HERE / name
        for path in [place] if place.suffix else sorted(place.rglob("*.py")):
            if path.name not in SILENT:
                yield from sentences(path.read_text(encoding="utf-8"), single_words=path.name == "words.py")
    for path in sorted((HERE / "reviews" / "questionnaires").glob("*.json")):
        yield from _texts(json.loads(path.read_text(encoding="utf-8")))


def _texts(node: Any, name: str = "") -> Iterator[str]:
    if (
        isinstance(node, str)
        and name not in {"id", "asked_if", "$schema"}
        and not re.fullmatch(r"[a-z]\d+", node)
    ):
        yield node
    elif isinstance(node, dict):
        for key, inner in node.items():
            yield from _texts(inner, key)
    elif isinstance(node, list):
        for inner in node:
            yield from _texts(inner)


def sentences(source: str, single_words: bool = False) -> Iterator[str]:
    """What a module's string literals say to people, with `{gaps}` where an f-string has expressions.

    Args:
        single_words: whether a literal without a blank says something, too.
    """
    tree = ast.parse(source)
    skipped = _unspoken(tree)
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        said = None
        if isinstance(node, ast.JoinedStr):
            said = _with_gaps(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            said = node.value
        if said is not None and _is_prose(said, single_words):
            yield said


def _unspoken(tree: ast.Module) -> set[int]:
    """Docstrings, annotations, keys, and the pieces of f-strings."""
    found: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            found |= {
                id(one) for one in ast.walk(node) if isinstance(one, ast.Constant) and one in node.values
            }
            specs = [
                one.format_spec
                for one in node.values
                if isinstance(one, ast.FormattedValue) and one.format_spec
            ]
            found |= {id(inner) for spec in specs for inner in ast.walk(spec)}
        elif isinstance(node, ast.Dict):
            found |= {id(key) for key in node.keys}
        elif isinstance(node, ast.Set):
            found |= {id(element) for element in node.elts}
        elif isinstance(node, ast.arg | ast.AnnAssign | ast.FunctionDef):
            annotation = node.returns if isinstance(node, ast.FunctionDef) else node.annotation
            found |= {id(inner) for inner in ast.walk(annotation)} if annotation is not None else set()
        elif isinstance(node, ast.Call) and _name_of(node.func) == "frozenset":
            found |= {id(inner) for inner in ast.walk(node)}
        elif isinstance(node, ast.Subscript):
            found |= {id(inner) for inner in ast.walk(node.slice)}
        elif isinstance(node, ast.Call) and _name_of(node.func) in {
            "Literal",
            "compile",
            "with_name",
            "text",
            "Column",
        }:
            found |= {id(inner) for inner in ast.walk(node)}
    return found


def _name_of(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Call):
        inner = [_name_of(one) for one in node.args if not isinstance(one, ast.Constant)]
        return next(filter(None, inner), _name_of(node.func))
    if isinstance(node, ast.Subscript):
        key = node.slice
        return (
            str(key.value)
            if isinstance(key, ast.Constant) and isinstance(key.value, str)
            else _name_of(node.value)
        )
    if isinstance(node, ast.BoolOp):
        return _name_of(node.values[0])
    return ""


def _with_gaps(node: ast.JoinedStr) -> str:
    said, taken = "", set[str]()
    for part in node.values:
        if isinstance(part, ast.Constant):
            said += str(part.value)
            continue
        assert isinstance(part, ast.FormattedValue)
        name = re.sub(r"\W", "", _name_of(part.value)) or "value"
        while name in taken:
            name = f"{name.rstrip('0123456789')}{int(name[len(name.rstrip('0123456789')) :] or 1) + 1}"
        taken.add(name)
        said += f"{{{name}}}"
    return said


def _is_prose(text: str, single_words: bool) -> bool:
    words = re.sub(r"\{\w+\}", "", text)
    if not re.search(r"[A-Za-z]{2}", words) or re.search(
        r"^[<#@]|[\w-]+\s*:\s*[\w-]+;|\bSELECT\b|^%|\\", text
    ):
        return False
    if any(mark in text for mark in ("<", "[*]", " | ", "classDef", "direction LR", "    class")):
        return False
    if text.startswith(("M ", "0 0", "lifecycle ", "--")):
        return False
    return single_words or bool(re.search(r"\S\s\S", text)) or bool(re.fullmatch(r"[A-Z][a-z]+[.?]?", text))


def _path(language: str, domain: str, kind: str) -> Path:
    return LOCALES / language / "LC_MESSAGES" / f"{domain}.{kind}"


def _translated(language: str, domain: str) -> Catalog:
    """The catalogue with exactly the messages there are now, each with the translation that it has."""
    path = _path(language, domain, "po")
    known = Catalog(locale=language)
    if path.exists():
        with path.open("rb") as file:
            known = read_po(file, locale=language, domain=domain)
    fresh = Catalog(
        locale=language, domain=domain, fuzzy=False, header_comment=f"# {LANGUAGES[language]}: {domain}."
    )
    fresh.mime_headers = [("Plural-Forms", PLURALS)]
    for found in messages(domain):
        mine = known.get(found if isinstance(found, str) else found[0])
        fits = mine is not None and isinstance(mine.id, str) == isinstance(found, str)
        fresh.add(found, mine.string if fits and mine is not None else None, flags=_flags(found))
    return fresh


def _flags(found: str | tuple[str, str]) -> set[str]:
    text = found if isinstance(found, str) else "".join(found)
    return {"python-format"} if re.search(r"%\(\w+\)s", text) else set()


def written(catalogue: Catalog) -> bytes:
    """A `.po` file, the same for the same messages: without dates, places or names."""
    file = io.BytesIO()
    write_po(file, catalogue, width=110, no_location=True, omit_header=True)
    head = (
        f'{catalogue.header_comment}\nmsgid ""\nmsgstr ""\n"Language: {catalogue.locale_identifier}\\n"\n'
        f'"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {PLURALS}\\n"\n\n'
    )
    return head.encode() + file.getvalue()


def compiled(po: bytes) -> bytes:
    """The `.mo` file of a `.po` file."""
    file = io.BytesIO()
    catalogue = read_po(io.BytesIO(po))
    # Babel writes both into the file; of the time when it was made nothing is read.
    catalogue.creation_date = catalogue.revision_date = _EPOCH
    write_mo(file, catalogue)
    return file.getvalue()


def update() -> None:
    """Bring every catalogue up to date."""
    for language in LANGUAGES:
        for domain in DOMAINS if language != DEFAULT else ():
            po = written(_translated(language, domain))
            _path(language, domain, "po").parent.mkdir(parents=True, exist_ok=True)
            _path(language, domain, "po").write_bytes(po)
            _path(language, domain, "mo").write_bytes(compiled(po))


def faults() -> Iterator[str]:
    """What is stale, missing or wrong, a line each."""
    for language in LANGUAGES:
        for domain in DOMAINS if language != DEFAULT else ():
            po, mo = (_path(language, domain, kind) for kind in ("po", "mo"))
            catalogue = _translated(language, domain)
            if not po.exists() or po.read_bytes() != written(catalogue):
                yield f"{po.name} of {language} is stale: run `make docs`."
            elif not mo.exists() or mo.read_bytes() != compiled(po.read_bytes()):
                yield f"{mo.name} of {language} is stale: run `make docs`."
            yield from (f"{language}/{domain}: {fault}" for fault in _faults_of(catalogue))


def _faults_of(catalogue: Iterable[Message]) -> Iterator[str]:
    for message in catalogue:
        if not message.id:
            continue
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        said = [message.string] if isinstance(message.string, str) else list(message.string or [""])
        if not all(said):
            yield f"no translation of “{ids[0][:80]}”"
        elif any(_gaps(one) - _gaps(ids[-1]) for one in said) or _gaps(said[-1]) != _gaps(ids[-1]):
            yield f"other gaps in the translation of “{ids[0][:80]}”"


def _gaps(text: str) -> set[str]:
    return set(re.findall(r"%\(\w+\)s|\{\w+\}", text))


def main(arguments: list[str]) -> int:
    """Exit status 1 when `check` finds something."""
    if arguments == ["update"]:
        update()
        return 0
    found = list(faults())
    for line in found:
        sys.stderr.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
