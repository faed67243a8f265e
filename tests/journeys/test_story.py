"""The guide's four steps as three partnerships walk them: the demo's story without Prefect, on both databases."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from sqlalchemy import select

from lifecycle.audit import queries as audit
from lifecycle.db import Database
from lifecycle.demo.acts import Act, Ask, Office, Put
from lifecycle.demo.player import play
from lifecycle.demo.screen import Screen
from lifecycle.demo.story import ENDS_AT, HARBOUR, SCHOOL, STORY, TRAM
from lifecycle.notices.models import notice
from lifecycle.partnerships import changes
from lifecycle.partnerships import service as partnerships
from lifecycle.partnerships.models import transition_request
from lifecycle.reviews import queries as reviews
from lifecycle.timers import service as timers
from tests.builders import SETTINGS
from tests.journeys.in_process import InProcess


class Told:
    """A story played on a database, and what can be asked about it afterwards."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.settings = SETTINGS.model_copy(update={"mailbox": folder / "mailbox"})
        self.flows = InProcess(database, self.settings)
        self.page = StringIO()

    def play(self, acts: Sequence[Act], until: datetime) -> None:
        screen = Screen(Console(file=self.page, width=120, markup=False), self.settings.mailbox)
        office = Office(self.database, self.settings, self.flows)
        asyncio.run(play(acts, office, screen, until))

    def stage(self, partnership: str) -> str:
        with self.database.read() as connection:
            return changes.find(connection, partnership).stage

    def decisions(self, partnership: str, event: str) -> list[tuple[str, set[str]]]:
        """Of each request, oldest first: how it was decided, and what blocked it."""
        columns = (transition_request.c.state, transition_request.c.report)
        asked = (transition_request.c.partnership_id == partnership, transition_request.c.event == event)
        with self.database.read() as connection:
            rows = connection.execute(
                select(*columns).where(*asked).order_by(transition_request.c.requested_at)
            ).all()
        return [(state, {f["code"] for f in report["findings"] if f["blocks"]}) for state, report in rows]

    def told(self, partnership: str, template: str) -> list[tuple[str, str]]:
        """Who was written to with this template and when (UTC), in that order."""
        statement = (
            select(notice.c.contact_id, notice.c.sent_at)
            .where(notice.c.partnership_id == partnership, notice.c.template == template)
            .order_by(notice.c.sent_at, notice.c.contact_id)
        )
        with self.database.read() as connection:
            return [(contact, f"{at:%Y-%m-%d %H:%M}") for contact, at in connection.execute(statement)]

    def actions(self, partnership: str) -> list[Any]:
        with self.database.read() as connection:
            return reviews.actions(connection, partnership)

    def rounds(self, partnership: str) -> list[reviews.Round]:
        with self.database.read() as connection:
            return reviews.rounds(connection, partnership)


@pytest.fixture
def story(database: Database, tmp_path: Path) -> Told:
    return Told(database, tmp_path)


def until(text: str) -> tuple[list[Act], datetime]:
    """The story up to an instant, UTC."""
    instant = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return [act for act in STORY if act.at <= instant], instant


def test_step_one_a_need_that_is_served_already_is_declined_with_its_record(story: Told) -> None:
    story.play(*until("2025-01-31 09:00"))
    assert story.stage(SCHOOL) == "declined"
    state, blocked = story.decisions(SCHOOL, "confirm_need")[0]
    assert (state, "N5" in blocked) == ("refused", True)
    assert HARBOUR in story.page.getvalue()
    assert {contact for contact, _ in story.told(SCHOOL, "stage_changed")} >= {"nadia-farrow", "ian-calder"}


def test_step_one_without_the_other_partnership_nothing_looks_alike(story: Told) -> None:
    acts, instant = until("2025-01-21 09:00")
    story.play([act for act in acts if act.partnership == SCHOOL], instant)
    assert "N5" not in story.decisions(SCHOOL, "confirm_need")[0][1]


def test_step_three_an_agreement_is_refused_mended_signed_again_and_put_into_force(story: Told) -> None:
    story.play(*until("2025-03-22 09:00"))
    (first, blocked), (second, still) = story.decisions(TRAM, "activate")
    assert (first, second, still) == ("refused", "taken", set())
    assert blocked >= {"C2", "C3", "P1", "R1", "A1"}
    assert story.stage(TRAM) == "maintaining"
    asked = [contact for contact, _ in story.told(TRAM, "signoff_asked")]
    assert asked.count("saskia-wouterse") == 2, "for revision 1, and again for revision 2, which voids it"


def test_step_three_a_gate_without_signatures_stays_shut(story: Told) -> None:
    acts, instant = until("2025-03-22 09:00")
    unsigned = [
        a for a in acts if a.partnership != TRAM or isinstance(a, Put | Ask) or a.at < _before_terms()
    ]
    story.play(unsigned, instant)
    assert story.decisions(TRAM, "activate")[-1] == ("refused", {"A1"})
    assert story.stage(TRAM) == "setting_up"


def _before_terms() -> datetime:
    return datetime(2025, 3, 1, tzinfo=UTC)


def test_step_four_a_negative_answer_becomes_an_action_that_another_partner_verifies(story: Told) -> None:
    story.play(*until("2025-06-20 09:00"))
    first, second = story.actions(HARBOUR)
    assert (first.asked_by, first.owner, first.verified_by) == (
        "harbour-clinic",
        "lewis-baird",
        "amira-haddad",
    )
    assert (second.asked_by, second.owner, second.verified_by) == (
        "morning-larder",
        "callum-reay",
        "isla-drummond",
    )
    assert story.told(HARBOUR, "action_reminder") == [], "both were done in time"


def test_step_four_silence_climbs_from_a_reminder_to_the_sponsor_and_no_further(story: Told) -> None:
    story.play(*until("2025-09-03 09:00"))
    assert story.told(HARBOUR, "review_reminder") == [
        ("isla-drummond", "2025-08-19 08:00"),
        ("isla-drummond", "2025-08-22 08:00"),
    ]
    assert story.told(HARBOUR, "review_escalated") == [
        ("piotr-nowak", "2025-08-26 16:00"),
        ("sandra-okafor", "2025-08-28 08:00"),
    ]
    second = story.rounds(HARBOUR)[1]
    assert (second.extended, second.quorate) == (True, True)


def test_step_four_without_her_answer_the_lead_hears_and_the_round_has_no_result(story: Told) -> None:
    acts, instant = until("2025-09-03 09:00")
    story.play([act for act in acts if act.at < datetime(2025, 8, 29, tzinfo=UTC)], instant)
    escalated = [contact for contact, _ in story.told(HARBOUR, "review_escalated")]
    assert escalated == ["piotr-nowak", "sandra-okafor", "fiona-kerr"], (
        "deputy, sponsor, and the lead's contact"
    )
    assert story.rounds(HARBOUR)[1].quorate is False


def test_the_whole_story_ends_well_and_leaves_nothing_behind(story: Told) -> None:
    story.play(STORY, ENDS_AT)
    assert [story.stage(one) for one in (SCHOOL, TRAM, HARBOUR)] == ["declined", "maintaining", "maintaining"]
    assert story.decisions(HARBOUR, "renew") == [("taken", set())]
    assert [one.quorate for one in story.rounds(HARBOUR)] == [True] * 4
    with story.database.read() as connection:
        assert audit.verify_all(connection) == []
        assert timers.overdue_unfired(connection, ENDS_AT) == []
        states = set(connection.execute(select(notice.c.state).distinct()).scalars())
    assert states <= {"sent", "withdrawn"}
    assert partnerships.pending_requests(story.database) == []
