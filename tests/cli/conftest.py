"""A migrated SQLite database in a folder of its own, and `lifecycle` to use it."""

from pathlib import Path

import pytest

from tests.cli.command import Command, registration


@pytest.fixture
def empty(
    tmp_path: Path,
    sqlite_template: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Command:
    """No partnership yet."""
    (tmp_path / "lifecycle.db").write_bytes(sqlite_template.read_bytes())
    monkeypatch.chdir(tmp_path)
    for name in ("LIFECYCLE_DATABASE_URL", "LIFECYCLE_MAIL_TRANSPORT", "PREFECT_API_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "120")
    return Command(tmp_path, capsys)


@pytest.fixture
def command(empty: Command) -> Command:
    """One partnership in its first stage: the example of the registration's schema, with a second partner."""
    empty.done("new", empty.file("registration.json", registration()))
    return empty
