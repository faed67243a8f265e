"""An answer can be begun and sent later: drafts, follow-up questions, late answers, and when it is all over."""

from datetime import datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from lxml import html

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.reviews import drafts, queries
from lifecycle.reviews import service as reviews
from lifecycle.reviews.models import review_draft
from tests.builders import answer, contents, count
from tests.portal.conftest import link
from tests.portal.reviewing import ALL, DAY, Travel, answered, at, close, end, form, opened, said


@pytest.fixture
def health(store: Database, settings: Settings, now: datetime) -> str:
    """A link into a round of the health check, whose sixth question follows up the fifth."""
    opened(store, now, questionnaire="health-check")
    return link(settings, "review", "harbour", "city-primary", now, {"round": 1})


def test_a_follow_up_question_says_when_it_is_asked(site: TestClient, health: str) -> None:
    root = html.fromstring(site.get(health).text)
    group = root.xpath("//fieldset")[5]
    hint = group.xpath("string(p[@class='hint'])")
    assert hint == "Only if you gave 1 to question 5; otherwise it is left out."
    assert group.xpath("p[@class='hint']/@id")[0] in group.get("aria-describedby")


@pytest.mark.parametrize(("trust", "kept"), [("1", True), ("2", False), ("cannot_say", False), ("", False)])
def test_an_answer_to_what_is_not_asked_is_left_out(
    site: TestClient, store: Database, health: str, trust: str, kept: bool
) -> None:
    sent = {
        "/answers/0/score": "3",
        "/answers/4/score": trust,
        "/answers/5/score": "2",
        "/answers/6/score": "3",
    }
    assert site.post(health, data=sent).status_code == 200
    found = answered(store)
    assert found is not None
    questions = [one["question"] for one in found["answers"]]
    assert ("trust-mended" in questions) is kept
    assert questions[-1] == "roles"


def test_what_is_not_asked_does_not_count_as_blank(site: TestClient, health: str) -> None:
    every = {f"/answers/{place}/score": "3" for place in range(11)}
    assert "blank" not in said(site.post(health, data=every))


def test_what_was_saved_is_there_again_and_nobody_else_sees_it(
    site: TestClient, store: Database, settings: Settings, now: datetime, mine: str
) -> None:
    sent = {"/answers/1/score": "2", "/answers/1/comment": "Half a thought", "do": "save", "answered": "0"}
    page = site.post(mine, data=sent)
    assert page.status_code == 200
    assert "it is not sent yet" in said(page)
    shown = form(site.get(mine))
    assert (shown["/answers/1/score"], shown["/answers/1/comment"]) == ("2", "Half a thought")
    assert answered(store) is None
    for other in ("city-deputy", "clinic-primary"):
        theirs = site.get(link(settings, "review", "harbour", other, now, {"round": 1}))
        assert "Half a thought" not in theirs.text


def test_what_the_script_saves_is_saved_and_says_no_more(
    site: TestClient, store: Database, mine: str
) -> None:
    root = html.fromstring(site.get(mine).text)
    assert root.forms[0].get("data-save") == f"{mine}/draft"
    status = root.xpath("//*[@data-save-status]")[0]
    assert status.get("role") == "status"
    page = site.post(f"{mine}/draft", data={"/answers/0/score": "3", "answered": "0"})
    assert (page.status_code, page.content) == (204, b"")
    assert form(site.get(mine))["/answers/0/score"] == "3"
    assert answered(store) is None


def test_an_over_long_comment_is_named_and_all_else_is_saved(
    site: TestClient, store: Database, now: datetime, mine: str
) -> None:
    sent = {
        "/answers/0/score": "3",
        "/answers/4/comment": "x" * 2001,
        "/answers/6/comment": "Kept.",
        "answered": "0",
    }
    assert site.post(f"{mine}/draft", data=sent).status_code == 422
    page = site.post(mine, data=sent | {"do": "save"})
    assert page.status_code == 422
    assert "2000" in at(page, "/answers/4/comment")
    assert "Everything else is saved." in said(page)
    assert form(page)["/answers/4/comment"] == "x" * 2001
    with store.read() as connection:
        kept = drafts.find(connection, "harbour", 1, "city-primary")
    assert kept is not None
    assert kept.content["answers"] == [
        {"question": "q1", "score": 3},
        {"question": "q5"},
        {"question": "q7", "comment": "Kept."},
    ]


