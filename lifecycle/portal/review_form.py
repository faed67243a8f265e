"""A review's questions as the fields of a form, and what the form sent as a `review_response`.

A field's name is the pointer that it would have if every question were answered: what is left blank moves no other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import FormData

from lifecycle.documents import rules as document_rules
from lifecycle.errors import Fault, Invalid
from lifecycle.languages import Language
from lifecycle.portal.visits import text
from lifecycle.reviews.questionnaire import Question, Questionnaire

CANNOT_SAY = "cannot_say"
"""The choice beside the scores."""

_SECONDS_A_QUESTION = 40
"""Ten minutes for the guide's fourteen questions, as the invitation says."""


@dataclass(frozen=True)
class Item:
    """One question as it stands on the page."""

    place: int
    """In the questionnaire."""
    number: int
    """On the page."""
    question: Question

    @property
    def score(self) -> str:
        """The name of its choice."""
        return f"/answers/{self.place}/score"

    @property
    def comment(self) -> str:
        """The name of its comment."""
        return f"/answers/{self.place}/comment"


def items(asked: Questionnaire) -> dict[str, list[Item]]:
    """The questions by section, in the order in which they are shown."""
    sections: dict[str, list[tuple[int, Question]]] = {}
    for place, question in enumerate(asked.questions):
        sections.setdefault(question.section, []).append((place, question))
    found, number = {}, 0
    for section, questions in sections.items():
        found[section] = [
            Item(place, number + offset, question)
            for offset, (place, question) in enumerate(questions, start=1)
        ]
        number += len(questions)
    return found


def choices(asked: Questionnaire) -> list[tuple[str, str]]:
    """Each choice with its words: the scores from the lowest to the highest, and that one cannot say."""
    lowest, highest = asked.scale["lowest"], asked.scale["highest"]
    words = {end["score"]: end["means"] for end in (lowest, highest)}
    scores = range(lowest["score"], highest["score"] + 1)
    return [(str(score), words.get(score, "")) for score in scores] + [(CANNOT_SAY, asked.scale[CANNOT_SAY])]


def up_to(asked: Questionnaire, score: int, language: Language) -> str:
    """The scores that are no higher, in words: `1`, `1 or 2`, `1 to 3`."""
    lowest = asked.scale["lowest"]["score"]
    if score <= lowest:
        return str(lowest)
    words = (
        language.gettext("{first} or {last}")
        if score == lowest + 1
        else language.gettext("{first} to {last}")
    )
    return words.format(first=lowest, last=score)


def conditions(asked: Questionnaire, language: Language) -> dict[str, str]:
    """Follow-up questions by their id, with when they are to be answered."""
    shown = {item.question.id: item.number for section in items(asked).values() for item in section}
    words = language.gettext("Only if you gave {scores} to question {number}; otherwise it is left out.")
    return {
        one.id: words.format(
            scores=up_to(asked, one.asked_if["at_most"], language), number=shown[one.asked_if["question"]]
        )
        for one in asked.questions
        if one.asked_if is not None and one.asked_if["question"] in shown
    }


def minutes(asked: Questionnaire) -> int:
    """About how long it takes."""
    return -(-len(asked.questions) * _SECONDS_A_QUESTION // 60)


def comment_field() -> Mapping[str, Any]:
    """What the schema says of a comment: its title, its description and its longest."""
    answers = document_rules.load_schema("review_response")["properties"]["answers"]
    field: Mapping[str, Any] = answers["items"]["properties"]["comment"]
    return field


def content_of(sent: FormData, asked: Questionnaire, number: int) -> dict[str, Any]:
    """The response that a form says; a question without score and comment is not answered."""
    found = []
    for section in items(asked).values():
        for item in section:
            score, comment = text(sent, item.score), text(sent, item.comment)
            if score or comment:
                found.append({"question": item.question.id} | _score(score) | _comment(comment))
    return {"round": number, "answers": found}


def _score(said: str) -> dict[str, Any]:
    if said == CANNOT_SAY:
        return {"score": None, "cannot_say": True}
    # What is no number is the schema's to refuse.
    return (
        {"score": int(said) if said.isascii() and said.isdigit() and len(said) < 4 else said} if said else {}
    )


def _comment(said: str) -> dict[str, str]:
    return {"comment": said} if said else {}


def values_of(content: Mapping[str, Any], asked: Questionnaire) -> dict[str, str]:
    """What the fields of a form hold that shows this response."""
    given = {answer["question"]: answer for answer in content.get("answers", ())}
    found = {}
    for section in items(asked).values():
        for item in section:
            answer = given.get(item.question.id, {})
            score = answer.get("score")
            found[item.score] = (
                str(score) if score is not None else CANNOT_SAY if answer.get(CANNOT_SAY) else ""
            )
            found[item.comment] = answer.get("comment", "")
    return found


def typed(sent: FormData, asked: Questionnaire) -> dict[str, str]:
    """What the fields held when they were sent, to show them again."""
    shown = [item for section in items(asked).values() for item in section]
    return {name: text(sent, name) for item in shown for name in (item.score, item.comment)}


def at_fields(faults: tuple[Fault, ...], content: Mapping[str, Any], asked: Questionnaire) -> Invalid:
    """The same faults, each at the field of the form that it came from."""
    places = {question.id: place for place, question in enumerate(asked.questions)}
    moved = []
    for fault in faults:
        _, first, *rest = (*fault.pointer.split("/"), "")
        pointer = fault.pointer
        if first == "answers" and rest and rest[0].isdigit():
            place = places[content["answers"][int(rest[0])]["question"]]
            field = "comment" if rest[1] == "comment" else "score"
            pointer = f"/answers/{place}/{field}"
        moved.append(Fault(pointer, fault.rule, fault.mend))
    return Invalid(moved)


def listed(
    faults: Mapping[str, Sequence[str]], asked: Questionnaire, language: Language
) -> Mapping[str, Sequence[str]]:
    """The mends by field, each with the question that it is about: for the list at the head of the page."""
    shown = [item for section in items(asked).values() for item in section]
    numbers = {name: item.number for item in shown for name in (item.score, item.comment)}
    words = language.gettext("Question {number}: {mend}")
    return {
        name: [words.format(number=numbers[name], mend=mend) for mend in mends] if name in numbers else mends
        for name, mends in faults.items()
    }
