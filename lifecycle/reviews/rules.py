"""Rules of review rounds: quorum, negative answers. Pure."""

from collections.abc import Collection, Mapping
from typing import Any

NEGATIVE = 2
"""A score of 1 or 2 is negative and asks for a corrective action (guide, step four)."""

OPEN_WORKING_DAYS = 10
EXTENSION_WORKING_DAYS = 5


def quorate(asked: Mapping[str, str], answered: Collection[str]) -> bool:
    """At least one answer of each partner asked, and half of those asked. `asked`: contact id → partner id."""
    heard = {asked[contact_id] for contact_id in answered if contact_id in asked}
    return heard == set(asked.values()) and 2 * len(set(answered) & asked.keys()) >= len(asked)


def negative_questions(response: Mapping[str, Any]) -> list[str]:
    """The questions that a response answers with a 1 or 2, in its order."""
    return [
        answer["question"]
        for answer in response.get("answers", ())
        if answer.get("score") is not None and answer["score"] <= NEGATIVE
    ]
