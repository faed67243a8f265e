"""The gates: what each way on still needs, waivers, asking for a transition, and what became of it."""

import re
import secrets
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from anyio import from_thread
from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.datastructures import FormData
from starlette.responses import RedirectResponse, Response

from lifecycle import deciding, stages
from lifecycle.documents import limits
from lifecycle.errors import Fault, Invalid, KeyReused, LifecycleError, NotAllowed
from lifecycle.gates.criteria import CRITERIA
from lifecycle.notices.words import EVENTS, KINDS
from lifecycle.partnerships import queries, service
from lifecycle.partnerships.people import BINDING_ROLES, Contact
from lifecycle.portal.forms import by_field
from lifecycle.portal.members import Member, OwnForm, Signed, Standing
from lifecycle.portal.pages import status_of
from lifecycle.portal.partnerships import dry_run, framed, ways_of
from lifecycle.portal.reading import anchor
from lifecycle.portal.visits import text

router = APIRouter()

_KEY = re.compile(r"[0-9a-f]{32}")
_ENDS = frozenset({"decline", "withdraw", "close", "terminate"})
"""Events after which nothing goes on: whoever asks says twice that they mean it."""

_ASKED_FOR_REASON = frozenset({"suspend", "resume", "amend", "withdraw", "decline", "terminate"})
_SHOWN = 5
"""So many places of evidence are shown at once."""

_ELSEWHERE: Mapping[str, str] = {
    r"review/(\d+)$": "/reviews/{0}",
    r"review$": "/reviews",
    r"corrective action (\d+)$": "/reviews/actions/{0}",
}
"""Evidence that is no document → where it is shown."""


@router.get("/partnerships/{id}/gates")
def show_gates(member: Signed, id: str) -> Response:
    """The gates of the present stage, and what was asked for before."""
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        asked = queries.requests(connection, id)
    ways = list(ways_of(member, standing))
    with member.database.read() as connection:
        return framed(member, connection, standing, "gates.html", ways=ways, asked=asked[::-1], EVENTS=EVENTS)


@router.get("/partnerships/{id}/gates/{event}")
def show_gate(member: Signed, id: str, event: str, request: str = "") -> Response:
    """What one way on needs, and what of it is there; or what became of a request."""
    if request:
        return _decision(member, id, event, request)
    return _gate(member, id, event)


def _gate(
    member: Member,
    id: str,
    event: str,
    sent: FormData | None = None,
    error: LifecycleError | None = None,
) -> Response:
    with member.database.read() as connection:
        standing = member.standing(connection, id)
    me, report = standing.me, dry_run(member, standing, event)
    with member.database.read() as connection:
        return framed(
            member, connection, standing, "gate.html",
            200 if error is None else status_of(error),
            event=event,
            target=stages.next_stage(standing.record.stage, event, standing.record.suspended_from),
            report=report.as_json(),
            findings=_findings(report.as_json()),
            consents=queries.waivers(connection, id, event, standing.record.stage_entered_at),
            may_ask=me is not None and me.role in BINDING_ROLES,
            may_waive=me is not None and me.role == "sponsor",
            is_waivable=_is_waivable,
            key=secrets.token_hex(16),
            ends=event in _ENDS,
            wants_reason=event in _ASKED_FOR_REASON,
            typed={name: text(sent, name) for name in sent} if sent is not None else {},
            faults=by_field(error if isinstance(error, Invalid) else None, member.language),
            refused=None if isinstance(error, Invalid) else error,
            **_WORDS,
        )  # fmt: skip


