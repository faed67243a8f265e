"""`lifecycle account`: who may sign in to look at a whole portfolio."""

from tests.cli.command import Command


def test_an_account_is_added_listed_and_removed(command: Command) -> None:
    command.done("init-db")
    said = command.done("account", "add", "Owner@clinic.example").out
    assert said == "owner@clinic.example may sign in at http://127.0.0.1:8080/sign-in.\n"
    listed = command.done("account", "list", "--json").json["accounts"]
    assert [(one["email"], one["portfolio"]) for one in listed] == [("owner@clinic.example", "main")]
    assert "owner@clinic.example" in command.done("account", "list").out
    gone = command.done("account", "remove", "owner@clinic.example").out
    assert gone == "owner@clinic.example may not look at main any more.\n"
    assert "No accounts." in command.done("account", "list").out


def test_what_an_account_cannot_be_is_refused(command: Command) -> None:
    command.done("init-db")
    command.done("account", "add", "owner@clinic.example", "--json")
    assert "/email (address)" in command.refused(1, "account", "add", "owner")
    assert "already" in command.refused(1, "account", "add", "owner@clinic.example")
    assert (
        "no partnership"
        in command.refused(3, "account", "add", "owner@clinic.example", "--portfolio", "elsewhere").lower()
    )
    assert "account list" in command.refused(3, "account", "remove", "stranger@elsewhere.example")
    assert "account list" in command.refused(
        3, "account", "remove", "owner@clinic.example", "--portfolio", "other"
    )
