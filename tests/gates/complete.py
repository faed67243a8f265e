"""Facts with which every gate is open, from the example that is renewed; a test spoils one thing."""

import copy
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from lifecycle.gates.facts import (
    ActionFact,
    AnswerFact,
    ContactFact,
    DocumentFact,
    Facts,
    PartnerFact,
    RequestFact,
    RoundFact,
    SignOffFact,
)
from lifecycle.timers.calendars import Calendar
from tests.examples.reading import read

HARBOUR = "harbour-healthy-start"
AUTHOR = "fiona-kerr"
NOW = datetime(2025, 2, 26, 10, tzinfo=UTC)
CHECKED_AT: Mapping[str, datetime] = {
    "confirm_need": datetime(2025, 1, 15, 15, tzinfo=UTC),
    "agree_to_partner": datetime(2025, 1, 28, 10, tzinfo=UTC),
}
"""When each gate was gone through in the example; the others at `NOW`."""
FILES = {
    "need_assessment": "need_assessment",
    "convening": "convening",
    "agreement": "agreement",
    "evaluation": "evaluation-r2",
    "exit_plan": "exit_plan",
}
DECLINED = {
    "event": "decline",
    "reason_code": "duplicate_exists",
    "reason": "Another one does it.",
    "instead": "Join the other one.",
    "told": ["City of Harbour"],
}


def documents() -> dict[str, dict[str, Any]]:
    """The contents of all documents, to be spoilt."""
    found: dict[str, dict[str, Any]] = {
        kind: copy.deepcopy(read(HARBOUR, name)) for kind, name in FILES.items()
    }
    found["exit_plan"]["last_obligations"] = [
        {"obligation": one["id"], "state": "settled"} for one in found["agreement"]["obligations"]
    ]
    return found | {"decline": dict(DECLINED), "terminate": {**DECLINED, "event": "terminate"}}


def facts(
    event: str,
    contents: Mapping[str, Mapping[str, Any]] | None = None,
    unsigned: str | None = None,
    **more: Any,
) -> Facts:
    """What a gate knows about the example; `unsigned` names a partner that has signed nothing."""
    entry = read(HARBOUR, "partnership")
    partners = {p["id"]: PartnerFact(p["id"], p["name"]) for p in entry["partners"]}
    contacts = {
        c["id"]: ContactFact(c["id"], p["id"], c["role"], True)
        for p in entry["partners"]
        for c in p["contacts"]
    }
    sponsors = {c.partner_id: c.id for c in contacts.values() if c.role == "sponsor"}
    outcome = {"renew": "renew", "revise": "revise", "close": "close"}.get(event)
    stored = dict(contents or documents())
    if outcome is not None and "decision" in stored["evaluation"]:
        stored["evaluation"] = {
            **stored["evaluation"], "decision": {**stored["evaluation"]["decision"], "outcome": outcome}
        }  # fmt: skip
    known = Facts(
        now=CHECKED_AT.get(event, NOW),
        event=event,
        partnership_id=HARBOUR,
        title=entry["title"],
        stage="maintaining",
        stage_entered_at=datetime(2025, 1, 13, tzinfo=UTC),
        proposed_by=entry["proposed_by"],
        calendar=Calendar("Europe/London", "GB-SCT"),
        request=RequestFact(AUTHOR, "The money is frozen."),
        partners=partners,
        contacts=contacts,
        documents={
            (_kind(name), _subject(name)): _document(name, content, sponsors, unsigned)
            for name, content in stored.items()
        },
        evaluation_round=a_round(),
        actions=(an_action(),),
    )
    return replace(known, **more)


def _kind(name: str) -> str:
    return "decision_record" if name in {"decline", "terminate"} else name


def _subject(name: str) -> str:
    return name if name in {"decline", "terminate"} else ""


def _document(
    name: str, content: Mapping[str, Any], sponsors: Mapping[str, str], unsigned: str | None
) -> DocumentFact:
    signed = tuple(
        SignOffFact(partner_id, contact_id, "sponsor", 1, NOW)
        for partner_id, contact_id in sponsors.items()
        if partner_id != unsigned
    )
    return DocumentFact(_kind(name), _subject(name), 1, "0" * 64, content, AUTHOR, NOW, signed)


def a_round(**more: Any) -> RoundFact:
    """Everybody asked has answered; the charity gave a 2."""
    asked = (
        ("city-of-harbour", "fiona-kerr"),
        ("harbour-clinic", "amira-haddad"),
        ("morning-larder", "isla-drummond"),
    )
    answers = (AnswerFact("morning-larder", "isla-drummond", "q13", 2),)
    return replace(RoundFact(4, asked, asked, answers, True), **more)


def an_action(**more: Any) -> ActionFact:
    """What is done about that 2."""
    action = ActionFact(
        3, 4, "q13", "morning-larder", "The teams meet once a term.", "fiona-kerr", date(2026, 3, 27), False
    )
    return replace(action, **more)
