"""Transitions: the one way from a request to its decision, whoever asks."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, bindparam, select, update

from lifecycle import stages
from lifecycle.bulk import Inserts
from lifecycle.db import Database
from lifecycle.errors import Fault, Invalid, KeyReused, NotAllowed, NotFound, Refused
from lifecycle.gates import criteria
from lifecycle.gates.facts import Facts, RequestFact
from lifecycle.gates.report import Finding, GateReport
from lifecycle.notices.owed import Owed
from lifecycle.partnerships import changes, effects
from lifecycle.partnerships.changes import Change
from lifecycle.partnerships.facts import collect
from lifecycle.partnerships.models import transition_request, waiver
from lifecycle.partnerships.people import BINDING_ROLES, People, people_of
from lifecycle.timers import ladders

REASON_LENGTH, KEY_LENGTH = 2000, 200


@dataclass(frozen=True)
class Request:
    """A transition asked for: kept durably, decided once."""

    id: str
    partnership_id: str
    event: str
    requested_by: str
    reason: str | None
    requested_at: datetime
    idempotency_key: str
    state: Literal["pending", "taken", "refused"]
    report: dict[str, Any] | None = None
    detail: str | None = None


@dataclass(frozen=True)
class Decision:
    """What became of a requested transition. `stage` is the partnership's stage after the decision."""

    request_id: str
    partnership_id: str
    event: str
    state: Literal["pending", "taken", "refused"]
    stage: str
    detail: str | None
    report: dict[str, Any] | None


def request_transition(
    database: Database,
    partnership_id: str,
    event: str,
    by: str,
    now: datetime,
    reason: str | None = None,
    idempotency_key: str | None = None,
    expected_version: int | None = None,
) -> str:
    """Keep a request for a transition, durably, before anybody decides it; returns its id.

    The same key with the same request is the same request.

    Raises:
        NotFound: unknown partnership or contact.
        NotAllowed: the stage does not allow the event; the message says which it allows.
        KeyReused: the key was used for another request.
        Stale: the partnership is not at `expected_version`.
    """
    _require_texts(reason, idempotency_key)
    with database.write() as connection:
        # Before anything else is checked: the same request again is the same request, whatever has changed since.
        known = _known(connection, partnership_id, idempotency_key, event, by, reason)
        if known is not None:
            return known.id
        change = changes.begin(connection, partnership_id, now)
        known = _known(connection, partnership_id, idempotency_key, event, by, reason)
        if known is not None:
            return known.id
        changes.require_version(change.partnership, expected_version)
        people = people_of(connection, partnership_id)[partnership_id]
        request = _asked(change, people, event, by, reason, idempotency_key)
        _keep(connection, [vars(request) | {"decided_at": None}])
        change.log("transition_requested", by, event=event)
        changes.write(connection, change)
        return request.id


def transition(
    database: Database,
    partnership_id: str,
    event: str,
    by: str,
    now: datetime,
    reason: str | None = None,
    idempotency_key: str | None = None,
    expected_version: int | None = None,
) -> Decision:
    """Ask for a transition and have it decided at once, in this process and in one transaction.

    Raises:
        As `request_transition`. A shut gate is no error here: it is a decision, and is kept.
    """
    _require_texts(reason, idempotency_key)
    with database.write() as connection:
        request = _known(connection, partnership_id, idempotency_key, event, by, reason)
        if request is not None and request.state != "pending":
            return _decided(connection, request)
        change = changes.begin(connection, partnership_id, now)
        request = _known(connection, partnership_id, idempotency_key, event, by, reason)
        people = people_of(connection, partnership_id)[partnership_id]
        if request is None:
            changes.require_version(change.partnership, expected_version)
            request = _asked(change, people, event, by, reason, idempotency_key)
            return _decide(connection, change, people, request, kept=False)
        if request.state != "pending":
            return _decided(connection, request)
        return _decide(connection, change, people, request, kept=True)


def ask_by_schedule(
    connection: Connection, change: Change, people: People, event: str, reason: str
) -> Decision:
    """Ask for a transition in the name of the engine, because its agreed time has come, and decide it at once.

    For a sweep that holds the partnership's lock. A refusal is told to the coordinator.
    """
    id_ = uuid.uuid4().hex
    request = Request(id_, change.partnership.id, event, changes.SYSTEM, reason, change.now, id_, "pending")
    return _decide(connection, change, people, request, kept=False)


def decide(database: Database, request_id: str, now: datetime) -> Decision:
    """Decide a kept request: check its gate, and take the transition or refuse it, in one transaction.

    Deciding it again, or at the same time, returns the decision that was made.

    Raises:
        NotFound: no such request.
    """
    with database.write() as connection:
        request = find_request(connection, request_id)
        if request.state == "pending":
            change = changes.begin(connection, request.partnership_id, now)
            # Read again under the lock: another worker may have decided it while this one waited.
            request = find_request(connection, request_id)
            if request.state == "pending":
                people = people_of(connection, request.partnership_id)[request.partnership_id]
                return _decide(connection, change, people, request, kept=True)
        return _decided(connection, request)


