"""For who signed in: a partnership's complaints; whoever is a contact acts, whoever only looks does not."""

import re
from collections.abc import Callable
from datetime import datetime

import pytest
from fastapi.testclient import TestClient
from httpx import Response

from lifecycle.access import accounts
from lifecycle.config import Settings
from lifecycle.db import Database
from lifecycle.redress import service
from tests.builders import contents, organisation, registered
from tests.obligations.agreements import move
from tests.portal.conftest import link, sign_in
from tests.redress.cases import broken, complaint, days, lodged, pass_time, said

AT = days(1)
ALL = "/partnerships/harbour/complaints"
CITY, CLINIC = "city-primary@city.example", "clinic-primary@clinic.example"
OWNER = "owner@portfolio.example"
FORM = {"/against": "clinic", "/about": "performance:lists/1", "/facts": "No list came."}
Travel = Callable[[datetime], None]


@pytest.fixture
def case(store: Database, travel: Travel) -> Database:
    """The clinic has broken a promise to the city, which has complained; it is the day after."""
    broken(store)
    lodged(store, AT)
    travel(AT)
    return store


def look(database: Database, site: TestClient) -> str:
    """Sign in as somebody who may look at the whole portfolio."""
    accounts.add(database, OWNER, "main", AT)
    return sign_in(site, OWNER)


def offered(page: Response) -> list[str]:
    return re.findall(rf'<form method="post" action="{ALL}/\d+/([a-z]+)"', page.text)


def main_of(page: Response) -> str:
    """What a page says, without its frame, its heading levels, and where its forms post to."""
    text = page.text[page.text.rindex("Complaint 1</h") : page.text.index("</main>")]
    text = re.sub(r'<input type="hidden" name="csrf"[^>]*>', "", text)
    text = re.sub(r"</?h\d", "<h", text)
    return re.sub(r'action="[^"]*/([a-z]+)"|\s+', r" \1", text)


def test_the_list_says_between_whom_about_what_how_it_stands_and_until_when(
    site: TestClient, case: Database
) -> None:
    sign_in(site, CLINIC)
    shown = " ".join(re.sub(r"<[^>]+>", " ", site.get(ALL).text).split())
    assert (
        "Complaint 1 The City against The Clinic “ Hands over the list of planned discharges. ”, due on Tuesday 31 March 2026 "
        "1 lodged Acknowledgement due: Tuesday 7 April 2026, 09:00 (Europe/London): 2 working days left "
        "Time of this level over: Friday 17 April 2026, 09:00 (Europe/London): 10 working days left 0"
    ) in shown
    assert f'href="{ALL}/1"' in site.get(ALL).text


def test_days_are_counted_until_today_and_after_the_end_no_more(
    site: TestClient, case: Database, travel: Travel
) -> None:
    def days_open(at: datetime) -> str:
        travel(at)
        sign_in(site, CLINIC)
        return str(re.findall(r'<td class="figure">(\d+)</td>\s*</tr>', site.get(ALL).text)[0])

    assert days_open(days(5)) == "4"
    service.withdraw(case, "harbour", 1, "We spoke.", "city-primary", days(6))
    assert days_open(days(20)) == "5"


def test_open_ones_come_first(site: TestClient, case: Database) -> None:
    lodged(case, AT, about={"obligation": "lists"})
    service.withdraw(case, "harbour", 2, "We spoke.", "city-primary", AT)
    sign_in(site, CITY)
    assert re.findall(rf'href="{ALL}/(\d)"', site.get(ALL).text) == ["1", "2"]


def test_a_partnership_without_complaints_says_so(site: TestClient, store: Database, travel: Travel) -> None:
    registered(store, AT)
    travel(AT)
    sign_in(site, CITY)
    assert "Nobody has complained of anything." in site.get(ALL).text
    assert "No agreement is in force yet" in site.get(f"{ALL}/new").text


