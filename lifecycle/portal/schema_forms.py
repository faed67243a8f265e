"""A form from a JSON Schema: the tree of its fields, filled, for `schema_form.html`. No database."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from lifecycle.documents.formats import FORMATS
from lifecycle.documents.limits import escaped
from lifecycle.gates.report import Criterion
from lifecycle.languages import Language
from lifecycle.partnerships.people import People
from lifecycle.portal import guide
from lifecycle.portal.form_data import ABSENT, scalar, written
from lifecycle.portal.form_parts import Part, look_up
from lifecycle.portal.schema_shapes import Schema, is_long, parts_of, shape_of, types_of

Option = tuple[str, str]
"""A value, and what it is called."""

RADIOS = 3
"""Up to so many choices stand side by side."""

_REFERS_TO: Mapping[str, tuple[str, str]] = {
    "goal_ids": ("goals", "statement"),
    "goal_id": ("goals", "statement"),
    "remedy_ref": ("redress/remedies", "remedy"),
}
"""Fields that name something else of the same document: the list that it is in, and what it is called there."""

_LARGEST_BOUND = 10**9
_LONGEST_EXAMPLE = 100
_LONGEST_NAME = 70


@dataclass(frozen=True)
class Field:
    """One place of a form. Its words are in the reader's language."""

    pointer: str
    widget: str
    label: str
    hint: str = ""
    asked: tuple[Criterion, ...] = ()
    """Whose questions the guide asks here, and not already around it."""
    required: bool = False
    value: Any = ""
    options: Sequence[Option] = ()
    below: tuple["Field", ...] = ()
    more: Mapping[str, str] | None = None
    """Further attributes of an input."""
    can_grow: bool = False
    folds: bool = False
    """Whether it is folded away while it is empty."""
    fresh: bool = False
    """Whether it was just added: the reader goes on here."""

    def walk(self, trail: str = "", name: str = "") -> Iterator[tuple["Field", str]]:
        """This field and all below it, each with what it is called from outside; an entry of a list by its number."""
        here = " › ".join(filter(None, (trail, name or self.label)))
        yield self, here
        for number, one in enumerate(self.below, 1):
            if self.widget == "items":
                yield from one.walk(trail, f"{one.label} {number}")
            else:
                yield from one.walk(here)


@dataclass(frozen=True)
class Maker:
    """Makes the fields of a document's form for one reader.

    Attributes:
        whole: the document, for what its fields can name in it.
        grown: the list that was just given an empty item.
    """

    language: Language
    people: People
    whole: Any
    grown: str = ""

    def form(self, part: Part, content: Any) -> Field:
        """The fields of a part, filled with content; `ABSENT` leaves them empty."""
        found = self._field(part.schema, part.pointer, content, required=True, around=frozenset())
        return replace(found, required=False, folds=False)

    def _field(
        self, schema: Schema, pointer: str, value: Any, required: bool, around: frozenset[str]
    ) -> Field:
        shape = shape_of(schema)
        criteria = guide.asked(schema.get("description", ""))
        made = Field(
            pointer,
            shape,
            self.language.label(schema["title"]),
            self._hint(schema),
            tuple(one for one in criteria if one.code not in around),
            required,
        )
        around |= {one.code for one in criteria}
        if shape == "group":
            return self._group(made, schema, value, around)
        if shape in {"items", "texts"} or (shape == "lines" and _breaks(value)):
            return self._items(made, schema, value, around)
        if shape == "by_name":
            return self._by_name(made, schema, value)
        if refers_to := self._others(pointer):
            return self._chosen_among(made, shape, value, refers_to)
        return self._single(made, schema, value)

    def _group(self, made: Field, schema: Schema, value: Any, around: frozenset[str]) -> Field:
        held = value if isinstance(value, dict) else {}
        below = tuple(
            self._field(one, made.pointer + escaped(name), held.get(name, ABSENT), required, around)
            for name, one, required in parts_of(schema)
        )
        is_section = made.pointer.count("/") < 2
        return replace(made, below=below, folds=not (made.required or held or is_section))

    def _items(self, made: Field, schema: Schema, value: Any, around: frozenset[str]) -> Field:
        item = schema["items"]
        held = value if isinstance(value, list) else []
        if not held and shape_of(item) != "group":
            held = [ABSENT]
        below = [self._field(item, f"{made.pointer}/{at}", one, True, around) for at, one in enumerate(held)]
        # That an entry is needed, and what it is, is said once.
        below = [replace(one, required=False, hint="" if at else one.hint) for at, one in enumerate(below)]
        if below and self.grown == made.pointer:
            below[-1] = _freshened(below[-1])
        can_grow = len(below) < schema.get("maxItems", len(below) + 1)
        return replace(made, widget="items", below=tuple(below), can_grow=can_grow)

    def _by_name(self, made: Field, schema: Schema, value: Any) -> Field:
        """A list of people for each partner."""
        held = value if isinstance(value, dict) else {}
        item = next(iter(schema["patternProperties"].values()))["items"]
        names = dict.fromkeys(held) | self.people.partners
        below = tuple(
            Field(
                made.pointer + escaped(key),
                "ticks",
                name or key,
                value=_texts(held.get(key)),
                options=self._ticks(item, _texts(held.get(key)), key),
            )
            for key, name in names.items()
        )
        return replace(made, widget="group", below=below)

    def _single(self, made: Field, schema: Schema, value: Any) -> Field:
        if made.widget == "ticks":
            chosen = _texts(value)
            return replace(made, value=chosen, options=self._ticks(schema["items"], chosen))
        if made.widget == "lines":
            return replace(made, value="\n".join(_texts(value)))
        text = "" if value is ABSENT else written(value)
        if made.widget in {"choice", "truth"}:
            options = _with(self._known(schema), text)
            widget = "radios" if len(options) <= RADIOS else "select"
            return replace(made, widget=widget, value=text, options=options)
        widget, more = _input(schema, text)
        options = self._cadences() if schema.get("format") == "rrule" else []
        return replace(made, widget=widget, value=text, more=more, options=options)

    def _chosen_among(self, made: Field, shape: str, value: Any, others: Sequence[Option]) -> Field:
        if shape == "lines":
            chosen = _texts(value)
            return replace(made, widget="ticks", value=chosen, options=_first(chosen, others))
        text = "" if value is ABSENT else written(value)
        return replace(made, widget="select", value=text, options=_with(others, text))

    def _others(self, pointer: str) -> list[Option]:
        """What a field can name in its document; nothing where it names nothing, or nothing is there yet."""
        where, called = _REFERS_TO.get(pointer.rpartition("/")[2], ("", ""))
        places = (where, f"vision/{where}") if where else ()
        found = next(
            (one for place in places if isinstance(one := look_up(self.whole, f"/{place}"), list)), []
        )
        return [
            (str(one["id"]), _short(str(one.get(called, one["id"]))))
            for one in found
            if isinstance(one, dict) and "id" in one
        ]

    def _ticks(self, schema: Schema, chosen: Sequence[str], partner: str = "") -> list[Option]:
        return _first(chosen, self._known(schema, partner))

    def _known(self, schema: Schema, partner: str = "") -> list[Option]:
        if "enum" in schema:
            return [(str(one), self.language.label(str(one).replace("_", " "))) for one in schema["enum"]]
        if "boolean" in types_of(schema):
            return [("true", self.language.gettext("Yes")), ("false", self.language.gettext("No"))]
        if schema["format"] == "partner-id":
            return list(self.people.partners.items())
        return [
            (one.id, one.name if partner else f"{one.name}, {self.people.partners[one.partner_id]}")
            for one in sorted(self.people.contacts.values(), key=lambda one: (one.partner_id, one.id))
            if partner in {"", one.partner_id}
        ]

    def _cadences(self) -> list[Option]:
        say = self.language.gettext
        return [
            ("FREQ=WEEKLY", say("once a week")),
            ("FREQ=WEEKLY;INTERVAL=2", say("once every two weeks")),
            ("FREQ=MONTHLY", say("once a month")),
            ("FREQ=MONTHLY;INTERVAL=3", say("once every three months")),
            ("FREQ=MONTHLY;INTERVAL=6", say("once every six months")),
            ("FREQ=YEARLY", say("once a year")),
        ]

    def _hint(self, schema: Schema) -> str:
        """The description without what the form shows by itself, and an example of a text."""
        said = guide.without_codes(self.language.label(schema.get("description", "")))
        say = self.language.gettext
        # What descriptions say to who writes a file; in a form one chooses by name.
        for words in (say("A contact id."), say("A partner id.")):
            said = said.removesuffix(words).strip()
        if shape_of(schema) != "text" or schema.get("format") == "date" or not schema.get("examples"):
            return said
        example = str(schema["examples"][0])
        if len(example) > _LONGEST_EXAMPLE or "`" in example:
            return said
        return self.language.gettext("%(hint)s E.g. %(example)s") % {"hint": said, "example": example}


