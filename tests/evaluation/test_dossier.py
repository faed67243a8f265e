"""The dossier says what the record says, to nobody more than they may know; sponsors are asked for their decision."""

import json
import re
from copy import deepcopy
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from lifecycle.cli.output import as_data
from lifecycle.db import Database
from lifecycle.demo.story import ENDS_AT, HARBOUR, PARTNERSHIPS, STORY
from lifecycle.documents import service as documents
from lifecycle.errors import NotFound
from lifecycle.evaluation import dossier as dossiers
from lifecycle.evaluation.dossier import Dossier, gather, reached, summary
from lifecycle.evaluation.page import page
from lifecycle.notices.models import notice
from lifecycle.partnerships import changes, escalations, service
from lifecycle.partnerships.escalations import sweep_escalations
from lifecycle.reviews import service as reviews
from tests.builders import answer, contents, registered
from tests.journeys.test_story import Told

NOW = datetime(2026, 1, 5, 12, tzinfo=UTC)
EVALUATION: dict[str, Any] = {
    "questions": ["Did it help?"],
    "respondents": ["clinic-primary", "city-primary"],
}


@pytest.fixture
def told(database: Database, tmp_path: Path) -> Told:
    """The demo's story, until its partnership is renewed."""
    found = Told(database, tmp_path)
    found.play(STORY, ENDS_AT)
    return found


def gathered(database: Database, partnership_id: str, at: datetime) -> Dossier:
    with database.read() as connection:
        return gather(connection, partnership_id, at)


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<style>.*?</style>", "", html)).split())


def test_it_holds_what_the_decision_rested_on(told: Told) -> None:
    found = gathered(told.database, HARBOUR, ENDS_AT)
    assert found.decided_at == datetime(2026, 1, 28, 10, tzinfo=UTC)
    (report,) = found.gates
    assert (report["event"], report["open"]) == ("renew", True)
    assert [one.round for one in found.reviews] == [1, 2, 3, 4]
    by_id = {one["id"]: one for one in found.indicators}
    assert {id_: one["reached"] for id_, one in by_id.items()} == {
        "pupils-fed": True, "pupils-checked": False, "pantry-families": True, "late-mornings": True,
    }  # fmt: skip
    assert by_id["pupils-fed"]["actual"] == 91, "the whole, and not the part that Quay Street is"
    assert len(found.lessons) == 4
    assert found.documents["evaluation"].signed_by == ("city-of-harbour", "harbour-clinic", "morning-larder")
    said = words_of(page(found))
    for text in (
        "Three of four indicators",
        "kitchens-open/6",
        "Sandra Okafor",
        "Renew the partnership: done",
    ):
        assert text in said
    with told.database.read() as connection:
        assert changes.find(connection, HARBOUR).audit_hash in said


def test_the_page_stands_alone_and_as_data_it_survives_json(told: Told) -> None:
    before = contents(told.database)
    for partnership in PARTNERSHIPS:
        found = gathered(told.database, partnership, ENDS_AT)
        html = page(found)
        assert not re.search(r'(src|href)="(?!data:)', html), "nothing is loaded from elsewhere"
        assert "<script" not in html
        assert as_data(found)["title"] == found.title
        assert json.loads(json.dumps(summary(found), default=str))
    assert contents(told.database) == before, "reading changes nothing"


def test_hostile_text_stays_text(told: Told) -> None:
    found = gathered(told.database, HARBOUR, ENDS_AT)
    evil = '<img src=x onerror="alert(1)"></title><script>1</script>{{ 7 * 7 }}'
    content = deepcopy(dict(found.content("evaluation")))
    content["findings"], content["lessons"] = [evil], [{"lesson": evil}]
    hostile = replace(
        found,
        title=evil,
        partners=dict.fromkeys(found.partners, evil),
        documents=found.documents | {"evaluation": replace(found.documents["evaluation"], content=content)},
        lessons=({"lesson": evil},),
    )
    html = page(hostile)
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "49" not in words_of(html).split()
    assert html.count("&lt;script&gt;") >= 4


def test_there_is_none_of_an_unknown_partnership(database: Database) -> None:
    with database.read() as connection, pytest.raises(NotFound):
        gather(connection, "nobody", NOW)


