"""Promises: scheduled from the agreement, reported, answered, decided; and what silence means (design, promise 0 and 3)."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select

from lifecycle.audit.queries import verify_all
from lifecycle.db import Database
from lifecycle.documents import service as documents
from lifecycle.errors import Invalid, NotAllowed, NotFound
from lifecycle.notices.models import notice
from lifecycle.obligations import queries, service
from lifecycle.partnerships.escalations import sweep_escalations
from tests.builders import contents
from tests.obligations.agreements import (
    agreement,
    enforce,
    in_force,
    monitor,
    obligation,
    performances,
    states,
)

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
DUE = datetime(2026, 3, 31, 22, 59, 59, tzinfo=UTC)
KEPT = {"outcome": "kept", "note": "All lists came.", "evidence": {"reference": "folder", "sha256": "a" * 64}}


def told(database: Database, template: str) -> list[str]:
    with database.read() as connection:
        found = connection.execute(select(notice.c.contact_id).where(notice.c.template == template))
        return sorted(found.scalars())


def test_each_obligation_has_its_next_performance_and_the_next_one_when_it_is_due(database: Database) -> None:
    in_force(database, START, agreement(obligation(), obligation("room", due={"on": "2026-04-15"})))
    assert {name: one.due_at.date() for name, one in performances(database).items()} == {
        "lists/1": date(2026, 3, 31),
        "room/1": date(2026, 4, 15),
    }
    assert monitor(database, DUE) == {"scheduled": 1}
    assert performances(database)["lists/2"].due_at.date() == date(2026, 4, 30), "31 March gives 30 April"


def test_a_month_down_schedules_every_performance_and_skips_none(database: Database) -> None:
    in_force(database, START)
    counts = monitor(database, datetime(2026, 7, 1, 12, tzinfo=UTC))
    assert [one.due_at.date().isoformat() for one in performances(database).values()] == [
        "2026-03-31", "2026-04-30", "2026-05-31", "2026-06-30", "2026-07-31",
    ]  # fmt: skip
    assert counts == {"scheduled": 4, "overdue": 3}
    assert monitor(database, datetime(2026, 7, 1, 12, tzinfo=UTC)) == {}


def test_nothing_falls_due_after_the_term(database: Database) -> None:
    in_force(database, START)
    monitor(database, datetime(2027, 6, 1, tzinfo=UTC))
    assert len(performances(database)) == 10, "the last of ten months is December"


@pytest.mark.parametrize(
    ("due", "expected"),
    [
        ({"standing": True, "sampled_every": "FREQ=MONTHLY;INTERVAL=3"}, "2026-06-01"),
        ({"after_milestone": "opened", "within_days": 10}, "2026-04-20"),
    ],
)
def test_standing_duties_are_due_when_sampled_and_others_after_their_milestone(
    database: Database, due: dict[str, object], expected: str
) -> None:
    content = agreement(obligation(due=due)) | {
        "plan": [{"id": "opened", "milestone": "The ward is open.", "by": "2026-04-10"}]
    }
    in_force(database, START, content)
    assert performances(database)["lists/1"].due_at.date().isoformat() == expected


def test_an_agreement_whose_clarity_was_waived_comes_into_force_all_the_same(database: Database) -> None:
    nobody = {key: value for key, value in obligation("nobody").items() if key != "obligor"}
    unanchored = obligation("unanchored", due={"every": "FREQ=MONTHLY"})
    in_force(
        database,
        START,
        agreement(nobody, {"id": "bare", "act": "Helps."}, unanchored, obligation("never", due={})),
    )
    assert {name: one.due_at.date().isoformat() for name, one in performances(database).items()} == {
        "unanchored/1": "2026-04-01"
    }


def test_a_report_is_told_at_once_accepted_and_settled(database: Database) -> None:
    in_force(database, START)
    service.report(database, "harbour", "lists/1", KEPT, "clinic-primary", DUE)
    assert told(database, "report_received") == ["city-deputy", "city-primary"]
    settled = service.accept(database, "harbour", "lists/1", "city-deputy", DUE + timedelta(days=1))
    assert (settled.state, settled.outcome, settled.seen_at) == ("settled", "kept", DUE)
    with database.read() as connection:
        entries = queries.entries(connection, "harbour", settled)
        assert [(e.kind, e.by, e.evidence_sha256) for e in entries] == [
            ("report", "clinic-primary", "a" * 64),
            ("accept", "city-deputy", None),
        ]
        assert verify_all(connection) == []
    assert "All lists came." not in str(contents(database)["audit_event"]), "words stay out of what is hashed"


def test_silence_accepts_or_disputes_as_agreed(database: Database) -> None:
    in_force(database, START, id_="kind")
    in_force(database, START, agreement(on_silence="disputed"), id_="strict")
    for id_ in ("kind", "strict"):
        service.report(database, id_, "lists/1", KEPT, "clinic-primary", DUE)
    assert monitor(database, DUE + timedelta(days=9))["silence"] == 2
    assert states(database, "kind")["lists/1"] == "settled"
    assert states(database, "strict")["lists/1"] == "disputed"
    assert told(database, "decision_asked") == ["city-sponsor"]


def test_a_verdict_after_the_window_is_refused_even_before_the_sweep_has_run(database: Database) -> None:
    in_force(database, START)
    service.report(database, "harbour", "lists/1", KEPT, "clinic-primary", DUE)
    before = contents(database)
    with pytest.raises(NotAllowed, match="closed on 2026-04-08"):
        service.dispute(
            database, "harbour", "lists/1", "Two never came.", "city-primary", DUE + timedelta(days=9)
        )
    assert contents(database) == before


def test_a_dispute_is_decided_by_the_one_named_for_it(database: Database) -> None:
    in_force(database, START)
    service.report(database, "harbour", "lists/1", KEPT, "clinic-primary", DUE)
    service.dispute(
        database, "harbour", "lists/1", "Two never came.", "city-primary", DUE + timedelta(hours=1)
    )
    later = DUE + timedelta(hours=2)
    with pytest.raises(NotAllowed, match="names city-sponsor"):
        service.decide(database, "harbour", "lists/1", "kept", "We say so.", "clinic-sponsor", later)
    decided = service.decide(
        database,
        "harbour",
        "lists/1",
        "partly_kept",
        "Two of 30 never came.",
        "city-sponsor",
        DUE + timedelta(days=1),
    )
    assert (decided.state, decided.outcome) == ("settled", "partly_kept")
    restored = service.confirm_restored(
        database, "harbour", "lists/1", "Both came.", "city-primary", DUE + timedelta(days=3)
    )
    assert (restored.state, restored.outcome) == ("restored", "partly_kept"), "the breach stays on record"


def test_without_a_decision_it_stays_undetermined_and_counts_against_nobody(database: Database) -> None:
    in_force(database, START)
    service.report(database, "harbour", "lists/1", KEPT, "clinic-primary", DUE)
    service.dispute(
        database, "harbour", "lists/1", "Two never came.", "city-primary", DUE + timedelta(hours=1)
    )
    assert monitor(database, DUE + timedelta(days=12))["undetermined"] == 1
    assert performances(database)["lists/1"].outcome == "cannot_tell"


def test_a_missing_report_is_seen_by_both_sides_in_the_agreed_time_and_then_climbs(
    database: Database,
) -> None:
    in_force(database, START)
    for day in range(60):
        at = DUE + timedelta(days=day, hours=10)
        monitor(database, at)
        sweep_escalations(database, at)
    one = performances(database)["lists/1"]
    assert one.state == "overdue"
    assert one.seen_at is not None
    assert (one.seen_at - DUE).days == 5, (
        "three working days and the Easter weekend of Scotland's Good Friday"
    )
    assert told(database, "report_reminder")[0] == "clinic-primary"
    assert set(told(database, "performance_overdue")) == {"clinic-deputy", "city-deputy", "city-primary"}
    assert set(told(database, "performance_escalated")) == {
        "clinic-sponsor",
        "city-sponsor",
        "clinic-primary",
    }
    service.report(database, "harbour", "lists/1", KEPT, "clinic-primary", at)
    assert performances(database)["lists/1"].seen_at == one.seen_at, (
        "a late report does not make it seen later"
    )


def test_only_the_side_that_is_owed_waives_and_only_the_named_side_reports(database: Database) -> None:
    in_force(database, START)
    before = contents(database)
    with pytest.raises(NotAllowed, match="only city can waive"):
        service.waive(database, "harbour", "lists/1", "We had a fire.", "clinic-sponsor", DUE)
    with pytest.raises(NotAllowed, match="reported by clinic"):
        service.report(database, "harbour", "lists/1", KEPT, "city-primary", DUE)
    with pytest.raises(NotAllowed, match="is due: it cannot “accept”"):
        service.accept(database, "harbour", "lists/1", "city-primary", DUE)
    with pytest.raises(NotFound, match="no performance “lists/9”"):
        service.accept(database, "harbour", "lists/9", "city-primary", DUE)
    with pytest.raises(Invalid, match="outcome"):
        service.report(database, "harbour", "lists/1", {"outcome": "splendid"}, "clinic-primary", DUE)
    assert contents(database) == before
    waived = service.waive(database, "harbour", "lists/1", "They had a fire.", "city-primary", DUE)
    assert (waived.state, waived.closed_at) == ("waived", DUE)


def test_nobody_answers_their_own_report(database: Database) -> None:
    in_force(database, START, agreement(obligation(reported_by="both")))
    service.report(database, "harbour", "lists/1", {"outcome": "not_kept"}, "city-deputy", DUE)
    with pytest.raises(NotAllowed, match="only clinic can answer"):
        service.accept(database, "harbour", "lists/1", "city-primary", DUE + timedelta(hours=1))
    service.accept(database, "harbour", "lists/1", "clinic-primary", DUE + timedelta(hours=2))


def test_what_is_owed_on_request_is_due_when_it_was_asked_for(database: Database) -> None:
    in_force(database, START, agreement(obligation(due={"on_request_within_days": 5}), obligation("other")))
    assert "lists/1" not in performances(database)
    with pytest.raises(NotAllowed, match="only city can ask"):
        service.demand(database, "harbour", "lists", "clinic-primary", START)
    with pytest.raises(NotAllowed, match="not owed on request"):
        service.demand(database, "harbour", "other", "city-primary", START)
    one = service.demand(database, "harbour", "lists", "city-primary", START)
    assert one.due_at.date() == date(2026, 3, 7)
    assert told(database, "performance_demanded") == ["clinic-primary"]
    monitor(database, one.due_at)
    assert "lists/2" not in performances(database), "one request is one performance"


def test_an_amendment_replaces_what_is_to_come_and_never_what_has_been(database: Database) -> None:
    in_force(database, START)
    monitor(database, DUE)
    service.report(database, "harbour", "lists/1", KEPT, "clinic-primary", DUE)
    later = DUE + timedelta(days=1)
    weekly = agreement(obligation(due={"every": "FREQ=WEEKLY", "starting_on": "2026-04-06"}))
    enforce(database, later, weekly)
    found = performances(database)
    assert {name: (one.state, one.agreement_revision) for name, one in found.items()} == {
        "lists/1": ("reported", 1),
        "lists/2": ("superseded", 1),
        "lists/3": ("due", 2),
    }
    assert found["lists/3"].due_at.date() == date(2026, 4, 6)


def test_an_amendment_cannot_orphan_what_is_due(database: Database) -> None:
    in_force(database, START)
    monitor(database, DUE)
    with pytest.raises(Invalid, match=r"lists/1 is due"):
        enforce(database, DUE + timedelta(days=1), agreement(obligation("other")))


def test_a_signal_reaches_both_sides_and_has_no_clock(database: Database) -> None:
    in_force(database, START)
    clocks = contents(database)["timer"]
    number = service.send_signal(
        database, "harbour", "lists", "The list came late twice.", "city-deputy", START
    )
    assert number == 1
    assert told(database, "signal_received") == ["city-primary", "clinic-primary"]
    assert contents(database)["timer"] == clocks
    with pytest.raises(Invalid, match="one line"):
        service.send_signal(database, "harbour", "lists", "a\nb", "city-deputy", START)


def test_a_closed_record_takes_no_reports(database: Database) -> None:
    from tests.obligations.agreements import move

    in_force(database, START)
    move(database, "harbour", "closed")
    with pytest.raises(NotAllowed, match="read-only"):
        service.report(database, "harbour", "lists/1", KEPT, "clinic-primary", DUE)


def test_documents_of_an_agreement_in_force_are_still_found_by_their_revision(database: Database) -> None:
    in_force(database, START)
    with pytest.raises(NotAllowed, match="amend"):
        documents.put(database, "harbour", "agreement", agreement(), "clinic-primary", START)


def test_a_partnership_with_an_open_promise_cannot_be_closed(database: Database) -> None:
    from lifecycle.gates.facts import RequestFact
    from lifecycle.partnerships import changes
    from lifecycle.partnerships.facts import collect
    from lifecycle.partnerships.people import people_of

    in_force(database, START, agreement(obligation(), obligation("other")))
    monitor(database, DUE)
    service.waive(database, "harbour", "other/1", "No longer needed.", "city-primary", DUE)
    with database.read() as connection:
        record, people = changes.find(connection, "harbour"), people_of(connection, "harbour")["harbour"]
        facts = collect(connection, record, people, "close", RequestFact(None, None), DUE)
    assert facts.open_performances == ("lists/1",), "what is not due yet does not hold anybody up"


def test_while_suspended_nothing_falls_due_and_nobody_is_asked(database: Database) -> None:
    from lifecycle.partnerships import service as transitions

    in_force(database, START)
    transitions.transition(database, "harbour", "suspend", "city-primary", START, "The budget is frozen.")
    assert monitor(database, DUE + timedelta(days=60)) == {}
    assert sweep_escalations(database, DUE + timedelta(days=60)) == {}
    assert states(database) == {"lists/1": "due"}
