"""What breaks each promise of the design (section 5), and the test that must fail when it does."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One way to break a promise: a text of a file replaced, the test that notices, and the words it fails with."""

    promise: str
    breaks: str
    file: str
    text: str
    instead: str
    test: str
    noticed_as: str


MUTANTS = (
    Mutant(
        "0 the host is just a party",
        "only the proposing organisation may ask for a transition",
        "lifecycle/partnerships/service.py",
        '    people.entitled(by, BINDING_ROLES, "ask for a transition")\n',
        '    if people.entitled(by, BINDING_ROLES, "ask for a transition").partner_id != record.proposed_by:\n'
        '        raise NotAllowed("Only the host.")\n',
        "tests/partnerships/test_transitions.py::test_every_partner_has_the_same_powers[sqlite]",
        "Only the host.",
    ),
    Mutant(
        "1 one transaction",
        "the stage and the trail commit before the notices and the clocks",
        "lifecycle/partnerships/changes.py",
        "    _insert_notices(connection, [",
        '    connection.exec_driver_sql("COMMIT")\n    connection.exec_driver_sql("BEGIN IMMEDIATE")\n'
        "    _insert_notices(connection, [",
        "tests/partnerships/test_transitions.py::test_nothing_is_half_done_when_an_effect_fails[sqlite]",
        "assert contents(database) == before",
    ),
    Mutant(
        "1 one transaction",
        "the right to fire commits before its effects",
        "lifecycle/timers/service.py",
        "    connection.execute(_ADVANCE, [_advanced",
        '    connection.exec_driver_sql("COMMIT")\n    connection.exec_driver_sql("BEGIN IMMEDIATE")\n'
        "    connection.execute(_ADVANCE, [_advanced",
        "tests/timers/test_firing.py::test_effects_and_firing_commit_together_or_not_at_all[sqlite]",
        "assert count(database, timer_firing) == 0",
    ),
    Mutant(
        "2 exactly once",
        "the idempotency key is not looked up",
        "lifecycle/partnerships/service.py",
        "    if key is None:\n        return None\n",
        "    return None\n",
        "tests/partnerships/test_transitions.py::test_the_same_idempotency_key_takes_effect_once[sqlite]",
        "NotAllowed: “suspend” is not possible",
    ),
    Mutant(
        "2 exactly once",
        "a decided request is taken for a pending one",
        "lifecycle/partnerships/service.py",
        "    return Request(*row)\n",
        '    return Request(*row[:7], "pending", *row[8:])\n',
        "tests/partnerships/test_transitions.py::test_one_request_decided_by_many_at_once_takes_effect_once[sqlite]",
        '== {("taken", "suspended")}',
    ),
    Mutant(
        "2 exactly once",
        "an expected version is not compared",
        "lifecycle/partnerships/changes.py",
        "expected_version is not None and record.version != expected_version",
        "False",
        "tests/partnerships/test_transitions.py::test_a_stale_version_is_a_conflict[sqlite]",
        "DID NOT RAISE Conflict",
    ),
    Mutant(
        "3 everything that waits is a timer",
        "a firing that is on record does not take the right away",
        "lifecycle/timers/service.py",
        "if (row.id, rung[0]) in won",
        "if won is not None",
        "tests/timers/test_firing.py::test_a_firing_that_is_on_record_gives_no_second_right_to_fire[sqlite]",
        "assert fire(database, later) == []",
    ),
    Mutant(
        "3 everything that waits is a timer",
        "“date equals” instead of “due and not done”",
        "lifecycle/timers/service.py",
        '        timer.c.due_at <= bindparam("as_of"),\n        timer.c.partnership_id.not_in',
        '        timer.c.due_at == bindparam("as_of"),\n        timer.c.partnership_id.not_in',
        "tests/timers/test_firing.py::test_after_a_week_down_every_missed_rung_fires_once_in_one_go[sqlite]",
        '== [("", [0, 1, 2])]',
    ),
    Mutant(
        "3 everything that waits is a timer",
        "re-arming keeps the generation",
        "lifecycle/timers/service.py",
        '"generation": timer.c.generation + literal_column("1"), ',
        "",
        "tests/timers/test_firing.py::test_arming_again_raises_the_generation_and_starts_over[sqlite]",
        'fire(database, now + timedelta(days=8, hours=1)) == [("", [0])]',
    ),
    Mutant(
        "3 everything that waits is a timer",
        "months are added step by step: after February it stays the 28th",
        "lifecycle/timers/recurrence.py",
        "    year, month = divmod(anchor.year * 12 + anchor.month - 1 + n * read.months, 12)\n",
        "    for _ in range(n):\n"
        "        year, month = divmod(anchor.year * 12 + anchor.month - 1 + read.months, 12)\n"
        "        anchor = date(year, month + 1, min(anchor.day, monthrange(year, month + 1)[1]))\n"
        "    year, month = anchor.year, anchor.month - 1\n",
        "tests/timers/test_recurrence.py::test_monthly_from_the_31st_gives_the_31st_again",
        "assert days == [",
    ),
    Mutant(
        "4 no email is lost or doubled",
        "a notice is not marked before the provider is called",
        "lifecycle/notices/outbox.py",
        'state="sending", lease_until=lease_until,',
        'state="pending", lease_until=lease_until,',
        "tests/notices/test_outbox.py::test_a_sender_killed_after_the_provider_took_it_leaves_unknown_not_a_second_email[sqlite]",
        'assert states(database) == ["sending"]',
    ),
    Mutant(
        "4 no email is lost or doubled",
        "what is ambiguous is sent again",
        "lifecycle/notices/outbox.py",
        'values = {"state": "unknown", "detail": detail}',
        'values = {"state": "pending", "detail": detail}',
        "tests/notices/test_outbox.py::test_an_ambiguous_outcome_waits_to_be_reconciled[sqlite]",
        "assert send_notices(database, by_sendgrid(api), now).unknown == 1",
    ),
    Mutant(
        "4 no email is lost or doubled",
        "what a killed sender left behind is sent again unasked",
        "lifecycle/notices/outbox.py",
        '.values(state="unknown", detail="The sender stopped',
        '.values(state="pending", detail="The sender stopped',
        "tests/notices/test_outbox.py::test_a_sender_killed_after_the_provider_took_it_leaves_unknown_not_a_second_email[sqlite]",
        'assert states(database) == ["unknown"]',
    ),
    Mutant(
        "4 no email is lost or doubled",
        "a notice's key leaves out whom it is for",
        "lifecycle/notices/owed.py",
        ":{self.template}{rung}:{self.contact_id}",
        ":{self.template}{rung}",
        "tests/reviews/test_rounds.py::test_a_due_review_opens_once_and_writes_to_every_respondent[sqlite]",
        "assert ['city-primary'] == ['city-primar",
    ),
    Mutant(
        "5 the trail is hash-chained",
        "the payload is not hashed",
        "lifecycle/audit/rules.py",
        "event_type, actor, payload, previous_hash)\n    text",
        "event_type, actor, previous_hash)\n    text",
        "tests/audit/test_queries.py::test_an_edited_row_is_found",
        '[("alpha", 3)]',
    ),
    Mutant(
        "5 the trail is hash-chained",
        "a cut tail is not compared with the head",
        "lifecycle/audit/rules.py",
        "if (expected - 1, previous) != head:",
        "if False:",
        "tests/audit/test_queries.py::test_a_cut_tail_is_found_because_the_head_is_kept",
        '[("alpha", kept)]',
    ),
    Mutant(
        "6 documents are immutable revisions",
        "a new revision takes the place of the old one",
        "lifecycle/documents/service.py",
        "1 if before is None else before.revision + 1",
        "1",
        "tests/documents/test_service.py::test_each_put_is_a_new_revision_and_the_old_one_stays[sqlite]",
        "UNIQUE constraint failed: document.partnership_id",
    ),
    Mutant(
        "6 documents are immutable revisions",
        "sign-offs outlive the revision that they are for",
        "lifecycle/partnerships/facts.py",
        "(s.kind, s.subject, s.revision) == (one.kind, one.subject, one.revision)",
        "(s.kind, s.subject) == (one.kind, one.subject)",
        "tests/faults/test_promises.py::test_a_sign_off_counts_for_its_own_revision_only[sqlite]",
        "(found.revision, found.sign_offs) == (2, ())",
    ),
    Mutant(
        "7 the domain runs without Prefect",
        "the service imports Prefect",
        "lifecycle/partnerships/service.py",
        "import uuid\n",
        "import uuid\n\nimport prefect\n",
        "tests/faults/test_promises.py::test_the_domain_runs_where_prefect_cannot_be_imported",
        "import of prefect halted",
    ),
    Mutant(
        "7 Prefect holds no domain rule",
        "a flow reads the database by itself",
        "flows/escalations.py",
        "from datetime import datetime\n",
        "from datetime import datetime\n\nfrom sqlalchemy import text\n",
        "tests/faults/test_promises.py::test_flows_hold_no_sql_and_no_rule",
        "imports sqlalchemy",
    ),
    Mutant(
        "8 the stage table has one home",
        "the machine knows an arrow that the design does not",
        "lifecycle/stages.py",
        "    amend = maintaining.to(setting_up)\n",
        "    amend = maintaining.to(setting_up) | evaluating.to(setting_up)\n",
        "tests/test_stages.py::test_the_table_is_the_designs",
        "set(stages.events_allowed(stage)) == set(events)",
    ),
    Mutant(
        "8 every transition goes through one service",
        "a sweep sets a stage by itself",
        "lifecycle/partnerships/readiness.py",
        "    if not report.open:\n        timers.stop",
        "    record.stage = target\n    if not report.open:\n        timers.stop",
        "tests/faults/test_promises.py::test_a_stage_is_set_in_one_place",
        "lifecycle/partnerships/readiness.py",
    ),
    Mutant(
        "8 every transition goes through one service",
        "a statement writes the column beside the service",
        "lifecycle/timers/service.py",
        "    connection.execute(_STOP_ALL, {",
        "    connection.exec_driver_sql(\"UPDATE partnership SET stage = 'closed'\")\n"
        "    connection.execute(_STOP_ALL, {",
        "tests/faults/test_promises.py::test_the_column_is_written_in_one_place",
        "lifecycle/timers/service.py",
    ),
    Mutant(
        "9 cost follows what is due",
        "a sweep reads the clocks that are done as well",
        "lifecycle/timers/service.py",
        "        timer.c.done_at.is_(None),\n        timer.c.due_at.is_not(None),\n"
        '        timer.c.due_at <= bindparam("as_of"),\n        timer.c.partnership_id.not_in',
        '        timer.c.due_at <= bindparam("as_of"),\n        timer.c.partnership_id.not_in',
        "tests/timers/test_firing.py::test_a_sweep_reads_only_open_clocks_that_are_due[sqlite]",
        '"ix_timer_due" in str(plan)',
    ),
    Mutant(
        "10 bad input changes nothing",
        "unknown fields are let through",
        "lifecycle/documents/rules.py",
        "            if name not in known and not any",
        "            if False and not any",
        "tests/documents/test_rules.py::test_an_unknown_field_suggests_the_nearest_known_one",
        "DID NOT RAISE Invalid",
    ),
    Mutant(
        "0 the host is just a party",
        "one side pauses a complaint alone",
        "lifecycle/redress/service.py",
        "        if not asked:\n            turn.tell",
        "        if False:\n            turn.tell",
        "tests/redress/test_complaints.py::test_clocks_stand_still_only_once_both_sides_have_asked[sqlite]",
        "== before",
    ),
    Mutant(
        "0 the host is just a party",
        "somebody agrees to their own proposal",
        "lifecycle/redress/service.py",
        "    said = [at.people.contacts[one] for one in (proposal.by, *consents)",
        "    said = [at.people.contacts[one] for one in consents",
        "tests/redress/test_complaints.py::test_nobody_agrees_to_their_own_proposal[sqlite]",
        "DID NOT RAISE NotAllowed",
    ),
    Mutant(
        "10 bad input changes nothing",
        "a promise is withheld without an upheld complaint",
        "lifecycle/redress/service.py",
        '    return one.state in UPHELD or one.state == "closed"\n',
        "    return True\n",
        "tests/redress/test_complaints.py::test_nobody_withholds_what_they_promised_without_an_upheld_complaint[sqlite]",
        "upheld",
    ),
    Mutant(
        "3 everything that waits is a timer",
        "the pause of a case ends with that of the partnership",
        "lifecycle/timers/service.py",
        'if pause["ended_at"] is None and pause.get("by") == by',
        'if pause["ended_at"] is None',
        "tests/redress/test_complaints.py::test_the_pause_of_a_case_outlives_that_of_the_partnership[sqlite]",
        "is None",
    ),
)
