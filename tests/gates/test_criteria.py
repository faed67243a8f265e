"""Every criterion of the design: met by a complete example, and shut by the one thing that it guards."""

import copy
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from lifecycle.gates.criteria import CRITERIA, GATES, check
from lifecycle.gates.facts import Facts, LookAlike, RequestFact, WaiverFact
from lifecycle.gates.report import GateReport
from tests.gates.complete import a_round, an_action, documents, facts

DESIGN = {
    "confirm_need": "N1 N2 N3 N4 N5 N6 N7 N8 N9 n10",
    "agree_to_partner": "S1 S2 S3 S4 S5 s6",
    "activate": "T1 T2 T3 T4 T5 T6 T7 T8 T9 T10 C1 C2 C3 C4 P1 P2 P3 P4 R1 R2 R3 r4 M1 M2 A1",
    "begin_evaluation": "E1 e2",
    "renew": "V1 V2 V3 V4 V5",
    "revise": "V1 V2 V3 V5",
    "close": "X1 X2 X3 X4",
    "suspend": "Y1 Y2",
    "resume": "Y1 Y2",
    "amend": "Y1 Y2",
    "withdraw": "Y1 Y2",
    "decline": "Y1 Y2 Y3",
    "terminate": "Y1 Y2 Y4",
}
"""The design's table of gates, written out by hand; in small letters what only advises."""


def test_the_gates_are_the_designs() -> None:
    found = {
        event: sorted(c.code if c.severity == "blocking" else c.code.lower() for c in gate)
        for event, gate in GATES.items()
    }
    assert found == {event: sorted(codes.split()) for event, codes in DESIGN.items()}


@pytest.mark.parametrize("event", GATES)
def test_a_complete_partnership_passes_every_gate(event: str) -> None:
    report = check(event, facts(event))
    assert [(f.code, f.to_do) for f in report.findings if f.outcome != "met"] == []
    assert report.open


Contents = dict[str, dict[str, Any]]
Spoil = Callable[[Contents], Any]
OLD = {"on": "2024-01-01"}


def without(kind: str, *path: str | int) -> Spoil:
    """Leaves one thing out of one document."""

    def spoil(contents: Contents) -> None:
        place: Any = contents[kind]
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return spoil


def put(kind: str, *path_and_value: Any) -> Spoil:
    """Writes one thing into one document."""
    *path, last, value = path_and_value

    def spoil(contents: Contents) -> None:
        place: Any = contents[kind]
        for step in path:
            place = place[step]
        place[last] = value

    return spoil


NEED, CONVENING, AGREEMENT = "need_assessment", "convening", "agreement"


def objected(contents: Contents) -> None:
    for one in contents[NEED]["consultations"]:
        if one["organisation"] == "morning-larder":
            one["outcome"] = "objects"
            one.pop("resolved_by", None)


def nobody_of_the_clinic_came(contents: Contents) -> None:
    for meeting in contents[CONVENING]["meetings"]:
        meeting["attendees"] = [a for a in meeting["attendees"] if a["organisation"] != "harbour-clinic"]


