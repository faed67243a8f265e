"""A contact answers a review behind the link: without an account, without JavaScript."""

from datetime import datetime

import pytest
from fastapi.testclient import TestClient
from lxml import html
from sqlalchemy import select, update

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.documents import queries as documents
from lifecycle.partnerships.models import contact, partnership
from lifecycle.reviews import questionnaire
from lifecycle.reviews.models import corrective_action
from tests.builders import contents
from tests.portal.conftest import link
from tests.portal.reviewing import ALL, EVIL, answered, at, form, opened, review_field, said


def test_the_page_asks_each_question_with_a_scale_a_way_out_and_a_comment(
    site: TestClient, mine: str
) -> None:
    page = site.get(mine)
    assert page.status_code == 200
    root = html.fromstring(page.text)
    groups = root.xpath("//form//fieldset")
    asked = questionnaire.load()
    assert len(groups) == len(asked.questions) == 14
    for place, (group, question) in enumerate(zip(groups, asked.questions, strict=True)):
        assert group.xpath("string(legend)").strip() == f"{place + 1}. {question.text}"
        radios = group.xpath(".//input[@type='radio']")
        assert {one.get("name") for one in radios} == {f"/answers/{place}/score"}
        assert [one.get("value") for one in radios] == ["1", "2", "3", "4", "5", "cannot_say"]
        words = [" ".join(one.text_content().split()) for one in group.xpath(".//label[@class='choice']")]
        assert words == ["1 no", "2", "3", "4", "5 fully", "cannot say"]
        area = group.xpath(".//textarea")[0]
        assert area.get("name") == f"/answers/{place}/comment"
        assert group.xpath(f"string(.//label[@for='{area.get('id')}'])").startswith("Comment")
        assert "no personal names. At most 2,000 characters." in " ".join(group.text_content().split())
    assert root.xpath("//h2/bdi/text()") == list(dict.fromkeys(one.section for one in asked.questions))


def test_it_says_how_long_it_takes_until_when_and_who_sees_what(site: TestClient, mine: str) -> None:
    words = said(site.get(mine))
    assert "Monday 16 March 2026, 17:00 (Europe/London)" in words
    assert "A later answer is still taken, and marked as late." in words
    assert "about 10 minutes; 14 questions" in words
    assert "Everybody in the partnership sees the results" in words
    assert "Leave blank what you have no view on." in words
    assert "A low score (1 or 2) is not a black mark: it asks for a corrective action" in words