def test_the_answer_takes_the_draft_with_it_and_a_page_left_open_does_not_bring_it_back(
    site: TestClient, store: Database, mine: str
) -> None:
    site.post(f"{mine}/draft", data={"/answers/0/score": "1", "answered": "0"})
    site.post(mine, data=ALL | {"answered": "0"})
    assert count(store, review_draft) == 0
    for answered_before in ("0", "", "x", "-1", "9" * 40):
        page = site.post(f"{mine}/draft", data={"/answers/0/score": "1", "answered": answered_before})
        assert page.status_code == 409
    assert count(store, review_draft) == 0


def test_a_change_of_the_answer_can_be_saved_too(site: TestClient, store: Database, mine: str) -> None:
    site.post(mine, data=ALL)
    sent = form(site.get(f"{mine}?again=1"))
    page = site.post(mine, data=sent | {"/answers/0/score": "3", "do": "save"})
    assert form(page)["/answers/0/score"] == "3"
    words = said(site.get(mine))
    assert "You began to change your answer" in words
    found = answered(store)
    assert found is not None
    assert found["answers"][0]["score"] == 4


@pytest.mark.parametrize(
    "sent",
    [
        {"/answers/0/score": "6"},
        {"/answers/0/score": "x"},
        {"/answers/0/score": "4", "/answers/1/score": "99"},
    ],
)
def test_scores_that_there_are_not_are_not_saved(
    site: TestClient, store: Database, mine: str, sent: dict[str, str]
) -> None:
    before = contents(store)
    assert site.post(f"{mine}/draft", data=sent | {"answered": "0"}).status_code == 422
    page = site.post(mine, data=sent | {"answered": "0", "do": "save"})
    assert page.status_code == 422
    assert "Everything else is saved." not in said(page)
    assert contents(store) == before


def test_a_late_answer_is_taken_and_marked(
    site: TestClient, store: Database, now: datetime, mine: str, travel: Travel
) -> None:
    close(store, now)
    travel(now + 41 * DAY)
    assert "Your answer is still taken: it is kept and marked as late" in said(site.get(mine))
    assert site.post(f"{mine}/draft", data=ALL | {"answered": "0"}).status_code == 204
    page = site.post(mine, data=ALL | {"/answers/0/score": "1"})
    words = said(page)
    assert "kept and marked as late, and changes no result" in words
    assert "corrective action" not in words
    assert "What you answered before it closed still counts." not in words
    assert answered(store) is None
    with store.read() as connection:
        assert queries.late(connection, "harbour", 1) == ["city-primary"]


def test_after_it_closed_what_was_answered_in_time_counts(
    site: TestClient, store: Database, now: datetime, mine: str, travel: Travel
) -> None:
    site.post(mine, data=ALL)
    reviews.respond(store, "harbour", 1, "clinic-primary", answer(1), now)
    close(store, now)
    travel(now + 41 * DAY)
    assert "Its results went by email to everybody who had answered by then." in said(site.get(mine))
    words = said(site.post(mine, data=ALL | {"/answers/0/score": "3"}))
    assert "What you answered before it closed still counts." in words


def test_a_round_without_quorum_says_that_it_has_no_result(
    site: TestClient, store: Database, now: datetime, mine: str, travel: Travel
) -> None:
    site.post(mine, data=ALL)
    close(store, now)
    travel(now + 41 * DAY)
    assert "without a result: too few had answered" in said(site.get(mine))


def test_when_the_partnership_has_ended_the_page_says_so_plainly(
    site: TestClient, store: Database, now: datetime, mine: str
) -> None:
    end(store, now)
    page = site.get(mine)
    assert page.status_code == 200
    assert "Nothing is asked of you any more" in said(page)
    assert not html.fromstring(page.text).forms
    before = contents(store)
    for path, sent in (("", ALL), ("/pass-on", {"/to": "city-deputy"}), ("/decline", {"/reason": "No."})):
        assert "Nothing is asked of you any more" in said(site.post(mine + path, data=sent))
    assert site.post(f"{mine}/draft", data=ALL | {"answered": "0"}).status_code == 409
    assert contents(store) == before


def test_what_was_answered_is_still_shown_then(
    site: TestClient, store: Database, now: datetime, mine: str
) -> None:
    site.post(mine, data=ALL)
    end(store, now)
    words = said(site.get(mine))
    assert "4 of 5" in words
    assert "cannot be changed any more" in words
    assert "Change my answer" not in words


@pytest.mark.parametrize("subject", [{"round": 7}, {"round": "1"}, {}])
def test_a_round_that_is_not_there_is_a_plain_page(
    site: TestClient, store: Database, settings: Settings, now: datetime, subject: dict[str, Any]
) -> None:
    opened(store, now)
    page = site.get(link(settings, "review", "harbour", "city-primary", now, subject))
    assert page.status_code == 404
    assert "There is no such review" in said(page)
    assert "404" not in said(page)
