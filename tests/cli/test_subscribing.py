"""`lifecycle subscription`: a subscription's whole life by command; its secret is shown once."""

import pytest

from tests.cli.command import ID, Command

URL = "http://127.0.0.1:9/hook"


@pytest.fixture
def private(command: Command, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("LIFECYCLE_WEBHOOK_PRIVATE_TARGETS", "true")
    return command


def test_a_subscription_is_made_listed_replayed_and_removed(private: Command) -> None:
    made = private.done("subscription", "add", URL, "--type", "partnership.activated", "--json").json
    assert made["secret"].startswith("whsec_")
    listed = private.done("subscription", "list", "--json")
    [shown] = listed.json
    assert (shown["id"], shown["url"], shown["event_types"]) == (made["id"], URL, ["partnership.activated"])
    assert made["secret"] not in listed.out + private.done("subscription", "list").out
    assert private.done("subscription", "list", made["id"]).out == "It has every event.\n"
    private.done("subscription", "replay", made["id"], ID, "--from", "1")
    [lag] = private.done("subscription", "list", made["id"], "--json").json
    assert (lag["partnership_id"], lag["state"], lag["backlog"]) == (ID, "due", 1)
    assert ID in private.done("subscription", "list", made["id"]).out
    private.done("subscription", "remove", made["id"])
    assert private.done("subscription", "list").out == "No subscriptions.\n"


def test_for_a_reader_the_secret_stands_on_a_line_of_its_own(private: Command) -> None:
    said, secret = private.done("subscription", "add", URL, "--portfolio", "main").out.splitlines()
    assert "shown only now" in said
    assert secret.startswith("whsec_")
    assert "main" in private.done("subscription", "list", "--portfolio", "main").out
    assert private.done("subscription", "list", "--portfolio", "other").out == "No subscriptions.\n"


def test_the_doctor_names_what_is_parked(private: Command) -> None:
    made = private.done("subscription", "add", URL, "--json").json["id"]
    assert "webhooks" not in private("doctor").out
    private.sql("UPDATE webhook_stream SET parked_at = '2026-03-02T09:00:00.000000+00:00'")
    told = private("doctor")
    assert told.status == 1
    assert f"ILL  webhooks: subscription {made} has 1 parked streams" in told.out


@pytest.mark.parametrize(
    ("status", "words", "said"),
    [
        (1, ("add", "https://127.1/"), "/url (private)"),
        (1, ("add", "http://there.example/"), "/url (scheme)"),
        (1, ("add", "https://127.1/", "--type", "partnership.activate"), "/event_types (enum)"),
        (3, ("remove", "nobody"), "no subscription"),
        (3, ("list", "nobody"), "no subscription"),
        (3, ("replay", "nobody", ID), "no subscription"),
    ],
)
def test_what_is_wrong_is_told(command: Command, status: int, words: tuple[str, ...], said: str) -> None:
    assert said in command.refused(status, "subscription", *words)


def test_a_replay_beyond_the_trail_or_of_a_stranger_is_refused(private: Command) -> None:
    made = private.done("subscription", "add", URL, "--json").json["id"]
    assert "/from_seq (range)" in private.refused(1, "subscription", "replay", made, ID, "--from", "3")
    assert "no partnership" in private.refused(3, "subscription", "replay", made, "stranger")
    assert "no partnership" in private.refused(3, "subscription", "add", URL, "--partnership", "stranger")
