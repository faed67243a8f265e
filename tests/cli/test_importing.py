"""`import`: every file is checked whole before anything is written."""

from typing import Any

import pytest

from tests.cli.command import Command, example, registration


def _import(name: str, **changed: Any) -> dict[str, Any]:
    need = {"kind": "need_assessment", "author": "amira-haddad", "content": example("need_assessment")}
    return registration(id=name, documents=[need]) | changed


def test_several_files_are_imported_with_their_documents(empty: Command) -> None:
    files = [empty.file(f"{name}.json", _import(name)) for name in ("one", "two")]
    bare = {key: value for key, value in _import("three").items() if key != "documents"}
    done = empty.done("import", *files, empty.file("three.json", bare), "--json").json["imported"]
    assert [(one["id"], len(one["documents"])) for one in done] == [("one", 1), ("two", 1), ("three", 0)]
    assert empty.done("audit", "verify").status == 0


def test_one_bad_file_keeps_all_out_and_every_fault_is_listed(empty: Command) -> None:
    good = empty.file("good.json", _import("good"))
    bad = _import("bad", colour="red")
    bad["documents"].append({"kind": "agreement", "author": "amira-haddad", "content": {}})
    bad["documents"].append({"kind": "need_assessment", "author": "mallory", "content": {"goals": 7}})
    bad["documents"].append({"kind": "need_assessment"})
    error = empty.refused(1, "import", good, empty.file("bad.json", bad), empty.file("worse.json", "{"))
    for pointer in (
        "bad.json#/colour",
        "bad.json#/documents/1/kind",
        "bad.json#/documents/2/author",
        "bad.json#/documents/2/content/goals",
        "bad.json#/documents/3",
        "worse.json#",
    ):
        assert pointer in error
    assert "good.json#" not in error


def test_a_document_may_name_only_those_who_are_registered_with_it(empty: Command) -> None:
    alone = _import("alone")
    alone["partners"] = alone["partners"][:1]
    error = empty.refused(1, "import", empty.file("alone.json", alone))
    assert "alone.json#/documents/0/content/benefits/1/organisation (known partner)" in error


def test_an_id_that_is_taken_or_given_twice_is_refused(empty: Command) -> None:
    first = empty.file("first.json", _import("same"))
    second = empty.file("second.json", _import("same"))
    assert "second.json#/id (unique)" in empty.refused(1, "import", first, second)
    empty.done("import", first)
    assert "first.json#/id (unique)" in empty.refused(1, "import", first)


def test_odd_shapes_are_faults_not_crashes(empty: Command) -> None:
    odds: tuple[Any, ...] = (
        [],
        "text",
        {},
        {"id": 3, "documents": {}},
        _import("x", documents=[3]),
        _import("x", documents=[{"kind": ["a"], "author": {}, "content": None}]),
        _import("x", partners={"a": 1}),
        _import("x", partners=[{"contacts": [{"id": ["a"]}, 3]}, 3]),
        _import("x", documents=[{"kind": "partnership", "author": "amira-haddad", "content": {}}]),
        _import("x", documents=[{"kind": "need_assessment", "author": ["a"], "content": {}}]),
    )
    for odd in odds:
        empty.refused(1, "import", empty.file("odd.json", odd))


def test_a_crash_between_registration_and_documents_leaves_neither(
    empty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: Any) -> None:
        raise RuntimeError("the power failed")

    file = empty.file("one.json", _import("one"))
    with monkeypatch.context() as broken:
        broken.setattr("lifecycle.documents.service.add", crash)
        with pytest.raises(RuntimeError):
            empty("import", file)
    assert empty("show", "one").status == 3
    empty.done("import", file)
