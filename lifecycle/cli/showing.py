"""How `lifecycle show` lays a partnership out."""

from collections.abc import Mapping, Sequence
from typing import Any

from lifecycle.cli.output import local, say, table
from lifecycle.notices.words import MATTERS, REDRESS
from lifecycle.obligations.states import OPEN
from lifecycle.redress.queries import Complaint, Entry
from lifecycle.reviews.results import Results, Score
from lifecycle.timers.queries import INTERNAL


def show_overview(found: Mapping[str, Any]) -> None:
    """Print an overview (`partnerships.queries.overview`) for a reader, in the partnership's time zone."""
    zone = found["time_zone"]
    _head(found, zone)
    _people(found)
    _documents(found, zone)
    _performances(found, zone)
    _measures(found["measures"])
    _complaints(found, zone)
    _signals(found, zone)
    _reviews(found, zone)
    _indicators(found)
    _handover(found)
    _waiting(found, zone)
    show_lessons(found["lessons_of_similar"], "What partnerships with a like need have learnt")
    if found["hints"]:
        say("Needs attention")
        for hint in found["hints"]:
            say(f"  • {hint}")


def _head(found: Mapping[str, Any], zone: str) -> None:
    step = f" (guide's step {found['step']})" if found["step"] else ""
    left = f", suspended from {found['suspended_from']}" if found["suspended_from"] else ""
    say(f"{found['title']}  [{found['id']}, version {found['version']}]")
    say(f"Stage: {found['stage']}{step}{left}, since {local(found['stage_entered_at'], zone)}")
    health = found["health"]
    say(
        f"Health: {health['level'].replace('_', ' ')}{''.join(f' – {one}' for one in health['reasons'].values())}"
    )
    events = ", ".join(found["events_allowed"])
    say(f"Events allowed: {events}" if events else "This stage is final: the record is read-only.")
    if events:
        say(f"What one still needs: `lifecycle check {found['id']} {found['events_allowed'][0]}`")
    say(f"Proposed by {found['proposed_by']}, looked after by {found['coordinator']}\n")


def _people(found: Mapping[str, Any]) -> None:
    rows = [
        (partner["name"], partner["id"], c["role"], c["id"], c["name"], _address(c))
        for partner in found["partners"]
        for c in partner["contacts"]
    ]
    table(["partner", "id", "role", "contact", "name", "email"], rows, "Partners and contacts")


def _address(contact: Mapping[str, Any]) -> str:
    marks = [] if contact["deliverable"] else ["does not arrive"]
    if contact["away_until"] is not None:
        marks.append(f"away until {contact['away_until']}, deputy {contact['deputy']}")
    return f"{contact['email']} ({'; '.join(marks)})" if marks else str(contact["email"])


def _documents(found: Mapping[str, Any], zone: str) -> None:
    rows = [
        (
            f"{d['kind']} {d['subject']}".strip(),
            d["revision"],
            d["sha256"][:12],
            d["author"],
            local(d["created_at"], zone),
            d["signed_by"],
            d["missing_sign_offs"],
        )
        for d in found["documents"]
        if d["kind"] != "review_response"  # counted below, with the rounds
    ]
    table(
        ["document", "rev.", "sha256", "author", "put", "signed by", "sign-offs missing"], rows, "Documents"
    )


PERFORMANCES_SHOWN = 20
"""The newest of those that are closed; what is open is always shown. `--json` has all."""


def _performances(found: Mapping[str, Any], zone: str) -> None:
    shown = [one for one in found["performances"] if one["state"] != "superseded"]
    closed = [one for one in shown if one["state"] not in OPEN]
    hidden = max(0, len(closed) - PERFORMANCES_SHOWN)
    left_out = [id(one) for one in closed[:hidden]]
    rows = [
        (
            f"{one['obligation']}/{one['number']}",
            one["obligor"],
            one["obligee"],
            local(one["due_at"], zone),
            one["state"],
            (one["outcome"] or "").replace("_", " "),
        )
        for one in shown
        if id(one) not in left_out
    ]
    title = f"Promises (and {hidden} older ones that are closed)" if hidden else "Promises"
    table(["promise", "owed by", "owed to", "due", "state", "outcome"], rows, title)


