"""Rules of review rounds: quorum, what an answer may be, negative answers. Pure."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from lifecycle.errors import Fault
from lifecycle.reviews.questionnaire import Questionnaire

OPEN_WORKING_DAYS = 10
EXTENSION_WORKING_DAYS = 5

COVERED_DAYS = 42
"""A round within six weeks serves an occasion too: nobody is asked the same twice."""


def quorate(asked: Mapping[str, str], answered: Collection[str]) -> bool:
    """At least one answer of each partner asked, and half of those asked. `asked`: contact id → partner id."""
    heard = {asked[contact_id] for contact_id in answered if contact_id in asked}
    return heard == set(asked.values()) and 2 * len(set(answered) & asked.keys()) >= len(asked)


def faults_of(response: Mapping[str, Any], asked: Questionnaire) -> Iterator[Fault]:
    """What in a response does not answer its questionnaire."""
    answers = response.get("answers", ())
    scores = {answer["question"]: answer.get("score") for answer in answers}
    lowest, highest = asked.scale["lowest"]["score"], asked.scale["highest"]["score"]
    seen = set[str]()
    for place, answer in enumerate(answers):
        question, score = asked.find(answer["question"]), answer.get("score")
        here = f"/answers/{place}"
        if question is None:
            known = ", ".join(one.id for one in asked.questions)
            yield Fault(f"{here}/question", "asked", f"This round does not ask it; it asks {known}.")
        elif question.id in seen:
            yield Fault(f"{here}/question", "once", "Answer each question once.")
        elif not question.asked(scores):
            yield Fault(
                f"{here}/question", "asked_if", "Leave it out: after the earlier answer it is not asked."
            )
        if score is not None and not lowest <= score <= highest:
            yield Fault(
                f"{here}/score", "scale", f"Write a number from {lowest} to {highest}, or leave it empty."
            )
        if score is not None and answer.get("cannot_say"):
            yield Fault(f"{here}/cannot_say", "one of both", "Give a score, or say that you cannot say.")
        seen.add(answer["question"])


def without_unasked(response: Mapping[str, Any], asked: Questionnaire) -> dict[str, Any]:
    """A response without the answers to follow-up questions that its other answers leave unasked."""
    answers = list(response.get("answers", ()))
    while True:
        scores = {answer["question"]: answer.get("score") for answer in answers}
        fitting = [one for one in answers if (q := asked.find(one["question"])) is None or q.asked(scores)]
        if len(fitting) == len(answers):
            return {**response, "answers": fitting}
        # A follow-up question may have one of its own.
        answers = fitting


def negative_questions(response: Mapping[str, Any], asked: Questionnaire) -> list[str]:
    """The questions that a response answers negatively, in its order."""
    return [
        answer["question"] for answer in response.get("answers", ()) if asked.negative(answer.get("score"))
    ]
