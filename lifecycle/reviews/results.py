"""What a round says: scores per question, section and partner, their spread and change, and who took part. Pure.

Spread is the largest difference between the means of two partners: a disagreement matters more than a mean (domain
reference, section 4). In an anonymous round no partner of which fewer than three people answered has a result of its
own, and none can be worked out from the others'.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from lifecycle.reviews.questionnaire import Questionnaire

SMALL_GROUP = 3
"""So many answers of one partner hide each of its people."""

Scores = Mapping[str, float]
"""Partner id → mean."""


@dataclass(frozen=True)
class Score:
    """How a question, or all of a section, was answered."""

    id: str
    title: str
    section: str
    answers: int
    """With a score."""
    cannot_say: int
    mean: float | None
    by_partner: Scores
    spread: float | None
    """None where fewer than two partners have a result."""
    change: float | None
    """Against the mean of the round before, where that asked it too."""
    negative: int


@dataclass(frozen=True)
class Results:
    """The results of one round."""

    round: int
    questionnaire: str
    lowest: int
    highest: int
    anonymous: bool
    asked: int
    answered: int
    declined: int
    late: int
    """Answers after the round had closed: kept, and not counted."""
    cannot_say: float | None
    """Share of all answers."""
    questions: tuple[Score, ...]
    sections: tuple[Score, ...]
    hidden: tuple[str, ...]
    """Partners without a result of their own, because so few of them answered."""
    comments: tuple[tuple[str, str, str], ...]
    """(question, partner or nobody, words), in the order of the questions."""


@dataclass(frozen=True)
class Answered:
    """One respondent's counted response."""

    partner_id: str
    content: Mapping[str, Any]


def evaluate(
    number: int,
    asked: Questionnaire,
    answers: Sequence[Answered],
    *,
    people_asked: int,
    declined: int = 0,
    late: int = 0,
    anonymous: bool = False,
    before: "Results | None" = None,
) -> Results:
    """Work out the results of a round.

    Args:
        number: the round's.
        asked: its questionnaire.
        answers: the counted responses.
        people_asked: how many were asked.
        declined: how many of them declined, with a reason.
        late: how many answered too late to count.
        anonymous: whether small groups are hidden and comments have no author.
        before: the results of the round before, for the change.
    """
    hidden = _hidden(answers) if anonymous else ()
    given = [(one.partner_id, answer) for one in answers for answer in one.content.get("answers", ())]
    means = {} if before is None else {one.id: one.mean for one in (*before.questions, *before.sections)}
    questions = tuple(
        _score(
            one.id,
            one.short,
            one.section,
            [(p, a) for p, a in given if a["question"] == one.id],
            asked,
            hidden,
            anonymous,
            means.get(one.id),
        )
        for one in asked.questions
    )
    names = list(dict.fromkeys(one.section for one in asked.questions))
    of_section = {name: {q.id for q in asked.questions if q.section == name} for name in names}
    sections = tuple(
        _score(
            name,
            name,
            name,
            [(p, a) for p, a in given if a["question"] in of_section[name]],
            asked,
            hidden,
            anonymous,
            means.get(name),
        )
        for name in names
    )
    unknown = sum(one.cannot_say for one in questions)
    total = unknown + sum(one.answers for one in questions)
    return Results(
        number,
        asked.id,
        asked.scale["lowest"]["score"],
        asked.scale["highest"]["score"],
        anonymous,
        people_asked,
        len(answers),
        declined,
        late,
        unknown / total if total else None,
        questions,
        sections,
        hidden,
        _comments(asked, answers, anonymous),
    )


def _hidden(answers: Sequence[Answered]) -> tuple[str, ...]:
    """The partners that must not have a result of their own.

    One hidden partner alone could be worked out as the rest of the whole; the next smallest is then hidden with it.
    """
    counts: dict[str, int] = {}
    for one in answers:
        counts[one.partner_id] = counts.get(one.partner_id, 0) + 1
    by_size = sorted(counts, key=lambda partner_id: (counts[partner_id], partner_id))
    hidden = [partner_id for partner_id in by_size if counts[partner_id] < SMALL_GROUP]
    for partner_id in by_size:
        if not hidden or (sum(counts[one] for one in hidden) >= SMALL_GROUP and len(hidden) > 1):
            break
        if partner_id not in hidden:
            hidden.append(partner_id)
    return tuple(sorted(hidden))


def _score(
    id_: str,
    title: str,
    section: str,
    given: Sequence[tuple[str, Mapping[str, Any]]],
    asked: Questionnaire,
    hidden: Sequence[str],
    anonymous: bool,
    before: float | None,
) -> Score:
    scored = [
        (partner_id, answer["score"]) for partner_id, answer in given if answer.get("score") is not None
    ]
    enough = not anonymous or len(scored) >= SMALL_GROUP
    partners = sorted({partner_id for partner_id, _ in scored} - set(hidden))
    by_partner = {
        partner_id: fmean(score for other, score in scored if other == partner_id) for partner_id in partners
    }
    if anonymous and not _all_large(scored, hidden):
        by_partner = {}
    mean = fmean(score for _, score in scored) if scored and enough else None
    return Score(
        id_,
        title,
        section,
        len(scored),
        len(given) - len(scored),
        mean,
        by_partner,
        max(by_partner.values()) - min(by_partner.values()) if len(by_partner) > 1 else None,
        mean - before if mean is not None and before is not None else None,
        sum(asked.negative(score) for _, score in scored) if enough else 0,
    )


def _all_large(scored: Sequence[tuple[str, int]], hidden: Sequence[str]) -> bool:
    """Whether nobody stands alone: where some of a large group left a question out, what is left may be small again,
    and the hidden ones can be worked out as the rest of the whole."""
    counts: dict[str, int] = {}
    for partner_id, _ in scored:
        group = "" if partner_id in hidden else partner_id
        counts[group] = counts.get(group, 0) + 1
    return all(count >= SMALL_GROUP for count in counts.values())


def _comments(
    asked: Questionnaire, answers: Sequence[Answered], anonymous: bool
) -> tuple[tuple[str, str, str], ...]:
    """Comments by question; without their partner, and in the order of their words, where the round is anonymous."""
    place = {one.id: number for number, one in enumerate(asked.questions)}
    found = [
        (answer["question"], "" if anonymous else one.partner_id, answer["comment"])
        for one in answers
        for answer in one.content.get("answers", ())
        if answer.get("comment")
    ]
    return tuple(sorted(found, key=lambda one: (place.get(one[0], len(place)), one[1], one[2])))