@pytest.mark.parametrize("who", ["city-primary", "clinic-primary", "charity-primary", "city-sponsor"])
def test_a_member_sees_and_may_do_what_their_link_shows(
    site: TestClient, case: Database, settings: Settings, who: str
) -> None:
    by_link = site.get(link(settings, "complaint", "harbour", who, AT, {"number": 1}))
    sign_in(site, f"{who}@{who.partition('-')[0]}.example")
    signed_in = site.get(f"{ALL}/1")
    assert main_of(by_link) == main_of(signed_in)
    links_forms = re.findall(r'action="/complaint/[^"/]+/([a-z]+)"', by_link.text)
    assert offered(signed_in) == links_forms


def test_a_member_lodges_follows_and_settles(
    both_sites: TestClient, database: Database, travel: Travel
) -> None:
    broken(database)
    travel(AT)
    csrf = {"csrf": sign_in(both_sites, CITY)}
    answer = both_sites.post(f"{ALL}/new", data=FORM | csrf)
    assert answer.history[0].status_code == 303
    assert (answer.url.path, answer.url.query) == (f"{ALL}/1", b"said=lodged")
    assert "Your complaint is lodged, and the other side has been told." in answer.text
    assert complaint(database).lodged_by == "city-primary"
    csrf = {"csrf": sign_in(both_sites, CLINIC)}
    both_sites.post(f"{ALL}/1/acknowledge", data=csrf)
    proposal = {"propose/settlement": "explained", "propose/reason": "The list was there."}
    both_sites.post(f"{ALL}/1/propose", data=csrf | proposal)
    assert said(database)[-1].by == "clinic-primary"
    csrf = {"csrf": sign_in(both_sites, CITY)}
    page = both_sites.get(f"{ALL}/1").text
    assert "The list was there." in page
    (seq,) = re.findall(r'name="agree/proposal" value="(\d+)"', page)
    both_sites.post(f"{ALL}/1/agree", data=csrf | {"agree/proposal": seq})
    assert complaint(database).state == "resolved"
    both_sites.post(f"{ALL}/1/close", data=csrf)
    assert complaint(database).state == "closed"


def test_faults_are_at_their_fields_here_too(site: TestClient, case: Database) -> None:
    csrf = {"csrf": sign_in(site, CLINIC)}
    before = contents(case)
    refused = site.post(f"{ALL}/new", data=csrf | {"/facts": "x"})
    assert refused.status_code == 422
    assert '<a href="#f-about">' in refused.text
    answer = site.post(f"{ALL}/1/answer", data=csrf)
    assert answer.status_code == 422
    assert '<a href="#fanswer-note">' in answer.text
    assert "<title>Error: " in answer.text
    assert site.post(f"{ALL}/1/close", data=csrf).status_code == 409
    assert contents(case) == before


def test_every_form_carries_the_sessions_mark_and_without_it_nothing_is_done(
    site: TestClient, case: Database
) -> None:
    csrf = sign_in(site, CLINIC)
    for path in ("/new", "/1"):
        forms = re.findall(r"<form.*?</form>", site.get(f"{ALL}{path}").text, re.DOTALL)
        assert len(forms) > 1
        assert all(f'name="csrf" value="{csrf}"' in form for form in forms)
    before = contents(case)
    for given in ({}, {"csrf": "0" * 64}):
        assert site.post(f"{ALL}/1/acknowledge", data=given).status_code == 403
        assert site.post(f"{ALL}/new", data=FORM | given).status_code == 403
    assert contents(case) == before


def test_whoever_only_looks_reads_everything_and_can_do_nothing(site: TestClient, case: Database) -> None:
    csrf = {"csrf": look(case, site)}
    assert f"{ALL}/new" not in site.get(ALL).text
    shown = site.get(f"{ALL}/1")
    assert "No list came." in shown.text
    assert "What you can do" not in shown.text
    assert offered(shown) == []
    assert site.get(f"{ALL}/new").status_code == 403
    before = contents(case)
    assert site.post(f"{ALL}/1/acknowledge", data=csrf).status_code == 403
    assert site.post(f"{ALL}/new", data=csrf | FORM).status_code == 403
    assert contents(case) == before


