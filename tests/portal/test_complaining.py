"""By link: a complaint is lodged, followed and acted in; what cannot be is said at its field or with its reason."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from hypothesis import given
from hypothesis import settings as rounds
from hypothesis import strategies as st
from sqlalchemy import update

from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.obligations import service as promises
from lifecycle.partnerships import doors
from lifecycle.partnerships.doors import Purpose
from lifecycle.partnerships.models import contact
from lifecycle.redress import service
from tests.builders import contents, registered
from tests.obligations.agreements import move, performances
from tests.portal.conftest import link
from tests.redress.cases import broken, complaint, days, grievance, kinds, level, lodged, pass_time, said

AT = days(1)
FORM = {"/against": "clinic", "/about": "performance:lists/1", "/facts": "No list came."}
Travel = Callable[[datetime], None]


@pytest.fixture
def case(store: Database, travel: Travel) -> Database:
    """The clinic has broken a promise to the city; it is the day after."""
    broken(store)
    travel(AT)
    return store


@pytest.fixture
def both_cases(database: Database, travel: Travel) -> Database:
    """The same on each kind of database."""
    broken(database)
    travel(AT)
    return database


def to_lodge(settings: Settings, who: str = "city-primary", at: datetime = AT) -> str:
    return link(settings, "complain", "harbour", who, at)


def to_follow(settings: Settings, who: str, number: int = 1, at: datetime = AT) -> str:
    return link(settings, "complaint", "harbour", who, at, {"number": number})


def offered(page: Response) -> list[str]:
    """The actions that a page has a form for, in their order."""
    return re.findall(r'<form method="post" action="/complaint/[^"/]+/([a-z]+)"', page.text)


def act(
    site: TestClient, settings: Settings, who: str, action: str, at: datetime = AT, **typed: str
) -> Response:
    """Send the form of an action."""
    sent = {f"{action}/{name}": value for name, value in typed.items()}
    return site.post(f"{to_follow(settings, who, at=at)}/{action}", data=sent)


# Lodging


def test_before_the_form_stands_what_was_agreed(site: TestClient, case: Database, settings: Settings) -> None:
    shown = site.get(to_lodge(settings)).text
    assert re.search(r"Operational.*Sponsors.*Independent: The Arbiter.*Your complaint", shown, re.DOTALL)
    assert "It is settled within 10 working days. If not, it goes up to the next level." in shown
    assert "If not, the partnership can be ended with the agreed notice." in shown
    assert "an early word or a talk will do" in shown
    assert shown.index("The reason is given in writing.") < shown.index("The partnership is ended.")


def test_what_it_can_be_about_is_said_in_words_and_is_of_the_readers_side_alone(
    site: TestClient, case: Database, settings: Settings
) -> None:
    shown = site.get(to_lodge(settings)).text
    assert '<option value="performance:lists/1">31 Mar 2026: Hands over the list' in shown
    assert "(The Clinic to The City) – not kept</option>" in shown
    assert '<option value="obligation:lists">' in shown
    assert '<option value="term:/redress">Redress</option>' in shown
    others = site.get(to_lodge(settings, "charity-primary")).text
    assert 'value="performance:' not in others
    assert 'value="obligation:' not in others


def test_looking_changes_nothing(site: TestClient, case: Database, settings: Settings) -> None:
    lodged(case)
    before = contents(case)
    for address in (
        to_lodge(settings),
        to_follow(settings, "city-primary"),
        to_follow(settings, "clinic-primary"),
    ):
        assert site.get(address).status_code == 200
        assert site.head(address).status_code in {200, 405}
    assert site.get(f"{to_follow(settings, 'clinic-primary')}/acknowledge").status_code in {404, 405}
    assert contents(case) == before


def test_a_complaint_is_lodged_as_it_was_written_and_its_number_is_shown(
    both_sites: TestClient, both_cases: Database, settings: Settings
) -> None:
    form = FORM | {
        "/evidence/0/reference": "Mail of 2 April",
        "/evidence/2/reference": "Photograph",
        "/evidence/2/sha256": "a" * 64,
        "/wanted_remedy": "correction",
        "/facts": "No list came.\r\nNobody called.",
    }
    answer = both_sites.post(to_lodge(settings), data=form)
    assert answer.history[0].status_code == 303
    assert answer.url.path == to_lodge(settings)
    assert "It has the number 1." in answer.text
    assert "the link to follow the complaint" in answer.text
    assert said(both_cases)[0].content == {
        "against": "clinic",
        "about": {"performance": "lists/1"},
        "facts": "No list came.\nNobody called.",
        "evidence": [{"reference": "Mail of 2 April"}, {"reference": "Photograph", "sha256": "a" * 64}],
        "wanted_remedy": "correction",
    }
    assert complaint(both_cases).lodged_by == "city-primary"


@pytest.mark.parametrize("about", [{"obligation": "lists"}, {"term": "/redress"}, {"performance": "room/1"}])
def test_it_can_be_about_a_promise_one_time_of_it_or_a_term(
    site: TestClient, case: Database, settings: Settings, about: dict[str, str]
) -> None:
    ((kind, name),) = about.items()
    site.post(to_lodge(settings), data=FORM | {"/about": f"{kind}:{name}"})
    assert complaint(case).about == about


def test_own_open_complaints_are_listed_with_their_clock(
    site: TestClient, case: Database, settings: Settings
) -> None:
    lodged(case, at := AT)
    shown = site.get(to_lodge(settings, at=at)).text
    assert "Complaint 1" in shown
    assert "Acknowledgement due: Tuesday 7 April 2026, 09:00 (Europe/London): 2 working days left" in shown
    assert "Complaint 1" not in site.get(to_lodge(settings, "charity-primary")).text


def test_the_number_of_another_sides_complaint_confirms_nothing(
    site: TestClient, case: Database, settings: Settings
) -> None:
    lodged(case)
    for number in ("1", "9" * 5000, "-1", "x"):
        shown = site.get(f"{to_lodge(settings, 'clinic-primary')}?lodged={number}")
        assert "Lodge a complaint</h1>" in shown.text


def test_what_is_missing_is_asked_for_at_its_field_and_what_was_typed_is_kept(
    site: TestClient, case: Database, settings: Settings
) -> None:
    before = contents(case)
    answer = site.post(
        to_lodge(settings),
        data={"/facts": "Nobody <b>came</b>.", "/wanted_remedy": "correction", "/evidence/4/sha256": "zz"},
    )
    assert answer.status_code == 422
    assert "<title>Error: " in answer.text
    assert re.findall(r'<li><a href="#(\S+?)">(.+?)</a>', answer.text) == [
        ("f-against", "Please fill this in: Against."),
        ("f-about", "Please fill this in: About."),
        ("f-evidence-0-reference", "Please fill this in: Reference."),
        ("f-evidence-0-sha256", "Write the SHA-256 as 64 lower-case hexadecimal digits."),
    ]
    assert "Nobody &lt;b&gt;came&lt;/b&gt;.</textarea>" in answer.text
    assert 'value="correction" checked' in answer.text
    assert 'value="zz"' in answer.text
    assert contents(case) == before


def test_the_schemas_limit_holds_at_its_field(site: TestClient, case: Database, settings: Settings) -> None:
    assert "At most 4,000 characters." in site.get(to_lodge(settings)).text
    answer = site.post(to_lodge(settings), data=FORM | {"/facts": "x" * 4001})
    assert answer.status_code == 422
    assert 'id="f-facts-fault"' in answer.text


@pytest.mark.parametrize(
    ("typed", "field"),
    [
        ({"/against": "city"}, "f-against"),
        ({"/against": "nobody"}, "f-against"),
        ({"/against": "charity"}, "f-about"),
        ({"/about": "performance:lists/99"}, "f-about"),
        ({"/about": "obligation:none"}, "f-about"),
        ({"/about": "term:/none"}, "f-about"),
        ({"/about": "nonsense"}, "f-about"),
        ({"/wanted_remedy": "none"}, "f-wanted_remedy"),
    ],
)
def test_what_has_no_standing_is_refused_at_its_field(
    site: TestClient, case: Database, settings: Settings, typed: dict[str, str], field: str
) -> None:
    before = contents(case)
    answer = site.post(to_lodge(settings), data=FORM | typed)
    assert answer.status_code == 422
    assert f'<a href="#{field}">' in answer.text
    assert f'id="{field}"' in answer.text
    assert contents(case) == before


def test_a_list_of_evidence_grows_without_losing_anything(
    site: TestClient, case: Database, settings: Settings
) -> None:
    before = contents(case)
    answer = site.post(to_lodge(settings), data=FORM | {"/evidence/0/reference": "Mail", "more": "1"})
    assert answer.status_code == 200
    assert 'name="/evidence/0/reference" value="Mail"' in answer.text
    assert 'name="/evidence/1/reference" value=""' in answer.text
    assert "No list came.</textarea>" in answer.text
    assert "<title>Error" not in answer.text
    assert contents(case) == before


def test_a_complaint_in_answer_to_another_names_it(
    site: TestClient, case: Database, settings: Settings
) -> None:
    lodged(case)
    form = {"/against": "city", "/about": "obligation:room", "/facts": "It was locked."}
    to = to_lodge(settings, "clinic-primary")
    assert "Complaint 1 of The City, of 1 Apr 2026</option>" in site.get(to).text
    unlinked = site.post(to, data=form)
    assert unlinked.status_code == 422
    assert '<a href="#f-in_answer_to">' in unlinked.text
    assert "It has the number 2." in site.post(to, data=form | {"/in_answer_to": "1"}).text
    assert complaint(case, 2).case == 1
    assert "Heard together with" in site.get(to_follow(settings, "clinic-primary", 2)).text
    assert "Complaint 2" in site.get(to_follow(settings, "city-primary", 1)).text


def test_the_same_again_is_refused_with_the_reason(
    site: TestClient, case: Database, settings: Settings
) -> None:
    lodged(case)
    before = contents(case)
    answer = site.post(to_lodge(settings), data=FORM)
    assert answer.status_code == 409
    assert "Complaint 1 is about the same and still open." in answer.text
    assert "No list came.</textarea>" in answer.text
    assert contents(case) == before


def test_without_an_agreement_in_force_it_says_what_to_do_instead(
    site: TestClient, store: Database, settings: Settings, travel: Travel
) -> None:
    registered(store, AT, stage="setting_up")
    travel(AT)
    shown = site.get(to_lodge(settings)).text
    assert "No agreement is in force yet" in shown
    assert "What you can do instead" in shown
    assert "Clinic Primary" in shown
    assert "<form" not in shown
    before = contents(store)
    assert site.post(to_lodge(settings), data=FORM).status_code == 422
    assert contents(store) == before


def test_in_a_partnership_that_has_ended_nothing_is_lodged(
    site: TestClient, case: Database, settings: Settings
) -> None:
    move(case, "harbour", "closed")
    shown = site.get(to_lodge(settings)).text
    assert "This partnership has ended" in shown
    assert "<form" not in shown
    assert site.post(to_lodge(settings), data=FORM).status_code == 409


def test_who_cannot_speak_for_their_organisation_is_told_who_can(
    site: TestClient, case: Database, settings: Settings
) -> None:
    with case.write() as connection:
        connection.execute(update(contact).where(contact.c.id == "city-deputy").values(role="observer"))
    shown = site.get(to_lodge(settings, "city-deputy")).text
    assert "<form" not in shown
    assert re.search(r"can be done by: <bdi>City Primary</bdi>, <bdi>City Sponsor</bdi>", shown)
    before = contents(case)
    assert site.post(to_lodge(settings, "city-deputy"), data=FORM).status_code == 409
    assert contents(case) == before


def test_who_has_no_standing_by_the_agreement_is_told(
    site: TestClient, store: Database, settings: Settings, travel: Travel
) -> None:
    broken(store, who_may_complain=["clinic"])
    travel(AT)
    shown = site.get(to_lodge(settings)).text
    assert "does not name your organisation" in shown
    assert "<form" not in shown


# Links


@pytest.mark.parametrize("purpose", ["complaint", "review", "report", "preferences"])
def test_a_link_of_another_purpose_lodges_nothing(
    site: TestClient, case: Database, settings: Settings, purpose: Purpose
) -> None:
    token = link(settings, purpose, "harbour", "city-primary", AT, {"number": 1}).rpartition("/")[2]
    before = contents(case)
    assert site.get(f"/complain/{token}").status_code == 409
    assert site.post(f"/complain/{token}", data=FORM).status_code == 409
    assert contents(case) == before


def test_a_link_to_complain_neither_shows_nor_moves_a_complaint(
    site: TestClient, case: Database, settings: Settings
) -> None:
    lodged(case)
    token = to_lodge(settings, "clinic-primary").rpartition("/")[2]
    before = contents(case)
    assert site.get(f"/complaint/{token}").status_code == 409
    assert site.post(f"/complaint/{token}/acknowledge").status_code == 409
    assert contents(case) == before


@pytest.mark.parametrize("way", ["forged", "expired", "revoked"])
def test_a_link_that_is_not_good_opens_nothing(
    site: TestClient, case: Database, settings: Settings, travel: Travel, way: str
) -> None:
    lodged(case)
    addresses = [to_lodge(settings), to_follow(settings, "clinic-primary")]
    if way == "forged":
        addresses = [f"{one[:-1]}{'A' if one[-1] != 'A' else 'B'}" for one in addresses]
    elif way == "expired":
        travel(days(100))
    else:
        for who in ("city-primary", "clinic-primary"):
            doors.revoke(case, "harbour", who, who, AT)
    before = contents(case)
    lodging, following = addresses
    assert site.get(lodging).status_code == site.get(following).status_code == 409
    assert site.post(lodging, data=FORM).status_code == 409
    assert site.post(f"{following}/acknowledge").status_code == 409
    assert contents(case) == before


# Following and acting


def test_it_says_how_it_stands_its_clocks_and_everything_that_was_said(
    site: TestClient, case: Database, settings: Settings
) -> None:
    lodged(case, AT, evidence=[{"reference": "Mail"}], wanted_remedy="correction")
    service.answer(case, "harbour", 1, "We sent it.", "clinic-primary", AT)
    for who in ("city-primary", "clinic-primary"):
        shown = site.get(to_follow(settings, who)).text
        assert "has answered; both sides now look for a way to settle it." in shown
        assert "1 of 3: <bdi>Operational</bdi>" in shown
        assert "Friday 17 April 2026, 09:00 (Europe/London): 10 working days left" in shown
        assert "it goes up to level 2, <bdi>Sponsors</bdi>." in shown
        assert re.search(
            r"<bdi>City Primary</bdi>, <bdi>The City</bdi></strong>: it is lodged.*No list came\..*"
            r"What was wrong is put right\..*Mail.*The agreed procedure</strong>: a settlement is proposed.*"
            r"<bdi>Clinic Primary</bdi>, <bdi>The Clinic</bdi></strong>: it is answered.*We sent it\.",
            shown,
            re.DOTALL,
        )


def test_instants_are_in_the_readers_zone(site: TestClient, case: Database, settings: Settings) -> None:
    lodged(case, AT)
    with case.write() as connection:
        mine = update(contact).where(contact.c.id == "city-primary")
        connection.execute(mine.values(time_zone="America/New_York"))
    shown = site.get(to_follow(settings, "city-primary")).text
    assert "Friday 17 April 2026, 04:00 (America/New_York)" in shown


EVERYBODY_OF_CITY = ["agree", "propose", "withdraw", "pause"]
EVERYBODY_OF_CLINIC = ["acknowledge", "answer", "agree", "propose", "pause"]


def test_each_side_is_offered_what_is_open_to_it(
    site: TestClient, case: Database, settings: Settings
) -> None:
    lodged(case, AT)

    def of(who: str) -> list[str]:
        return offered(site.get(to_follow(settings, who)))

    assert of("city-primary") == of("city-sponsor") == EVERYBODY_OF_CITY
    assert of("clinic-primary") == of("clinic-sponsor") == EVERYBODY_OF_CLINIC
    assert of("charity-primary") == of("clinic-deputy") == []
    service.answer(case, "harbour", 1, "No.", "clinic-primary", AT)
    assert of("city-primary") == ["agree", "propose", "escalate", "withdraw", "pause"]
    assert of("clinic-primary") == ["agree", "propose", "escalate", "pause"]
    service.pause(case, "harbour", 1, "Easter.", "clinic-primary", AT)
    assert of("clinic-primary") == ["agree", "propose", "escalate"]
    service.pause(case, "harbour", 1, "Easter.", "city-primary", AT)
    assert of("clinic-primary") == ["agree", "propose", "resume"]
    service.resume(case, "harbour", 1, "city-primary", AT)
    service.escalate(case, "harbour", 1, "Why.", "city-primary", AT)
    assert of("city-primary") == []
    assert of("city-sponsor") == EVERYBODY_OF_CITY
    service.answer(case, "harbour", 1, "No.", "clinic-sponsor", AT)
    service.escalate(case, "harbour", 1, "Why.", "city-sponsor", AT)
    assert of("clinic-sponsor") == ["acknowledge", "answer", "agree", "propose", "decide", "pause"]
    service.propose(case, "harbour", 1, {"settlement": "explained"}, "city-sponsor", AT)
    service.agree(case, "harbour", 1, "clinic-sponsor", AT)
    assert of("clinic-sponsor") == ["pause"]
    assert of("city-sponsor") == ["close", "withdraw", "pause"]
    service.close(case, "harbour", 1, None, "city-sponsor", AT)
    assert of("city-sponsor") == of("clinic-sponsor") == []


def test_a_grievance_goes_from_lodging_to_repair_by_links_alone(
    both_sites: TestClient, both_cases: Database, settings: Settings, travel: Travel
) -> None:
    both_sites.post(to_lodge(settings), data=FORM)

    def does(who: str, action: str, **typed: str) -> None:
        answer = act(both_sites, settings, who, action, **typed)
        assert answer.history[0].status_code == 303, answer.text
        assert answer.url.query == f"said={action}".encode()
        assert 'role="status"' in answer.text

    does("clinic-primary", "acknowledge")
    does("clinic-primary", "answer", note="The list was not ready.")
    does("city-primary", "pause", reason="Easter.")
    does("clinic-primary", "pause", reason="Easter.")
    assert complaint(both_cases).paused_at is not None
    does("clinic-primary", "resume")
    does(
        "clinic-primary",
        "propose",
        settlement="remedy",
        remedy="correction",
        due_on="2026-04-20",
        act="It is sent.",
    )
    does("city-primary", "agree", proposal=str(said(both_cases)[-1].seq))
    assert complaint(both_cases).state == "remedy_agreed"
    promises.report(both_cases, "harbour", "remedy:1/1", {"outcome": "kept"}, "clinic-primary", AT)
    assert "Answer on the remedy due" in both_sites.get(to_follow(settings, "city-primary")).text
    promises.accept(both_cases, "harbour", "remedy:1/1", "city-primary", AT)
    shown = both_sites.get(to_follow(settings, "city-primary"))
    assert "The remedy is carried out" in shown.text
    assert "it counts as put right and closes." in shown.text
    does("city-primary", "close", note="It came.")
    assert complaint(both_cases).state == "closed"
    assert performances(both_cases)["lists/1"].state == "restored"
    assert "Nothing more is to be done" in both_sites.get(to_follow(settings, "city-primary")).text


def test_the_last_level_decides_and_the_decision_has_its_reason_and_its_place(
    site: TestClient, case: Database, settings: Settings, travel: Travel
) -> None:
    lodged(case, AT)
    at = datetime(2026, 5, 20, 9, tzinfo=UTC)
    pass_time(case, at)
    travel(at)
    assert complaint(case).level == 3
    shown = site.get(to_follow(settings, "city-sponsor", at=at)).text
    assert "no level is left: either side can end the partnership" in shown
    missing = act(site, settings, "city-sponsor", "decide", at=at, settlement="explained")
    assert missing.status_code == 422
    assert set(re.findall(r'<li><a href="#(\S+?)">', missing.text)) == {
        "fdecide-reason",
        "fdecide-evidence-reference",
    }
    typed = {"settlement": "unfounded", "reason": "It was there.", "evidence/reference": "Letter 7"}
    answer = act(site, settings, "city-sponsor", "decide", at=at, **typed)
    assert complaint(case).state == "unfounded"
    assert "It was found to have no ground" in answer.text
    assert "Letter 7" in answer.text


def test_escalating_and_withdrawing_are_done_with_a_reason(
    site: TestClient, case: Database, settings: Settings
) -> None:
    lodged(case, AT)
    service.answer(case, "harbour", 1, "No.", "clinic-primary", AT)
    assert act(site, settings, "city-primary", "escalate").status_code == 422
    assert (
        "goes to the next level" in act(site, settings, "city-primary", "escalate", reason="No way on.").text
    )
    assert complaint(case).level == 2
    assert act(site, settings, "city-sponsor", "withdraw", reason=" ").status_code == 422
    act(site, settings, "city-sponsor", "withdraw", reason="We spoke.")
    assert complaint(case).state == "withdrawn"


def test_faults_of_a_form_are_at_its_own_fields_and_it_stays_open(
    site: TestClient, case: Database, settings: Settings
) -> None:
    lodged(case, AT)
    before = contents(case)
    answer = act(
        site,
        settings,
        "clinic-primary",
        "propose",
        settlement="remedy",
        remedy="suspension",
        due_on="yesterday",
    )
    assert answer.status_code == 422
    assert '<a href="#fpropose-due_on">' in answer.text
    assert re.search(r"<details[^>]* open>\s*<summary id=\"propose\"", answer.text)
    assert '<option value="suspension" selected>' in answer.text
    empty = act(site, settings, "clinic-primary", "propose")
    assert '<a href="#fpropose-settlement">Please fill this in: Settlement.</a>' in empty.text
    assert act(site, settings, "clinic-primary", "answer", note="x" * 2001).status_code == 422
    assert contents(case) == before


def test_what_stopped_being_possible_meanwhile_says_why_and_changes_nothing(
    site: TestClient, case: Database, settings: Settings
) -> None:
    lodged(case, AT)
    service.withdraw(case, "harbour", 1, "We spoke.", "city-primary", AT)
    before = contents(case)
    answer = act(site, settings, "clinic-primary", "answer", note="But we sent it!")
    assert answer.status_code == 409
    assert "<title>Error: " in answer.text
    assert "This was not done." in answer.text
    assert "Complaint 1 is withdrawn: it cannot “answer”." in answer.text
    assert contents(case) == before


@pytest.mark.parametrize("who", ["city-primary", "charity-primary", "clinic-deputy"])
def test_nobody_acts_for_another_side_or_beyond_their_level(
    site: TestClient, case: Database, settings: Settings, who: str
) -> None:
    lodged(case, AT)
    before = contents(case)
    assert act(site, settings, who, "acknowledge").status_code == 409
    assert act(site, settings, who, "answer", note="Yes.").status_code == 409
    assert contents(case) == before


def test_nobody_agrees_to_what_they_have_not_read(
    site: TestClient, case: Database, settings: Settings
) -> None:
    lodged(case, AT)
    page = site.get(to_follow(settings, "city-primary")).text
    (read,) = re.findall(r'name="agree/proposal" value="(\d+)"', page)
    service.propose(case, "harbour", 1, {"settlement": "explained"}, "clinic-primary", AT)
    before = contents(case)
    answer = act(site, settings, "city-primary", "agree", proposal=read)
    assert answer.status_code == 409
    assert "Another settlement was proposed since you read this page." in answer.text
    assert act(site, settings, "city-primary", "agree").status_code == 409
    assert contents(case) == before


def test_an_unknown_step_or_complaint_is_not_found(
    site: TestClient, case: Database, settings: Settings
) -> None:
    assert site.get(to_follow(settings, "city-primary", 9)).status_code == 404
    lodged(case, AT)
    assert site.post(f"{to_follow(settings, 'city-primary')}/lodge").status_code == 404
    assert (
        site.post(f"{to_follow(settings, 'city-primary', 9)}/pause", data={"pause/reason": "x"}).status_code
        == 404
    )


def test_a_default_decision_is_told_before_it_is_made(
    site: TestClient, store: Database, settings: Settings, travel: Travel
) -> None:
    levels = [
        level("One", "primary", 10, "default_decision"),
        level("Two", "sponsor", 5),
        level("Three", "sponsor", 5),
    ]
    broken(store, levels=levels)
    travel(AT)
    assert "If not, the smallest remedy is owed." in site.get(to_lodge(settings)).text
    lodged(store, AT)
    shown = site.get(to_follow(settings, "clinic-primary")).text
    assert "owes the smallest remedy: “<bdi>The reason is given in writing.</bdi>”" in shown


def test_both_sides_see_the_same_but_for_what_they_can_do(
    site: TestClient, case: Database, settings: Settings
) -> None:
    lodged(case, AT)
    pages = [site.get(to_follow(settings, who)).text for who in ("city-primary", "clinic-primary")]
    parts = [re.sub(r'<h2 id="acts">.*?(?=<h2>)', "", page, flags=re.DOTALL) for page in pages]
    mains = [part[part.index("<main") : part.index("</main>")] for part in parts]
    assert mains[0] == mains[1]


def test_whatever_partners_write_stays_text(site: TestClient, case: Database, settings: Settings) -> None:
    evil = "<script>alert(1)</script>"
    lodged(case, AT, facts=evil, evidence=[{"reference": evil}])
    service.answer(case, "harbour", 1, evil, "clinic-primary", AT)
    service.propose(
        case, "harbour", 1, {"settlement": "remedy", "remedy": "correction", "act": evil, "reason": evil}, "clinic-primary", AT
    )  # fmt: skip
    for address in (to_lodge(settings), to_follow(settings, "city-primary")):
        assert evil not in site.get(address).text
    assert site.get(to_follow(settings, "city-primary")).text.count("&lt;script&gt;") >= 5


NAMES = [
    "/against", "/about", "/facts", "/wanted_remedy", "/in_answer_to", "/evidence/0/reference", "/evidence/0/sha256", "/evidence",
    *(
        f"propose/{name}"
        for name in (
            "settlement", "remedy", "act", "due_on", "obligation", "until", "reason", "evidence", "evidence/reference", "evidence/x",
        )
    ),
    "answer/note",
]  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [
            "clinic", "performance:lists/1", "obligation:lists", "term:/", "term:/~2", "remedy", "suspension", "correction", "room",
            "2026-02-30", "9999-12-31", "2026-05-01", "9" * 5000, "²", "\x00", "unfounded",
        ]
    ),
)  # fmt: skip


@rounds(max_examples=60)
@given(sent=st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=9))
def test_whatever_a_form_sends_is_taken_or_refused_but_never_a_fault_of_ours(
    site: TestClient, store: Database, settings: Settings, travel: Travel, sent: dict[str, Any]
) -> None:
    if not contents(store)["partnership"]:
        broken(store)
        travel(AT)
        lodged(store, AT, **grievance(about={"term": "/redress"}))
    with_encoding = {name: value.encode("utf-8", "replace").decode() for name, value in sent.items()}
    for address in (
        to_lodge(settings),
        f"{to_follow(settings, 'clinic-primary')}/propose",
        f"{to_follow(settings, 'clinic-primary')}/answer",
    ):
        assert site.post(address, data=with_encoding, follow_redirects=False).status_code in {303, 409, 422}


def test_a_null_character_is_refused_or_kept_but_breaks_nothing(
    both_sites: TestClient, both_cases: Database, settings: Settings
) -> None:
    assert both_sites.post(to_lodge(settings), data=FORM | {"/facts": "a\x00b"}).status_code == 422
    lodged(both_cases, AT)
    assert act(both_sites, settings, "clinic-primary", "answer", note="a\x00b").status_code in {200, 422}
    assert kinds(both_cases)[0] == "lodge"
