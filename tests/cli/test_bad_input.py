"""Bad input gets one paragraph with the mend, the right exit status, and changes nothing."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.cli.command import ID, Command, example, registration


@pytest.mark.parametrize(
    "arguments",
    [
        ("show", "nobody-knows"),
        ("check", "nobody-knows", "confirm_need"),
        ("transition", "nobody-knows", "confirm_need", "--by", "amira-haddad"),
        ("document", "nobody-knows", "agreement"),
        ("export", "nobody-knows"),
        ("audit", "show", "nobody-knows"),
        ("audit", "verify", "nobody-knows"),
        ("diagram", "nobody-knows"),
        ("signoff", "nobody-knows", "agreement", "--revision", "1", "--as", "amira-haddad"),
        ("action", "verify", "nobody-knows", "1", "--by", "amira-haddad"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_an_unknown_partnership_is_not_found(command: Command, arguments: tuple[str, ...]) -> None:
    error = command.refused(3, *arguments)
    assert "There is no partnership “nobody-knows”" in error
    assert "lifecycle list" in error


@pytest.mark.parametrize("verb", [("transition", "--by", "amira-haddad"), ("check",)])
def test_an_event_that_the_stage_does_not_allow_says_which_are(
    command: Command, verb: tuple[str, ...]
) -> None:
    error = command.refused(1, verb[0], ID, "renew", *verb[1:])
    assert "need_definition" in error
    assert "Possible now: confirm_need, decline, withdraw." in error


def test_an_unknown_event_says_which_there_are(command: Command) -> None:
    error = command.refused(1, "transition", ID, "frobnicate", "--by", "amira-haddad")
    assert "There is no event “frobnicate”" in error
    assert "confirm_need, decline, withdraw" in error


def test_an_invalid_document_lists_every_fault_with_its_pointer(command: Command) -> None:
    content = example("need_assessment")
    content["goals"][0]["by"] = "next year"
    content["starts_on"] = 7
    content["colour"] = "red"
    del content["purpose"]
    file = command.file("bad.json", content)
    error = command.refused(1, "put", ID, "need_assessment", file, "--as", "amira-haddad")
    for pointer in ("/goals/0/by", "/starts_on", "/colour", "/purpose"):
        assert f"  {pointer} (" in error
    assert "4 faults; nothing was changed" in error


def test_an_invalid_registration_lists_every_fault(empty: Command) -> None:
    registration = example("partnership") | {"coordinator": "stranger", "proposed_by": "nobody"}
    error = empty.refused(1, "new", empty.file("bad.json", registration))
    assert "/coordinator" in error
    assert "/proposed_by" in error


def test_an_impossible_address_is_refused_where_it_is_given(command: Command) -> None:
    entry = {
        "id": "x",
        "name": "X",
        "contacts": [{"id": "y", "role": "primary", "name": "Y", "email": "y@@nowhere"}],
    }
    error = command.refused(1, "partner", ID, command.file("x.json", entry), "--as", "amira-haddad")
    assert "/contacts/0/email (" in error
    registration = example("partnership") | {"id": "other"}
    registration["partners"][0]["contacts"][0]["email"] = "amira at the clinic"
    error = command.refused(1, "new", command.file("other.json", registration))
    assert "/contacts/0/email (" in error


def test_an_unknown_kind_is_not_found(command: Command) -> None:
    error = command.refused(3, "put", ID, "agrement", command.file("a.json", {}), "--as", "amira-haddad")
    assert "agrement" in error
    assert "agreement" in error


def test_a_kind_of_another_stage_says_where_it_belongs(command: Command) -> None:
    file = command.file("c.json", example("convening"))
    error = command.refused(1, "put", ID, "convening", file, "--as", "amira-haddad")
    assert "It is put in starting" in error


def test_a_stranger_cannot_put_or_sign(command: Command) -> None:
    file = command.file("n.json", example("need_assessment"))
    assert "Registered are:" in command.refused(3, "put", ID, "need_assessment", file, "--as", "mallory")
    _convene(command)
    error = command.refused(3, "signoff", ID, "convening", "--revision", "1", "--as", "mallory")
    assert "“mallory” is not a contact of this partnership" in error
    error = command.refused(1, "signoff", ID, "convening", "--revision", "1", "--as", "lee-fox")
    assert "lee-fox is member of city-council" in error
    assert "bo-lind or kim-day" in error


def _convene(command: Command) -> None:
    command.sql("UPDATE partnership SET stage = 'starting'")
    file = command.file("convening.json", example("convening"))
    command.done("put", ID, "convening", file, "--as", "amira-haddad")


def test_an_old_revision_cannot_be_signed(command: Command) -> None:
    _convene(command)
    changed = example("convening")
    changed["meetings"][0]["outcome"] = "We met again."
    command.done("put", ID, "convening", command.file("c2.json", changed), "--as", "amira-haddad")
    error = command.refused(1, "signoff", ID, "convening", "--revision", "1", "--as", "bo-lind")
    assert "superseded: revision 2 is the latest" in error
    assert "no revision 9" in command.refused(
        3, "signoff", ID, "convening", "--revision", "9", "--as", "bo-lind"
    )
    command.done("signoff", ID, "convening", "--revision", "2", "--as", "bo-lind")


def test_a_clock_that_goes_backwards_is_noticed(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lifecycle.clock.now", lambda: datetime(2020, 1, 1, tzinfo=UTC))
    file = command.file("n.json", example("need_assessment"))
    error = command.refused(1, "put", ID, "need_assessment", file, "--as", "amira-haddad")
    assert "a clock went backwards" in error
    assert "NTP" in error


@pytest.mark.parametrize("name", ["absent.json", "a\0b", "folder"])
def test_a_file_that_cannot_be_read_is_wrong_usage(command: Command, name: str) -> None:
    (command.folder / "folder").mkdir()
    error = command.refused(2, "new", name)
    assert "cannot be read" in error
    assert "Give the path of a YAML or JSON file" in error


@pytest.mark.parametrize(
    "text", ["", "{", "a: &x 1\nb: *x", "[1, 2", "- !!python/object:os.system x", "\ufeff", "a: 1\na: 2"]
)
def test_a_file_that_is_no_registration_is_invalid(command: Command, text: str) -> None:
    command.refused(1, "new", command.file("odd.yaml", text))
    command.refused(1, "import", command.file("odd.yaml", text))


def test_wrong_usage(command: Command) -> None:
    for arguments in (
        ("frobnicate",),
        ("show",),
        ("show", ID, "--frobnicate"),
        ("signoff", ID, "agreement", "--revision", "zero", "--as", "amira-haddad"),
        ("signoff", ID, "agreement", "--revision", "0", "--as", "amira-haddad"),
        ("run", "frobnicate"),
        ("outbox", "list", "--state", "lost"),
        ("diagram", "--format", "png"),
    ):
        before = command.contents()
        ran = command(*arguments)
        assert (ran.status, ran.out) == (2, ""), arguments
        assert command.contents() == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("list", "--stage", "limbo"), "Stages are: need_definition"),
        (("run", "escalations", "--as-of", "tomorrow"), "2026-03-31T09:00:00Z"),
        (("run", "escalations", "--as-of", "2026-03-31T09:00:00"), "time zone"),
        (("outbox", "settle", "1"), "--sent or --not-sent"),
        (
            (
                "action",
                "plan",
                ID,
                "1",
                "--what",
                "x",
                "--owner",
                "bo-lind",
                "--due",
                "soon",
                "--by",
                "bo-lind",
            ),
            "2026-03-31",
        ),
        (("diagram", "-o", "no/such/folder/x.svg"), "cannot be written"),
        (("absence", ID, "kim-day", "--as", "kim-day"), "Give both --deputy and --until, or --end"),
        (("absence", ID, "kim-day", "--deputy", "bo-lind", "--as", "kim-day"), "Give both"),
        (("absence", ID, "kim-day", "--end", "--until", "2099-12-01", "--as", "kim-day"), "neither"),
        (
            ("absence", ID, "kim-day", "--deputy", "bo-lind", "--until", "soon", "--as", "kim-day"),
            "2026-03-31",
        ),
    ],
)
def test_a_value_that_cannot_be_says_how_to_write_it(
    command: Command, arguments: tuple[str, ...], said: str
) -> None:
    assert said in command.refused(2, *arguments)


def test_a_missing_key_keeps_the_emails(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    _convene(command)
    monkeypatch.setenv("LIFECYCLE_MAIL_TRANSPORT", "sendgrid")
    monkeypatch.delenv("LIFECYCLE_SENDGRID_API_KEY", raising=False)
    error = command.refused(2, "outbox", "send")
    assert "LIFECYCLE_SENDGRID_API_KEY" in error
    assert command.sql("SELECT DISTINCT state FROM notice") == [("pending",)]


@pytest.mark.parametrize(
    ("url", "status", "said"),
    [
        ("postgresql://user:secret@127.0.0.1:1/none", 1, "cannot be reached"),
        ("sqlite:////no/such/folder/x.db", 1, "lifecycle init-db"),
        ("mysql+nothing://x", 2, "sqlite:///FILE"),
        ("not a url", 2, "sqlite:///FILE"),
    ],
)
@pytest.mark.parametrize("arguments", [("list",), ("show", ID), ("init-db",)])
def test_a_database_that_cannot_be_reached(
    command: Command,
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    status: int,
    said: str,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setenv("LIFECYCLE_DATABASE_URL", url)
    error = command.refused(status, *arguments)
    assert "secret" not in error
    assert said in error or "folder of an SQLite file" in error


def test_an_absent_database_is_not_created_by_reading(
    empty: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LIFECYCLE_DATABASE_URL", "sqlite:///mistyped.db")
    assert "Run `lifecycle init-db`" in empty.refused(1, "list")
    assert not (tmp_path / "mistyped.db").exists()


@pytest.mark.parametrize(
    "url", ["mysql://host/name", "postgresql+asyncpg://host/name", "sqlite+aiosqlite:///x.db"]
)
def test_a_driver_that_is_not_ours_is_refused(
    empty: Command, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("LIFECYCLE_DATABASE_URL", url)
    assert "Use sqlite:///FILE or postgresql://" in empty.refused(2, "list")


def test_a_password_in_the_query_is_not_shown(empty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://127.0.0.1:1/none?user=me&password=s3cret"
    monkeypatch.setenv("LIFECYCLE_DATABASE_URL", url)
    assert "s3cret" not in empty.refused(1, "list")


def test_a_calendar_that_nobody_knows_registers_nothing(
    empty: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = {key: value for key, value in registration().items() if key != "time_zone"}
    monkeypatch.setenv("LIFECYCLE_TIME_ZONE", "Europe/Lodon")
    assert "/time_zone (unknown time zone)" in empty.refused(1, "new", empty.file("p.json", entry))
    assert empty("show", entry["id"]).status == 3


@pytest.mark.parametrize("arguments", [["show", "\udcff"], ["transition", ID, "withdraw", "--by", "\udcff"]])
def test_bytes_that_are_no_text_are_refused(command: Command, arguments: list[str]) -> None:
    assert "not valid UTF-8" in command.refused(2, *arguments)


def test_a_file_that_is_no_database(empty: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    empty.file("notes.txt", "not a database, although it is long enough to be looked at " * 20)
    monkeypatch.setenv("LIFECYCLE_DATABASE_URL", "sqlite:///notes.txt")
    assert "notes.txt is damaged, or is none: file is not a database" in empty.refused(1, "list")


@pytest.mark.parametrize(("version", "mend"), [("0000", "lifecycle init-db"), ("9999", "Install the newer")])
def test_a_database_of_another_version_is_refused(empty: Command, version: str, mend: str) -> None:
    empty.sql("UPDATE alembic_version SET version_num = ?", version)
    assert mend in empty.refused(1, "list")


def test_with_json_an_error_is_a_problem_on_stdout(command: Command) -> None:
    ran = command("show", "nobody-knows", "--json")
    assert (ran.status, ran.err) == (3, "")
    assert ran.json["type"] == "not-found"
    assert ran.json["mend"].startswith("`lifecycle list`")
    content = example("need_assessment") | {"colour": "red"}
    file = command.file("bad.json", content)
    ran = command("put", ID, "need_assessment", file, "--as", "amira-haddad", "--json")
    assert (ran.status, ran.err) == (1, "")
    assert [fault["pointer"] for fault in ran.json["errors"]] == ["/colour"]


def test_what_steers_a_terminal_is_not_printed(empty: Command) -> None:
    registration = example("partnership") | {"id": "odd", "title": "Odd \u202e\u009b31m [bold]title[/bold]"}
    empty.done("new", empty.file("odd.json", registration))
    for shown in (empty.done("list").out, empty.done("show", "odd").out):
        assert "\u202e" not in shown
        assert "\u009b" not in shown
        assert "[bold]title[/bold]" in shown