def test_an_anonymous_round_says_so(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    opened(store, now, anonymous=True, questionnaire="health-check")
    words = said(site.get(link(settings, "review", "harbour", "city-primary", now, {"round": 1})))
    assert "This round is anonymous." in words
    assert "no organisation of which fewer than three people answered" in words
    assert "Everybody in the partnership sees" not in words
    assert "A low score (1)" in words


def test_looking_changes_nothing_however_often(site: TestClient, store: Database, mine: str) -> None:
    before = contents(store)
    for path in ("", "?again=1", "?said=saved", "?said=answered", "/pass-on", "/decline", "/draft"):
        site.get(mine + path)
        site.head(mine + path)
    assert contents(store) == before


def test_what_others_have_written_is_shown_and_never_run(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    own = {"id": "own", "section": f"{EVIL}s", "text": f"{EVIL}q"}
    opened(store, now, questions=[own])
    with store.write() as connection:
        connection.execute(update(partnership).values(title=f"{EVIL}t"))
        connection.execute(update(contact).values(name=f"{EVIL}n"))
    mine = link(settings, "review", "harbour", "city-primary", now, {"round": 1})
    other = link(settings, "review", "harbour", "city-deputy", now, {"round": 1})
    spoken = ALL | {"answered": "0", "/answers/14/score": "2", "/answers/14/comment": f"{EVIL}c"}
    pages = [site.get(mine), site.get(f"{mine}/pass-on"), site.get(f"{mine}/decline"), site.get(other)]
    pages += [
        site.post(f"{mine}/decline", data={"/reason": f"{EVIL}" + "r" * 2000}),
        site.post(mine, data=spoken | {"/answers/0/score": EVIL}),
        site.post(mine, data=spoken | {"do": "save"}),
        site.post(mine, data=spoken),
    ]
    for page in pages:
        assert "alert(1)" in page.text
        assert EVIL not in page.text
        assert not [one for one in html.fromstring(page.text).xpath("//script") if not one.get("src")]
    assert f"{EVIL}c" in said(pages[-1])


def test_the_longest_page_is_under_a_hundred_kilobytes(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    own = [{"id": f"own-{n}", "section": f"Section {n}", "text": "x" * 300} for n in range(20)]
    opened(store, now, questions=own)
    page = site.get(link(settings, "review", "harbour", "city-primary", now, {"round": 1}))
    assert "34. " in page.text
    assert len(page.content) < 100_000


def test_what_is_sent_is_the_answer_on_record(
    both_sites: TestClient, database: Database, settings: Settings, now: datetime
) -> None:
    opened(database, now)
    mine = link(settings, "review", "harbour", "city-primary", now, {"round": 1})
    sent = {
        "/answers/0/score": "5",
        "/answers/0/comment": "  We changed\r\nour hours. ",
        "/answers/9/score": "cannot_say",
        "/answers/13/comment": "Too early.",
        "do": "send",
    }
    page = both_sites.post(mine, data=sent)
    assert page.url.path == mine
    assert answered(database) == {
        "round": 1,
        "answers": [
            {"question": "q1", "score": 5, "comment": "We changed\nour hours."},
            {"question": "q10", "score": None, "cannot_say": True},
            {"question": "q14", "comment": "Too early."},
        ],
    }
    words = said(page)
    assert "Your answer is in. Thank you." in words
    assert "5 of 5 – fully" in words
    assert "We changed our hours." in words
    assert "cannot say" in words
    assert "You left 11 questions blank. That is fine." in words
    assert (
        "The round closes on Monday 16 March 2026, 17:00 (Europe/London). Then the results come to you"
        in words
    )


def test_sending_goes_on_to_a_page_that_can_be_reloaded(site: TestClient, store: Database, mine: str) -> None:
    page = site.post(mine, data=ALL, follow_redirects=False)
    assert (page.status_code, page.headers["location"]) == (303, f"{mine}?said=answered")
    before = contents(store)
    assert "4 of 5" in said(site.get(mine))
    assert contents(store) == before


def test_low_scores_ask_for_corrective_actions_and_the_page_says_so(
    site: TestClient, store: Database, mine: str
) -> None:
    page = site.post(mine, data=ALL | {"/answers/3/score": "1", "/answers/7/score": "2"})
    assert "You gave 2 low scores. Each asks for a corrective action" in said(page)
    with store.read() as connection:
        rows = connection.execute(select(corrective_action.c.question, corrective_action.c.asked_by))
        assert sorted(rows.tuples()) == [("q4", "city"), ("q8", "city")]


def test_the_same_link_changes_the_answer(site: TestClient, store: Database, mine: str) -> None:
    site.post(mine, data=ALL | {"/answers/2/comment": "First."})
    page = site.get(f"{mine}?again=1")
    assert "What you send now takes its place." in said(page)
    sent = form(page)
    assert sent["/answers/2/comment"] == "First."
    assert sent["/answers/2/score"] == "4"
    site.post(mine, data=sent | {"/answers/2/score": "3"})
    found = answered(store)
    assert found is not None
    assert found["answers"][2] == {"question": "q3", "score": 3, "comment": "First."}
    with store.read() as connection:
        assert documents.find(connection, "harbour", "review_response", "1/city-primary").revision == 2


@pytest.mark.parametrize(
    ("name", "value", "mend"),
    [
        ("/answers/5/score", "6", "Write a number from 1 to 5"),
        ("/answers/5/score", "0", "1"),
        ("/answers/5/score", "four", "number"),
        ("/answers/5/score", "9" * 30, "number"),
        ("/answers/5/comment", "x" * 2001, "2000"),
        ("/answers/5/comment", "a\x00b", "control characters"),
    ],
)
def test_a_wrong_input_is_shown_at_its_field_and_nothing_is_lost_or_changed(
    site: TestClient, store: Database, mine: str, name: str, value: str, mend: str
) -> None:
    before = contents(store)
    # Two questions before it are blank: what the rules call the answer's place is not the field's.
    sent = {
        "/answers/2/score": "4",
        "/answers/3/comment": "Kept.",
        "/answers/9/score": "cannot_say",
        name: value,
    }
    page = site.post(mine, data=sent | {"do": "send"})
    assert page.status_code == 422
    assert contents(store) == before
    assert mend in at(page, name)
    assert html.fromstring(page.text).xpath("string(//title)").startswith("Error: ")
    (listed,) = html.fromstring(page.text).xpath("//*[@data-faults]//a")
    assert listed.get("href") == f"#{review_field(name)}"
    assert listed.text_content().startswith("Question 6: ")
    shown = form(page)
    assert {field: shown[field] for field in sent if field != name} == {
        field: text for field, text in sent.items() if field != name
    }
    if name.endswith("comment") and "\x00" not in value:
        assert shown[name] == value


def test_an_empty_answer_is_not_sent_by_mistake(site: TestClient, store: Database, mine: str) -> None:
    before = contents(store)
    page = site.post(mine, data={"do": "send"})
    assert page.status_code == 422
    assert "Answer at least one question" in said(page)
    assert contents(store) == before


def test_the_enter_key_saves_and_does_not_send(site: TestClient, mine: str) -> None:
    buttons = html.fromstring(site.get(mine).text).xpath("//form//button/@value")
    assert buttons == ["save", "send"]
