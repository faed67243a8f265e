"""Step one, `confirm_need`: is a partnership needed at all? Criteria N1–N10."""

from collections.abc import Iterator
from datetime import timedelta

from lifecycle.gates.facts import DocumentFact, Facts
from lifecycle.gates.reading import Problem, day, items, lacks, listed, needs, on, part, settle
from lifecycle.gates.report import Criterion, Judgement, at, met, unmet

RESEARCH_VALID_DAYS = 180
EVIDENCE_VALID_DAYS = 365


def prospective_partners(facts: Facts, document: DocumentFact) -> list[str]:
    """Every organisation that the assessment counts on, and every registered partner."""
    named = [
        item.get("organisation", "")
        for name in ("benefits", "consultations", "commitments")
        for item in items(document.content, name)
    ]
    return sorted({*facts.partners, *filter(None, named)})


def shared_goals(facts: Facts, document: DocumentFact) -> Judgement:
    """N1."""
    return settle(document, "/goals", "Complete goals and benefits", _goals_and_benefits(facts, document))


def _goals_and_benefits(facts: Facts, document: DocumentFact) -> Iterator[Problem]:
    goals = items(document.content, "goals")
    if not goals:
        yield "/goals", "state at least one shared goal"
    for index, goal in enumerate(goals):
        yield from needs(f"goal {goal['id']}", goal, f"/goals/{index}", "measure", "unit", "target", "by")
    known = {goal["id"] for goal in goals}
    gains = {
        b["organisation"] for b in items(document.content, "benefits") if known & set(b.get("goal_ids", ()))
    }
    for organisation in prospective_partners(facts, document):
        if organisation not in gains:
            yield "/benefits", f"say what {organisation} gains from one of the goals"


def tested_benefits(facts: Facts, document: DocumentFact) -> Judgement:
    """N2."""
    problems = _consultation_problems(facts, document, {"benefits", "goals"}, "benefits and goals")
    return settle(
        document, "/consultations", "Test benefits and goals with every prospective partner", problems
    )


def _consultation_problems(
    facts: Facts, document: DocumentFact, about: set[str], what: str
) -> Iterator[Problem]:
    consultations = items(document.content, "consultations")
    for organisation in prospective_partners(facts, document):
        mine = [
            (index, c)
            for index, c in enumerate(consultations)
            if c.get("organisation") == organisation and about & set(c.get("about", ()))
        ]
        heard = {topic for _, c in mine for topic in c.get("about", ())}
        if not about <= heard and organisation != facts.proposed_by:
            yield "/consultations", f"ask {organisation} about {what}"
        if mine:
            index, last = max(mine, key=lambda one: str(one[1].get("on", "")))
            if last.get("outcome") == "objects" and not last.get("resolved_by"):
                yield f"/consultations/{index}", f"resolve the objection of {organisation} and say how"


def additionality(_facts: Facts, document: DocumentFact) -> Judgement:
    """N3."""
    return settle(
        document, "/additionality", "Show that a partnership is the right means", _additionality(document)
    )


def _additionality(document: DocumentFact) -> Iterator[Problem]:
    explained = {
        item.get("goal_id") for item in items(document.content, "additionality") if item.get("why_not_alone")
    }
    for goal in items(document.content, "goals"):
        if goal["id"] not in explained:
            yield "/additionality", f"say why no organisation reaches goal {goal['id']} alone"
    weighed = [a for a in items(document.content, "alternatives") if not lacks(a, ("option", "why_rejected"))]
    if len(weighed) < 2:
        yield (
            "/alternatives",
            f"weigh at least two alternatives ({len(weighed)} so far), each with why it was rejected",
        )
    if not any(a.get("is_partnership") is False for a in weighed):
        yield "/alternatives", "weigh one alternative that is no partnership"


def duplicate_research(facts: Facts, document: DocumentFact) -> Judgement:
    """N4."""
    return settle(
        document, "/duplicate_research", "Complete the research on duplicates", _research(facts, document)
    )


def _research(facts: Facts, document: DocumentFact) -> Iterator[Problem]:
    research = part(document.content, "duplicate_research")
    yield from needs("the research", research, "/duplicate_research", "searched_on", "sources")
    searched_on = day(research.get("searched_on"))
    if searched_on is not None and searched_on > facts.today:
        yield "/duplicate_research/searched_on", "its date lies in the future"
    if searched_on is not None and facts.today - searched_on > timedelta(days=RESEARCH_VALID_DAYS):
        yield (
            "/duplicate_research/searched_on",
            f"search again, {searched_on} is more than {RESEARCH_VALID_DAYS} days ago",
        )
    for index, candidate in enumerate(items(research, "candidates")):
        pointer = f"/duplicate_research/candidates/{index}"
        yield from needs(
            f"candidate “{candidate.get('name', index)}”", candidate, pointer, "disposition", "reason"
        )