def _measures(measures: Mapping[str, Any] | None) -> None:
    """Counts beside every ratio; what is uncertain says how much."""
    if measures is None:
        return
    rows = [
        (
            f"{one['obligor']} → {one['obligee']}",
            f"{one['kept']} / {one['partly_kept']} / {one['not_kept']}",
            one["undetermined"],
            _share(one["rate"]),
            " – ".join(map(_share, one["interval"])) if one["interval"] else "",
        )
        for one in measures["cooperation"]
    ]
    heads = [
        "from → to",
        "kept / in part / not",
        "cannot tell",
        "kept, by weight",
        "95 % interval of the share",
    ]
    table(heads, rows, "How promises fare")
    detection, timely = measures["detection"], measures["timely"]
    if detection["count"]:
        say(
            f"Seen by the other side within {measures['agreed_lag_days']} days, as agreed: {timely[0]} of {timely[1]}. "
            f"Half were seen within {_days(detection['median_days'])}, nine of ten within "
            f"{_days(detection['ninetieth_days'])}; answered within {_days(measures['answer']['median_days'])} (median)."
        )
    balances = [f"{a} and {b} {value:+.2f}" for a, b, value in measures["balance"] if value is not None]
    if balances:
        say(f"Balance of give and take (0 even, ±1 one-sided): {', '.join(balances)}.")
    if measures["breaches"]:
        repaired = f", in {_days(measures['repair_days'])} (median)" if measures["restored"] else ""
        say(f"Breaches: {measures['breaches']}, of which repaired: {measures['restored']}{repaired}.")
    say("")


def _complaints(found: Mapping[str, Any], zone: str) -> None:
    rows = [
        (
            one["number"] if one["case"] == one["number"] else f"{one['number']} (answers {one['case']})",
            one["complainant"],
            one["respondent"],
            *one["about"].values(),
            _standing(one),
            one["level"],
            local(one["lodged_at"], zone),
        )
        for one in found["complaints"]
    ]
    table(["no.", "by", "against", "about", "state", "level", "lodged"], rows, "Complaints")
    measures = found["redress"]
    if measures is None:
        return
    kept, steps = measures["procedure_kept"]
    left, lodged = measures["escalated"]
    forgiven, breaches = measures["forgiven"]
    say(
        f"Steps of the procedure within their time: {kept} of {steps}. Complaints that left level 1: {left} of {lodged}. "
        f"In answer to another: {measures['echo'][0]} of {lodged}. "
        f"Breaches restored without a complaint: {forgiven} of {breaches}.\n"
    )


def _standing(one: Mapping[str, Any]) -> str:
    state = str(one["state"]).replace("_", " ")
    if one["paused_at"] is not None and one["closed_at"] is None:
        return f"{state}, paused"
    return f"{state}, redress exhausted" if one["exhausted_at"] and not one["closed_at"] else state


def _signals(found: Mapping[str, Any], zone: str) -> None:
    rows = [(one["obligation"], one["by"], local(one["at"], zone), one["note"]) for one in found["signals"]]
    table(["about", "from", "at", "note"], rows[-SIGNALS_SHOWN:], "Early words")


SIGNALS_SHOWN = 5
"""The newest of the early signals; `--json` has all."""


def show_complaint(one: Complaint, past: Sequence[Entry], zone: str) -> None:
    """Print one complaint with everything that was said about it, in the partnership's time zone."""
    (about,) = one.about.values()
    say(f"Complaint {one.number} of {one.complainant} against {one.respondent}, about {about}")
    say(f"{_standing(vars(one)).capitalize()}, level {one.level}, lodged {local(one.lodged_at, zone)}\n")
    rows = [(local(e.at, zone), e.level, REDRESS.get(e.kind, e.kind), e.by, _words(e)) for e in past]
    table(["at", "level", "what", "by", "words"], rows)


def _words(entry: Entry) -> str:
    names = ("facts", "act", "reason", "note", "step", "remedy")
    return " – ".join(str(entry.content[name]) for name in names if name in entry.content)


