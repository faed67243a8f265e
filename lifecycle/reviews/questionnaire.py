"""The questions of a review round: data, read once."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Question:
    """One question; `short` names it where there is little room."""

    id: str
    section: str
    short: str
    text: str


@dataclass(frozen=True)
class Questionnaire:
    """A questionnaire. Answers are scored on `scale`, each with an optional comment."""

    id: str
    version: int
    scale: Mapping[str, Any]
    questions: tuple[Question, ...]

    def wording(self, question_id: str) -> str:
        """The text of a question; the id itself where it is not (or no longer) asked."""
        return next((one.text for one in self.questions if one.id == question_id), question_id)


@cache
def load() -> Questionnaire:
    """The default questionnaire. Source: the guide's fourth step, reworded (domain.md, section 4)."""
    data = json.loads(Path(__file__).with_name("questionnaire.json").read_text(encoding="utf-8"))
    questions = tuple(Question(**one) for one in data["questions"])
    return Questionnaire(data["id"], data["version"], data["scale"], questions)