SPOILT: list[tuple[str, str, Spoil]] = [
    ("N1", "confirm_need", without(NEED, "goals", 0, "measure")),
    ("N1", "confirm_need", put(NEED, "benefits", [])),
    ("N2", "confirm_need", objected),
    ("N3", "confirm_need", without(NEED, "additionality", 0)),
    ("N3", "confirm_need", lambda c: [a.update(is_partnership=True) for a in c[NEED]["alternatives"]]),
    ("N4", "confirm_need", put(NEED, "duplicate_research", "searched_on", "2024-07-01")),
    ("N4", "confirm_need", put(NEED, "duplicate_research", "searched_on", "2025-02-01")),
    ("N6", "confirm_need", lambda c: c[NEED].update(commitments=c[NEED]["commitments"][:1])),
    ("N7", "confirm_need", put(NEED, "priorities", 0, "valid_until", "2024-12-31")),
    ("N8", "confirm_need", lambda c: [one.update(about=["goals", "benefits"]) for one in c[NEED]["consultations"]]),
    ("N9", "confirm_need", put(NEED, "decision", "decided_by", "fiona-kerr")),
    ("N9", "confirm_need", put(NEED, "decision", "appropriate", False)),
    ("N10", "confirm_need", put(NEED, "evidence", 0, "dated_on", "2023-12-01")),
    ("S1", "agree_to_partner", without(CONVENING, "partners", 0, "sponsor")),
    ("S2", "agree_to_partner", nobody_of_the_clinic_came),
    ("S4", "agree_to_partner", without(CONVENING, "lead", "accepted_by")),
    ("S5", "agree_to_partner", without(CONVENING, "ground_rules", "conflicts_of_interest")),
    ("S6", "agree_to_partner", put(CONVENING, "stakeholders", [])),
    ("T1", "activate", without(AGREEMENT, "vision", "statement")),
    ("T2", "activate", put(AGREEMENT, "aims", [])),
    ("T3", "activate", lambda c: [r.update(speaks_for_partnership=False) for r in c[AGREEMENT]["roles"]]),
    ("T4", "activate", lambda c: [s.pop("how_closed", None) for s in c[AGREEMENT]["skills"]]),
    ("T5", "activate", without(AGREEMENT, "decisions", "deadlock")),
    ("T6", "activate", without(AGREEMENT, "reporting", "every")),
    ("T7", "activate", without(AGREEMENT, "resources", 0, "quantity")),
    ("T8", "activate", without(AGREEMENT, "communication", "external")),
    ("T9", "activate", without(AGREEMENT, "targets", 0, "agreed_on")),
    ("T10", "activate", without(AGREEMENT, "plan", 0, "measure")),
    ("C1", "activate", without(AGREEMENT, "obligations", 0, "evidence")),
    ("C4", "activate", without(AGREEMENT, "feedback", "when_sides_disagree")),
    ("P1", "activate", put(AGREEMENT, "feedback", "max_lag_days", 46)),
    ("P1", "activate", put(AGREEMENT, "obligations", 0, "observed_every", 40)),
    ("P2", "activate", without(AGREEMENT, "obligations", 0, "observer")),
    ("P3", "activate", without(AGREEMENT, "feedback", "on_silence")),
    ("R1", "activate", without(AGREEMENT, "redress", "independent", "how_appointed")),
    ("R2", "activate", put(AGREEMENT, "redress", "levels", 0, "people", "harbour-clinic", [])),
    ("R3", "activate", put(AGREEMENT, "redress", "no_withholding", False)),
    ("R4", "activate", lambda c: [o.update(weight=5) for o in c[AGREEMENT]["obligations"] if o["obligor"] == "morning-larder"]
        + [o.update(weight=1) for o in c[AGREEMENT]["obligations"] if o["obligor"] != "morning-larder"]),
    ("M1", "activate", put(AGREEMENT, "reviews", "every", "FREQ=YEARLY;INTERVAL=2")),
    ("M1", "activate", without(AGREEMENT, "indicators", 0, "baseline")),
    ("M2", "activate", without(AGREEMENT, "exit", "notice_days")),
    ("E1", "begin_evaluation", put("evaluation", "respondents", ["fiona-kerr"])),
    ("E2", "begin_evaluation", put("evaluation", "indicator_actuals", [])),
    ("V3", "renew", put("evaluation", "indicator_actuals", [])),
    ("V4", "renew", put("evaluation", "commitments", [])),
    ("X1", "close", put("exit_plan", "last_obligations", 0, "state", "open")),
    ("X3", "close", lambda c: [c[kind].pop("lessons", None) for kind in ("evaluation", "exit_plan")]),
    ("X4", "close", lambda c: [one.update(done_on=None) or one.pop("done_on") for one in c["exit_plan"]["handover"][:1]]),
    ("Y3", "decline", without("decline", "instead")),
]  # fmt: skip
MAY_FOLLOW = {
    ("N1", "N2"), ("N1", "N8"), ("N6", "N1"), ("N3", "N1"), ("N2", "N8"), ("C1", "C2"), ("P1", "P4"), ("R2", "R1"),
}  # fmt: skip
"""Where one thing is guarded by two criteria: (the one that is tested, the one that falls with it)."""


