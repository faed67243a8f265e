"""Step four: is it evaluated, and what follows? Criteria E1, E2, V1–V5 and X1–X4."""

from collections.abc import Iterator, Mapping

from lifecycle.gates.facts import DocumentFact, Facts
from lifecycle.gates.reading import Problem, items, lacks, listed, needs, on, part, settle
from lifecycle.gates.report import Criterion, Evidence, Judgement, at, met, unmet

OUTCOMES: Mapping[str, frozenset[str]] = {
    "renew": frozenset({"renew"}),
    "revise": frozenset({"revise", "scale_up"}),
}
"""Which decisions each event carries out."""


def questions(facts: Facts, document: DocumentFact) -> Judgement:
    """E1."""
    problems = needs("it", document.content, "/questions", "questions", "respondents")
    named = [facts.contacts.get(contact_id) for contact_id in document.content.get("respondents", ())]
    heard = {contact.partner_id for contact in named if contact is not None}
    problems += [
        ("/respondents", f"nobody of {p} is asked") for p in sorted(facts.partners.keys() - heard) if heard
    ]
    return settle(document, "/questions", "Set the evaluation's questions and respondents", problems)


def _without_actual(facts: Facts, document: DocumentFact) -> list[str]:
    agreement = facts.document("agreement")
    agreed = items(agreement.content, "indicators") if agreement is not None else []
    actual = {
        a["indicator"] for a in items(document.content, "indicator_actuals") if a.get("value") is not None
    }
    actual |= facts.indicators_with_actual
    return [indicator["id"] for indicator in agreed if indicator["id"] not in actual]


def actuals(facts: Facts, document: DocumentFact) -> Judgement:
    """E2 and V3."""
    missing = _without_actual(facts, document)
    problems = [("/indicator_actuals", f"indicator {name} has none") for name in missing]
    return settle(document, "/indicator_actuals", "Record the actual of each indicator", problems)


def quorum(facts: Facts) -> Judgement:
    """V1: an answer of each partner, and of half of those asked."""
    asked = facts.evaluation_round
    if asked is None:
        return unmet("Begin the evaluation, which asks the respondents.", Evidence("review", None))
    here = Evidence(f"review/{asked.number}", None)
    heard = {partner_id for partner_id, _ in asked.answered}
    silent = sorted({partner_id for partner_id, _ in asked.asked} - heard)
    if silent:
        return unmet(f"Have somebody of {', '.join(silent)} answer review round {asked.number}.", here)
    if 2 * len(asked.answered) < len(asked.asked):
        count = f"{len(asked.answered)} of {len(asked.asked)}"
        return unmet(
            f"Have at least half of those asked answer review round {asked.number} ({count} so far).", here
        )
    return met(here)


def acted_on(facts: Facts) -> Judgement:
    """V2: every negative answer has an action with an owner and a date."""
    planned = {
        (action.round_number, action.question, action.asked_by)
        for action in facts.actions
        if action.what and action.owner and action.due_on
    }
    asked = facts.evaluation_round
    negative = (
        {(asked.number, a.question, a.partner_id) for a in asked.answers if a.negative} if asked else set()
    )
    requested = {(a.round_number, a.question, a.asked_by) for a in facts.actions if not a.verified}
    open_ = sorted((negative | requested) - planned)
    if not open_:
        return met(*(Evidence(f"corrective action {action.number}", None) for action in facts.actions))
    numbers = {(a.round_number, a.question, a.asked_by): a.number for a in facts.actions}
    named = ", ".join(f"{numbers.get(key, '?')} ({key[1]} of round {key[0]})" for key in open_[:3])
    more = f" and {len(open_) - 3} more" if len(open_) > 3 else ""
    return unmet(
        f"Plan corrective action {named}{more}: `lifecycle action plan {facts.partnership_id} NUMBER --what … --owner … "
        "--due …`.",
        *(Evidence(f"review/{number}", None, f"/answers/{question}") for number, question, _ in open_),
    )


def commitments(facts: Facts, document: DocumentFact) -> Judgement:
    """V4."""
    return settle(
        document, "/commitments", "Confirm the commitments for the next term", _commitments(facts, document)
    )


def _commitments(facts: Facts, document: DocumentFact) -> Iterator[Problem]:
    found = items(document.content, "commitments")
    for index, item in enumerate(found):
        contact = facts.contacts.get(item.get("confirmed_by", ""))
        if contact is None or contact.partner_id != item["organisation"]:
            yield (
                f"/commitments/{index}",
                f"that of {item['organisation']} is not confirmed by one of its contacts",
            )
    for partner_id in sorted(facts.partners.keys() - {item["organisation"] for item in found}):
        yield "/commitments", f"{partner_id} has committed nothing yet"


