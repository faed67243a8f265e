"""What the names in a notice's facts are called in a sentence to a human being."""

from collections.abc import Mapping
from dataclasses import dataclass

TEMPLATES: Mapping[str, str] = {
    "gate_refused": "the refusal of a transition",
    "stage_changed": "the news of a new stage",
    "signoff_asked": "the request for a sign-off",
    "signoff_reminder": "a reminder to sign",
    "signoff_escalated": "the word that a sign-off is missing",
    "objection_raised": "an objection to a document",
    "review_opened": "the invitation to a review",
    "review_reminder": "a reminder of a review",
    "review_escalated": "the word that review answers are missing",
    "review_extended": "the word that a review runs longer",
    "review_moved": "the word that a review closes at another time",
    "review_cancelled": "the word that a review is not asked any more",
    "review_closed": "the outcome of a review",
    "action_asked": "the request for a corrective action",
    "action_reminder": "a reminder of a corrective action",
    "action_escalated": "the word that a corrective action is overdue",
    "gate_ready": "the word that a gate is open",
    "evaluation_due": "the call to evaluate",
    "outcome_asked": "the question how the partnership goes on",
    "outcome_reminder": "a reminder to decide how the partnership goes on",
    "outcome_escalated": "the word that an evaluation has no decision",
    "exit_task_asked": "something to hand over",
    "exit_task_reminder": "a reminder of something to hand over",
    "exit_task_escalated": "the word that something is not handed over",
    "performance_demanded": "the request for what is owed on request",
    "report_reminder": "a reminder to report",
    "performance_overdue": "the word that a report is overdue",
    "performance_escalated": "the word that a report is still missing",
    "report_received": "a report to accept or dispute",
    "answer_reminder": "a reminder to answer a report",
    "performance_answered": "the word on how a promise stands",
    "decision_asked": "the request for a decision",
    "decision_reminder": "a reminder to decide",
    "signal_received": "an early word",
    "complaint_lodged": "a complaint",
    "complaint_moved": "the word on how a complaint stands",
    "complaint_proposal": "the question how a complaint ends",
    "complaint_pause": "the question whether a complaint may pause",
    "complaint_late": "the word that a complaint is not acknowledged",
    "complaint_warning": "the word that a complaint's time runs out",
    "complaint_escalated": "a complaint that has come up a level",
    "complaint_remedied": "the question whether a complaint is put right",
    "portfolio_digest": "the weekly digest",
    "contact_undeliverable": "the word that an address fails",
    "delivery_failed": "the word that an email failed",
}
"""Every notice template, and what its email is called when another email speaks of it."""

FOLDED = frozenset(
    (
        "signoff_reminder",
        "signoff_escalated",
        "review_reminder",
        "review_escalated",
        "action_reminder",
        "action_escalated",
        "gate_ready",
        "evaluation_due",
        "outcome_reminder",
        "outcome_escalated",
        "exit_task_reminder",
        "exit_task_escalated",
        "report_reminder",
        "performance_escalated",
        "answer_reminder",
        "decision_reminder",
        "complaint_warning",
    )
)
"""Reminders, warnings and what is due soon: one email a day carries all of them to a person. The others leave at once."""

ABOUT_SEVERAL = frozenset(("portfolio_digest",))
"""What is not about one partnership, but about all that its reader looks after."""

UNSUBSCRIBABLE = frozenset(("portfolio_digest",))
"""What a reader may do without. Everything else the agreement obliges us to tell."""

KINDS: Mapping[str, str] = {
    "need_assessment": "need assessment",
    "convening": "record of the convening",
    "agreement": "agreement",
    "review_response": "review response",
    "evaluation": "evaluation",
    "exit_plan": "exit plan",
    "decision_record": "decision record",
}

EVENTS: Mapping[str, str] = {
    "confirm_need": "confirm the need",
    "agree_to_partner": "agree to partner",
    "activate": "put the agreement into force",
    "begin_evaluation": "begin the evaluation",
    "renew": "renew the partnership",
    "revise": "revise the terms",
    "close": "close the partnership",
    "suspend": "suspend the partnership",
    "resume": "resume the partnership",
    "amend": "open the agreement for changes",
    "decline": "decline the partnership",
    "withdraw": "withdraw the partnership",
    "terminate": "terminate the partnership",
}
"""Completes “to …”."""

MATTERS: Mapping[str, str] = {
    "review_due": "review opens",
    "review_closes": "review closes",
    "review_unanswered": "reminder of a review",
    "signoff_missing": "reminder of a sign-off",
    "performance": "promise due",
    "answer": "window to answer closes",
    "decision": "window to decide closes",
    "complaint_acknowledge": "acknowledgement of a complaint due",
    "complaint_resolve": "complaint goes up a level",
    "complaint_closing": "complaint closes in silence",
    "action_overdue": "reminder of an action",
    "contact_undeliverable": "address problem climbs",
    "gate_ready": "reminder of an open gate",
    "evaluation_due": "call to evaluate",
    "evaluation_begins": "evaluation begins",
    "outcome_undecided": "decision on the partnership",
    "exit_task": "handover due",
}
"""What the clocks' matters are called for a reader."""

