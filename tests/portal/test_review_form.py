"""The fields of a review's form and the response are two forms of the same answer."""

from typing import Any

from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from starlette.datastructures import FormData

from lifecycle.documents import rules as document_rules
from lifecycle.errors import Fault
from lifecycle.portal import review_form
from lifecycle.reviews import questionnaire, rules

HEALTH = questionnaire.of(
    questionnaire.reference(
        {"questionnaire": "health-check", "questions": [{"id": "own", "section": "Trust", "text": "Ours?"}]}
    )
)
_SCORES = {
    question.id: st.fixed_dictionaries(
        {"question": st.just(question.id)},
        optional={"comment": st.text("ab é\n", min_size=1).filter(lambda one: one == one.strip() != "")},
    ).flatmap(
        lambda one: st.sampled_from(
            [one | {"score": score} for score in (1, 2, 3)]
            + [one | {"score": None, "cannot_say": True}]
            + ([one] if "comment" in one else [])
        )
    )
    for question in HEALTH.questions
}


@given(
    st.sets(st.sampled_from(sorted(_SCORES))).flatmap(
        lambda some: st.fixed_dictionaries({q: _SCORES[q] for q in some})
    )
)
@examples(max_examples=80)
def test_a_form_that_is_filled_from_a_response_sends_that_response(answers: dict[str, Any]) -> None:
    content = {"round": 1, "answers": list(answers.values())}
    sent = FormData(list(review_form.values_of(content, HEALTH).items()))
    again = review_form.content_of(sent, HEALTH, 1)
    assert {one["question"]: one for one in again["answers"]} == answers
    document_rules.validate("review_response", again)
    assert not list(rules.faults_of(rules.without_unasked(again, HEALTH), HEALTH))


def test_questions_are_numbered_as_they_are_shown() -> None:
    sections = review_form.items(HEALTH)
    numbers = [item.number for found in sections.values() for item in found]
    assert numbers == list(range(1, 13))
    assert [item.question.id for item in sections["Trust"]] == ["trust", "trust-mended", "own"]


def test_a_fault_elsewhere_in_the_answer_stays_where_it_is() -> None:
    faults = (
        Fault("", "size", "Shorter."),
        Fault("/answers", "maxItems", "Fewer."),
        Fault("/answers/0/cannot_say", "x", "y"),
    )
    moved = review_form.at_fields(faults, {"answers": [{"question": "trust"}]}, HEALTH)
    assert [one.pointer for one in moved.faults] == ["", "/answers", "/answers/4/score"]
