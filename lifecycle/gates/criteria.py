"""Which criteria guard which transition, in the order they are reported. Source: design, section 4."""

from collections.abc import Mapping

from lifecycle.gates import report
from lifecycle.gates.agreement import SETTING_UP
from lifecycle.gates.clarity import CLARITY
from lifecycle.gates.evaluation import BEGINNING, CLOSING, RENEWING, REVISING
from lifecycle.gates.facts import Facts
from lifecycle.gates.need import NEED
from lifecycle.gates.promptness import PROMPTNESS
from lifecycle.gates.reasons import DECLINING, REASONED, TERMINATING
from lifecycle.gates.reciprocity import RECIPROCITY
from lifecycle.gates.report import Criterion, GateReport
from lifecycle.gates.start import START

GATES: Mapping[str, tuple[Criterion, ...]] = {
    "confirm_need": NEED,
    "agree_to_partner": START,
    "activate": (*SETTING_UP, *CLARITY, *PROMPTNESS, *RECIPROCITY),
    "begin_evaluation": BEGINNING,
    "renew": RENEWING,
    "revise": REVISING,
    "close": CLOSING,
    "suspend": REASONED,
    "resume": REASONED,
    "amend": REASONED,
    "withdraw": REASONED,
    "decline": DECLINING,
    "terminate": TERMINATING,
}
CRITERIA: Mapping[str, Criterion] = {
    criterion.code: criterion for gate in GATES.values() for criterion in gate
}


def check(event: str, facts: Facts) -> GateReport:
    """The gate report of an event on these facts. Pure."""
    return report.check(event, GATES[event], facts)


def can_be_waived(event: str) -> bool:
    """Whether the gate has a criterion that sponsors may waive."""
    return any(criterion.waivable and criterion.severity == "blocking" for criterion in GATES[event])
