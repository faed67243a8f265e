"""Step three, `activate`: the guide's ten questions on setting up. Criteria T1–T10."""

from collections.abc import Callable, Iterator, Sequence

from lifecycle.gates.facts import DocumentFact, Facts
from lifecycle.gates.reading import Problem, items, needs, on, part, settle
from lifecycle.gates.report import Criterion, Judgement


def _filled(section: str, task: str, *fields: str) -> Callable[[Facts, DocumentFact], Judgement]:
    """A judge of one section that must have these fields."""

    def judge(_facts: Facts, document: DocumentFact) -> Judgement:
        found = part(document.content, section)
        return settle(document, f"/{section}", task, needs("it", found, f"/{section}", *fields))

    return judge


def vision(_facts: Facts, document: DocumentFact) -> Judgement:
    """T1."""
    found = part(document.content, "vision")
    return settle(
        document, "/vision", "State the shared vision", needs("it", found, "/vision", "statement", "goals")
    )


def aims(_facts: Facts, document: DocumentFact) -> Judgement:
    """T2."""
    problems = [] if document.content.get("aims") else [("/aims", "list at least one")]
    return settle(document, "/aims", "State the aims so that every partner can repeat them", problems)


def roles(facts: Facts, document: DocumentFact) -> Judgement:
    """T3."""
    return settle(document, "/roles", "Make roles clear", _roles(facts, document))


def _roles(facts: Facts, document: DocumentFact) -> Iterator[Problem]:
    found = items(document.content, "roles")
    responsible = {role["organisation"] for role in found if role.get("responsibilities")}
    for partner_id in sorted(facts.partners.keys() - responsible):
        yield "/roles", f"say what {partner_id} is responsible for"
    if not any(role.get("speaks_for_partnership") for role in found):
        yield "/roles", "say who speaks for the partnership"


def skills(_facts: Facts, document: DocumentFact) -> Judgement:
    """T4. A gap needs a way to close it."""
    found = items(document.content, "skills")
    problems = [] if found else [("/skills", "list what it takes")]
    for index, skill in enumerate(found):
        open_gap = skill.get("gap") or not skill.get("held_by")
        if open_gap and not skill.get("how_closed"):
            problems.append((f"/skills/{index}", f"say how the gap in “{skill['skill']}” closes"))
    return settle(document, "/skills", "Name the skills and competences needed", problems)


def resources(facts: Facts, document: DocumentFact) -> Judgement:
    """T7. Each partner commits something."""
    found = items(document.content, "resources")
    problems: list[Problem] = []
    for index, resource in enumerate(found):
        label = f"the {resource['kind'].replace('_', ' ')} of {resource['organisation']}"
        problems += needs(label, resource, f"/resources/{index}", "owner", "quantity", "unit", "available_on")
    committed = {resource["organisation"] for resource in found}
    problems += [("/resources", f"say what {p} commits") for p in sorted(facts.partners.keys() - committed)]
    return settle(document, "/resources", "Commit the resources: owner, amount and when", problems)


def targets(_facts: Facts, document: DocumentFact) -> Judgement:
    """T9."""
    return settle(document, "/targets", "Agree on targets", _measured(document, "targets", "agreed_on"))


def _measured(document: DocumentFact, name: str, *more: str) -> Iterator[Problem]:
    goals = {goal["id"] for goal in items(document.content, "vision", "goals")}
    found = items(document.content, name)
    if not found:
        yield f"/{name}", "list at least one"
    for index, item in enumerate(found):
        yield from needs(
            f"target {item['id']}", item, f"/{name}/{index}", "measure", "unit", "target", "by", *more
        )
    aimed = {item.get("goal_id") for item in found}
    for goal in sorted(goals - aimed):
        yield f"/{name}", f"goal {goal} has no target"


def plan(_facts: Facts, document: DocumentFact) -> Judgement:
    """T10."""
    return settle(document, "/plan", "Make the plan measurable and tie it to the goals", _plan(document))


def _plan(document: DocumentFact) -> Iterator[Problem]:
    goals = {goal["id"] for goal in items(document.content, "vision", "goals")}
    found = items(document.content, "plan")
    if not found:
        yield "/plan", "list at least one milestone"
    for index, milestone in enumerate(found):
        label, pointer = f"milestone {milestone['id']}", f"/plan/{index}"
        yield from needs(label, milestone, pointer, "owner", "by", "measure", "goal_ids")
        unknown = sorted(set(milestone.get("goal_ids", ())) - goals)
        if unknown:
            yield f"{pointer}/goal_ids", f"{label} serves no goal of the vision called {unknown[0]}"


_KIND = "agreement"
_T: Sequence[tuple[str, str, str, Callable[[Facts, DocumentFact], Judgement]]] = (
    ("T1", "a shared vision and goals", "Are vision and goals genuinely shared?", vision),
    ("T2", "aims that everyone can state", "Can every partner state the aims and agree to them?", aims),
    ("T3", "clear roles", "Are roles and responsibilities clear, and who speaks for the partnership?", roles),
    ("T4", "skills and competences", "Which skills are needed, and how do gaps close?", skills),
    ("T5", "how decisions are taken", "How are decisions taken, and what if they are not?",
     _filled("decisions", "Say how decisions are taken", "method", "quorum", "who", "deadlock")),
    ("T6", "reporting", "To whom does the partnership report, and how is progress reported?",
     _filled("reporting", "Say to whom and how it reports", "to", "how", "every")),
    ("T7", "committed resources", "Which resources are jointly committed: whose, how much, when?", resources),
    ("T8", "a communication plan", "How do partners communicate with each other and outward?",
     _filled("communication", "Plan the communication", "internal", "external")),
    ("T9", "agreed targets", "Are targets agreed by the accepted way of deciding?", targets),
    ("T10", "a measurable plan", "Is there a measurable plan tied to the goals?", plan),
)  # fmt: skip
SETTING_UP = tuple(
    Criterion(code, name, "blocking", question, True, on(_KIND, judge)) for code, name, question, judge in _T
)
