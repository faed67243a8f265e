"""What each command does and shows when all is well."""

import io
import json
import sys
from types import SimpleNamespace

import pytest
import yaml

from tests.cli.command import ID, Command, example


def _put_need(command: Command, author: str = "amira-haddad") -> None:
    command.done(
        "put", ID, "need_assessment", command.file("n.json", example("need_assessment")), "--as", author
    )


def test_init_db_is_idempotent_and_says_what_it_did(empty: Command) -> None:
    empty.database.unlink()
    assert "Created the tables" in empty.done("init-db").out
    before = empty.contents()
    assert "nothing was changed" in empty.done("init-db").out
    assert empty.done("init-db", "--json").json["changed"] is False
    assert empty.contents() == before


def test_a_registration_may_be_yaml(empty: Command) -> None:
    file = empty.file("new.yaml", yaml.safe_dump(example("partnership")))
    assert empty.done("new", file, "--json").json == {"id": ID, "stage": "need_definition"}
    assert "is taken" in empty.refused(1, "new", file)


def test_list_shows_stage_and_what_is_due(command: Command) -> None:
    command.sql("UPDATE partnership SET stage = 'starting'")
    command.done("put", ID, "convening", command.file("c.json", example("convening")), "--as", "amira-haddad")
    shown = command.done("list").out
    assert ID in shown
    assert "starting" in shown
    assert "reminder of a sign-off" in shown
    found = command.done("list", "--json").json
    assert found["partnerships"][0]["next_due"]["matter"] == "signoff_missing"
    assert found["next_after"] is None
    assert command.done("list", "--stage", "closed", "--json").json["partnerships"] == []
    assert command.done("list", "--after", ID, "--json").json["partnerships"] == []
    assert f"lifecycle list --after {ID}" in command.done("list", "--limit", "1").out


def test_show_says_what_needs_attention(command: Command) -> None:
    command.sql("UPDATE partnership SET stage = 'starting'")
    command.done("put", ID, "convening", command.file("c.json", example("convening")), "--as", "amira-haddad")
    command.done("signoff", ID, "convening", "--revision", "1", "--as", "bo-lind")
    command.sql(
        "UPDATE contact SET undeliverable_since = '2026-01-01T00:00:00.000000+00:00' WHERE id = 'kim-day'"
    )
    shown = command.done("show", ID).out
    for said in (
        "starting (guide's step 2 Starting the process)",
        "Events allowed: agree_to_partner, decline, withdraw",
        "convening revision 1 waits for the sign-off of harbour-clinic.",
        "Emails to kim-day do not arrive",
        "Bo Lind",
    ):
        assert said in shown
    found = command.done("show", ID, "--json").json
    assert found["documents"][0]["signed_by"] == ["city-council"]
    assert found["documents"][0]["missing_sign_offs"] == ["harbour-clinic"]
    assert found["events_allowed"] == ["agree_to_partner", "decline", "withdraw"]
    assert len(found["hints"]) == 2


