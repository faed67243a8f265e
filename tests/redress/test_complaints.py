"""A grievance becomes a procedure: each step has its clock, its people and its end (issue: redress)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from lifecycle.db import Database
from lifecycle.errors import Invalid, LifecycleError, NotAllowed, NotFound
from lifecycle.gates.facts import RequestFact
from lifecycle.notices.models import notice
from lifecycle.obligations import service as promises
from lifecycle.partnerships import changes
from lifecycle.partnerships.escalations import sweep_escalations
from lifecycle.partnerships.facts import collect
from lifecycle.partnerships.people import people_of
from lifecycle.redress import service
from lifecycle.timers import service as timers
from tests.builders import contents
from tests.obligations.agreements import agreement, enforce, obligation, performances
from tests.redress.cases import (
    ROOM,
    broken,
    complaint,
    days,
    grievance,
    kinds,
    lodged,
    pass_time,
    redress,
    remedy,
    said,
)


def told(database: Database, template: str, *states: str) -> list[str]:
    with database.read() as connection:
        found = select(notice.c.contact_id).where(notice.c.template == template)
        if states:
            found = found.where(notice.c.state.in_(states))
        return sorted(connection.execute(found).scalars())


def due(database: Database, matter: str, subject: str) -> Any:
    with database.read() as connection:
        return timers.due_of(connection, "harbour", matter, subject)


def test_the_other_side_hears_of_a_complaint_at_once_with_its_time_limit(database: Database) -> None:
    broken(database)
    one = lodged(database)
    assert (one.state, one.level, one.complainant, one.respondent) == ("lodged", 1, "city", "clinic")
    assert told(database, "complaint_lodged") == ["clinic-primary"]
    # Lodged on Wednesday 1 April by the partnership's clocks; Good Friday, the 3rd, is no working day.
    assert due(database, "complaint_acknowledge", "1/1") == datetime(2026, 4, 6, 8, tzinfo=UTC)
    assert due(database, "complaint_resolve", "1/1") == datetime(2026, 4, 16, 8, tzinfo=UTC)


def test_the_engine_proposes_the_smallest_remedy_first(database: Database) -> None:
    broken(database)
    lodged(database, wanted_remedy="correction")
    proposal = said(database)[-1]
    assert (proposal.kind, proposal.by, proposal.content["remedy"]) == ("propose", "engine", "explanation")


def test_what_both_sides_agree_to_is_a_promise_and_its_keeping_restores_the_breach(
    database: Database,
) -> None:
    broken(database)
    lodged(database)
    service.acknowledge(database, "harbour", 1, "clinic-primary", days(1))
    service.answer(database, "harbour", 1, "The nurse was ill.", "clinic-primary", days(2))
    offer = remedy(act="The list of March is handed over.", due_on="2026-04-10")
    service.propose(database, "harbour", 1, offer, "clinic-primary", days(2))
    assert told(database, "complaint_proposal") == ["city-primary"]
    assert service.agree(database, "harbour", 1, "city-primary", days(3)).state == "remedy_agreed"
    owed = performances(database)["remedy:1/1"]
    assert (owed.obligor, owed.obligee, owed.weight) == ("clinic", "city", 2)
    promises.report(database, "harbour", "remedy:1/1", {"outcome": "kept"}, "clinic-primary", days(8))
    promises.accept(database, "harbour", "remedy:1/1", "city-primary", days(9))
    assert complaint(database).state == "remedied"
    assert told(database, "complaint_remedied") == ["city-primary"]
    service.close(database, "harbour", 1, "The list is here.", "city-primary", days(10))
    assert complaint(database).state == "closed"
    assert performances(database)["lists/1"].state == "restored"
    with database.read() as connection:
        assert [
            t for t in timers.overdue_unfired(connection, days(400)) if t[1].startswith("complaint")
        ] == []


def test_the_engines_proposal_needs_both_sides(database: Database) -> None:
    broken(database)
    lodged(database)
    assert service.agree(database, "harbour", 1, "clinic-primary", days(1)).state == "lodged"
    with pytest.raises(NotAllowed, match="agreed to it already"):
        service.agree(database, "harbour", 1, "clinic-sponsor", days(1))
    assert service.agree(database, "harbour", 1, "city-primary", days(1)).state == "remedy_agreed"


def test_nobody_agrees_to_their_own_proposal(database: Database) -> None:
    broken(database)
    lodged(database)
    service.propose(database, "harbour", 1, {"settlement": "explained"}, "clinic-primary", days(1))
    with pytest.raises(NotAllowed, match="agreed to it already"):
        service.agree(database, "harbour", 1, "clinic-sponsor", days(1))
    assert complaint(database).state == "lodged"


def test_a_complaint_nobody_answers_climbs_to_the_last_level_and_ends_in_the_right_to_terminate(
    database: Database,
) -> None:
    broken(database)
    lodged(database)
    pass_time(database, days(120))
    one = complaint(database)
    assert (one.level, one.state) == (3, "escalated")
    assert one.exhausted_at is not None
    assert kinds(database).count("escalate") == 2
    misses = [(e.level, e.content["step"]) for e in said(database) if e.kind == "miss"]
    assert misses == [(n, step) for n in (1, 2, 3) for step in ("acknowledge", "resolve")]
    assert "clinic-sponsor" in told(database, "complaint_late")
    with database.read() as connection:
        record = changes.find(connection, "harbour")
        people = people_of(connection, "harbour")["harbour"]
        facts = collect(connection, record, people, "terminate", RequestFact(None, None), days(120))
    assert facts.redress_exhausted_on == record.calendar.local_date(one.exhausted_at)


def test_each_level_has_its_people_who_hear_what_was_tried(database: Database) -> None:
    broken(database)
    lodged(database)
    service.answer(database, "harbour", 1, "It was not us.", "clinic-primary", days(1))
    service.escalate(database, "harbour", 1, "We see it otherwise.", "city-primary", days(2))
    assert told(database, "complaint_escalated") == ["city-sponsor", "clinic-sponsor"]
    with database.read() as connection:
        rows = connection.execute(select(notice.c.facts).where(notice.c.template == "complaint_escalated"))
        past = [entry["kind"] for entry in rows.scalars().first()["past"]]
    assert past == ["propose", "answer", "escalate"]
    with pytest.raises(NotAllowed, match="does not deal with complaint 1 at level 2"):
        service.acknowledge(database, "harbour", 1, "clinic-primary", days(3))
    assert service.acknowledge(database, "harbour", 1, "clinic-sponsor", days(3)).state == "acknowledged"


def test_warnings_come_at_half_of_the_time_and_one_working_day_before_its_end(database: Database) -> None:
    broken(database)
    lodged(database)
    service.acknowledge(database, "harbour", 1, "clinic-primary", days(0.1))
    pass_time(database, days(10))
    assert told(database, "complaint_warning") == ["city-primary", "clinic-primary"]
    pass_time(database, days(16))
    assert len(told(database, "complaint_warning")) == 4
    assert complaint(database).level == 2


def test_a_warning_that_has_not_left_is_taken_back_when_the_matter_is_settled(database: Database) -> None:
    broken(database)
    lodged(database)
    pass_time(database, days(10))
    assert told(database, "complaint_warning", "pending") == ["city-primary", "clinic-primary"]
    service.propose(database, "harbour", 1, {"settlement": "explained"}, "clinic-primary", days(10))
    service.agree(database, "harbour", 1, "city-primary", days(10))
    assert told(database, "complaint_warning", "withdrawn") == ["city-primary", "clinic-primary"]
    sweep_escalations(database, days(14))
    assert told(database, "complaint_warning", "pending") == ["city-primary"], "the reminder to confirm it"


def test_the_independent_decision_needs_its_reason_and_its_text(database: Database) -> None:
    broken(database)
    lodged(database)
    pass_time(database, days(60))
    assert complaint(database).level == 3
    with pytest.raises(Invalid, match="/evidence"):
        service.decide(database, "harbour", 1, remedy(reason="So be it."), "city-sponsor", days(61))
    decision = remedy(reason="So be it.", evidence={"reference": "Letter of the arbiter"})
    assert (
        service.decide(database, "harbour", 1, decision, "clinic-sponsor", days(61)).state == "remedy_agreed"
    )


def test_only_the_last_level_decides(database: Database) -> None:
    broken(database)
    lodged(database)
    decision = remedy(reason="So be it.", evidence={"reference": "Letter"})
    with pytest.raises(NotAllowed, match="only both sides together"):
        service.decide(database, "harbour", 1, decision, "city-primary", days(1))


def test_a_decision_that_a_complaint_has_no_ground_ends_it(database: Database) -> None:
    broken(database)
    lodged(database)
    service.propose(
        database,
        "harbour",
        1,
        {"settlement": "unfounded", "reason": "The list was there."},
        "clinic-primary",
        days(1),
    )
    one = service.agree(database, "harbour", 1, "city-primary", days(2))
    assert one.state == "unfounded"
    assert one.closed_at is not None
    pass_time(database, days(60))
    assert complaint(database) == one


def test_a_remedy_that_is_not_carried_out_takes_the_complaint_up_with_the_next_larger_one(
    database: Database,
) -> None:
    broken(database)
    lodged(database)
    for who in ("clinic-primary", "city-primary"):
        service.agree(database, "harbour", 1, who, days(1))
    promises.report(database, "harbour", "remedy:1/1", {"outcome": "not_kept"}, "clinic-primary", days(5))
    promises.accept(database, "harbour", "remedy:1/1", "city-primary", days(5))
    one = complaint(database)
    assert (one.state, one.level) == ("escalated", 2)
    last = said(database)[-1]
    assert (last.kind, last.content["remedy"]) == ("propose", "correction")
    for who in ("clinic-sponsor", "city-sponsor"):
        service.agree(database, "harbour", 1, who, days(6))
    assert performances(database)["remedy:1/2"].state == "due"


def test_a_remedy_of_which_no_report_comes_does_not_end_in_silence(database: Database) -> None:
    broken(database)
    lodged(database)
    for who in ("clinic-primary", "city-primary"):
        service.agree(database, "harbour", 1, who, days(1))
    pass_time(database, days(30))
    assert performances(database)["remedy:1/1"].state == "overdue"
    assert complaint(database).level == 2


def test_where_the_agreement_says_so_the_default_decision_is_the_smallest_remedy(database: Database) -> None:
    procedure = redress()
    procedure["levels"][0]["on_expiry"] = "default_decision"
    broken(database, levels=procedure["levels"])
    lodged(database)
    pass_time(database, days(16))
    assert complaint(database).state == "remedy_agreed"
    assert performances(database)["remedy:1/1"].state == "due"


def test_silence_closes_what_is_settled(database: Database) -> None:
    broken(database)
    lodged(database)
    service.propose(database, "harbour", 1, {"settlement": "explained"}, "clinic-primary", days(1))
    service.agree(database, "harbour", 1, "city-primary", days(1))
    assert complaint(database).state == "resolved"
    pass_time(database, days(15))
    assert complaint(database).state == "closed"


def test_what_turns_out_not_to_be_resolved_goes_on_at_the_next_level(database: Database) -> None:
    broken(database)
    lodged(database)
    service.propose(database, "harbour", 1, {"settlement": "explained"}, "clinic-primary", days(1))
    service.agree(database, "harbour", 1, "city-primary", days(1))
    with pytest.raises(NotAllowed, match="only city can"):
        service.escalate(database, "harbour", 1, "It is not.", "clinic-primary", days(2))
    assert service.escalate(database, "harbour", 1, "It is not.", "city-primary", days(2)).level == 2


def test_withdrawing_gives_up_a_remedy_that_is_still_owed(database: Database) -> None:
    broken(database)
    lodged(database)
    for who in ("clinic-primary", "city-primary"):
        service.agree(database, "harbour", 1, who, days(1))
    service.withdraw(database, "harbour", 1, "We have spoken.", "city-sponsor", days(2))
    assert complaint(database).state == "withdrawn"
    assert performances(database)["remedy:1/1"].state == "waived"


# A pause


def test_clocks_stand_still_only_once_both_sides_have_asked(database: Database) -> None:
    broken(database)
    lodged(database)
    before = due(database, "complaint_resolve", "1/1")
    service.pause(database, "harbour", 1, "Holidays.", "city-primary", days(1))
    assert due(database, "complaint_resolve", "1/1") == before
    with pytest.raises(NotAllowed, match="asked already"):
        service.pause(database, "harbour", 1, "Holidays.", "city-sponsor", days(1))
    service.pause(database, "harbour", 1, "Agreed.", "clinic-primary", days(1))
    pass_time(database, days(90))
    assert complaint(database).level == 1
    service.resume(database, "harbour", 1, "clinic-primary", days(91))
    assert due(database, "complaint_resolve", "1/1") > days(91)
    pass_time(database, days(120))
    assert complaint(database).level > 1


def test_the_pause_of_a_case_outlives_that_of_the_partnership(database: Database) -> None:
    broken(database)
    lodged(database)
    for who in ("city-primary", "clinic-primary"):
        service.pause(database, "harbour", 1, "Holidays.", who, days(1))
    for change in (timers.pause_all, timers.resume_all):
        with database.write() as connection:
            change(connection, "harbour", days(2))
    assert due(database, "complaint_resolve", "1/1") is None
    with database.write() as connection:
        timers.pause_all(connection, "harbour", days(3))
    service.resume(database, "harbour", 1, "city-primary", days(4))
    assert due(database, "complaint_resolve", "1/1") is None
    with database.write() as connection:
        timers.resume_all(connection, "harbour", days(5))
    assert due(database, "complaint_resolve", "1/1") is not None


# No echo


def counter(**more: Any) -> dict[str, Any]:
    return grievance(against="city", about={"performance": "room/1"}, facts="The room was cold.", **more)


def test_a_complaint_in_answer_to_a_complaint_must_be_linked_and_joins_its_case(database: Database) -> None:
    broken(database)
    first = lodged(database)
    with pytest.raises(Invalid, match="/in_answer_to"):
        service.lodge(database, "harbour", counter(), "clinic-primary", days(2))
    second = service.lodge(database, "harbour", counter(in_answer_to=1), "clinic-primary", days(2))
    assert (second.case, second.level, second.level_at) == (first.number, 1, first.level_at)
    assert due(database, "complaint_resolve", "2/1") == due(database, "complaint_resolve", "1/1")
    service.answer(database, "harbour", 1, "No.", "clinic-primary", days(3))
    service.escalate(database, "harbour", 1, "They say no.", "city-primary", days(3))
    assert complaint(database, 2).level == 2


def test_a_case_climbs_together_when_its_time_is_over(database: Database) -> None:
    broken(database)
    lodged(database)
    service.lodge(database, "harbour", counter(in_answer_to=1), "clinic-primary", days(2))
    pass_time(database, days(16))
    assert [complaint(database, n).level for n in (1, 2)] == [2, 2]
    assert [kinds(database, n).count("escalate") for n in (1, 2)] == [1, 1]


def test_what_joins_a_case_has_the_time_that_is_left_after_a_pause(database: Database) -> None:
    broken(database)
    lodged(database)
    for who in ("city-primary", "clinic-primary"):
        service.pause(database, "harbour", 1, "Holidays.", who, days(1))
    with pytest.raises(Invalid, match="paused: resume it first"):
        service.lodge(database, "harbour", counter(in_answer_to=1), "clinic-primary", days(30))
    service.resume(database, "harbour", 1, "city-primary", days(30))
    service.lodge(database, "harbour", counter(in_answer_to=1), "clinic-primary", days(30))
    assert due(database, "complaint_resolve", "2/1") == due(database, "complaint_resolve", "1/1")
    assert due(database, "complaint_resolve", "2/1") > days(30)


def test_an_answer_to_no_open_complaint_is_refused(database: Database) -> None:
    broken(database)
    before = contents(database)
    with pytest.raises(Invalid, match="leave it out"):
        service.lodge(database, "harbour", counter(in_answer_to=1), "clinic-primary", days(2))
    assert contents(database) == before


SUSPENSION = remedy("suspension", obligation="room", until="2026-06-30")


def test_nobody_withholds_what_they_promised_without_an_upheld_complaint(database: Database) -> None:
    broken(database)
    with pytest.raises(NotFound):
        service.withhold(database, "harbour", "room/2", 1, "city-primary", days(1))
    lodged(database)
    with pytest.raises(NotAllowed, match="upheld"):
        service.withhold(database, "harbour", "room/2", 1, "city-primary", days(1))
    service.propose(database, "harbour", 1, SUSPENSION, "clinic-primary", days(2))
    service.agree(database, "harbour", 1, "city-primary", days(2))
    assert complaint(database).state == "remedied"
    with pytest.raises(NotAllowed, match="owed by city"):
        service.withhold(database, "harbour", "room/2", 1, "clinic-primary", days(3))
    assert service.withhold(database, "harbour", "room/2", 1, "city-primary", days(3)).state == "withheld"


def test_another_remedy_does_not_allow_to_withhold(database: Database) -> None:
    broken(database)
    lodged(database)
    for who in ("clinic-primary", "city-primary"):
        service.agree(database, "harbour", 1, who, days(1))
    with pytest.raises(NotAllowed, match="does not allow"):
        service.withhold(database, "harbour", "room/2", 1, "city-primary", days(2))


def test_withholding_ends_with_its_last_day(database: Database) -> None:
    broken(database)
    lodged(database)
    short = SUSPENSION | {"until": "2026-04-15"}
    service.propose(database, "harbour", 1, short, "clinic-primary", days(2))
    service.agree(database, "harbour", 1, "city-primary", days(2))
    with pytest.raises(NotAllowed, match="does not allow"):
        service.withhold(database, "harbour", "room/2", 1, "city-primary", days(3))


def test_an_amendment_leaves_a_remedy_as_it_was_agreed(database: Database) -> None:
    broken(database)
    lodged(database)
    for who in ("clinic-primary", "city-primary"):
        service.agree(database, "harbour", 1, who, days(1))
    content = agreement(obligation(), ROOM) | {"redress": redress()}
    enforce(database, days(2), content | {"term": {"starts_on": "2026-03-01", "ends_on": "2026-11-30"}})
    assert performances(database)["remedy:1/1"].state == "due"


# Bad input


Refused = Callable[[Database], object]
REFUSED: dict[str, tuple[type[LifecycleError], str, Refused]] = {
    "against oneself": (
        Invalid, "/against", lambda d: service.lodge(d, "harbour", grievance(), "clinic-primary", days(1)),
    ),
    "against a stranger": (Invalid, "/against", lambda d: lodged(d, days(1), against="nobody")),
    "about nothing": (Invalid, "/about", lambda d: lodged(d, days(1), about={})),
    "about an unknown promise": (NotFound, "lists/9", lambda d: lodged(d, days(1), about={"performance": "lists/9"})),
    "about an unknown obligation": (NotFound, "ghost", lambda d: lodged(d, days(1), about={"obligation": "ghost"})),
    "about no term": (Invalid, "/about/term", lambda d: lodged(d, days(1), about={"term": "/nowhere"})),
    "by a stranger": (NotFound, "nobody", lambda d: service.lodge(d, "harbour", grievance(), "nobody", days(1))),
    "twice about the same": (NotAllowed, "still open", lambda d: lodged(d, days(1))),
    "for a remedy not agreed": (Invalid, "/wanted_remedy", lambda d: lodged(d, days(1), wanted_remedy="revenge")),
    "a proposal not agreed": (
        Invalid, "/remedy", lambda d: service.propose(d, "harbour", 1, remedy("revenge"), "clinic-primary", days(1)),
    ),
    "a proposal for yesterday": (
        Invalid, "/due_on", lambda d: service.propose(d, "harbour", 1, remedy(due_on="2026-01-01"), "clinic-primary", days(1)),
    ),
    "a suspension of nothing": (
        Invalid, "/obligation", lambda d: service.propose(d, "harbour", 1, remedy("suspension"), "clinic-primary", days(1)),
    ),
    "a suspension of the other's promise": (
        Invalid, "/obligation",
        lambda d: service.propose(d, "harbour", 1, SUSPENSION | {"obligation": "lists"}, "clinic-primary", days(1)),
    ),
    "a finding without a reason": (
        Invalid, "/reason", lambda d: service.propose(d, "harbour", 1, {"settlement": "unfounded"}, "clinic-primary", days(1)),
    ),
    "acknowledged by the wrong side": (
        NotAllowed, "only clinic", lambda d: service.acknowledge(d, "harbour", 1, "city-primary", days(1)),
    ),
    "closed before it is settled": (
        NotAllowed, "cannot “close”", lambda d: service.close(d, "harbour", 1, None, "city-primary", days(1)),
    ),
    "escalated unheard": (
        NotAllowed, "heard both sides", lambda d: service.escalate(d, "harbour", 1, "Now!", "city-primary", days(1)),
    ),
    "resumed while it runs": (NotAllowed, "not paused", lambda d: service.resume(d, "harbour", 1, "city-primary", days(1))),
    "answered with nothing": (Invalid, "/note", lambda d: service.answer(d, "harbour", 1, "  ", "clinic-primary", days(1))),
    "an unknown complaint": (NotFound, "no complaint 7", lambda d: service.acknowledge(d, "harbour", 7, "clinic-primary", days(1))),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_refused_and_changes_nothing(database: Database, what: str) -> None:
    kind, words, attempt = REFUSED[what]
    broken(database)
    lodged(database)
    before = contents(database)
    with pytest.raises(kind, match=words):
        attempt(database)
    assert contents(database) == before


def test_a_third_partner_is_no_side_of_it(database: Database) -> None:
    broken(database)
    with pytest.raises(Invalid, match="between city and clinic"):
        service.lodge(database, "harbour", grievance(), "charity-primary", days(1))
    lodged(database)
    with pytest.raises(NotAllowed, match="no side of complaint 1"):
        service.acknowledge(database, "harbour", 1, "charity-primary", days(1))


def test_whom_the_agreement_does_not_name_does_not_complain(database: Database) -> None:
    broken(database, who_may_complain=["clinic"])
    with pytest.raises(Invalid, match="who may complain"):
        lodged(database)
