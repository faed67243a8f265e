"""Rules of documents: their schemas, validation with every fault at once, and the canonical form. Pure.

A schema says what shape a document has; whether it is complete is the gates' matter, so that drafts can be stored.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecycle.documents import limits, mends
from lifecycle.documents.formats import FORMATS
from lifecycle.documents.reading import parse
from lifecycle.errors import Fault, Invalid, NotFound

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError
    from jsonschema.protocols import Validator

__all__ = ["KINDS", "VERSIONS", "canonical", "load_schema", "parse", "sha256", "validate"]

KINDS: tuple[str, ...] = (
    "need_assessment",
    "convening",
    "agreement",
    "review_response",
    "evaluation",
    "exit_plan",
    "decision_record",
)
"""The kinds of documents, in the order of the lifecycle."""

VERSIONS: Mapping[str, int] = dict.fromkeys(
    (*KINDS, "partnership", "performance_report", "questionnaire", "complaint", "complaint_proposal"), 1
)
"""The newest schema version of each kind, and of the records that are no documents; older ones stay."""

_INSTALLED = Path(__file__).parents[1] / "schemas"
_IN_CHECKOUT = Path(__file__).parents[2] / "schemas"


@cache
def load_schema(kind: str, version: int | None = None) -> dict[str, Any]:
    """The JSON Schema of a kind, the newest version unless one is named. Shared: do not change it.

    Raises:
        NotFound: unknown kind or version; the mend names the known ones.
    """
    if kind not in VERSIONS:
        guess = mends.nearest(kind, KINDS)
        raise NotFound(
            f"There is no kind of document called “{mends.short(kind)}”.",
            mend=f"Did you mean “{guess}”?" if guess else f"The kinds are {', '.join(KINDS)}.",
        )
    wanted = VERSIONS[kind] if version is None else version
    if not 1 <= wanted <= VERSIONS[kind]:
        known = ", ".join(str(number) for number in range(1, VERSIONS[kind] + 1))
        raise NotFound(
            f"This engine knows no version {wanted} of the schema of {kind}.",
            mend=f"Known versions: {known}. A newer engine may know more.",
        )
    folder = _INSTALLED if _INSTALLED.is_dir() else _IN_CHECKOUT
    schema: dict[str, Any] = json.loads((folder / kind / f"v{wanted}.json").read_text(encoding="utf-8"))
    return schema


def validate(kind: str, content: Any, version: int | None = None) -> None:
    """Accept a document's content, or say everything that is wrong with it.

    Args:
        kind: one of `KINDS`, or `partnership` for a registration.
        content: what `parse` returned, or any other value made of JSON's types.
        version: the schema version; the newest unless one is named.

    Raises:
        Invalid: every fault, each with its JSON pointer, rule and mend.
        NotFound: unknown kind or version.
    """
    validator = _validator(kind, VERSIONS.get(kind, 1) if version is None else version)
    faults = limits.capped(_faults(validator, content))
    if faults:
        raise Invalid(faults, f"The {kind.replace('_', ' ')}")


def _faults(validator: "Validator", content: Any) -> Iterator[Fault]:
    """The faults of the content as they are found. The schema is not asked about what it could not walk through."""
    plain, sound = True, True
    for fault in limits.faults_of(content):
        plain = plain and fault.rule not in {"depth", "json"}
        sound = False
        yield fault
    for error in validator.iter_errors(content) if plain else ():
        sound = False
        yield _fault(error)
    if sound and len(canonical(content)) > limits.MAX_BYTES:
        yield limits.TOO_LARGE


@cache
def _validator(kind: str, version: int) -> "Validator":
    """The validator of a schema, built once; the schemas themselves are checked by tests, not here."""
    from jsonschema import Draft202012Validator, FormatChecker
    from jsonschema.validators import extend

    checker = FormatChecker(formats=())
    for name, one in FORMATS.items():
        checker.checks(name)(_texts_only(one.accepts))
    reporting = {"required": _required, "additionalProperties": _additional, "uniqueItems": _unique}
    return extend(Draft202012Validator, reporting)(load_schema(kind, version), format_checker=checker)


def _texts_only(accepts: Any) -> Any:
    return lambda value: not isinstance(value, str) or accepts(value)


def _error(message: str, *path: str) -> "ValidationError":
    from jsonschema.exceptions import ValidationError

    return ValidationError(message, path=path)


def _required(
    validator: "Validator", names: list[str], value: Any, schema: Mapping[str, Any]
) -> Iterator["ValidationError"]:
    """One error for each missing field, at the field's own place."""
    if isinstance(value, dict):
        for name in names:
            if name not in value:
                yield _error(mends.missing_field(name, schema["properties"].get(name, {})), name)


def _additional(
    validator: "Validator", allowed: Any, value: Any, schema: Mapping[str, Any]
) -> Iterator["ValidationError"]:
    """One error for each unknown field, at its own place."""
    if isinstance(value, dict):
        known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
        for name in value:
            if name not in known and not any(re.search(pattern, name) for pattern in patterns):
                yield _error(mends.unknown_field(name, known, bool(patterns)), name)


def _unique(
    validator: "Validator", wanted: bool, value: Any, schema: Mapping[str, Any]
) -> Iterator["ValidationError"]:
    """As JSON Schema has it, but in linear time: the library compares every pair of unsortable entries."""
    if wanted and isinstance(value, list):
        different = {json.dumps(entry, sort_keys=True) for entry in value}
        if len(different) < len(value):
            yield _error("")


def _fault(error: "ValidationError") -> Fault:
    keyword = str(error.validator)
    pointer = "".join(limits.escaped(step) for step in error.absolute_path)
    if keyword in {"required", "additionalProperties"}:
        return Fault(pointer, keyword, error.message)
    rule = f"format: {error.validator_value}" if keyword == "format" else keyword
    return Fault(pointer, rule, mends.MENDS[keyword](error.validator_value, error.instance, error.schema))


def canonical(content: Any) -> bytes:
    """The one way to write this content (JSON Canonicalization Scheme, RFC 8785)."""
    import rfc8785

    return rfc8785.dumps(content)


def sha256(content: Any) -> str:
    """The fingerprint of a content: SHA-256 of its canonical form, in hexadecimal; the order of fields is no matter."""
    return hashlib.sha256(canonical(content)).hexdigest()
