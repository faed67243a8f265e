"""Criteria, findings and the gate report: what a gate is made of, and how one check is decided."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from lifecycle.gates.facts import DocumentFact, Facts

Severity = Literal["blocking", "advisory"]
Outcome = Literal["met", "unmet", "waived"]


@dataclass(frozen=True)
class Evidence:
    """Where a finding was read: a document's revision and a JSON pointer (RFC 6901) into it."""

    document: str
    revision: int | None
    pointer: str = ""


@dataclass(frozen=True)
class Judgement:
    """What a criterion's function returns. `to_do` is one sentence for the reader, empty when met."""

    met: bool
    to_do: str = ""
    evidence: tuple[Evidence, ...] = ()


def met(*evidence: Evidence) -> Judgement:
    """The criterion holds."""
    return Judgement(True, evidence=evidence)


def unmet(to_do: str, *evidence: Evidence) -> Judgement:
    """The criterion does not hold; `to_do` tells the reader what to do about it."""
    return Judgement(False, to_do, evidence)


def at(document: DocumentFact, pointer: str = "") -> Evidence:
    """Evidence in a document at a JSON pointer."""
    name = f"{document.kind}/{document.subject}" if document.subject else document.kind
    return Evidence(name, document.revision, pointer)


@dataclass(frozen=True)
class Criterion:
    """One rule of a gate: a stable code, how severe it is, the guide's question it answers, and the rule itself."""

    code: str
    name: str
    severity: Severity
    question: str
    waivable: bool
    judge: Callable[[Facts], Judgement]


@dataclass(frozen=True)
class Finding:
    """A criterion's outcome with its evidence."""

    code: str
    name: str
    severity: Severity
    question: str
    outcome: Outcome
    to_do: str
    evidence: tuple[Evidence, ...]
    waived_by: tuple[str, ...] = ()
    waiver_reasons: tuple[str, ...] = ()

    @property
    def blocks(self) -> bool:
        """Whether this finding keeps the gate shut."""
        return self.outcome == "unmet" and self.severity == "blocking"

    def as_json(self) -> dict[str, Any]:
        """The finding as plain data."""
        # By hand: `dataclasses.asdict` copies deeply and takes ten times as long, in every transition.
        evidence = [
            {"document": e.document, "revision": e.revision, "pointer": e.pointer} for e in self.evidence
        ]
        return {
            "code": self.code,
            "name": self.name,
            "severity": self.severity,
            "question": self.question,
            "outcome": self.outcome,
            "blocks": self.blocks,
            "to_do": self.to_do,
            "evidence": evidence,
            "waived_by": list(self.waived_by),
            "waiver_reasons": list(self.waiver_reasons),
        }


@dataclass(frozen=True)
class GateReport:
    """All findings of one check, stored whole."""

    partnership_id: str
    event: str
    stage: str
    checked_at: datetime
    findings: tuple[Finding, ...]

    @property
    def open(self) -> bool:
        """Whether the transition may be taken."""
        return not any(finding.blocks for finding in self.findings)

    @property
    def blocking(self) -> tuple[Finding, ...]:
        """The findings that keep the gate shut."""
        return tuple(finding for finding in self.findings if finding.blocks)

    @property
    def waived(self) -> tuple[Finding, ...]:
        """The findings that were waived."""
        return tuple(finding for finding in self.findings if finding.outcome == "waived")

    def as_json(self) -> dict[str, Any]:
        """The report as plain data, `checked_at` in ISO 8601 UTC."""
        return {
            "partnership_id": self.partnership_id,
            "event": self.event,
            "stage": self.stage,
            "checked_at": self.checked_at.isoformat(),
            "open": self.open,
            "findings": [finding.as_json() for finding in self.findings],
        }


def check(event: str, criteria: Iterable[Criterion], facts: Facts) -> GateReport:
    """Judge every criterion of a gate on the same facts. Pure: same facts, same report."""
    consents = _consents(facts)
    findings = tuple(_finding(criterion, criterion.judge(facts), facts, consents) for criterion in criteria)
    return GateReport(facts.partnership_id, event, facts.stage, facts.now, findings)


def _consents(facts: Facts) -> Mapping[str, Mapping[str, str]]:
    """Criterion code → partner id → reason, from sponsors only."""
    given: dict[str, dict[str, str]] = {}
    for waiver in facts.waivers:
        if waiver.contact_id in facts.sponsors_of(waiver.partner_id):
            given.setdefault(waiver.criterion, {})[waiver.partner_id] = waiver.reason
    return given


def _finding(
    criterion: Criterion, judgement: Judgement, facts: Facts, consents: Mapping[str, Mapping[str, str]]
) -> Finding:
    outcome: Outcome = "met" if judgement.met else "unmet"
    waived_by: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    if not judgement.met and criterion.waivable and criterion.severity == "blocking":
        given = consents.get(criterion.code, {})
        needed = waiver_needs(facts)
        if needed and needed <= given.keys():
            outcome, waived_by = "waived", tuple(sorted(needed))
            reasons = tuple(given[partner] for partner in waived_by)
    return Finding(
        criterion.code,
        criterion.name,
        criterion.severity,
        criterion.question,
        outcome,
        "" if judgement.met else judgement.to_do,
        judgement.evidence,
        waived_by,
        reasons,
    )


def waiver_needs(facts: Facts) -> frozenset[str]:
    """Whose sponsors must all agree to a waiver: every partner's; in step one, the proposing organisation's."""
    if facts.stage == "need_definition":
        return frozenset({facts.proposed_by})
    return frozenset(facts.partners)


def as_markdown(report: Mapping[str, Any]) -> str:
    """A stored gate report as a Markdown table that a person can read; what blocks stands first."""
    verdict = "open" if report["open"] else "shut"
    lines = [
        f"## {report['event']} of {report['partnership_id']}: the gate is {verdict}",
        "",
        f"Checked {report['checked_at']} in stage `{report['stage']}`.",
        "",
        "| code | criterion | outcome | what to do | evidence |",
        "|---|---|---|---|---|",
    ]
    for finding in sorted(report["findings"], key=lambda one: (not one["blocks"], one["outcome"] == "met")):
        cells = (
            finding["code"] if finding["severity"] == "blocking" else f"{finding['code']} (advisory)",
            finding["name"],
            f"**{finding['outcome']}**" if finding["blocks"] else finding["outcome"],
            finding["to_do"] or "; ".join(finding["waiver_reasons"]),
            ", ".join(
                f"{e['document']} {e['revision'] or ''} {e['pointer']}".strip()
                for e in finding["evidence"][:3]
            ),
        )
        lines.append("| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