NEWS: Mapping[str, tuple[str, str]] = {
    "stage_changed": ("change of stage", "changes of stage"),
    "document_put": ("document put", "documents put"),
    "signed_off": ("sign-off", "sign-offs"),
    "performance_scheduled": ("promise scheduled", "promises scheduled"),
    "performance_moved": ("step of a promise", "steps of promises"),
    "complaint_lodged": ("complaint lodged", "complaints lodged"),
    "complaint_moved": ("step of a complaint", "steps of complaints"),
    "review_opened": ("review round opened", "review rounds opened"),
    "review_closed": ("review round closed", "review rounds closed"),
    "corrective_action_verified": ("corrective action verified", "corrective actions verified"),
}
"""What a digest counts of the trail: one, and several."""

OCCASIONS: Mapping[str, str] = {
    "schedule": "the review schedule of the agreement asks for it",
    "evaluation": "the evaluation has begun, and it starts with what each partner thinks",
    "half_time": "half of the agreed term is over",
    "complaint": "a complaint was upheld and has been put right",
    "sponsor": "a partner has another sponsor",
}

OUTCOMES: Mapping[str, str] = {
    "kept": "kept",
    "partly_kept": "partly kept",
    "not_kept": "not kept",
    "cannot_tell": "cannot tell",
}

HAPPENINGS: Mapping[str, str] = {
    "accept": "the report is accepted",
    "accept_by_silence": "nobody answered in time, so the report stands as agreed",
    "dispute": "the report is disputed",
    "dispute_by_silence": "nobody answered in time, so the report counts as disputed, as agreed",
    "decide": "it has been decided",
    "leave_undetermined": "nobody decided in time, so it is closed as undetermined",
    "waive": "it is waived by the side that was owed",
    "restore": "the breach is repaired and counts as restored",
    "withhold": "it is withheld, as the remedy of a complaint allows",
}
"""What became of a performance, by the event of its machine."""

REDRESS: Mapping[str, str] = {
    "lodge": "it is lodged",
    "acknowledge": "it is acknowledged",
    "answer": "it is answered",
    "propose": "a settlement is proposed",
    "agree": "one side agrees to what is proposed",
    "escalate": "it goes to the next level",
    "exhaust": "the last level has ended without a settlement",
    "decide": "it is decided by the independent level",
    "resolve": "it is settled, and nothing more is owed",
    "agree_remedy": "it is settled with a remedy",
    "dismiss": "it is found to have no ground",
    "carry_out": "the remedy is carried out",
    "withdraw": "it is withdrawn",
    "close": "it is closed, and put right",
    "pause": "its clocks stand still",
    "resume": "its clocks run on",
    "miss": "a time limit of the procedure was missed",
}
"""What happens to a complaint, by the event of its machine or the kind of its entry."""

ROLES: Mapping[str, str] = {
    "primary": "primary contact",
    "deputy": "deputy contact",
    "sponsor": "sponsor",
    "observer": "observer",
    "member": "member",
}


@dataclass(frozen=True)
class StageWords:
    """A stage in human words: its name, what it means for a partner, and what comes next."""

    name: str
    meaning: str
    next: str


STAGES: Mapping[str, StageWords] = {
    "need_definition": StageWords(
        "defining the need",
        "It is being found out whether a partnership is the right answer at all. Nobody has promised anything.",
        "The need assessment is completed; then somebody other than its author decides whether to go on.",
    ),
    "starting": StageWords(
        "starting",
        "The need is confirmed. The organisations now meet and find out whether they want this together.",
        "The convening is held and put on record, every partner signs that record, and then the partners agree to partner.",
    ),
    "setting_up": StageWords(
        "setting up",
        "The partners work out the terms: who owes what to whom, by when, and how it is measured. "
        "These terms bind nobody before everybody has signed them.",
        "The agreement is put on record, every partner signs that very revision, and then it is put into force.",
    ),
    "maintaining": StageWords(
        "maintaining",
        "The agreement is in force. Its obligations and its review schedule count from now.",
        "You keep what you promised, and say early when something is off. Review invitations come by email; "
        "before the term ends you are called to evaluate.",
    ),
    "evaluating": StageWords(
        "evaluating",
        "The partners look at what was achieved and decide what should follow. The agreement stays in force meanwhile.",
        "Answer the review round that opens with it. The sponsors then decide to renew, revise or close.",
    ),
    "suspended": StageWords(
        "suspended",
        "All clocks stand still: nothing falls due, nobody is reminded.",
        "The partnership is resumed, with the time that each clock had left, or it is terminated.",
    ),
    "declined": StageWords(
        "declined",
        "There will be no partnership, and that is a result: a partnership is a means, not an end. "
        "The decision record says why, and what to do instead.",
        "Nothing more is asked of you. The record stays readable, and the next similar idea will find it.",
    ),
    "withdrawn": StageWords(
        "withdrawn",
        "The partnership is given up before anything was put into force.",
        "Nothing more is asked of you. The record stays readable.",
    ),
    "closed": StageWords(
        "closed",
        "The partnership has come to its planned end; what was owed is settled.",
        "Nothing more is asked of you. The record, with the lessons learnt, stays readable.",
    ),
    "terminated": StageWords(
        "terminated",
        "The partnership has ended before its time.",
        "What the exit terms of the agreement ask for still holds. Nothing new falls due. The record stays readable.",
    ),
}
