"""Gates at the command line: the dry run, the decision, the queue, the waiver."""

from typing import Any

import pytest

from tests.cli.command import ID, Command, example


def _stage(command: Command) -> Any:
    return command.sql("SELECT stage FROM partnership WHERE id = ?", ID)[0][0]


def test_check_is_a_dry_run_that_says_what_to_do(command: Command) -> None:
    before = command.contents()
    ran = command("check", ID, "confirm_need")
    assert (ran.status, ran.err) == (1, "")
    assert "N1" in ran.out
    assert "UNMET" in ran.out
    assert "The gate of “confirm_need” is shut" in ran.out
    report = command("check", ID, "confirm_need", "--by", "amira-haddad", "--json")
    assert report.status == 1
    assert report.json["open"] is False
    assert {"code", "outcome", "to_do", "severity"} <= report.json["findings"][0].keys()
    assert command.contents() == before


def test_what_blocks_stands_first(command: Command) -> None:
    lines = [line.split() for line in command("check", ID, "confirm_need").out.splitlines()]
    order = [word for line in lines for word in line if word in {"UNMET", "advice"}]
    assert order == sorted(order, key=["UNMET", "advice"].index)


def test_a_refused_transition_keeps_the_stage_and_the_report(command: Command) -> None:
    ran = command("transition", ID, "confirm_need", "--by", "amira-haddad")
    assert ran.status == 1
    assert "N1" in ran.out
    assert f"Refused: {ID} stays in stage need_definition." in ran.out
    again = command("transition", ID, "confirm_need", "--by", "amira-haddad", "--json")
    assert again.status == 1
    assert again.json["state"] == "refused"
    assert again.json["report"]["open"] is False


def test_a_transition_is_taken(command: Command) -> None:
    arguments = ("transition", ID, "withdraw", "--by", "ewan-ross", "--reason", "The clinic closes.")
    assert f"Taken: {ID} is in stage withdrawn." in command.done(*arguments, "--key", "k1").out
    before = command.contents()
    assert command.done(*arguments, "--key", "k1", "--json").json["state"] == "taken"
    assert command.contents() == before, "the same key takes effect once"
    assert "final" in command.refused(1, *arguments)
    assert "final: the record is read-only" in command.done("show", ID).out


def test_a_key_belongs_to_one_request(command: Command) -> None:
    command("transition", ID, "confirm_need", "--by", "amira-haddad", "--key", "k1")
    error = command.refused(1, "transition", ID, "withdraw", "--by", "amira-haddad", "--key", "k1")
    assert "used for another request" in error


def test_a_queued_transition_waits_for_the_flow(command: Command) -> None:
    arguments = ("transition", ID, "withdraw", "--by", "ewan-ross", "--reason", "Closing.", "--queue")
    kept = command.done(*arguments, "--json").json
    assert kept["state"] == "pending"
    assert _stage(command) == "need_definition"
    assert command.sql("SELECT state FROM transition_request") == [("pending",)]
    shown = command.done("show", ID).out
    assert kept["request_id"] in shown
    assert "lifecycle run gate-check" in shown
    assert "gate-check flow decides it" in command.done(*arguments).out


@pytest.mark.parametrize("by", ["mallory", "lee-fox"])
def test_only_those_who_can_bind_a_partner_ask_for_transitions(command: Command, by: str) -> None:
    command.refused(3 if by == "mallory" else 1, "transition", ID, "withdraw", "--by", by, "--reason", "x")


def test_a_sponsors_waiver_counts_and_is_shown(command: Command) -> None:
    waiver = ("waive", ID, "confirm_need", "N1", "--by", "ewan-ross", "--reason", "Goals follow in May.")
    assert "consents to waive N1" in command.done(*waiver).out
    found = {f["code"]: f for f in command("check", ID, "confirm_need", "--json").json["findings"]}
    assert found["N1"]["outcome"] == "waived"
    assert "Goals follow in May." in command("check", ID, "confirm_need").out


def test_a_waiver_that_cannot_be(command: Command) -> None:
    reason = ("--reason", "Because.")
    assert "Ask ewan-ross" in command.refused(
        1, "waive", ID, "confirm_need", "N1", "--by", "amira-haddad", *reason
    )
    assert "no criterion Q7" in command.refused(
        3, "waive", ID, "confirm_need", "Q7", "--by", "ewan-ross", *reason
    )
    assert "advisory" in command.refused(1, "waive", ID, "confirm_need", "N10", "--by", "ewan-ross", *reason)
    assert "needs a reason" in command.refused(
        1, "waive", ID, "confirm_need", "N1", "--by", "ewan-ross", "--reason", " "
    )


def _open_round(command: Command) -> str:
    instant = "2026-01-01T00:00:00.000000+00:00"
    command.sql("UPDATE partnership SET stage = 'maintaining'")
    command.sql(
        "INSERT INTO review_round VALUES (?, 3, 'schedule', ?, ?, 0, NULL, NULL, NULL)", ID, instant, instant
    )
    for contact in ("amira-haddad", "bo-lind"):
        command.sql(
            "INSERT INTO review_invitation (partnership_id, round, contact_id) VALUES (?, 3, ?)", ID, contact
        )
    answer = example("review_response")
    answer["answers"][0]["score"] = 1
    return command.file("answer.json", answer)


def test_a_negative_answer_is_planned_and_verified_by_the_other_side(command: Command) -> None:
    answer = _open_round(command)
    command.done("respond", ID, "3", answer, "--as", "amira-haddad")
    shown = command.done("show", ID).out
    assert "no answer yet from bo-lind" in shown
    assert "Corrective action 1 has no plan" in shown
    plan = ("action", "plan", ID, "1", "--what", "Meet", "--owner", "bo-lind", "--by", "kim-day", "--due")
    assert "/due_on" in command.refused(1, *plan, "2020-01-01")
    command.done(*plan, "2100-01-01")
    assert "Another partner verifies it" in command.refused(1, "action", "verify", ID, "1", "--by", "kim-day")
    command.done("action", "verify", ID, "1", "--by", "ewan-ross")
    assert command.done("show", ID, "--json").json["actions"][0]["verified_by"] == "ewan-ross"
    command.refused(3, "action", "verify", ID, "9", "--by", "ewan-ross")


def test_only_those_asked_answer_and_only_the_round_they_were_asked_in(command: Command) -> None:
    answer = _open_round(command)
    assert "is not asked" in command.refused(1, "respond", ID, "3", answer, "--as", "kim-day")
    assert "/round" in command.refused(1, "respond", ID, "4", answer, "--as", "bo-lind")
