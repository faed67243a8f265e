"""Suspend, resume, amend, withdraw, decline, terminate: a reason by someone entitled. Criteria Y1–Y4, never waived."""

from datetime import date, timedelta

from lifecycle.gates.facts import DocumentFact, Facts
from lifecycle.gates.reading import lacks, listed, on, part
from lifecycle.gates.report import Criterion, Judgement, at, met, unmet

ENTITLED = frozenset({"primary", "deputy", "sponsor"})


def reason(facts: Facts) -> Judgement:
    """Y1."""
    if facts.request.reason and facts.request.reason.strip():
        return met()
    return unmet('Give a reason: `--reason "…"`.')


def entitled(facts: Facts) -> Judgement:
    """Y2. Every partner has the same right."""
    asking = facts.contacts.get(facts.request.contact_id or "")
    if asking is not None and asking.role in ENTITLED:
        return met()
    return unmet("Have a primary contact, a deputy or a sponsor of any partner ask for it: `--by CONTACT`.")


def declined(_facts: Facts, document: DocumentFact) -> Judgement:
    """Y3."""
    missing = lacks(document.content, ("reason_code", "instead", "told"))
    if missing:
        return unmet(f"Complete the decision record: {listed(missing)} missing.", at(document))
    return met(at(document))


def terminated(facts: Facts) -> Judgement:
    """Y4: agreed by all sponsors, or the redress ladder exhausted and the notice period over."""
    record = facts.document("decision_record", "terminate")
    unsigned = sorted(
        facts.partners.keys() - (record.signed_by("sponsor") if record is not None else frozenset())
    )
    if record is not None and not unsigned:
        return met(at(record))
    ends_on = _notice_ends_on(facts)
    if ends_on is not None and facts.today > ends_on:
        return met()
    exhausted = f", or wait until the notice period is over after {ends_on}" if ends_on else ""
    put = "" if record is not None else "put a decision record of the event terminate and "
    return unmet(f"To end it, {put}have the sponsors of {', '.join(unsigned)} sign it{exhausted}.")


def _notice_ends_on(facts: Facts) -> date | None:
    agreement = facts.document("agreement")
    notice = part(agreement.content, "exit").get("notice_days") if agreement is not None else None
    if facts.redress_exhausted_on is None or notice is None:
        return None
    return facts.redress_exhausted_on + timedelta(days=notice)


_Y1 = Criterion("Y1", "a reason", "blocking", "Why?", False, reason)
_Y2 = Criterion("Y2", "asked by someone entitled", "blocking", "Who asks, and may they?", False, entitled)
REASONED = (_Y1, _Y2)
DECLINING = (
    *REASONED,
    Criterion(
        "Y3", "a record of why and what instead", "blocking",
        "Why is a partnership not the right means, what is, and who was told?", False,
        on("decision_record", declined, "decline"),
    ),
)  # fmt: skip
TERMINATING = (
    *REASONED,
    Criterion(
        "Y4", "agreed, or redress exhausted", "blocking",
        "Do all sponsors agree, or has every level of redress been tried and notice been given?", False, terminated,
    ),
)  # fmt: skip
