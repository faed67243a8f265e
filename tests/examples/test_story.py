"""The stories that the examples tell come true: real services, real clocks, every gate as the documents deserve.

The instants are those that the demo plays.
"""

from datetime import UTC, date, datetime

import pytest

from lifecycle.db import Database
from lifecycle.documents import service as documents
from lifecycle.gates.report import GateReport
from lifecycle.partnerships import registration, service
from lifecycle.partnerships.escalations import sweep_escalations
from lifecycle.partnerships.readiness import sweep_readiness
from lifecycle.reviews import actions
from lifecycle.reviews import service as reviews
from tests.builders import SETTINGS
from tests.examples.reading import read

SCHOOL, TRAM, HARBOUR = "school-breakfasts", "tram-corridor-research", "harbour-healthy-start"


def at(text: str) -> datetime:
    """`2025-01-13 09:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Story:
    """One partnership, played on a database."""

    def __init__(self, database: Database, partnership_id: str) -> None:
        self.database, self.id = database, partnership_id

    def register(self, when: str) -> None:
        registration.create(self.database, read(self.id, "partnership"), SETTINGS, at(when))

    def put(self, when: str, file: str, by: str) -> None:
        kind = file.split("-", maxsplit=1)[0]
        documents.put(self.database, self.id, kind, read(self.id, file), by, at(when))

    def sign(self, kind: str, revision: int, **when_by_contact: str) -> None:
        for contact, when in when_by_contact.items():
            documents.sign(self.database, self.id, kind, revision, contact.replace("_", "-"), at(when))

    def ask(self, when: str, event: str, by: str, reason: str | None = None) -> service.Decision:
        return service.transition(self.database, self.id, event, by, at(when), reason)

    def gate(self, when: str, event: str) -> GateReport:
        return service.check(self.database, self.id, event, at(when))

    def answer(self, when: str, number: int, *contacts: str) -> None:
        for contact in contacts:
            content = read(self.id, f"review_response-{number}-{contact}")
            reviews.respond(self.database, self.id, number, contact, content, at(when))


def blocking(report: GateReport) -> set[str]:
    return {finding.code for finding in report.blocking}


def advised(report: GateReport) -> set[str]:
    return {f.code for f in report.findings if f.outcome == "unmet" and f.severity == "advisory"}


def shut_by(decision: service.Decision) -> set[str]:
    assert decision.report is not None
    return {finding["code"] for finding in decision.report["findings"] if finding["blocks"]}


@pytest.fixture
def harbour(database: Database) -> Story:
    """Harbour Healthy Start, its need confirmed."""
    story = Story(database, HARBOUR)
    story.register("2025-01-13 09:00")
    story.put("2025-01-15 10:00", "need_assessment", "fiona-kerr")
    assert story.ask("2025-01-15 15:00", "confirm_need", "fiona-kerr").state == "taken"
    return story


@pytest.fixture
def running(harbour: Story) -> Story:
    """Harbour Healthy Start, its agreement in force."""
    harbour.put("2025-01-24 10:00", "convening", "fiona-kerr")
    assert blocking(harbour.gate("2025-01-24 10:30", "agree_to_partner")) == {"S3"}
    harbour.sign(
        "convening",
        1,
        fiona_kerr="2025-01-24 11:00",
        amira_haddad="2025-01-27 09:30",
        isla_drummond="2025-01-27 16:10",
    )
    assert harbour.ask("2025-01-28 10:00", "agree_to_partner", "fiona-kerr").stage == "setting_up"
    harbour.put("2025-02-18 10:00", "agreement", "fiona-kerr")
    report = harbour.gate("2025-02-18 10:30", "activate")
    assert (blocking(report), advised(report)) == ({"A1"}, set())
    harbour.sign(
        "agreement",
        1,
        margaret_innes="2025-02-19 14:00",
        ewan_ross="2025-02-20 09:15",
        sandra_okafor="2025-02-24 11:40",
    )
    assert harbour.ask("2025-02-26 10:00", "activate", "fiona-kerr").stage == "maintaining"
    return harbour


@pytest.fixture
def school(harbour: Story) -> Story:
    """School Breakfasts, proposed after Harbour Healthy Start."""
    story = Story(harbour.database, SCHOOL)
    story.register("2025-01-20 09:30")
    return story


def test_a_need_that_another_partnership_serves_is_declined(school: Story) -> None:
    school.put("2025-01-20 10:00", "need_assessment-r1", "nadia-farrow")
    report = school.gate("2025-01-20 10:15", "confirm_need")
    assert (blocking(report), advised(report)) == ({"N4", "N5", "N9"}, {"N10"})
    assert HARBOUR in next(f for f in report.findings if f.code == "N5").to_do
    assert shut_by(school.ask("2025-01-20 10:30", "confirm_need", "nadia-farrow")) == {"N4", "N5", "N9"}

    school.put("2025-01-29 10:00", "need_assessment-r2", "nadia-farrow")
    assert blocking(school.gate("2025-01-29 10:30", "confirm_need")) == {"N9"}
    school.put("2025-01-30 10:00", "decision_record", "grace-onuoha")
    reason = read(SCHOOL, "decision_record")["reason"]
    assert school.ask("2025-01-30 11:00", "decline", "grace-onuoha", reason).stage == "declined"


@pytest.fixture
def tram(database: Database) -> Story:
    """Tram Corridor Research, about to be set up."""
    story = Story(database, TRAM)
    story.register("2025-02-03 08:00")
    story.put("2025-02-03 09:00", "need_assessment", "joost-terbeek")
    assert story.ask("2025-02-03 13:00", "confirm_need", "joost-terbeek").state == "taken"
    story.put("2025-02-14 09:00", "convening", "joost-terbeek")
    story.sign(
        "convening",
        1,
        joost_terbeek="2025-02-14 09:20",
        jana_vollmer="2025-02-17 08:45",
        aino_salmela="2025-02-17 12:05",
    )
    assert story.ask("2025-02-18 09:00", "agree_to_partner", "joost-terbeek").stage == "setting_up"
    return story


def test_vague_and_one_sided_terms_are_refused_and_the_mended_ones_open_the_gate(tram: Story) -> None:
    tram.put("2025-03-03 09:00", "agreement-r1", "joost-terbeek")
    tram.sign("agreement", 1, saskia_wouterse="2025-03-04 10:00")
    report = tram.gate("2025-03-05 08:30", "activate")
    assert (blocking(report), advised(report)) == ({"A1", "C2", "C3", "P1", "R1"}, {"R4"})
    to_do = {finding.code: finding.to_do for finding in report.blocking}
    assert "wear-forecast says “in a timely manner”" in to_do["C2"]
    assert "kaisla-sensing owes nothing" in to_do["C3"]
    assert "thickness-measured" in to_do["P1"]
    assert shut_by(tram.ask("2025-03-05 09:00", "activate", "joost-terbeek")) == blocking(report)

    tram.put("2025-03-14 09:00", "agreement-r2", "joost-terbeek")
    report = tram.gate("2025-03-14 09:30", "activate")
    assert (blocking(report), advised(report)) == ({"A1"}, set())
    tram.sign(
        "agreement",
        2,
        saskia_wouterse="2025-03-17 10:30",
        kerstin_haubold="2025-03-18 07:50",
        petri_lahtonen="2025-03-20 12:15",
    )
    assert tram.ask("2025-03-21 09:00", "activate", "joost-terbeek").stage == "maintaining"


def test_a_year_of_reviews_ends_in_renewal(running: Story) -> None:
    database = running.database
    assert reviews.sweep_reviews(database, at("2025-05-12 08:00"))[0] == 1
    running.answer("2025-05-15 10:00", 1, "fiona-kerr", "lewis-baird", "amira-haddad", "isla-drummond")
    reviews.sweep_reviews(database, at("2025-05-27 16:00"))
    plan(running, "2025-05-29 13:00", 1, "lewis-baird", "2025-06-20")
    plan(running, "2025-05-29 13:00", 2, "callum-reay", "2025-06-13")
    actions.verify_action(database, HARBOUR, 2, "isla-drummond", at("2025-06-12 09:00"))
    actions.verify_action(database, HARBOUR, 1, "amira-haddad", at("2025-06-19 09:00"))

    assert reviews.sweep_reviews(database, at("2025-08-12 08:00"))[0] == 1
    running.answer("2025-08-14 10:00", 2, "fiona-kerr", "lewis-baird", "amira-haddad")
    heard = []
    for when in ("2025-08-19 08:00", "2025-08-22 08:00", "2025-08-26 16:00", "2025-08-28 08:00"):
        heard.append(sweep_escalations(database, at(when)).get("review_unanswered", 0))
        reviews.sweep_reviews(database, at(when))
    assert heard == [1, 1, 1, 1]
    running.answer("2025-08-29 13:30", 2, "isla-drummond")
    reviews.sweep_reviews(database, at("2025-09-02 16:00"))

    assert reviews.sweep_reviews(database, at("2025-11-12 09:00"))[0] == 1
    running.answer("2025-11-17 10:00", 3, "fiona-kerr", "lewis-baird", "amira-haddad", "isla-drummond")
    reviews.sweep_reviews(database, at("2025-11-26 17:00"))
    renew(running)


def plan(story: Story, when: str, number: int, owner: str, due: str) -> None:
    what = "A text message to all three partners before 07:30."
    actions.plan_action(
        story.database, story.id, number, what, owner, date.fromisoformat(due), "fiona-kerr", at(when)
    )


def renew(story: Story) -> None:
    assert sweep_escalations(story.database, at("2025-11-17 09:00")).get("evaluation_due") == 1
    assert not any(one.taken for one in sweep_readiness(story.database, at("2025-12-01 09:00")))
    story.put("2025-12-02 09:30", "evaluation-r1", "fiona-kerr")
    report = story.gate("2025-12-02 09:45", "begin_evaluation")
    assert (blocking(report), advised(report)) == (set(), {"E2"})
    assert [one.taken for one in sweep_readiness(story.database, at("2025-12-02 09:50"))] == [True]
    story.answer("2025-12-09 10:00", 4, "fiona-kerr", "lewis-baird", "amira-haddad", "isla-drummond")
    reviews.sweep_reviews(story.database, at("2026-01-05 17:00"))
    assert blocking(story.gate("2026-01-06 09:00", "renew")) == {"V2", "V3", "V4", "V5"}
    plan(story, "2026-01-15 14:00", 3, "fiona-kerr", "2026-03-27")
    story.put("2026-01-22 10:00", "evaluation-r2", "fiona-kerr")
    assert blocking(story.gate("2026-01-22 10:30", "renew")) == {"V5"}
    story.sign(
        "evaluation",
        2,
        margaret_innes="2026-01-22 15:00",
        ewan_ross="2026-01-23 09:10",
        sandra_okafor="2026-01-26 18:20",
    )
    assert story.ask("2026-01-28 10:00", "renew", "margaret-innes").stage == "maintaining"
