"""A contact answers a review behind the link: without an account, without JavaScript, in their own time."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from lxml import html
from sqlalchemy import select, update
from starlette.datastructures import FormData

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.documents import queries as documents
from lifecycle.documents import rules as document_rules
from lifecycle.errors import Fault
from lifecycle.partnerships import changes, doors
from lifecycle.partnerships.models import contact, partnership
from lifecycle.portal import review_form
from lifecycle.reviews import drafts, queries, questionnaire, rules
from lifecycle.reviews import service as reviews
from lifecycle.reviews.models import corrective_action, review_draft
from tests.builders import answer, contents, count, registered, reviewed
from tests.portal.conftest import link

DAY = timedelta(days=1)
EVIL = "<script>alert(1)</script>"
Travel = Callable[[datetime], None]


def opened(database: Database, now: datetime, **reviews_terms: Any) -> Database:
    """A partnership whose first review round has just opened."""
    registered(database, now, stage="maintaining")
    reviewed(database, "harbour", now, **reviews_terms)
    reviews.sweep_reviews(database, now)
    return database


def close(database: Database, now: datetime) -> None:
    for day in (20, 40):
        reviews.sweep_reviews(database, now + day * DAY)


@pytest.fixture
def mine(store: Database, settings: Settings, now: datetime) -> str:
    """The link of the city's primary contact to the round that is open."""
    opened(store, now)
    return link(settings, "review", "harbour", "city-primary", now, {"round": 1})


def form(page: Response) -> dict[str, str]:
    """What the page's form would send as it stands, without a button."""
    # The first line feed of a text area is no part of what it holds (HTML, 13.2.6.4.7), whatever lxml says.
    return {
        name: value.removeprefix("\n") for name, value in html.fromstring(page.text).forms[0].form_values()
    }


def said(page: Response) -> str:
    """What stands on the page, in one line."""
    return " ".join(html.fromstring(page.text).text_content().split())


def at(page: Response, name: str) -> str:
    """The fault that stands at a field."""
    field = review_field(name)
    return str(html.fromstring(page.text).get_element_by_id(f"{field}-fault").text_content())


def review_field(name: str) -> str:
    return f"f{name.replace('/', '-')}"


def answered(database: Database, who: str = "city-primary") -> Mapping[str, Any] | None:
    with database.read() as connection:
        return queries.responses(connection, "harbour", 1).get(who)


ALL = {f"/answers/{place}/score": "4" for place in range(14)}


# The page


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
        assert words == ["1 – no", "2", "3", "4", "5 – fully", "cannot say"]
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


# Answering


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
    assert html.fromstring(page.text).xpath(f"//*[@data-faults]//a[@href='#{review_field(name)}']")
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


# Follow-up questions


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


# Going on later


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
    assert site.post(mine, data=sent | {"answered": "0", "do": "save"}).status_code == 422
    assert contents(store) == before


# After it closed, and when it is over


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


def end(database: Database, now: datetime) -> None:
    with database.write() as connection:
        change = changes.begin(connection, "harbour", now)
        reviews.cancel_open_rounds(connection, change)
        changes.write(connection, change)
        connection.execute(update(partnership).values(stage="terminated"))


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


# Somebody else


def test_a_round_is_handed_to_a_colleague_who_is_not_asked(
    both_sites: TestClient, database: Database, settings: Settings, now: datetime
) -> None:
    opened(database, now)
    mine = link(settings, "review", "harbour", "city-primary", now, {"round": 1})
    page = both_sites.get(f"{mine}/pass-on")
    names = html.fromstring(page.text).xpath("//input[@type='radio']/@value")
    assert names == ["city-deputy", "city-sponsor"]
    page = both_sites.post(f"{mine}/pass-on", data={"/to": "city-deputy"})
    words = said(page)
    assert "An email with a link of its own is on its way." in words
    assert "Now it is answered by: City Deputy." in words
    with database.read() as connection:
        assert queries.find_round(connection, "harbour", 1).asked == ("city-deputy", "clinic-primary")
    before = contents(database)
    assert "City Deputy" in said(both_sites.post(mine, data=ALL))
    assert both_sites.post(f"{mine}/draft", data=ALL | {"answered": "0"}).status_code == 409
    assert contents(database) == before
    theirs = link(settings, "review", "harbour", "city-deputy", now, {"round": 1})
    both_sites.post(theirs, data=ALL)
    assert answered(database, "city-deputy") is not None


def test_only_colleagues_whom_email_reaches_are_offered(
    site: TestClient, store: Database, now: datetime, mine: str
) -> None:
    with store.write() as connection:
        gone = update(contact).where(contact.c.id == "city-sponsor")
        connection.execute(gone.values(undeliverable_since=now))
        away = update(contact).where(contact.c.id == "city-deputy")
        connection.execute(away.values(absent_until=(now + 3 * DAY).date()))
    page = site.get(f"{mine}/pass-on")
    assert html.fromstring(page.text).xpath("//input[@type='radio']/@value") == ["city-deputy"]
    assert "away until Thursday 5 March 2026" in said(page)


