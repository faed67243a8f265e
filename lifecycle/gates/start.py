"""Step two, `agree_to_partner`: do the partners want each other? Criteria S1–S6."""

from collections.abc import Iterator

from lifecycle.gates.facts import DocumentFact, Facts
from lifecycle.gates.reading import Problem, items, needs, on, part, settle
from lifecycle.gates.report import Criterion, Judgement, at, met, unmet


def partners(facts: Facts, document: DocumentFact) -> Judgement:
    """S1."""
    return settle(document, "/partners", "Complete the partners", _partners(facts, document))


def _partners(facts: Facts, document: DocumentFact) -> Iterator[Problem]:
    entries = {
        entry["organisation"]: (index, entry)
        for index, entry in enumerate(items(document.content, "partners"))
    }
    if len(entries) < 2:
        yield "/partners", f"at least two partners are needed ({len(entries)} so far)"
    for partner_id in facts.partners:
        if partner_id not in entries:
            yield "/partners", f"add the registered partner {partner_id}"
    for partner_id, (index, entry) in entries.items():
        pointer = f"/partners/{index}"
        yield from needs(f"partner {partner_id}", entry, pointer, "role", "primary_contact", "sponsor")
        for name, role in (("primary_contact", "primary"), ("sponsor", "sponsor")):
            contact = facts.contacts.get(entry.get(name, ""))
            if name not in entry:
                continue
            if contact is None or contact.partner_id != partner_id or contact.role != role:
                yield f"{pointer}/{name}", f"register {entry[name]} as {role} of {partner_id}"
            elif not contact.deliverable:
                yield f"{pointer}/{name}", f"correct the address of {contact.id}, which does not take mail"


def convened(facts: Facts, document: DocumentFact) -> Judgement:
    """S2."""
    best: set[str] = set()
    for index, meeting in enumerate(items(document.content, "meetings")):
        present = {a["organisation"] for a in items(meeting, "attendees")}
        if facts.partners.keys() <= present and meeting.get("on", "9") <= facts.today.isoformat():
            return met(at(document, f"/meetings/{index}"))
        best = max(best, present, key=len)
    absent = ", ".join(sorted(facts.partners.keys() - best))
    return unmet(
        f"Hold a meeting at which every partner is present; not met yet: {absent}.", at(document, "/meetings")
    )


def assent(facts: Facts, document: DocumentFact) -> Judgement:
    """S3."""
    silent = sorted(facts.partners.keys() - document.signed_by())
    if not silent:
        return met(at(document))
    return unmet(
        f"Ask {', '.join(silent)} to sign revision {document.revision} of the convening: "
        f"`lifecycle signoff {facts.partnership_id} convening --revision {document.revision} --as CONTACT`.",
        at(document),
    )


def lead(facts: Facts, document: DocumentFact) -> Judgement:
    """S4."""
    named = part(document.content, "lead")
    accepted = facts.contacts.get(named.get("accepted_by", ""))
    if "organisation" not in named:
        return unmet("Name the lead organisation.", at(document, "/lead"))
    if accepted is None or accepted.partner_id != named["organisation"]:
        return unmet(
            f"Have a contact of {named['organisation']} accept the lead.", at(document, "/lead/accepted_by")
        )
    return met(at(document, "/lead"))


def ground_rules(_facts: Facts, document: DocumentFact) -> Judgement:
    """S5. No conflict of interest is an answer too: an empty list."""
    rules = part(document.content, "ground_rules")
    problems = needs("the record", rules, "/ground_rules", "communication", "decisions_meanwhile")
    if "conflicts_of_interest" not in rules:
        problems.append(
            ("/ground_rules", "ask everybody for conflicts of interest (an empty list says there are none)")
        )
    for index, conflict in enumerate(items(rules, "conflicts_of_interest")):
        pointer = f"/ground_rules/conflicts_of_interest/{index}"
        problems += needs(f"the interest of {conflict['person']}", conflict, pointer, "handling")
    return settle(document, "/ground_rules", "Agree on ground rules", problems)


def stakeholders(_facts: Facts, document: DocumentFact) -> Judgement:
    """S6."""
    stakes = {item.get("stake") for item in items(document.content, "stakeholders")}
    missing = [stake for stake in ("gains", "loses", "can_block") if stake not in stakes]
    words = ", ".join(stake.replace("_", " ") for stake in missing)
    if missing:
        return unmet(
            f"Name those outside who stand to be affected; nobody yet who {words}.",
            at(document, "/stakeholders"),
        )
    return met(at(document, "/stakeholders"))


_KIND = "convening"
START = (
    Criterion(
        "S1", "two partners with role, contact and sponsor", "blocking",
        "Who is in it, in what role, and who can speak for and bind each?", True, on(_KIND, partners),
    ),
    Criterion(
        "S2", "a convening of every partner", "blocking",
        "Did everybody meet and ask: why am I here, and what is in it for whom?", True, on(_KIND, convened),
    ),
    Criterion(
        "S3", "assent in principle", "blocking", "Does each partner want to go on?", True, on(_KIND, assent),
    ),
    Criterion("S4", "a lead, named and accepted", "blocking", "Who leads, and did they agree to?", True, on(_KIND, lead)),
    Criterion(
        "S5", "ground rules", "blocking",
        "How do we talk, decide and deal with conflicts of interest until the agreement?", True, on(_KIND, ground_rules),
    ),
    Criterion(
        "S6", "stakeholders outside", "advisory", "Who else gains, loses or can block it?", True, on(_KIND, stakeholders),
    ),
)  # fmt: skip