_REQUEST = [transition_request.c[name] for name in Request.__dataclass_fields__]
_BY_ID = select(*_REQUEST).where(transition_request.c.id == bindparam("id"))
_BY_KEY = select(*_REQUEST).where(
    transition_request.c.partnership_id == bindparam("id"),
    transition_request.c.idempotency_key == bindparam("key"),
)
_keep = Inserts(transition_request, transition_request.c.keys())
_CLOSE = update(transition_request).where(transition_request.c.id == bindparam("b_id"))


def _require_texts(reason: str | None, key: str | None = None) -> None:
    limits = (("/reason", reason, REASON_LENGTH), ("/idempotency_key", key, KEY_LENGTH))
    faults = [
        Fault(pointer, "maxLength", f"Use at most {longest:,} characters.")
        for pointer, text, longest in limits
        if text is not None and len(text) > longest
    ]
    if faults:
        raise Invalid(faults, "The request")


def _known(
    connection: Connection, partnership_id: str, key: str | None, event: str, by: str, reason: str | None
) -> Request | None:
    if key is None:
        return None
    row = connection.execute(_BY_KEY, {"id": partnership_id, "key": key}).one_or_none()
    if row is None:
        return None
    known = Request(*row)
    if (known.event, known.requested_by, known.reason) != (event, by, reason):
        raise KeyReused(
            "This idempotency key was used for another request.", mend="Use a new key for a new request."
        )
    return known


def _asked(
    change: Change, people: People, event: str, by: str, reason: str | None, key: str | None
) -> Request:
    """The request, once it is clear that this contact may ask for this event in this stage."""
    record = change.partnership
    people.entitled(by, BINDING_ROLES, "ask for a transition")
    stages.next_stage(record.stage, event, record.suspended_from)
    request_id = uuid.uuid4().hex
    return Request(request_id, record.id, event, by, reason, change.now, key or request_id, "pending")


def find_request(connection: Connection, request_id: str) -> Request:
    """A kept request, decided or not.

    Raises:
        NotFound: no such request.
    """
    row = connection.execute(_BY_ID, {"id": request_id}).one_or_none()
    if row is None:
        raise unknown_request(request_id)
    return Request(*row)


def unknown_request(request_id: str) -> NotFound:
    """The error for a request that there is not, or of which the asker must not learn that there is."""
    return NotFound(
        f"There is no transition request “{request_id[:64]}”.", mend="Ask for the transition again."
    )


def _decide(connection: Connection, change: Change, people: People, request: Request, kept: bool) -> Decision:
    """Decide under the lock. `kept` says whether the request has a row already, or gets it with its decision."""
    record = change.partnership
    try:
        target = stages.next_stage(record.stage, request.event, record.suspended_from)
    except NotAllowed as error:
        return _refuse(connection, change, request, kept, None, str(error))
    asked = RequestFact(request.requested_by, request.reason)
    facts = collect(connection, record, people, request.event, asked, change.now)
    report = criteria.check(request.event, facts)
    if not report.open:
        return _refuse(connection, change, request, kept, report, str(Refused(report)))
    return _take(connection, change, people, request, kept, report, facts, target)


def _take(
    connection: Connection,
    change: Change,
    people: People,
    request: Request,
    kept: bool,
    report: GateReport,
    facts: Facts,
    target: str,
) -> Decision:
    record, source, as_json = change.partnership, change.partnership.stage, report.as_json()
    _close(connection, request, kept, "taken", change.now, as_json, None)
    record.suspended_from = source if target == "suspended" else None
    record.stage, record.stage_entered_at = target, change.now
    waived = [finding.code for finding in report.waived]
    change.log(
        "stage_changed",
        request.requested_by,
        event=request.event,
        source=source,
        target=target,
        waived=waived,
    )
    effects.follow(connection, change, request.event, facts)
    change.owe(_announcements(change, people, request, report, source))
    changes.write(connection, change)
    return Decision(request.id, record.id, request.event, "taken", target, None, as_json)


def _refuse(
    connection: Connection,
    change: Change,
    request: Request,
    kept: bool,
    report: GateReport | None,
    detail: str,
) -> Decision:
    record = change.partnership
    as_json = None if report is None else report.as_json()
    _close(connection, request, kept, "refused", change.now, as_json, detail)
    blocking = () if report is None else report.blocking
    codes = [finding.code for finding in blocking]
    change.log(
        "transition_refused", request.requested_by, event=request.event, stage=record.stage, blocking=codes
    )
    facts = {
        "event": request.event,
        "stage": record.stage,
        "requested_by": request.requested_by,
        "findings": _told(blocking) or [{"code": "–", "name": "stage", "question": "", "to_do": detail}],
    }
    reader = record.coordinator if request.requested_by == changes.SYSTEM else request.requested_by
    change.owe([Owed(reader, "gate_refused", f"request/{request.id}", facts)])
    changes.write(connection, change)
    return Decision(request.id, record.id, request.event, "refused", record.stage, detail, as_json)


