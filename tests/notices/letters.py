"""Letters to render: one realistic example of every template, with all its facts."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from lifecycle.notices.letter import Letter, Person

SHA256 = "9f2c1e0b7a6d5c4e3f2a1b0c9d8e7f6a5b4c3d2e1f0a9b8c7d6e5f4a3b2c1d0e"
NOW = datetime(2026, 11, 13, 9, 0, tzinfo=UTC)
DUE = datetime(2026, 11, 27, 17, 0, tzinfo=UTC)

PEOPLE = {
    one.id: one
    for one in (
        Person(
            "amira-haddad",
            "Amira Haddad",
            "amira@clinic.example",
            "Europe/London",
            "harbour-clinic",
            "primary",
        ),
        Person(
            "ruth-okafor", "Ruth Okafor", "ruth@clinic.example", "Europe/London", "harbour-clinic", "sponsor"
        ),
        Person(
            "jonas-berg", "Jonas Berg", "jonas@shelter.example", "Europe/Oslo", "north-shelter", "primary"
        ),
        Person("li-wei", "Li Wei", "li@shelter.example", "Asia/Shanghai", "north-shelter", "sponsor"),
    )
}
FINDINGS = [
    {
        "code": "C1",
        "name": "obligations complete",
        "question": "Are roles and responsibilities clear?",
        "to_do": "Name the evidence of obligation o3 (“weekly discharge list”) and the day on which it is due.",
    },
    {
        "code": "R1",
        "name": "redress procedure",
        "question": "What happens when a promise is not kept?",
        "to_do": "Add a third level with an independent decision, and its time limit.",
    },
    {
        "code": "A1",
        "name": "every partner signed",
        "question": "Has every partner agreed to these very terms?",
        "to_do": "North Shelter has not signed revision 2 of the agreement; ask Li Wei.",
    },
]
WAIVED = {
    "code": "T8",
    "name": "communication plan",
    "reasons": ["The hospital's own plan covers the first six months."],
    "waived_by": ["harbour-clinic", "north-shelter"],
}
ADVICE = {
    "code": "R4",
    "name": "balance",
    "to_do": "The shelter gives three times what it is given: look at it again.",
}
SIGNING = {"kind": "agreement", "subject": "", "revision": 2, "sha256": SHA256}
MISSING = ["amira-haddad", "li-wei"]
ACTION = {
    "number": 4,
    "round": 3,
    "question": "q8",
    "what": "The ward phones the shelter before 15:00 whenever a discharge slips.",
    "owner": "amira-haddad",
    "due_on": "2026-11-12",
}
PERFORMANCE = {
    "obligation": "discharge-list",
    "number": 3,
    "act": "Sends the list of planned discharges of the coming week to the shelter.",
    "standard": "Lists that arrive by Thursday noon: 100 percent",
    "obligor": "harbour-clinic",
    "obligee": "north-shelter",
    "due_on": "2026-11-12",
}
REPORTED = PERFORMANCE | {
    "outcome": "partly_kept",
    "by": "amira-haddad",
    "note": "The list of week 45 was a day late.",
    "evidence": "Shared folder, lists",
    "on_silence": "accepted",
}
COMPLAINT = {
    "complaint": 2,
    "complainant": "north-shelter",
    "respondent": "harbour-clinic",
    "about": "discharge-list/3",
    "facts": "The list of week 45 came a day late, and two guests stood at the door.",
    "level": 2,
    "level_name": "Sponsors",
    "levels": 4,
    "lodged_on": "2026-11-09",
    "past": [
        {
            "kind": "propose",
            "by": "engine",
            "on": "2026-11-09",
            "said": "The reason is given in writing.",
            "level": 1,
        },
        {
            "kind": "answer",
            "by": "amira-haddad",
            "on": "2026-11-10",
            "said": "The ward was short of staff.",
            "level": 1,
        },
    ],
}
NOTHING_SAID = dict.fromkeys(("note", "reason", "settlement", "act", "due_on", "obligation", "until"))
OFFER = NOTHING_SAID | {
    "settlement": "remedy",
    "act": "A second nurse sends the list whenever the first is away.",
    "due_on": "2026-11-20",
}
RESULTS = {
    "highest": 5,
    "hidden": ["north-shelter"],
    "sections": [
        {"title": "Purpose", "mean": 4.25, "spread": 0.4, "change": 0.5, "answers": 8, "cannot_say": 0},
        {"title": "Feedback", "mean": 3.0, "spread": 2.0, "change": None, "answers": 5, "cannot_say": 1},
    ],
    "questions": [
        {"title": "Prompt news", "mean": 2.5, "spread": 3.0, "change": -1.0, "answers": 2, "cannot_say": 1},
        {
            "title": "Give and take",
            "mean": None,
            "spread": None,
            "change": None,
            "answers": 1,
            "cannot_say": 0,
        },
    ],
}
DIGEST = {
    "id": "night-discharge",
    "title": "Safe discharge at night",
    "stage": "maintaining",
    "missed": ["No report on discharge-list/3, due on 2026-11-12: harbour-clinic owes it to north-shelter."],
    "waiting": ["Review round 3 closes on 2026-11-27; no answer yet from amira-haddad, li-wei."],
    "due": [{"matter": "performance", "subject": "discharge-list/4", "on": "2026-11-19"}],
    "changed": [{"event": "document_put", "count": 1}, {"event": "performance_moved", "count": 4}],
    "seq": 57,
    "hash": SHA256,
    "more": 2,
}
HANDOVER = {
    "number": 2,
    "what": "The list of beds.",
    "giver": "north-shelter",
    "taker": "Strandshire Health Board",
    "by": "2026-11-27",
}
DOSSIER: dict[str, Any] = {
    "ends_on": "2026-12-31",
    "results": {"round": 4, **RESULTS},
    "promises": [
        {"from": "harbour-clinic", "to": "north-shelter", "rate": 0.925, "settled": 20},
        {"from": "north-shelter", "to": "harbour-clinic", "rate": None, "settled": 0},
    ],
    "indicators": [
        {
            "title": "People with a bed",
            "unit": "people",
            "baseline": {"value": 4},
            "target": 20,
            "actual": 18.5,
            "reached": False,
        },
        {
            "title": "Nights without a call",
            "unit": None,
            "baseline": None,
            "target": None,
            "actual": None,
            "reached": None,
        },
    ],
    "actions_open": 1,
    "complaints_open": 0,
    "gates": [
        {"event": "renew", "open": True, "blocking": []},
        {"event": "close", "open": False, "blocking": ["performances settled", "lessons recorded"]},
    ],
}

FACTS: dict[str, dict[str, Any]] = {
    "portfolio_digest": {
        "missed": 1,
        "waiting": 1,
        "due": 1,
        "looked_after": 23,
        "left_out": 3,
        "partnerships": [DIGEST],
    },
    "complaint_lodged": COMPLAINT | {"by": "jonas-berg", "said": OFFER, "in_answer_to": 1},
    "complaint_moved": COMPLAINT | {"event": "agree_remedy", "by": "jonas-berg", "said": OFFER},
    "complaint_proposal": COMPLAINT | {"event": "propose", "by": "jonas-berg", "said": OFFER},
    "complaint_pause": COMPLAINT
    | {"by": "jonas-berg", "said": NOTHING_SAID | {"reason": "Both are away in July."}},
    "complaint_late": COMPLAINT | {"by": "engine"},
    "complaint_warning": COMPLAINT | {"discussed": True, "last": False},
    "complaint_escalated": COMPLAINT
    | {"by": "engine", "last": False, "said": NOTHING_SAID | {"reason": "The time of level 1 is over."}},
    "complaint_remedied": COMPLAINT | {"by": "engine"},
    "gate_refused": {
        "event": "activate",
        "stage": "setting_up",
        "requested_by": "amira-haddad",
        "findings": FINDINGS,
    },
    "stage_changed": {
        "event": "activate",
        "source": "setting_up",
        "target": "maintaining",
        "requested_by": "jonas-berg",
        "reason": "Both boards have approved the terms.",
        "waived": [WAIVED],
        "advisories": [ADVICE],
    },
    "signoff_asked": SIGNING | {"author": "jonas-berg", "supersedes": 1},
    "signoff_reminder": SIGNING | {"missing": MISSING},
    "signoff_escalated": SIGNING | {"missing": MISSING},
    "review_opened": {
        "round": 3,
        "occasion": "schedule",
        "respondents": 4,
        "unverified": [
            {"number": 2, "round": 1, "question": "q8", "what": "The ward phones.", "owner": "amira-haddad"},
            {"number": 3, "round": 2, "question": "q1", "what": None, "owner": None},
        ],
    },
    "review_reminder": {"round": 3},
    "review_moved": {"round": 3, "occasion": "schedule"},
    "review_cancelled": {"round": 3, "occasion": "schedule"},
    "review_escalated": {"round": 3, "missing": MISSING},
    "review_extended": {"round": 3, "missing": MISSING},
    "review_closed": {
        "round": 3,
        "quorate": True,
        "asked": 4,
        "answered": 3,
        "negative": 2,
        "results": RESULTS,
    },
    "action_asked": {
        "round": 3,
        "asked_by": "north-shelter",
        "actions": [{"number": 4, "question": "q8"}, {"number": 5, "question": "q11"}],
    },
    "action_reminder": ACTION,
    "action_escalated": ACTION,
    "gate_ready": {
        "event": "confirm_need",
        "target": "starting",
        "lessons": [{"title": "Night beds", "lesson": "Write the keys down."}],
    },
    "evaluation_due": {"ends_on": "2026-12-31", "begins_on": "2026-10-02"},
    "outcome_asked": {"round": 4, "dossier": DOSSIER},
    "outcome_reminder": {
        "round": 4,
        "decided": "scale_up",
        "unsigned": ["north-shelter"],
        "dossier": DOSSIER,
    },
    "outcome_escalated": {"round": 4, "decided": "renew", "unsigned": ["north-shelter"], "dossier": DOSSIER},
    "exit_task_asked": HANDOVER,
    "exit_task_reminder": HANDOVER,
    "exit_task_escalated": HANDOVER | {"name": "the-list-of-beds", "contacts": ["amira-haddad"]},
    "performance_demanded": PERFORMANCE | {"by": "jonas-berg"},
    "report_reminder": PERFORMANCE | {"missing": MISSING},
    "performance_overdue": PERFORMANCE | {"missing": MISSING},
    "performance_escalated": PERFORMANCE | {"missing": MISSING},
    "report_received": REPORTED,
    "answer_reminder": REPORTED,
    "performance_answered": PERFORMANCE
    | {"event": "dispute", "by": "jonas-berg", "outcome": "kept", "reason": "Two lists never came."},
    "decision_asked": PERFORMANCE
    | {"by": "jonas-berg", "outcome": "kept", "reason": "Two lists never came."},
    "decision_reminder": PERFORMANCE | {"outcome": "kept"},
    "objection_raised": SIGNING
    | {"by": "li-wei", "reason": "The list has to come on Wednesday, not on Thursday."},
    "signal_received": {
        "obligation": "discharge-list",
        "act": PERFORMANCE["act"],
        "by": "jonas-berg",
        "note": "The list came twice without the phone numbers.",
    },
    "contact_undeliverable": {
        "contact": "li-wei",
        "failed_template": "review_opened",
        "detail": "550 no such mailbox",
    },
    "delivery_failed": {
        "contact": "li-wei",
        "failed_template": "review_opened",
        "detail": "550 no such mailbox",
    },
}
WITH_DUE_TIME = frozenset(
    (
        "review_opened",
        "review_reminder",
        "review_escalated",
        "review_extended",
        "review_moved",
        "review_cancelled",
        "evaluation_due",
        "outcome_asked",
        "outcome_reminder",
        "outcome_escalated",
        "exit_task_asked",
        "exit_task_reminder",
        "exit_task_escalated",
        "complaint_lodged",
        "complaint_escalated",
        "complaint_remedied",
        "complaint_warning",
    )
)


def a_letter(
    template: str, reader: str = "amira-haddad", facts: dict[str, Any] | None = None, **changes: Any
) -> Letter:
    """A complete letter; a test names only what matters to it. The coordinator is Jonas Berg."""
    letter = Letter(
        template=template,
        reference="4f1d09a7c3e85b2264d0a91e",
        partnership={
            "id": "night-discharge",
            "title": "Safe discharge at night",
            "stage": "maintaining",
            "time_zone": "Europe/London",
            "audit_seq": 57,
            "audit_hash": SHA256[::-1],
        },
        reader=PEOPLE[reader],
        coordinator=PEOPLE["jonas-berg"],
        people=PEOPLE,
        organisations={"harbour-clinic": "Harbour Clinic", "north-shelter": "North Shelter"},
        facts=FACTS[template] if facts is None else facts,
        due_at=DUE if template in WITH_DUE_TIME else None,
        written_at=NOW,
    )
    return replace(letter, **changes)
