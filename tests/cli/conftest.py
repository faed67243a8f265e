"""A migrated SQLite database in a folder of its own, and `lifecycle` to use it."""

from pathlib import Path

import pytest

from tests.cli.command import Command, example


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
    registration = example("partnership")
    registration["partners"] = [registration["partners"][0], SECOND]
    empty.done("new", empty.file("registration.json", registration))
    return empty


SECOND = {
    "id": "city-council",
    "name": "City Council",
    "contacts": [
        {"id": "bo-lind", "role": "primary", "name": "Bo Lind", "email": "bo@council.example"},
        {"id": "kim-day", "role": "sponsor", "name": "Kim Day", "email": "kim@council.example"},
        {"id": "lee-fox", "role": "member", "name": "Lee Fox", "email": "lee@council.example"},
    ],
}
