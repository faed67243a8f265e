"""What a round says: by the domain's formulas, and without singling anybody out."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lifecycle.measures.results_picture import svg
from lifecycle.reviews import questionnaire
from lifecycle.reviews.results import SMALL_GROUP, Answered, Results, evaluate

GUIDE = questionnaire.load()
HEALTH = questionnaire.load("health-check")


def answered(
    partner_id: str, score: int | None = 4, comment: str | None = None, **scores: int | None
) -> Answered:
    given_scores = {f"q{n}": score for n in range(1, 15)} | scores
    answers: list[dict[str, Any]] = [{"question": q, "score": s} for q, s in given_scores.items()]
    if comment is not None:
        answers[0]["comment"] = comment
    return Answered(partner_id, {"round": 1, "answers": answers})


def results(*answers: Answered, **more: Any) -> Results:
    return evaluate(1, GUIDE, answers, people_asked=max(1, len(answers)), **more)


def question(found: Results, id_: str) -> Any:
    return next(one for one in found.questions if one.id == id_)


def test_the_mean_and_how_far_partners_differ() -> None:
    found = results(
        answered("city", q1=5), answered("city", q1=3), answered("clinic", q1=1), answered("clinic", q1=None)
    )
    first = question(found, "q1")
    assert (first.mean, first.by_partner, first.spread) == (3.0, {"city": 4.0, "clinic": 1.0}, 3.0)
    assert (first.answers, first.cannot_say, first.negative) == (3, 1, 1)
    assert question(found, "q2").spread == 0.0


def test_a_section_is_all_answers_of_its_questions() -> None:
    found = results(answered("city", q1=5, q2=5, q3=5, q4=1))
    purpose = found.sections[0]
    assert (purpose.id, purpose.mean, purpose.answers) == ("Purpose", 4.0, 4)


def test_the_change_is_against_the_round_before() -> None:
    before = results(answered("city", 3), answered("clinic", 2))
    found = results(answered("city", 4), answered("clinic", 5), before=before)
    assert question(found, "q1").change == pytest.approx(2.0)
    assert found.sections[0].change == pytest.approx(2.0)


def test_participation_and_who_cannot_say() -> None:
    found = evaluate(
        1, GUIDE, [answered("city", None), answered("clinic", 4)], people_asked=4, declined=1, late=1
    )
    assert (found.asked, found.answered, found.declined, found.late) == (4, 2, 1, 1)
    assert found.cannot_say == 0.5


def test_in_an_open_round_comments_name_their_partner_and_in_an_anonymous_one_nobody() -> None:
    answers = [answered("city", comment="Late again."), answered("clinic", comment="All well.")]
    assert results(*answers).comments == (("q1", "city", "Late again."), ("q1", "clinic", "All well."))
    assert results(*answers, anonymous=True).comments == (("q1", "", "All well."), ("q1", "", "Late again."))


def test_a_small_group_takes_the_next_one_with_it_so_that_it_cannot_be_worked_out() -> None:
    large = [answered(partner) for partner in ("city", "clinic") for _ in range(3)]
    found = results(*large, answered("charity", 1), anonymous=True)
    assert found.hidden == ("charity", "city")
    assert set(question(found, "q1").by_partner) == {"clinic"}
    assert results(*large, anonymous=True).hidden == ()


PARTNERS = st.sampled_from(["city", "clinic", "charity", "school"])
SCORES = st.one_of(st.none(), st.integers(1, 5))


@given(st.lists(st.tuples(PARTNERS, SCORES, SCORES), max_size=20))
def test_in_an_anonymous_round_nobody_stands_alone(people: list[tuple[str, int | None, int | None]]) -> None:
    found = results(*(answered(partner, one, q1=other) for partner, one, other in people), anonymous=True)
    for one in found.questions:
        scored = Counter(p for p, rest, first in people if (first if one.id == "q1" else rest) is not None)
        if one.mean is not None:
            assert sum(scored.values()) >= SMALL_GROUP
        for partner in one.by_partner:
            assert scored[partner] >= SMALL_GROUP
        if one.by_partner:
            rest = sum(scored.values()) - sum(scored[partner] for partner in one.by_partner)
            assert rest == 0 or rest >= SMALL_GROUP, "what is left of the whole is nobody, or a group"


@given(
    st.lists(st.tuples(PARTNERS, st.integers(1, 5)), min_size=1, max_size=12),
    st.permutations(["city", "clinic", "charity", "school"]),
)
def test_no_partner_is_favoured(people: list[tuple[str, int]], names: list[str]) -> None:
    swap = dict(zip(["city", "clinic", "charity", "school"], names, strict=True))
    mine = results(*(answered(partner, score) for partner, score in people))
    theirs = results(*(answered(swap[partner], score) for partner, score in people))
    for one, other in zip(mine.questions, theirs.questions, strict=True):
        assert {swap[p]: m for p, m in one.by_partner.items()} == pytest.approx(dict(other.by_partner))
        assert one.spread == pytest.approx(other.spread)


def test_the_picture_says_every_row_in_words() -> None:
    drawn = svg("Falls & more", results(answered("city", 5), answered("clinic", 2)))
    assert "Falls &amp; more" in drawn
    assert drawn.count('class="one"') == 14 + len(results(answered("city")).sections) + 1
    assert "Purpose: 3.5 of 5, partners differ by 3.0." in drawn
    assert "too few answers" in svg("Falls", results(answered("city"), anonymous=True))


# Questionnaires are data


@pytest.mark.parametrize("name", questionnaire.installed())
def test_every_questionnaire_fulfils_its_schema_and_asks_each_question_once(name: str) -> None:
    import json

    from lifecycle.documents import rules

    content = json.loads((questionnaire.FOLDER / f"{name}.json").read_text())
    rules.validate("questionnaire", content)
    ids = [one["id"] for one in content["questions"]]
    assert len(set(ids)) == len(ids)
    for one in content["questions"]:
        if "asked_if" in one:
            assert ids.index(one["asked_if"]["question"]) < ids.index(one["id"]), (
                "asked of earlier answers only"
            )


def test_a_question_that_depends_on_another_is_asked_only_then() -> None:
    mended = HEALTH.find("trust-mended")
    assert mended is not None
    assert mended.asked({"trust": 1})
    assert not mended.asked({"trust": 2})
    assert not mended.asked({})


def test_negative_is_what_the_scale_says() -> None:
    assert [GUIDE.negative(score) for score in (None, 1, 2, 3)] == [False, True, True, False]
    assert [HEALTH.negative(score) for score in (1, 2, 3)] == [True, False, False]