def _breaks(value: Any) -> bool:
    """Whether a list has a text of several lines, which cannot share a field with others."""
    return isinstance(value, list) and any("\n" in one for one in value if isinstance(one, str))


def _texts(value: Any) -> list[str]:
    return [written(one) for one in value] if isinstance(value, list) else []


def _first(chosen: Sequence[str], known: Sequence[Option]) -> list[Option]:
    """What is chosen in its order, known or not, then the others: saving what nobody touched changes nothing."""
    names = dict(known)
    return [(key, names.get(key, key)) for key in dict.fromkeys([*chosen, *names])]


def _with(known: Sequence[Option], chosen: str) -> list[Option]:
    """What can be chosen, and what is chosen even if it is unknown."""
    return [*known, *([(chosen, chosen)] if chosen and chosen not in dict(known) else [])]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"


def _freshened(field: Field) -> Field:
    """The field whose first input is where the reader goes on."""
    if not field.below:
        return replace(field, fresh=True)
    return replace(field, below=(_freshened(field.below[0]), *field.below[1:]))


_INPUTS = {"date": "date", "uri": "url", "email": "email"}


def _input(schema: Schema, text: str) -> tuple[str, Mapping[str, str]]:
    """The widget of a text or a number, and its attributes. A field that is narrower than its text would lose it."""
    if shape_of(schema) == "number":
        is_number = not text or not isinstance(scalar(schema, text), str)
        return "line", _of_number(schema) if is_number else {"type": "text", "inputmode": "decimal"}
    if is_long(schema) or "\n" in text:
        return "area", {"rows": "4" if schema.get("maxLength", 2000) >= 1000 else "2"}
    known = FORMATS.get(schema.get("format", ""))
    fits = not text or known is None or known.accepts(text)
    return "line", {"type": _INPUTS.get(schema.get("format", ""), "text") if fits else "text"}


def _of_number(schema: Schema) -> Mapping[str, str]:
    step = "1" if types_of(schema) == ("integer",) else "any"
    bounds = {
        attribute: str(schema[rule])
        for attribute, rule in (("min", "minimum"), ("max", "maximum"))
        if abs(schema.get(rule, _LARGEST_BOUND + 1)) <= _LARGEST_BOUND
    }
    return {"type": "number", "step": step} | bounds
