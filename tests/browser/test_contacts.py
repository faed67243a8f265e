"""What a contact does on a phone, each time from the email to the record: with JavaScript, and without."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lifecycle.documents import queries as documents
from lifecycle.documents import service as putting
from lifecycle.obligations import queries as promises
from lifecycle.partnerships.people import Contact, people_of
from lifecycle.reviews import drafts
from lifecycle.reviews import queries as reviews
from lifecycle.reviews import service as rounds
from tests.browser.conftest import PHONE, House, Opener
from tests.builders import registered, reviewed
from tests.obligations.agreements import agreement, in_force, obligation
from tests.redress import cases

CITY, CITY_SPONSOR = "city-primary@city.example", "city-sponsor@city.example"
CLINIC, CLINIC_DEPUTY = "clinic-primary@clinic.example", "clinic-deputy@clinic.example"
Follow = Callable[[str, str], Page]


@pytest.fixture(params=[True, False], ids=["scripts", "no_scripts"])
def scripts(request: pytest.FixtureRequest) -> bool:
    """Whether the phone runs JavaScript."""
    return bool(request.param)


@pytest.fixture
def follow(house: House, opening: Opener, scripts: bool) -> Follow:
    """Sends what is owed, and opens the newest link of a purpose that somebody was emailed, on a phone of their own."""

    def opened(to: str, purpose: str) -> Page:
        house.post()
        page = opening(PHONE, java_script_enabled=scripts)
        page.goto(house.link(to, purpose))
        return page

    return opened


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def contact(house: House, id_: str) -> Contact:
    with house.database.read() as connection:
        return people_of(connection, "harbour")["harbour"].contacts[id_]


def test_a_review_is_answered_in_two_sittings(house: House, follow: Follow, scripts: bool) -> None:
    registered(house.database, house.now, stage="maintaining")
    reviewed(house.database, "harbour", house.now)
    rounds.sweep_reviews(house.database, house.now)
    page = follow(CITY, "review")
    page.locator('input[name="/answers/0/score"][value="4"]').check()
    if scripts:
        expect(page.locator("[data-save-status]")).to_have_text("Saved. It is not sent yet.")
    else:
        press(page, "Save and go on later")
        expect(page.get_by_role("status").first).to_contain_text("Only you can see it")
    with house.database.read() as connection:
        assert drafts.find(connection, "harbour", 1, "city-primary") is not None
        assert reviews.responses(connection, "harbour", 1) == {}
    page.goto(house.link(CITY, "review"))
    expect(page.locator('input[name="/answers/0/score"][value="4"]')).to_be_checked()
    for place in range(1, 14):
        page.locator(f'input[name="/answers/{place}/score"][value="{2 if place == 5 else 4}"]').check()
    page.locator("summary", has_text="Add a comment").nth(5).click()
    page.locator('[name="/answers/5/comment"]').fill("Calls are cancelled too often.")
    press(page, "Send my answer")
    expect(page.get_by_role("heading", level=1)).to_have_text("Thank you: you have answered review round 1")
    expect(page.get_by_role("status")).to_have_text("Your answer is in. Thank you.")
    with house.database.read() as connection:
        answers = reviews.responses(connection, "harbour", 1)["city-primary"]["answers"]
        assert drafts.find(connection, "harbour", 1, "city-primary") is None
    assert [one["score"] for one in answers] == [4] * 5 + [2] + [4] * 8
    assert answers[5]["comment"] == "Calls are cancelled too often."


def promised(house: House) -> None:
    """A promise of the clinic to the city has fallen due, and its reminder has gone out."""
    in_force(house.database, house.now)
    house.pass_time(days=31)


def performance(house: House) -> promises.Performance:
    with house.database.read() as connection:
        return promises.find(connection, "harbour", "lists/1")


def report(follow: Follow) -> None:
    page = follow(CLINIC, "report")
    page.get_by_label("Kept: all of it, by the agreed measure").check()
    page.get_by_label("What was done, or what came in between").fill("Four lists, each on its Thursday.")
    page.get_by_label("What shows it").fill("Shared folder, March")
    press(page, "Send the report")
    expect(page.get_by_role("status")).to_contain_text("Your report is recorded")


def test_a_performance_is_reported_and_the_other_side_accepts_it(house: House, follow: Follow) -> None:
    promised(house)
    report(follow)
    assert (performance(house).state, performance(house).outcome) == ("reported", "kept")
    page = follow(CITY, "verdict")
    expect(page.get_by_text("Four lists, each on its Thursday.")).to_be_visible()
    press(page, "Accept the report")
    expect(page.get_by_role("status")).to_contain_text("You have accepted the report")
    assert (performance(house).state, performance(house).outcome) == ("settled", "kept")


def test_a_report_is_disputed_with_a_reason_and_decided_by_who_was_agreed_on(
    house: House, follow: Follow
) -> None:
    promised(house)
    report(follow)
    page = follow(CITY, "verdict")
    press(page, "Dispute the report")
    expect(page.locator("[data-faults]")).to_be_visible()
    assert performance(house).state == "reported"
    page.get_by_label("Why do you see it differently?").fill("The list of 26 March never came.")
    press(page, "Dispute the report")
    expect(page.get_by_role("status")).to_contain_text("Your dispute is recorded")
    assert performance(house).state == "disputed"
    page = follow(CITY_SPONSOR, "decision")
    expect(page.get_by_text("The list of 26 March never came.")).to_be_visible()
    page.get_by_label("Partly kept").check()
    page.get_by_label("Why").fill("Three of four came.")
    press(page, "Send the decision")
    expect(page.get_by_role("status")).to_contain_text("Your decision is recorded")
    assert (performance(house).state, performance(house).outcome) == ("settled", "partly_kept")


def put(house: House, act: str) -> documents.Revision:
    content = agreement(obligation(act=act))
    return putting.put(house.database, "harbour", "agreement", content, "clinic-primary", house.now)


def proposed_again(house: House) -> documents.Revision:
    """An agreement that the city has signed, and a newer revision of it."""
    registered(house.database, house.now, stage="setting_up")
    put(house, "Hands over the list on Thursdays.")
    putting.sign(house.database, "harbour", "agreement", 1, "city-sponsor", house.now)
    house.pass_time(hours=3)
    return put(house, "Hands over the list on Wednesdays.")


def test_the_exact_revision_is_signed_after_seeing_what_has_changed(house: House, follow: Follow) -> None:
    newest = proposed_again(house)
    page = follow(CITY_SPONSOR, "sign")
    expect(page.get_by_role("heading", name="What has changed since revision 1")).to_be_visible()
    expect(page.locator("del").first).to_contain_text("Thursdays")
    expect(page.locator("ins").first).to_contain_text("Wednesdays")
    press(page, "Sign revision 2")
    expect(page.locator("[data-faults]")).to_be_visible()
    page.get_by_label("I have read revision 2 and may sign for The City.").check()
    press(page, "Sign revision 2")
    expect(page.get_by_role("status")).to_contain_text("You have signed revision 2")
    with house.database.read() as connection:
        signed = documents.sign_offs(connection, "harbour")
    assert [(one.contact_id, one.revision) for one in signed] == [("city-sponsor", 1), ("city-sponsor", 2)]
    assert newest.revision == 2


def test_who_does_not_sign_says_why_and_its_author_reads_it(house: House, follow: Follow) -> None:
    proposed_again(house)
    page = follow(CITY_SPONSOR, "sign")
    page.get_by_text("I do not agree").click()
    page.get_by_label("What has to change before you can sign?").fill("Thursday was agreed in February.")
    press(page, "Send the objection")
    expect(page.get_by_role("status")).to_contain_text("Your objection is on record")
    with house.database.read() as connection:
        (raised,) = documents.objections(connection, "harbour")
    assert (raised.contact_id, raised.revision, raised.reason, raised.state) == (
        "city-sponsor",
        2,
        "Thursday was agreed in February.",
        "open",
    )
    house.post()
    bodies = [one.get_body(("plain",)) for one in house.letters(CLINIC)]
    assert any("Thursday was agreed in February." in str(body and body.get_content()) for body in bodies)


def test_a_complaint_is_lodged_followed_by_the_other_side_and_settled(house: House, follow: Follow) -> None:
    cases.broken(house.database)
    house.now = cases.BROKEN
    page = follow(CITY, "complain")
    page.get_by_label("The Clinic").check()
    page.locator('select[name="/about"]').select_option("performance:lists/1")
    page.locator('[name="/facts"]').fill("No list came in March.")
    press(page, "Lodge the complaint")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your complaint is lodged")
    assert cases.complaint(house.database).state == "lodged"

    theirs = follow(CLINIC, "complaint")
    expect(theirs.get_by_text("No list came in March.")).to_be_visible()
    press(theirs, "Acknowledge it")
    theirs.locator("details", has_text="Answer it").first.wait_for()
    assert cases.complaint(house.database).state == "acknowledged"
    theirs.goto(house.link(CLINIC, "complaint"))
    open_act(theirs, "answer")
    theirs.locator('[name="answer/note"]').fill("The clerk was ill; the list comes tomorrow.")
    press(theirs, "Answer it")
    expect(theirs.get_by_text("has answered; both sides now look")).to_be_visible()

    ours = follow(CITY, "complaint")
    expect(ours.get_by_text("The clerk was ill; the list comes tomorrow.")).to_be_visible()
    open_act(ours, "propose")
    ours.get_by_label("It is cleared up, and nothing more is owed").check()
    press(ours, "Propose how it ends")
    expect(ours.get_by_role("heading", name="On the table")).to_be_visible()
    theirs = follow(CLINIC, "complaint")
    open_act(theirs, "agree")
    press(theirs, "Agree to what is on the table")
    expect(theirs.get_by_text("It is cleared up and nothing more is owed").first).to_be_visible()
    assert cases.complaint(house.database).state == "resolved"
    said = [one.kind for one in cases.said(house.database) if one.by != "engine"]
    assert said == ["lodge", "acknowledge", "answer", "propose", "agree", "resolve"]


def open_act(page: Page, act: str) -> None:
    """Unfold what one can do, unless it is."""
    details = page.locator("details", has=page.locator(f"summary#{act}"))
    if details.get_attribute("open") is None:
        page.locator(f"summary#{act}").click()


def test_a_contact_hands_over_to_a_deputy_and_comes_back(house: House, follow: Follow) -> None:
    registered(house.database, house.now, stage="maintaining")
    reviewed(house.database, "harbour", house.now, respondents=["clinic-primary", "city-primary"])
    rounds.sweep_reviews(house.database, house.now)
    page = follow(CLINIC, "hand-over")
    press(page, "Hand over")
    expect(page.locator("[data-faults]")).to_be_visible()
    page.get_by_label("The last day on which you are away").fill("2026-03-20")
    page.get_by_label("Who reads your emails meanwhile").select_option("clinic-deputy")
    press(page, "Hand over")
    expect(page.get_by_role("status")).to_contain_text("It is arranged")
    assert contact(house, "clinic-primary").deputy_id == "clinic-deputy"
    house.pass_time(days=10)
    assert house.link(CLINIC_DEPUTY, "review"), "reminders reach whoever stands in"
    press(page, "I am back")
    expect(page.get_by_role("status")).to_contain_text("Welcome back")
    assert not contact(house, "clinic-primary").is_absent(house.now.date())


def test_a_contact_chooses_language_time_zone_and_digest(house: House, follow: Follow) -> None:
    registered(house.database, house.now, stage="maintaining")
    reviewed(house.database, "harbour", house.now)
    rounds.sweep_reviews(house.database, house.now)
    page = follow(CITY, "preferences")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.locator('input[name="/language"][value="es"]').check()
    page.locator('select[name="/time_zone"]').select_option("Europe/Madrid")
    page.locator('input[name="/digest"][value="monthly"]').check()
    page.locator("form button").click()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    chosen = contact(house, "city-primary")
    assert (chosen.language, chosen.time_zone, chosen.digest) == ("es", "Europe/Madrid", "monthly")
    page.goto(house.link(CITY, "review"))
    expect(page.locator("html")).to_have_attribute("lang", "es")
