"""`actual`, `import iati` and `export iati`."""

from datetime import UTC, datetime

import pytest

from lifecycle.db import Database
from tests.cli.command import Command
from tests.evaluation.test_iati import ONE, file
from tests.evaluation.test_indicators import FALLS
from tests.obligations.agreements import agreement, in_force

CITY = ("--as", "city-primary")
SPRING = ("--from", "2026-04-01", "--to", "2026-06-30")


@pytest.fixture
def harbour(empty: Command) -> Command:
    database = Database(f"sqlite:///{empty.database}")
    in_force(database, datetime(2026, 3, 2, 9, tzinfo=UTC), agreement() | {"indicators": [FALLS]})
    database.close()
    return empty


def test_an_actual_is_recorded_shown_and_exported(harbour: Command) -> None:
    said = harbour.done("actual", "harbour", "falls", "33", *SPRING, "--dimension", "sex=male", *CITY).out
    assert said == "falls of harbour came to 33 from 2026-04-01 to 2026-06-30.\n"
    assert "33 until 2026-06-30" in harbour.done("show", "harbour").out
    assert '<dimension name="sex" value="male"/>' in harbour.done("export", "iati", "harbour").out


def test_results_come_and_go(harbour: Command) -> None:
    path = harbour.folder / "r.xml"
    path.write_bytes(file(ONE))
    taken = harbour.done("import", "iati", str(path), "--partnership", "harbour", *CITY, "--json").json
    assert taken == {"partnership_id": "harbour", "results": 1}
    assert harbour.done("export", "iati", "harbour", "-o", "out.xml").out == "Wrote out.xml.\n"
    assert "Chutes" in (harbour.folder / "out.xml").read_text()
    assert harbour.done("export", "harbour").json["iati_import"]


def test_each_refusal_has_its_mend(harbour: Command) -> None:
    path = harbour.folder / "r.xml"
    path.write_bytes(file(ONE)[:-9])
    assert "Add --partnership ID" in harbour.refused(2, "import", "iati", str(path))
    words = ("import", "iati", str(path), "--partnership", "harbour", *CITY)
    assert "Write well-formed XML" in harbour.refused(1, *words)
    assert "NAME=VALUE" in harbour.refused(
        2, "actual", "harbour", "falls", "3", *SPRING, "--dimension", "sex", *CITY
    )
    assert "It has: falls." in harbour.refused(3, "actual", "harbour", "smiles", "3", *SPRING, *CITY)
    assert "export iati ID" in harbour.refused(2, "export", "csv", "harbour")
    assert harbour("export", "iati", "nobody").status == 3