@pytest.mark.parametrize(
    ("actual", "target", "ascending", "expected"),
    [(5, 5, True, True), (4.9, 5, True, False), (4.9, 5, False, True), (5.1, 5, False, False), (None, 5, True, None), (5, None, True, None)],
)  # fmt: skip
def test_reached(actual: float | None, target: float | None, ascending: bool, expected: bool | None) -> None:
    assert reached(actual, target, ascending) is expected


@pytest.fixture
def evaluating(database: Database) -> Database:
    """A partnership whose evaluation round has just closed."""
    registered(database, NOW, stage="maintaining")
    documents.put(database, "harbour", "evaluation", EVALUATION, "clinic-primary", NOW)
    service.transition(database, "harbour", "begin_evaluation", "clinic-primary", NOW)
    for contact in ("clinic-primary", "city-primary"):
        reviews.respond(database, "harbour", 1, contact, answer(1), NOW + timedelta(days=1))
    reviews.sweep_reviews(database, CLOSED)
    return database


CLOSED = datetime(2026, 2, 13, 17, tzinfo=UTC)


def asked(database: Database, template: str) -> list[tuple[str, Any]]:
    with database.read() as connection:
        rows = connection.execute(
            select(notice.c.contact_id, notice.c.facts)
            .where(notice.c.template == template)
            .order_by(notice.c.contact_id, notice.c.id)
        )
        return [(row.contact_id, row.facts) for row in rows]


def test_when_its_round_has_closed_the_sponsors_are_asked_to_decide(evaluating: Database) -> None:
    assert sweep_escalations(evaluating, CLOSED) == {"outcome_undecided": 2}
    (city, facts), (clinic, _) = asked(evaluating, "outcome_asked")
    assert (city, clinic) == ("city-sponsor", "clinic-sponsor")
    gates = {one["event"]: one for one in facts["dossier"]["gates"]}
    assert gates.keys() == {"renew", "revise", "close"}
    assert "decision by the sponsors" in gates["renew"]["blocking"]
    assert facts["dossier"]["results"]["round"] == 1
    assert facts["decided"] is None


def test_who_has_signed_the_decision_is_reminded_no_more(evaluating: Database) -> None:
    sweep_escalations(evaluating, CLOSED)
    decided = EVALUATION | {"decision": {"outcome": "renew"}}
    documents.put(evaluating, "harbour", "evaluation", decided, "clinic-primary", CLOSED)
    documents.sign(evaluating, "harbour", "evaluation", 2, "clinic-sponsor", CLOSED)
    sweep_escalations(evaluating, CLOSED + timedelta(days=8))
    ((contact, facts),) = asked(evaluating, "outcome_reminder")
    assert (contact, facts["decided"], facts["unsigned"]) == ("city-sponsor", "renew", ["city"])


def test_without_a_decision_the_manager_hears_and_can_take_charge(evaluating: Database) -> None:
    sweep_escalations(evaluating, CLOSED + timedelta(days=30))
    assert [contact for contact, _ in asked(evaluating, "outcome_escalated")] == ["clinic-primary"]
    assert len(asked(evaluating, "outcome_asked")) == 0, "overtaken by the reminder after a time down"
    assert len(asked(evaluating, "outcome_reminder")) == 2


def test_acknowledged_or_suspended_nobody_is_asked(evaluating: Database) -> None:
    escalations.acknowledge(
        evaluating, "harbour", "outcome_undecided", "1", "clinic-primary", CLOSED - timedelta(minutes=1)
    )
    assert sweep_escalations(evaluating, CLOSED + timedelta(days=30)) == {}


def test_a_way_on_stops_the_question(evaluating: Database) -> None:
    service.transition(evaluating, "harbour", "suspend", "clinic-primary", CLOSED, "The budget is frozen.")
    assert sweep_escalations(evaluating, CLOSED + timedelta(days=30)) == {}


def test_a_part_stands_for_no_whole(database: Database) -> None:
    overview = [
        {
            "id": "beds", "title": "Beds", "unit": None, "ascending": True, "baseline": {"value": 1},
            "targets": [{"value": 9, "ends_on": "2026-12-31"}, {"value": 5, "ends_on": "2026-06-30"}],
            "actuals": [{"ends_on": date(2026, 6, 30), "value": 7.0, "dimensions": {"sex": "female"}}],
        }
    ]  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, database.read() as connection:
        patch.setattr(dossiers.indicators, "overview", lambda *_: overview)
        (one,) = dossiers._indicators(connection, "harbour", {})
    assert (one["target"], one["actual"], one["reached"]) == (9, None, None)
