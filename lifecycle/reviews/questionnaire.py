"""The questions of a review round: data, read once; a round keeps the version that it opened with."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

DEFAULT = "guide-step-four"
"""The guide's fourth step, reworded (domain.md, section 4)."""

NAMES: Mapping[str, str] = {"default": DEFAULT, "health-check": "health-check"}
"""What an agreement may name → the questionnaire's id."""

FOLDER = Path(__file__).with_name("questionnaires")


@dataclass(frozen=True)
class Question:
    """One question; `short` names it where there is little room."""

    id: str
    section: str
    text: str
    short: str = ""
    asked_if: Mapping[str, Any] | None = None
    """{"question", "at_most"}: only asked where that one got so low a score."""

    def asked(self, scores: Mapping[str, int | None]) -> bool:
        """Whether it is asked of somebody who gave these scores."""
        if self.asked_if is None:
            return True
        score = scores.get(self.asked_if["question"])
        return score is not None and score <= self.asked_if["at_most"]


@dataclass(frozen=True)
class Questionnaire:
    """A questionnaire. Answers are scored on `scale`, each with an optional comment."""

    id: str
    version: int
    title: str
    scale: Mapping[str, Any]
    questions: tuple[Question, ...]

    def find(self, question_id: str) -> Question | None:
        """A question by its id, if it is (still) asked."""
        return next((one for one in self.questions if one.id == question_id), None)

    def wording(self, question_id: str) -> str:
        """The text of a question; the id itself where it is not (or no longer) asked."""
        found = self.find(question_id)
        return question_id if found is None else found.text

    def negative(self, score: int | None) -> bool:
        """Whether a score asks for a corrective action (guide, step four)."""
        return score is not None and bool(score <= self.scale["negative_up_to"])


def of(reference: Mapping[str, Any] | None) -> Questionnaire:
    """The questionnaire that a round pinned: `{"id", "version", "own"}`, see `reference`; the default for none."""
    chosen = reference or {"id": DEFAULT}
    found = load(chosen["id"])
    own = tuple(_question(one) for one in chosen.get("own", ()))
    return Questionnaire(found.id, found.version, found.title, found.scale, (*found.questions, *own))


def reference(reviews: Mapping[str, Any] = MappingProxyType({})) -> dict[str, Any]:
    """What a round keeps of the agreement's review terms, so that a later agreement changes no running round."""
    found = load(NAMES[reviews.get("questionnaire", "default")])
    own = {"own": reviews["questions"]} if reviews.get("questions") else {}
    anonymous = {"anonymous": True} if reviews.get("anonymous") else {}
    return {"id": found.id, "version": found.version, **own, **anonymous}


def collisions(reviews: Mapping[str, Any]) -> list[int]:
    """Which own questions of an agreement have an id that is taken, by their place."""
    taken = {one.id for one in load(NAMES[reviews.get("questionnaire", "default")]).questions}
    found = []
    for place, question in enumerate(reviews.get("questions", ())):
        if question["id"] in taken:
            found.append(place)
        taken.add(question["id"])
    return found


@cache
def load(questionnaire_id: str = DEFAULT) -> Questionnaire:
    """A questionnaire that comes with the engine."""
    data = json.loads((FOLDER / f"{questionnaire_id}.json").read_text(encoding="utf-8"))
    return Questionnaire(
        data["id"], data["version"], data["title"], data["scale"], tuple(map(_question, data["questions"]))
    )


def installed() -> Sequence[str]:
    """The ids of the questionnaires that come with the engine."""
    return sorted(path.stem for path in FOLDER.glob("*.json"))


def _question(data: Mapping[str, Any]) -> Question:
    return Question(**{"short": data["text"][:40], **data})