def look_alikes(facts: Facts, document: DocumentFact) -> Judgement:
    """N5."""
    candidates = items(document.content, "duplicate_research", "candidates")
    disposed = {c.get("partnership_id") for c in candidates if not lacks(c, ("disposition", "reason"))}
    problems = (
        (
            "/duplicate_research/candidates",
            f"say what becomes of {one.partnership_id} ({one.likeness}% alike)",
        )
        for one in facts.look_alikes
        if one.partnership_id not in disposed
    )
    return settle(
        document,
        "/duplicate_research/candidates",
        "Give each look-alike a disposition and a reason",
        problems,
    )


def commitments(_facts: Facts, document: DocumentFact) -> Judgement:
    """N6."""
    return settle(document, "/commitments", "Find out potential commitments", _commitments(document))


def _commitments(document: DocumentFact) -> Iterator[Problem]:
    whole, problems = set(), []
    for index, item in enumerate(items(document.content, "commitments")):
        faults = needs(
            f"that of {item['organisation']}", item, f"/commitments/{index}", "quantity", "unit", "certainty"
        )
        problems += faults
        if not faults:
            whole.add(item["organisation"])
    if len(whole) < 2:
        yield "/commitments", f"at least two organisations must indicate one ({len(whole)} so far)"
        yield from problems


def priorities(facts: Facts, document: DocumentFact) -> Judgement:
    """N7."""
    return settle(document, "/priorities", "Name the priorities that it serves", _priorities(facts, document))


def _priorities(facts: Facts, document: DocumentFact) -> Iterator[Problem]:
    found = items(document.content, "priorities")
    if not found:
        yield "/priorities", "list at least one strategy, plan or priority"
    for index, item in enumerate(found):
        label, pointer = f"“{item.get('title', index)}”", f"/priorities/{index}"
        yield from needs(label, item, pointer, "owner", "how_supported")
        valid_until = day(item.get("valid_until"))
        if valid_until is not None and valid_until < facts.today:
            yield pointer, f"{label} ended on {valid_until}: name what replaced it"


def tested_priorities(facts: Facts, document: DocumentFact) -> Judgement:
    """N8."""
    problems = _consultation_problems(facts, document, {"priorities"}, "the priorities")
    return settle(document, "/consultations", "Test the priorities with every prospective partner", problems)


def decision(_facts: Facts, document: DocumentFact) -> Judgement:
    """N9."""
    decided = part(document.content, "decision")
    missing = lacks(decided, ("reason", "decided_by", "on"))
    if missing or "appropriate" not in decided:
        return unmet(
            f"Record the decision that a partnership is appropriate ({listed(missing) or 'appropriate'} missing).",
            at(document, "/decision"),
        )
    if not decided["appropriate"]:
        return unmet(
            "The decision says that a partnership is not appropriate: decline it, or decide anew.",
            at(document, "/decision/appropriate"),
        )
    if decided["decided_by"] == document.author:
        return unmet(
            f"Have someone other than the author ({document.author}) decide.",
            at(document, "/decision/decided_by"),
        )
    return met(at(document, "/decision"))


def fresh_evidence(facts: Facts, document: DocumentFact) -> Judgement:
    """N10."""
    oldest = facts.today - timedelta(days=EVIDENCE_VALID_DAYS)
    problems = (
        (f"/evidence/{index}", f"“{item.get('title', index)}” is of {item['dated_on']}")
        for index, item in enumerate(items(document.content, "evidence"))
        if item.get("dated_on") and item["dated_on"] < oldest.isoformat()
    )
    return settle(document, "/evidence", "Renew evidence older than twelve months", problems)


_KIND = "need_assessment"
NEED = (
    Criterion(
        "N1", "shared, measurable goals and a benefit for each", "blocking",
        "What are the benefits and goals, for each of the prospective partners?", True, on(_KIND, shared_goals),
    ),
    Criterion(
        "N2", "benefits and goals tested", "blocking",
        "Were benefits and goals tested with the potential partners?", True, on(_KIND, tested_benefits),
    ),
    Criterion(
        "N3", "more than one organisation can do alone", "blocking",
        "Does the whole add more than the parts, and is a partnership the right means?", True, on(_KIND, additionality),
    ),
    Criterion(
        "N4", "research on duplicates", "blocking",
        "What did research on potential duplicate partnerships find?", True, on(_KIND, duplicate_research),
    ),
    Criterion(
        "N5", "look-alikes of the registry settled", "blocking",
        "Which partnerships of this registry do the same, and what becomes of them?", True, on(_KIND, look_alikes),
    ),
    Criterion(
        "N6", "potential commitments", "blocking",
        "Which potential commitments of partner organisations were identified?", True, on(_KIND, commitments),
    ),
    Criterion(
        "N7", "priorities supported", "blocking",
        "Which strategies, plans or local priorities will the partnership support?", True, on(_KIND, priorities),
    ),
    Criterion(
        "N8", "priorities tested", "blocking",
        "Were those priorities tested with the partners?", True, on(_KIND, tested_priorities),
    ),
    Criterion(
        "N9", "decision by someone else than the author", "blocking",
        "Is establishing a partnership the appropriate decision?", True, on(_KIND, decision),
    ),
    Criterion(
        "N10", "evidence of the last twelve months", "advisory",
        "Is what the assessment rests on still so?", True, on(_KIND, fresh_evidence),
    ),
)  # fmt: skip
