"""The reference page of the gates, rendered from the criteria themselves."""

from lifecycle import stages
from lifecycle.gates.criteria import GATES


def gates_page() -> str:
    """Markdown: a section a gate, a row a criterion."""
    lines = [
        "# Gates",
        "",
        "A transition is taken when every blocking criterion of its gate is met or waived. `lifecycle check ID EVENT` is "
        "the dry run. A blocking criterion is waived by the sponsors of all partners together (in step one by the "
        "proposing organisation's), each with a reason: `lifecycle waive ID EVENT CODE --by SPONSOR --reason …`.",
    ]
    for event, criteria in GATES.items():
        sources = ", ".join(
            f"`{arrow.source}` → `{arrow.target}`" for arrow in stages.ARROWS if arrow.event == event
        )
        lines += [
            "",
            f"## {event}",
            "",
            sources,
            "",
            "| code | criterion | severity | question | can be waived |",
        ]
        lines.append("|---|---|---|---|---|")
        for one in criteria:
            waivable = "yes" if one.waivable and one.severity == "blocking" else "no"
            lines.append(f"| `{one.code}` | {one.name} | {one.severity} | {one.question} | {waivable} |")
    return "\n".join(lines) + "\n"