def decided(facts: Facts, document: DocumentFact) -> Judgement:
    """V5."""
    outcome = part(document.content, "decision").get("outcome")
    if outcome not in OUTCOMES.get(facts.event, frozenset()):
        wanted = " or ".join(sorted(OUTCOMES.get(facts.event, ())))
        return unmet(
            f"Record the decision {wanted} in the evaluation (now: {outcome or 'none'}).",
            at(document, "/decision"),
        )
    unsigned = sorted(facts.partners.keys() - document.signed_by("sponsor"))
    if unsigned:
        return unmet(
            f"Ask the sponsors of {', '.join(unsigned)} to sign revision {document.revision} of the evaluation.",
            at(document, "/decision"),
        )
    return met(at(document, "/decision"))


def settled(facts: Facts, document: DocumentFact) -> Judgement:
    """X1."""
    return settle(document, "/last_obligations", "Settle the open performances", _unsettled(facts, document))


def _unsettled(facts: Facts, document: DocumentFact) -> Iterator[Problem]:
    agreement = facts.document("agreement")
    last = {
        item["obligation"]: (i, item) for i, item in enumerate(items(document.content, "last_obligations"))
    }
    for obligation in items(agreement.content, "obligations") if agreement is not None else []:
        index, item = last.get(obligation["id"], (0, {}))
        if item.get("state") == "waived" and item.get("waived_by") != obligation.get("obligee"):
            pointer = f"/last_obligations/{index}/waived_by"
            yield (
                pointer,
                f"only {obligation.get('obligee')}, the side that is owed, can waive {obligation['id']}",
            )
        elif item.get("state") not in {"settled", "waived"}:
            yield "/last_obligations", f"{obligation['id']} is neither settled nor waived"
    for performance in facts.open_performances:
        yield "/last_obligations", f"performance {performance} is open"


def no_complaint(facts: Facts) -> Judgement:
    """X2."""
    if not facts.open_complaints:
        return met()
    return unmet(f"Close the open complaints first: {', '.join(facts.open_complaints)}.")


def lessons(facts: Facts) -> Judgement:
    """X3."""
    for kind in ("evaluation", "exit_plan"):
        document = facts.document(kind)
        if document is not None and items(document.content, "lessons"):
            return met(at(document, "/lessons"))
    return unmet("Record what was learnt, in the evaluation or the exit plan.")


def carried_out(_facts: Facts, document: DocumentFact) -> Judgement:
    """X4."""
    missing = lacks(document.content, ("handover", "data", "assets", "told"))
    problems = [("", f"the plan lacks {listed(missing)}")] if missing else []
    for index, item in enumerate(items(document.content, "handover")):
        if not item.get("done_on"):
            problems.append((f"/handover/{index}", f"“{item['what']}” is not handed over yet"))
    return settle(document, "/handover", "Carry the exit plan out", problems)


_E1 = Criterion(
    "E1",
    "questions and respondents",
    "blocking",
    "What is evaluated, and who is asked?",
    True,
    on("evaluation", questions),
)
_E2 = Criterion(
    "E2",
    "current actuals of the indicators",
    "advisory",
    "What has been achieved so far?",
    True,
    on("evaluation", actuals),
)
_V1 = Criterion("V1", "quorum of partners", "blocking", "Did every partner answer?", True, quorum)
_V2 = Criterion(
    "V2",
    "an action for every negative answer",
    "blocking",
    "What is done about each negative answer?",
    True,
    acted_on,
)
_V3 = Criterion(
    "V3",
    "actuals of the indicators",
    "blocking",
    "Were the targets reached?",
    True,
    on("evaluation", actuals),
)
_V4 = Criterion(
    "V4", "commitments for the next term", "blocking", "Who commits what for the next term?", True,
    on("evaluation", commitments),
)  # fmt: skip
_V5 = Criterion(
    "V5",
    "decision by the sponsors",
    "blocking",
    "Do those accountable decide so?",
    True,
    on("evaluation", decided),
)
BEGINNING = (_E1, _E2)
RENEWING = (_V1, _V2, _V3, _V4, _V5)
REVISING = (_V1, _V2, _V3, _V5)
CLOSING = (
    Criterion("X1", "performances settled", "blocking", "Is every promise kept or waived?", True, on("exit_plan", settled)),
    Criterion("X2", "no open complaint", "blocking", "Is every complaint closed?", True, no_complaint),
    Criterion("X3", "lessons recorded", "blocking", "What was learnt?", True, lessons),
    Criterion(
        "X4", "exit plan carried out", "blocking", "Is everything handed over and everybody told?", True,
        on("exit_plan", carried_out),
    ),
)  # fmt: skip
