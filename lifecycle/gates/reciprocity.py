"""`activate`, institutionalised reciprocity, and what keeps the agreement alive: criteria R1–R4, M1, M2, A1."""

from collections import Counter
from collections.abc import Iterator
from datetime import date

from lifecycle.gates.facts import DocumentFact, Facts
from lifecycle.gates.reading import Problem, items, lacks, listed, needs, on, part, settle
from lifecycle.gates.report import Criterion, Judgement, at, met, unmet
from lifecycle.timers import recurrence

LEVELS = 3
YEAR_DAYS = 366
ONE_SIDED = 0.5
"""A partner whose (given − received) / (given + received) goes beyond this gives or takes three times the other."""


def redress(_facts: Facts, document: DocumentFact) -> Judgement:
    """R1."""
    return settle(
        document, "/redress", "Complete the redress procedure before anyone needs it", _redress(document)
    )


def _redress(document: DocumentFact) -> Iterator[Problem]:
    procedure = part(document.content, "redress")
    yield from needs("it", procedure, "/redress", "who_may_complain", "how", "remedies")
    levels = items(procedure, "levels")
    if len(levels) < LEVELS:
        yield "/redress/levels", f"it needs at least {LEVELS} levels ({len(levels)} so far)"
    for index, level in enumerate(levels):
        fields = ("acknowledge_working_days", "working_days", "on_expiry")
        yield from needs(f"level “{level['name']}”", level, f"/redress/levels/{index}", *fields)
    independent = part(procedure, "independent")
    yield from needs(
        "the independent last level",
        independent,
        "/redress/independent",
        "body",
        "how_appointed",
        "working_days",
    )


def both_sides(facts: Facts, document: DocumentFact) -> Judgement:
    """R2."""
    return settle(
        document, "/redress/levels", "Name a person of each side at each level", _absent(facts, document)
    )


def _absent(facts: Facts, document: DocumentFact) -> Iterator[Problem]:
    levels = items(document.content, "redress", "levels")
    if not levels:
        yield "/redress/levels", "there is no level yet"
    for index, level in enumerate(levels):
        people = part(level, "people")
        for partner_id in sorted(facts.partners):
            named = [facts.contacts.get(contact_id) for contact_id in people.get(partner_id, ())]
            if not any(contact is not None and contact.partner_id == partner_id for contact in named):
                yield f"/redress/levels/{index}/people", f"“{level['name']}” has nobody of {partner_id}"


def no_withholding(_facts: Facts, document: DocumentFact) -> Judgement:
    """R3."""
    if part(document.content, "redress").get("no_withholding") is True:
        return met(at(document, "/redress/no_withholding"))
    return unmet(
        "Agree that nobody withholds their own obligations unless a complaint was upheld (no_withholding: true).",
        at(document, "/redress/no_withholding"),
    )


def balance(facts: Facts, document: DocumentFact) -> Judgement:
    """R4."""
    given: Counter[str] = Counter()
    received: Counter[str] = Counter()
    for obligation in items(document.content, "obligations"):
        given[obligation.get("obligor", "")] += obligation.get("weight", 1)
        received[obligation.get("obligee", "")] += obligation.get("weight", 1)
    problems = [
        ("/obligations", f"{p} gives {given[p]} and receives {received[p]}")
        for p in sorted(facts.partners)
        if abs(given[p] - received[p]) > ONE_SIDED * (given[p] + received[p])
    ]
    return settle(
        document, "/obligations", "Look again at who gives and who receives (agreed weights)", problems
    )


def reviews(_facts: Facts, document: DocumentFact) -> Judgement:
    """M1."""
    return settle(document, "/reviews", "Schedule reviews and measure indicators", _reviews(document))


def _reviews(document: DocumentFact) -> Iterator[Problem]:
    schedule = part(document.content, "reviews")
    missing = lacks(schedule, ("every", "first_on", "respondents"))
    if missing:
        yield "/reviews", f"the review schedule lacks {listed(missing)}"
    elif recurrence.longest_gap_days(schedule["every"], _day(schedule["first_on"])) > YEAR_DAYS:
        yield "/reviews/every", "review at least once a year"
    indicators = items(document.content, "indicators")
    if not indicators:
        yield "/indicators", "list at least one indicator"
    for index, indicator in enumerate(indicators):
        missing = lacks(part(indicator, "baseline"), ("value",)) and ["baseline"]
        if not any("value" in target for target in items(indicator, "targets")):
            missing = [*missing, "target"]
        if missing:
            yield f"/indicators/{index}", f"indicator {indicator['id']} needs {listed(missing)}"


def _day(text: str) -> date:
    return date.fromisoformat(text)


def exit_terms(_facts: Facts, document: DocumentFact) -> Judgement:
    """M2."""
    problems = needs("they", part(document.content, "exit"), "/exit", "notice_days", "how", "handover")
    return settle(document, "/exit", "Agree on exit terms", problems)


def signed(facts: Facts, document: DocumentFact) -> Judgement:
    """A1. Only sign-offs of the latest revision are among the facts."""
    unsigned = sorted(facts.partners.keys() - document.signed_by())
    if not unsigned:
        return met(at(document))
    return unmet(
        f"Ask {', '.join(unsigned)} to sign revision {document.revision}: "
        f"`lifecycle signoff {facts.partnership_id} agreement --revision {document.revision} --as CONTACT`.",
        at(document),
    )


_KIND = "agreement"
RECIPROCITY = (
    Criterion(
        "R1", "a complete redress procedure", "blocking",
        "What form of review and redress is open if either side has a complaint?", True, on(_KIND, redress),
    ),
    Criterion(
        "R2", "a person of each side at each level", "blocking", "Whom does either side turn to?", True, on(_KIND, both_sides),
    ),
    Criterion(
        "R3", "no withholding without an upheld complaint", "blocking",
        "What keeps one broken promise from echoing out of control?", True, on(_KIND, no_withholding),
    ),
    Criterion(
        "R4", "balance of give and take", "advisory", "Does each side get back something like what it gives?", True,
        on(_KIND, balance),
    ),
    Criterion(
        "M1", "review schedule and indicators", "blocking",
        "When is the partnership reviewed, and what shows progress?", True, on(_KIND, reviews),
    ),
    Criterion("M2", "exit terms", "blocking", "How does it end, when it ends?", True, on(_KIND, exit_terms)),
    Criterion(
        "A1", "signed by every partner", "blocking", "Did every partner agree to exactly these terms?", False,
        on(_KIND, signed),
    ),
)  # fmt: skip