@pytest.mark.parametrize(
    ("code", "event", "spoil"), SPOILT, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_missing_shuts_its_own_criterion_and_no_other(code: str, event: str, spoil: Spoil) -> None:
    contents = documents()
    spoil(contents)
    _only(check(event, facts(event, contents)), code)


def _only(report: GateReport, code: str) -> None:
    unmet = {f.code: f for f in report.findings if f.outcome == "unmet"}
    assert code in unmet
    assert {(code, other) for other in unmet if other != code} <= MAY_FOLLOW
    finding = unmet[code]
    assert finding.to_do.endswith(".")
    assert len(finding.to_do) > 20
    assert finding.blocks == (CRITERIA[code].severity == "blocking")
    assert report.open == (not any(f.blocks for f in unmet.values()))


KNOWN: list[tuple[str, str, Callable[[Facts], Facts]]] = [
    ("N5", "confirm_need", lambda f: replace(f, look_alikes=(LookAlike("other", "Another", "maintaining", 90, ()),))),
    ("S1", "agree_to_partner", lambda f: replace(
        f, contacts={**f.contacts, "ewan-ross": replace(f.contacts["ewan-ross"], deliverable=False)})),
    ("V1", "renew", lambda f: replace(f, evaluation_round=a_round(answered=(("city-of-harbour", "fiona-kerr"),)))),
    ("V1", "renew", lambda f: replace(f, evaluation_round=None)),
    ("V2", "renew", lambda f: replace(f, actions=(an_action(owner=None),))),
    ("V2", "renew", lambda f: replace(f, actions=())),
    ("X1", "close", lambda f: replace(f, open_performances=("breakfasts/4",))),
    ("X2", "close", lambda f: replace(f, open_complaints=("2",))),
    ("Y1", "suspend", lambda f: replace(f, request=RequestFact("fiona-kerr", " "))),
    ("Y2", "suspend", lambda f: replace(f, request=RequestFact("lewis-baird", "Why not?"))),
    ("Y2", "suspend", lambda f: replace(f, request=RequestFact(None, "Why not?"))),
]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "event", "change"), KNOWN, ids=lambda value: value if isinstance(value, str) else ""
)
def test_what_is_known_beside_documents_shuts_its_criterion(
    code: str, event: str, change: Callable[[Facts], Facts]
) -> None:
    _only(check(event, change(facts(event))), code)


@pytest.mark.parametrize(
    ("code", "event"), [("S3", "agree_to_partner"), ("A1", "activate"), ("V5", "renew"), ("Y4", "terminate")]
)
def test_without_one_partners_signature_the_gate_is_shut(code: str, event: str) -> None:
    report = check(event, facts(event, unsigned="morning-larder"))
    _only(report, code)
    assert "morning-larder" in report.blocking[0].to_do


def test_every_criterion_is_shut_by_something_here() -> None:
    elsewhere = {"S3", "A1", "V5", "Y4", "C2", "C3", "P4"}
    assert {code for code, *_ in (*SPOILT, *KNOWN)} | elsewhere == set(CRITERIA)


@pytest.mark.parametrize(
    "text", ["as needed", "in a timely manner", "Regularly", "best efforts", "where possible"]
)
def test_a_vague_term_stands_only_beside_a_measure(text: str) -> None:
    contents = documents()
    contents[AGREEMENT]["obligations"][0]["act"] = f"Cleans the kitchen {text}."
    assert check("activate", facts("activate", contents)).open, "its standard says how much and by when"
    contents[AGREEMENT]["obligations"][0]["standard"] = {"measure": "Cleanliness"}
    shut = check("activate", facts("activate", contents))
    assert {f.code for f in shut.blocking} == {"C1", "C2"}
    evidence = next(f for f in shut.blocking if f.code == "C2").evidence
    assert evidence[0].pointer == "/obligations/0/act"


