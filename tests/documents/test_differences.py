"""What has changed between two revisions: whatever they are, the changes lead from one to the other."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.documents.differences import Change, Run, differences, words
from lifecycle.documents.limits import escaped
from lifecycle.documents.rules import canonical

_SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from([0.5, 1.0])
    | st.text("ab ~/", max_size=6)
)
_NAMES = st.sampled_from(["id", "act", "a/b", "m~n", "by"])
_ENTRIES = st.fixed_dictionaries({"id": st.sampled_from("pqrst")}, optional={"act": _SCALARS})
JSON = st.recursive(
    _SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(_NAMES, inner, max_size=4)
        | st.lists(_ENTRIES, max_size=5, unique_by=lambda entry: str(entry["id"]))
    ),
    max_leaves=12,
)


def applied(before: Any, changes: list[Change]) -> Any:
    """The content that the changes make of another: the proof that they say everything."""
    gone = {c.before_pointer: c for c in changes if c.what in ("removed", "changed")}
    come = {c.after_pointer: c.after for c in changes if c.what == "added"}
    orders = {c.before_pointer: c.after for c in changes if c.what == "reordered"}

    def made(value: Any, was: str, now: str) -> Any:
        if was in gone:
            return gone[was].after
        if isinstance(value, dict):
            kept = {
                name: made(child, was + escaped(name), now + escaped(name))
                for name, child in value.items()
                if was + escaped(name) not in gone or gone[was + escaped(name)].what == "changed"
            }
            return kept | {name: come[now + escaped(name)] for name in NAMES if now + escaped(name) in come}
        if isinstance(value, list):
            stayed = [
                place
                for place in range(len(value))
                if f"{was}/{place}" not in gone or gone[f"{was}/{place}"].what == "changed"
            ]
            if was in orders:
                stayed.sort(key=lambda place: orders[was].index(value[place]["id"]))
            made_of: list[Any] = []
            while stayed or f"{now}/{len(made_of)}" in come:
                here = f"{now}/{len(made_of)}"
                if here in come:
                    made_of.append(come[here])
                else:
                    place = stayed.pop(0)
                    made_of.append(made(value[place], f"{was}/{place}", here))
            return made_of
        return value

    return made(before, "", "")


NAMES = ["id", "act", "a/b", "m~n", "by"]


def mirrored(changes: list[Change]) -> set[str]:
    """Changes as one reads them the other way round."""
    swap = {"added": "removed", "removed": "added"}
    return {
        repr(Change(swap.get(c.what, c.what), c.after_pointer, c.before_pointer, c.after, c.before))  # type: ignore[arg-type]
        for c in changes
    }


@given(JSON, JSON)
def test_the_changes_turn_the_one_into_the_other(before: Any, after: Any) -> None:
    assert canonical(applied(before, differences(before, after))) == canonical(after)


@given(JSON, JSON)
def test_nothing_has_changed_exactly_where_both_are_equal(before: Any, after: Any) -> None:
    assert (not differences(before, after)) == (canonical(before) == canonical(after))
    assert not differences(before, before)


@given(JSON, JSON)
def test_read_the_other_way_round_what_was_added_is_taken_out(before: Any, after: Any) -> None:
    assert mirrored(differences(before, after)) == {repr(c) for c in differences(after, before)}


@given(st.text("ab .\n", max_size=40), st.text("ab .\n", max_size=40))
def test_the_words_that_stayed_and_changed_make_both_texts(before: str, after: str) -> None:
    runs = words(before, after)
    assert "".join(run.text for run in runs if run.what != "inserted") == before
    assert "".join(run.text for run in runs if run.what != "deleted") == after
    assert all(run.text for run in runs)


@given(
    st.lists(_ENTRIES, min_size=1, max_size=5, unique_by=lambda entry: str(entry["id"])), st.integers(0, 5)
)
def test_an_entry_put_in_between_is_the_only_change(entries: list[dict[str, Any]], place: int) -> None:
    place = min(place, len(entries))
    new = {"id": "new", "act": "sings"}
    found = differences({"all": entries}, {"all": [*entries[:place], new, *entries[place:]]})
    assert found == [Change("added", None, f"/all/{place}", after=new)]


def test_an_entry_is_followed_by_its_id_wherever_it_goes() -> None:
    before = [{"id": "lists", "act": "sends lists"}, {"id": "homes", "act": "checks homes"}]
    after = [{"id": "homes", "act": "checks every home"}, {"id": "lists", "act": "sends lists"}]
    assert differences(before, after) == [
        Change("reordered", "", "", ["lists", "homes"], ["homes", "lists"]),
        Change("changed", "/1/act", "/0/act", "checks homes", "checks every home"),
    ]


def test_without_ids_an_entry_is_found_again_by_its_likeness() -> None:
    before = [
        {"organisation": "clinic", "part": "keeps the list of homes"},
        {"organisation": "city", "part": "pays"},
    ]
    after = [
        {"organisation": "trust", "part": "runs classes"},
        {"organisation": "clinic", "part": "keeps the long list of homes"},
        {"organisation": "city", "part": "pays"},
    ]
    assert [(c.what, c.before_pointer, c.after_pointer) for c in differences(before, after)] == [
        ("added", None, "/0"),
        ("changed", "/0/part", "/1/part"),
    ]


def test_another_person_in_a_list_is_one_taken_out_and_one_added() -> None:
    found = differences(["amira-haddad", "moira-kerr"], ["amira-haddad", "ewan-ross"])
    assert [(c.what, c.before or c.after) for c in found] == [
        ("removed", "moira-kerr"),
        ("added", "ewan-ross"),
    ]


@pytest.mark.parametrize(("before", "after"), [(5, 5.0), ({"a": 1, "b": 2}, {"b": 2, "a": 1})])
def test_another_way_to_write_the_same_is_no_change(before: Any, after: Any) -> None:
    assert not differences(before, after)


def test_one_and_true_are_not_the_same() -> None:
    assert [c.what for c in differences([1], [True])] == ["removed", "added"]


def test_a_changed_word_is_told_within_its_sentence() -> None:
    assert words("Lists arrive by Thursday noon.", "Lists arrive by Friday noon.") == [
        Run("same", "Lists arrive by "),
        Run("deleted", "Thursday"),
        Run("inserted", "Friday"),
        Run("same", " noon."),
    ]


def test_a_text_written_anew_is_not_told_in_scraps() -> None:
    assert [run.what for run in words("The clinic pays.", "Nobody has to be afraid at home.")] == [
        "deleted",
        "inserted",
    ]


def test_long_lists_of_strangers_are_compared_quickly() -> None:
    before = [{"act": f"one {n} of them"} for n in range(500)]
    after = [{"act": f"other {n} among us"} for n in range(500)]
    assert len(differences(before, after)) == 1000