def _findings(report: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What blocks first, then advice, then what was waived, then what is met."""
    order = {("unmet", "blocking"): 0, ("unmet", "advisory"): 1, ("waived", "blocking"): 2}
    found = sorted(report["findings"], key=lambda one: order.get((one["outcome"], one["severity"]), 3))
    return [{**one, "evidence": _once(one["evidence"])} for one in found]


def _once(evidence: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each place once, however many things were read there."""
    return list({tuple(one.values()): one for one in evidence}.values())


def _is_waivable(finding: Mapping[str, Any]) -> bool:
    criterion = CRITERIA.get(finding["code"])
    return bool(finding["blocks"]) and criterion is not None and criterion.waivable


def place_of(evidence: Mapping[str, Any]) -> str | None:
    """Where below the partnership's page a finding's evidence is shown; None where nothing shows it."""
    kind = evidence["document"].partition("/")[0]
    if kind in KINDS and kind != "review_response" and evidence["revision"]:
        return f"/documents/{kind}?revision={evidence['revision']}#{anchor(evidence['pointer'])}"
    for pattern, path in _ELSEWHERE.items():
        if (match := re.match(pattern, evidence["document"])) is not None:
            return path.format(*match.groups())
    return None


_WORDS: dict[str, Any] = {
    "EVENTS": EVENTS,
    "KINDS": KINDS,
    "SHOWN": _SHOWN,
    "place_of": place_of,
}


@router.post("/partnerships/{id}/gates/{event}")
def ask(member: Signed, sent: OwnForm, id: str, event: str) -> Response:
    """Ask for the transition; the form's key makes it one request, however often it is sent."""
    with member.database.read() as connection:
        me = member.standing(connection, id).acting()
    key = text(sent, "key")
    try:
        reason = _reason(member, sent, required=event in _ASKED_FOR_REASON)
        if event in _ENDS and text(sent, "/sure") != "true":
            mend = member.language.gettext("Say that you mean it: afterwards nothing goes on.")
            raise Invalid([Fault("/sure", "required", mend)])
        if not _KEY.fullmatch(key):
            raise NotAllowed("This form was not whole.", mend="Send it again.")
        request_id = _asked(member, id, event, me, reason, f"portal/{me.id}/{key}")
    except (Invalid, KeyReused, NotAllowed) as error:
        return _gate(member, id, event, sent, error)
    return RedirectResponse(f"/partnerships/{id}/gates/{event}?request={request_id}", 303)


def _asked(member: Member, id: str, event: str, me: Contact, reason: str | None, key: str) -> str:
    """Keep the request, and have it decided as the API does: by Prefect where there is one, else at once."""
    if not deciding.by_prefect():
        return service.transition(member.database, id, event, me.id, member.now, reason, key).request_id
    request_id = service.request_transition(member.database, id, event, me.id, member.now, reason, key)
    from_thread.run(deciding.ask_prefect, request_id)
    return request_id


def _reason(member: Member, sent: FormData, required: bool) -> str | None:
    said = text(sent, "/reason")
    if required and not said:
        raise Invalid([Fault("/reason", "required", member.language.gettext("Say why."))])
    if faults := list(limits.faults_of(said, "/reason")):
        raise Invalid(faults)
    return said or None


@router.post("/partnerships/{id}/gates/{event}/waivers/{code}")
def waive(member: Signed, sent: OwnForm, id: str, event: str, code: str) -> Response:
    """Consent, as a sponsor, to pass over a criterion."""
    with member.database.read() as connection:
        me = member.standing(connection, id).acting()
    try:
        reason = _reason(member, sent, required=True) or ""
        service.waive(member.database, id, event, code, me.id, reason, member.now)
    except (Invalid, NotAllowed) as error:
        return _gate(member, id, event, sent, _at_its_own(error, code))
    return RedirectResponse(f"/partnerships/{id}/gates/{event}?said=waived#{code}", 303)


def _at_its_own(error: LifecycleError, code: str) -> LifecycleError:
    """The faults of a waiver's reason at that waiver's field: the page has one for each criterion."""
    if not isinstance(error, Invalid):
        return error
    return Invalid([replace(fault, pointer=f"/waive/{code}") for fault in error.faults])


def _decision(member: Member, id: str, event: str, request_id: str) -> Response:
    with member.database.read() as connection:
        standing = member.standing(connection, id)
        asked = _request_of(connection, standing, event, request_id)
        findings = [] if asked.report is None else _findings(asked.report)
        return framed(
            member, connection, standing, "gate_decided.html",
            event=event, asked=asked, findings=findings, report=asked.report, **_WORDS,
        )  # fmt: skip


def _request_of(connection: Connection, standing: Standing, event: str, request_id: str) -> service.Request:
    """A request of this partnership; another's looks like none."""
    if not _KEY.fullmatch(request_id):
        raise service.unknown_request(request_id)
    found = service.find_request(connection, request_id)
    if (found.partnership_id, found.event) != (standing.record.id, event):
        raise service.unknown_request(request_id)
    return found