def test_a_document_comes_back_as_it_was_put(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    content = example("need_assessment")
    stdin = SimpleNamespace(buffer=io.BytesIO(json.dumps(content).encode()))
    monkeypatch.setattr(sys, "stdin", stdin)
    put = command.done("put", ID, "need_assessment", "-", "--as", "amira-haddad", "--json").json
    assert put["revision"] == 1
    read = command.done("document", ID, "need_assessment", "--revision", "1", "--json").json
    assert read["content"] == content
    assert read["sha256"] == put["sha256"]
    assert "no revision 2" in command.refused(3, "document", ID, "need_assessment", "--revision", "2")


def test_a_printed_document_can_be_put_again_unchanged(command: Command) -> None:
    _put_need(command)
    printed = command.file("again.yaml", command.done("document", ID, "need_assessment").out)
    before = command.contents()
    again = command.done("put", ID, "need_assessment", printed, "--as", "amira-haddad", "--json").json
    assert again["revision"] == 1
    assert command.contents() == before


def test_partner_adds_and_replaces(command: Command) -> None:
    entry = {
        "id": "strand-leisure",
        "name": "Strand Leisure",
        "contacts": [{"id": "jo-ray", "role": "primary", "name": "Jo Ray", "email": "jo@strand.example"}],
    }
    command.done("partner", ID, command.file("p.json", entry), "--as", "amira-haddad")
    entry["name"] = "Strand Leisure Trust"
    error = command.refused(1, "partner", ID, command.file("p.json", entry), "--as", "amira-haddad")
    assert "for its own people to say" in error
    assert "Ask jo-ray." in error
    command.done("partner", ID, command.file("p.json", entry), "--as", "jo-ray")
    partners = {p["id"]: p["name"] for p in command.done("show", ID, "--json").json["partners"]}
    assert partners["strand-leisure"] == "Strand Leisure Trust"
    assert len(partners) == 3


def test_export_holds_everything_and_nothing_of_others(command: Command) -> None:
    _put_need(command)
    other = example("partnership") | {"id": "other", "title": "Another one"}
    command.done("new", command.file("other.json", other))
    found = command.done("export", ID).json
    assert found["partnership"]["id"] == ID
    assert found["document"][0]["content"] == example("need_assessment")
    assert [event["type"] for event in found["audit_event"]] == ["partnership_created", "document_put"]
    assert "Another one" not in command.done("export", ID).out
    assert {"sign_off", "timer", "timer_firing", "notice", "waiver", "review_round"} <= found.keys()
    command.done("export", ID, "-o", "kept.json")
    assert json.loads((command.folder / "kept.json").read_text()) == found


def test_audit_shows_and_proves_the_trail(command: Command) -> None:
    _put_need(command)
    events = command.done("audit", "show", ID, "--json").json
    assert events[1]["payload"]["kind"] == "need_assessment"
    assert "document_put" in command.done("audit", "show", ID).out
    assert command.done("audit", "verify", ID, "--json").json == {"whole": True, "breaks": []}
    command.sql("UPDATE audit_event SET actor = 'eve' WHERE seq = 2")
    ran = command("audit", "verify")
    assert ran.status == 1
    assert "event 2 was edited" in ran.out
    assert command("audit", "verify", ID, "--json").json["breaks"][0]["seq"] == 2


def test_promises_are_drawn(command: Command) -> None:
    assert "Nothing has been promised yet." in command.done("plot", ID).out
    assert command.done("plot", ID, "-o", "p.svg").out == "Wrote p.svg.\n"
    assert command("plot", "nobody").status == 3


def test_the_diagram_highlights_the_partnerships_stage(command: Command) -> None:
    assert "class need_definition current" in command.done("diagram", ID).out
    assert "current" not in command.done("diagram").out
    assert command.done("diagram", ID, "--format", "svg", "-o", "d.svg").out == "Wrote d.svg.\n"
    assert "The present stage is need_definition." in (command.folder / "d.svg").read_text()


def test_an_unknown_outcome_is_settled_once(command: Command) -> None:
    command.sql("UPDATE partnership SET stage = 'starting'")
    command.done("put", ID, "convening", command.file("c.json", example("convening")), "--as", "amira-haddad")
    command.sql("UPDATE notice SET state = 'unknown' WHERE id = 1")
    assert "unknown" in command.done("outbox", "list", "--state", "unknown").out
    assert command.done("outbox", "settle", "1", "--sent", "--json").json["state"] == "sent"
    assert "only an unknown outcome" in command.refused(1, "outbox", "settle", "1", "--not-sent")
    assert "no notice 99" in command.refused(3, "outbox", "settle", "99", "--sent")
    states = {notice["id"]: notice["state"] for notice in command.done("outbox", "list", "--json").json}
    assert states == {1: "sent", 2: "pending"}


def test_outbox_send_writes_emails(command: Command) -> None:
    command.sql("UPDATE partnership SET stage = 'starting'")
    command.done("put", ID, "convening", command.file("c.json", example("convening")), "--as", "amira-haddad")
    ran = command.done("outbox", "send")
    assert "2 sent, 0 to be tried again, 0 failed, 0 unknown" in ran.out
    assert len(list((command.folder / "mailbox").rglob("*.eml"))) == 2
    assert command.done("outbox", "send", "--json").json["sent"] == 0


def test_who_is_away_is_shown_with_the_deputy_until_they_are_back(command: Command) -> None:
    away = ("absence", ID, "kim-day", "--deputy", "bo-lind", "--until", "2099-12-01", "--as", "kim-day")
    assert "bo-lind gets their emails" in command.done(*away).out
    shown = " ".join(command.done("show", ID).out.split())
    assert "kim@council.example (away until 2099-12-01, deputy bo-lind)" in shown
    circle = ("absence", ID, "bo-lind", "--deputy", "kim-day", "--until", "2099-12-01", "--as", "bo-lind")
    assert "bo-lind → kim-day → bo-lind" in command.refused(1, *circle)
    assert command.done("absence", ID, "kim-day", "--end", "--as", "bo-lind", "--json").json["until"] is None
    assert "away until" not in command.done("show", ID).out


def test_taking_charge_stops_the_reminders(command: Command) -> None:
    command.sql("UPDATE partnership SET stage = 'starting'")
    command.done("put", ID, "convening", command.file("c.json", example("convening")), "--as", "amira-haddad")
    taken = ("acknowledge", ID, "signoff_missing", "convening//1", "--as", "kim-day")
    assert "kim-day takes care of signoff_missing convening//1" in command.done(*taken).out
    assert "None are open there at all" in command.refused(3, *taken)


def test_what_rides_in_an_email_is_listed_with_it(command: Command) -> None:
    command.sql("UPDATE partnership SET stage = 'starting'")
    command.done("put", ID, "convening", command.file("c.json", example("convening")), "--as", "amira-haddad")
    command.sql("UPDATE notice SET template = 'gate_ready', state = 'pending', contact_id = 'kim-day'")
    command.sql(
        """UPDATE notice SET facts = '{"event": "activate", "target": "maintaining", "lessons": []}'"""
    )
    ran = command.done("outbox", "send")
    assert "1 sent, 0 to be tried again" in ran.out
    assert "They carry 1 more" in ran.out
    assert "in email 1" in command.done("outbox", "list", "--state", "folded").out
