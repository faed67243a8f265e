"""Reading the examples, and walking through a document beside its schema."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lifecycle.examples
from lifecycle.documents import rules

FOLDER = Path(lifecycle.examples.__file__).parent
FILES = sorted(FOLDER.glob("*/*.yaml"))
PARTNERSHIPS = sorted(path.parent.name for path in FOLDER.glob("*/partnership.yaml"))


def kind_of(path: Path) -> str:
    """The kind of a document, from its file's name: `agreement-r2.yaml` is an agreement."""
    return path.stem.split("-")[0]


def read(partnership_id: str, name: str) -> Any:
    """The content of one example file."""
    return rules.parse((FOLDER / partnership_id / f"{name}.yaml").read_bytes())


def registered(partnership_id: str) -> tuple[set[str], set[str]]:
    """The partner ids and the contact ids of a partnership."""
    partners = read(partnership_id, "partnership")["partners"]
    return {p["id"] for p in partners}, {c["id"] for p in partners for c in p["contacts"]}


def leaves(
    value: Any, schema: dict[str, Any], pointer: str = ""
) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Every value of a document that holds no others, with its JSON pointer and its schema."""
    if isinstance(value, dict):
        (pattern,) = schema.get("patternProperties", {"": {}}).values()
        for name, child in value.items():
            known = schema.get("properties", {}).get(name, pattern)
            yield from leaves(child, known, f"{pointer}/{name}")
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from leaves(child, schema["items"], f"{pointer}/{index}")
    else:
        yield pointer, value, schema