def _close(
    connection: Connection,
    request: Request,
    kept: bool,
    state: str,
    now: datetime,
    report: dict[str, Any] | None,
    detail: str | None,
) -> None:
    decision = {"state": state, "decided_at": now, "report": report, "detail": detail and detail[:500]}
    if kept:
        connection.execute(_CLOSE, {"b_id": request.id, **decision})
    else:
        _keep(connection, [vars(request) | decision])


def _told(findings: Iterable[Finding]) -> list[dict[str, str]]:
    return [{"code": f.code, "name": f.name, "question": f.question, "to_do": f.to_do} for f in findings]


def _announcements(
    change: Change, people: People, request: Request, report: GateReport, source: str
) -> list[Owed]:
    """Every partner's primary contact hears of it (its sponsor where the address does not work), and who asked."""
    facts = {
        "event": request.event,
        "source": source,
        "target": change.partnership.stage,
        "requested_by": request.requested_by,
        "reason": request.reason,
        "waived": [
            {
                "code": f.code,
                "name": f.name,
                "reasons": list(f.waiver_reasons),
                "waived_by": list(f.waived_by),
            }
            for f in report.waived
        ],
        "advisories": _told([f for f in report.findings if f.outcome == "unmet"]),
    }
    contacts = {c.id for partner_id in people.partners for c in people.reachable(partner_id, *BINDING_ROLES)}
    asking = {request.requested_by} - {changes.SYSTEM}
    recipients = sorted(contacts | asking | {change.partnership.coordinator})
    return [Owed(contact_id, "stage_changed", f"request/{request.id}", facts) for contact_id in recipients]


def _decided(connection: Connection, request: Request) -> Decision:
    stage = changes.find(connection, request.partnership_id).stage
    state, detail = request.state, request.detail
    return Decision(request.id, request.partnership_id, request.event, state, stage, detail, request.report)


def pending_requests(database: Database) -> list[str]:
    """The ids of requests that nobody has decided yet, oldest first."""
    with database.read() as connection:
        statement = select(transition_request.c.id).where(transition_request.c.state == "pending")
        return list(connection.execute(statement.order_by(transition_request.c.requested_at)).scalars())


def check(
    database: Database,
    partnership_id: str,
    event: str,
    now: datetime,
    by: str | None = None,
    reason: str | None = None,
) -> GateReport:
    """The dry run of a gate: the report a transition would get now. Changes nothing.

    Raises:
        NotFound: unknown partnership.
        NotAllowed: the stage does not allow the event.
    """
    with database.read() as connection:
        record = changes.find(connection, partnership_id)
        stages.next_stage(record.stage, event, record.suspended_from)
        people = people_of(connection, partnership_id)[partnership_id]
        return criteria.check(event, collect(connection, record, people, event, RequestFact(by, reason), now))


_grant = Inserts(waiver, waiver.c.keys(), lambda statement: statement.on_conflict_do_nothing())


def waive(
    database: Database, partnership_id: str, event: str, code: str, by: str, reason: str, now: datetime
) -> None:
    """Record a sponsor's consent to waive a blocking criterion while the partnership stays in this stage.

    It takes effect once the sponsors of all partners have consented (in step one: the proposing organisation's).

    Raises:
        NotFound: unknown partnership, contact, or no such criterion in this gate.
        NotAllowed: the criterion is never waived or only advisory, or `by` is no sponsor.
    """
    criterion = next((c for c in criteria.GATES.get(event, ()) if c.code == code), None)
    if criterion is None:
        raise NotFound(f"The gate of “{event}” has no criterion {code[:8]}.", mend="See docs/gates.md.")
    if not criterion.waivable or criterion.severity != "blocking":
        why = "is advisory and blocks nothing" if criterion.severity == "advisory" else "is never waived"
        raise NotAllowed(f"{code} ({criterion.name}) {why}.", mend="Meet it instead.")
    if not reason.strip():
        raise NotAllowed(
            "A waiver needs a reason.", mend="Say why the criterion may be passed over, with --reason."
        )
    _require_texts(reason)
    with database.write() as connection:
        change = changes.begin(connection, partnership_id, now)
        changes.require_open(change)
        people = people_of(connection, partnership_id)[partnership_id]
        sponsor = people.entitled(by, ("sponsor",), "waive a criterion")
        row = {
            "partnership_id": partnership_id,
            "event": event,
            "criterion": code,
            "partner_id": sponsor.partner_id,
            "contact_id": by,
            "reason": reason,
            "granted_at": change.now,
        }
        _grant(connection, [row])
        change.log("waiver_granted", by, event=event, criterion=code, partner=sponsor.partner_id)
        change.arm("gate_readiness", "", change.now, ladders.NOW)
        changes.write(connection, change)