def test_nobody_reads_or_acts_without_signing_in(site: TestClient, case: Database) -> None:
    before = contents(case)
    for path in ("", "/new", "/1"):
        answer = site.get(f"{ALL}{path}", follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in?next={ALL}{path}")
    answer = site.post(f"{ALL}/1/acknowledge", follow_redirects=False)
    assert answer.headers["location"].startswith("/sign-in")
    assert contents(case) == before


def test_members_of_other_partnerships_learn_nothing(site: TestClient, case: Database) -> None:
    registered(case, AT, "elsewhere", partners=[organisation("clinic"), organisation("school")])
    csrf = {"csrf": sign_in(site, "school-primary@school.example")}
    before = contents(case)
    for path in ("", "/new", "/1"):
        assert site.get(f"{ALL}{path}").status_code == 404
    assert site.post(f"{ALL}/1/acknowledge", data=csrf).status_code == 404
    assert contents(case) == before


def test_what_is_not_there_is_not_found(site: TestClient, case: Database) -> None:
    csrf = {"csrf": sign_in(site, CITY)}
    for path in ("9", "0", "x", "99999999999999999999"):
        assert site.get(f"{ALL}/{path}").status_code == 404
    assert site.post(f"{ALL}/1/lodge", data=csrf).status_code == 404
    assert site.post(f"{ALL}/9/withdraw", data=csrf | {"withdraw/reason": "x"}).status_code == 404


def test_looking_changes_nothing(site: TestClient, case: Database) -> None:
    sign_in(site, CITY)
    before = contents(case)
    for path in ("", "/new", "/1"):
        assert site.get(f"{ALL}{path}").status_code == 200
    assert contents(case) == before


def test_complaints_of_one_case_link_to_each_other(site: TestClient, case: Database) -> None:
    service.lodge(
        case, "harbour", {"against": "city", "about": {"term": "/redress"}, "facts": "x", "in_answer_to": 1}, "clinic-primary", AT
    )  # fmt: skip
    sign_in(site, CITY)
    assert f'<a href="{ALL}/2">Complaint 2</a>' in site.get(f"{ALL}/1").text
    assert f'<a href="{ALL}/1">Complaint 1</a>' in site.get(f"{ALL}/2").text


def test_a_paused_clock_stands_still_and_a_used_up_procedure_is_told(
    site: TestClient, case: Database, travel: Travel
) -> None:
    for who in ("city-primary", "clinic-primary"):
        service.pause(case, "harbour", 1, "Easter.", who, AT)
    sign_in(site, CITY)
    assert "Time of this level over: stands still" in site.get(ALL).text
    assert "Its clocks stand still since" in site.get(f"{ALL}/1").text
    service.resume(case, "harbour", 1, "city-primary", AT)
    at = days(150)
    pass_time(case, at)
    travel(at)
    sign_in(site, CITY)
    assert "The agreed procedure is used up since" in site.get(f"{ALL}/1").text


def test_after_the_end_of_the_partnership_its_complaints_stay_readable(
    site: TestClient, case: Database
) -> None:
    move(case, "harbour", "terminated")
    csrf = {"csrf": sign_in(site, CLINIC)}
    shown = site.get(f"{ALL}/1")
    assert offered(shown) == []
    assert "The partnership has ended: its record can only be read." in shown.text
    assert "This partnership has ended" in site.get(f"{ALL}/new").text
    assert site.post(f"{ALL}/1/acknowledge", data=csrf).status_code == 409


def test_pages_are_small(site: TestClient, case: Database) -> None:
    for number in range(2, 12):
        lodged(case, AT, about={"term": f"/{'feedback' if number % 2 else 'redress'}"}, facts="x" * 4000)
        service.withdraw(case, "harbour", number, "x" * 2000, "city-primary", AT)
    sign_in(site, CITY)
    for path in ("", "/new", "/2"):
        assert len(site.get(f"{ALL}{path}").content) < 100_000