def test_every_partner_owes_and_is_owed() -> None:
    contents = documents()
    for one in contents[AGREEMENT]["obligations"]:
        if one["obligor"] == "morning-larder":
            one["obligor"] = "city-of-harbour" if one["obligee"] != "city-of-harbour" else "harbour-clinic"
    found = next(f for f in check("activate", facts("activate", contents)).findings if f.code == "C3")
    assert (found.outcome, "morning-larder owes nothing" in found.to_do) == ("unmet", True)


def test_what_recurs_is_observed_at_least_quarterly() -> None:
    contents = documents()
    contents[AGREEMENT]["obligations"][0] |= {
        "due": {"every": "FREQ=YEARLY", "starting_on": "2025-04-01"}, "observed_every": "FREQ=MONTHLY;INTERVAL=4"
    }  # fmt: skip
    codes = {f.code for f in check("activate", facts("activate", contents)).findings if f.outcome == "unmet"}
    assert codes == {"P1", "P4"}


# Waivers: a blocking criterion is passed over by the sponsors of all partners together.


def waived(event: str, code: str, contents: Contents, *partners: str) -> GateReport:
    sponsors = {
        "city-of-harbour": "margaret-innes",
        "harbour-clinic": "ewan-ross",
        "morning-larder": "sandra-okafor",
    }
    waivers = tuple(WaiverFact(code, p, sponsors[p], f"{p} knows why.") for p in partners)
    stage = "need_definition" if event == "confirm_need" else "setting_up"
    return check(event, facts(event, contents, waivers=waivers, stage=stage))


ALL = ("city-of-harbour", "harbour-clinic", "morning-larder")


def test_a_waiver_by_all_sponsors_opens_the_gate_and_stays_in_the_report() -> None:
    contents = documents()
    del contents[AGREEMENT]["communication"]
    report = waived("activate", "T8", contents, *ALL)
    assert report.open
    finding = next(f for f in report.findings if f.code == "T8")
    assert (finding.outcome, finding.blocks) == ("waived", False)
    assert sorted(finding.waived_by) == sorted(ALL)
    assert len(finding.waiver_reasons) == 3


def test_a_waiver_without_one_sponsor_does_not_count() -> None:
    contents = documents()
    del contents[AGREEMENT]["communication"]
    assert [f.code for f in waived("activate", "T8", contents, *ALL[:2]).blocking] == ["T8"]


def test_in_step_one_the_proposing_organisation_waives_alone() -> None:
    contents = documents()
    contents[NEED]["priorities"] = []
    assert waived("confirm_need", "N7", contents, "city-of-harbour").open
    assert not waived("confirm_need", "N7", contents, "harbour-clinic", "morning-larder").open


def test_signatures_and_reasons_are_never_waived() -> None:
    assert {code for code, criterion in CRITERIA.items() if not criterion.waivable} == {
        "A1",
        "Y1",
        "Y2",
        "Y3",
        "Y4",
    }
    sponsors = tuple(WaiverFact("A1", p, "x", "Please.") for p in ALL)
    report = check("activate", facts("activate", unsigned="morning-larder", waivers=sponsors))
    assert [f.code for f in report.blocking] == ["A1"]


def test_a_met_criterion_is_not_waived() -> None:
    report = waived("activate", "T8", documents(), *ALL)
    assert next(f for f in report.findings if f.code == "T8").outcome == "met"


# Termination against one partner's will, and the notice period.


def test_one_side_ends_it_alone_only_after_redress_and_notice() -> None:
    event, ended = "terminate", date(2025, 2, 26)
    notice = documents()[AGREEMENT]["exit"]["notice_days"]
    for days, is_open in ((notice, False), (notice + 1, True)):
        at = datetime(2025, 2, 26, 12, tzinfo=UTC) + timedelta(days=days)
        known = facts(event, unsigned="morning-larder", redress_exhausted_on=ended, now=at)
        assert check(event, known).open is is_open


def test_a_check_changes_nothing_and_says_the_same_again() -> None:
    for event in GATES:
        contents = documents()
        before = copy.deepcopy(contents)
        known = facts(event, contents)
        assert check(event, known) == check(event, known)
        assert contents == before