def show_results(found: Results) -> None:
    """Print what a review round says."""
    late = f", {found.late} too late to count" if found.late else ""
    declined = f", {found.declined} declined" if found.declined else ""
    say(
        f"Round {found.round} ({found.questionnaire}): {found.answered} of {found.asked} answered{declined}{late}"
    )
    rows = []
    for section in found.sections:
        rows.append((section.title.upper(), *_score(section)))
        rows += [(one.title, *_score(one)) for one in found.questions if one.section == section.id]
    heads = [
        "question",
        f"mean ({found.lowest}–{found.highest})",
        "partners",
        "differ by",
        "change",
        "cannot say",
        "negative",
    ]
    table(heads, rows, "Results")
    if found.hidden:
        say(f"Without a result of their own, since fewer than three answered: {', '.join(found.hidden)}.")
    for question, partner_id, words in found.comments:
        say(f"  {question}{f', {partner_id}' if partner_id else ''}: {words}")


def _score(one: Score) -> tuple[str, ...]:
    partners = ", ".join(f"{partner_id} {mean:.1f}" for partner_id, mean in one.by_partner.items())
    return (
        "–" if one.mean is None else f"{one.mean:.1f}",
        partners,
        "" if one.spread is None else f"{one.spread:.1f}",
        "" if one.change is None else f"{one.change:+.1f}",
        str(one.cannot_say or ""),
        str(one.negative or ""),
    )


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _days(value: float | None) -> str:
    return "an unknown time" if value is None else f"{value:.1f} days"


def _reviews(found: Mapping[str, Any], zone: str) -> None:
    rounds = [
        (
            r["number"],
            r["occasion"],
            local(r["closed_at"] or r["closes_at"], zone),
            "open" if r["closed_at"] is None else "closed" if r["quorate"] else "closed, no quorum",
            f"{len(r['answered'])} of {len(r['asked'])}",
            r["unanswered"],
        )
        for r in found["rounds"]
    ]
    table(["round", "occasion", "closes", "state", "answered", "not yet"], rounds, "Review rounds")
    actions = [
        (
            a["number"],
            f"{a['round']}/{a['question']}",
            a["asked_by"],
            a["what"],
            a["owner"],
            a["due_on"],
            a["verified_by"],
        )
        for a in found["actions"]
    ]
    table(
        ["no.", "round/question", "asked by", "what", "owner", "due", "verified by"],
        actions,
        "Corrective actions",
    )


def _indicators(found: Mapping[str, Any]) -> None:
    rows = []
    for one in found["indicators"]:
        target = one["targets"][-1] if one["targets"] else {}
        whole = [actual for actual in one["actuals"] if not actual["dimensions"]] or one["actuals"]
        actual = f"{whole[-1]['value']:g} until {whole[-1]['ends_on']}" if whole else "–"
        baseline = (one["baseline"] or {}).get("value", "–")
        rows.append((one["id"], one["title"], one["unit"] or "", baseline, target.get("value", "–"), actual))
    table(["indicator", "title", "unit", "baseline", "target", "actual"], rows, "Indicators")


def show_lessons(found: Sequence[Mapping[str, Any]], title: str) -> None:
    """Print lessons, each with the partnership that learnt it."""
    rows = [
        (one["lesson"], one["keep_or_change"], one["for_whom"], f"{one['title']} [{one['partnership_id']}]")
        for one in found
    ]
    table(["lesson", "keep or change", "for", "learnt by"], rows, title)


def _handover(found: Mapping[str, Any]) -> None:
    rows = [
        (one["number"], one["what"], one["giver"], one["taker"], one["by"], one["done_on"] or "open")
        for one in found["handover"]
    ]
    table(["line", "to hand over", "from", "to", "by", "done"], rows, "Exit plan")


def _waiting(found: Mapping[str, Any], zone: str) -> None:
    timers = [
        (
            MATTERS.get(t["matter"], t["matter"]),
            t["subject"],
            local(t["due_at"], zone) if t["due_at"] else "paused",
        )
        for t in found["timers"]
        if t["matter"] not in INTERNAL
    ]
    table(["what", "about", "next"], timers, "Clocks")
    requests = [
        (r["event"], r["requested_by"], local(r["requested_at"], zone), r["id"])
        for r in found["pending_requests"]
    ]
    table(["event", "asked for by", "at", "request"], requests, "Requests waiting for a decision")