@pytest.mark.parametrize("to", ["", "clinic-deputy", "city-primary", "eve", EVIL])
def test_it_is_handed_to_nobody_else(site: TestClient, store: Database, mine: str, to: str) -> None:
    before = contents(store)
    page = site.post(f"{mine}/pass-on", data={"/to": to})
    assert page.status_code == 422
    assert "Choose the colleague who is to answer." in at(page, "/to")
    assert contents(store) == before


def test_without_a_colleague_the_page_says_what_to_do(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    opened(store, now, respondents=["clinic-primary", "city-primary", "city-deputy", "city-sponsor"])
    mine = link(settings, "review", "harbour", "city-primary", now, {"round": 1})
    assert "Nobody else of your organisation is registered" in said(site.get(f"{mine}/pass-on"))


def test_a_round_is_declined_with_a_reason_and_can_be_answered_all_the_same(
    site: TestClient, store: Database, mine: str
) -> None:
    page = site.post(f"{mine}/decline", data={"/reason": "I have just begun."})
    assert "You declined to answer review round 1" in said(page)
    with store.read() as connection:
        assert queries.find_round(connection, "harbour", 1).declined == ("city-primary",)
    assert "An answer is welcome all the same." in said(site.get(f"{mine}?again=1"))
    site.post(mine, data=ALL)
    assert answered(store) is not None


@pytest.mark.parametrize("reason", ["", "  ", "x" * 2001, "No\x00"])
def test_a_reason_is_needed_and_what_was_typed_stays(
    site: TestClient, store: Database, mine: str, reason: str
) -> None:
    before = contents(store)
    page = site.post(f"{mine}/decline", data={"/reason": reason})
    assert page.status_code == 422
    assert at(page, "/reason")
    assert contents(store) == before
    if reason.strip() and "\x00" not in reason:
        assert form(page)["/reason"] == reason


def test_whoever_has_answered_neither_hands_it_on_nor_declines(
    site: TestClient, store: Database, mine: str
) -> None:
    site.post(mine, data=ALL)
    assert "/pass-on" not in site.get(f"{mine}?again=1").text
    before = contents(store)
    for path, sent in (("/pass-on", {"/to": "city-deputy"}), ("/decline", {"/reason": "No."})):
        assert "Thank you" in said(site.get(mine + path))
        assert "Thank you" in said(site.post(mine + path, data=sent))
    assert contents(store) == before


def test_somebody_who_is_not_asked_sees_who_is_and_what_can_be_done(
    site: TestClient, store: Database, settings: Settings, now: datetime
) -> None:
    opened(store, now)
    deputys = link(settings, "review", "harbour", "city-deputy", now, {"round": 1})
    words = said(site.get(deputys))
    assert "You are not asked in review round 1" in words
    assert "City Primary, The City" in words
    assert "they can hand the round to you" in words
    assert "write to the coordinator: Clinic Primary" in words
    before = contents(store)
    for path, sent in (("", ALL), ("/pass-on", {"/to": "city-sponsor"}), ("/decline", {"/reason": "No."})):
        assert "You are not asked" in said(site.post(deputys + path, data=sent))
    assert site.post(f"{deputys}/draft", data=ALL | {"answered": "0"}).status_code == 409
    assert contents(store) == before


# Links


def test_a_link_that_is_not_good_opens_nothing_and_changes_nothing(
    site: TestClient, store: Database, settings: Settings, now: datetime, mine: str, travel: Travel
) -> None:
    foreign = Settings(_env_file=None, secret_key="x" * 48)
    expired = link(settings, "review", "harbour", "city-primary", now - 91 * DAY, {"round": 1})
    sign = link(settings, "sign", "harbour", "city-primary", now, {"round": 1})
    bad = [
        mine[:-3],
        mine[:-3] + "AAA",
        sign.replace("/sign/", "/review/"),
        link(foreign, "review", "harbour", "city-primary", now, {"round": 1}),
        link(settings, "review", "harbour", "eve", now, {"round": 1}),
        expired,
        "/review/x",
    ]
    before = contents(store)
    for one in bad:
        for path in ("", "/pass-on", "/decline"):
            assert site.get(one + path).status_code == 409
            assert (
                site.post(one + path, data=ALL | {"/to": "city-deputy", "/reason": "No."}).status_code == 409
            )
        assert site.post(f"{one}/draft", data=ALL).status_code == 409
    assert contents(store) == before
    doors.revoke(store, "harbour", "city-primary", "city-primary", now)
    revoked = contents(store)
    travel(now + DAY)
    assert site.get(mine).status_code == site.post(mine, data=ALL).status_code == 409
    assert contents(store) == revoked


def test_what_another_site_makes_a_browser_send_is_refused(
    site: TestClient, store: Database, mine: str
) -> None:
    before = contents(store)
    for path in ("", "/draft", "/pass-on", "/decline"):
        sent = ALL | {"/to": "city-deputy", "/reason": "No."}
        assert site.post(mine + path, data=sent, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert contents(store) == before


# The form itself

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
