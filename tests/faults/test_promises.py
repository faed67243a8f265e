"""Promises about how the engine is built, held by looking at all of it (design, section 5)."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from lifecycle import stages
from lifecycle.audit.queries import verify_all
from lifecycle.db import Database
from lifecycle.documents import rules
from lifecycle.documents import service as documents
from lifecycle.gates.facts import RequestFact
from lifecycle.models import metadata
from lifecycle.partnerships import changes, service
from lifecycle.partnerships.facts import collect
from lifecycle.partnerships.people import people_of
from tests.builders import SETTINGS, contents, organisation, registered
from tests.journeys.in_process import InProcess

ROOT = Path(__file__).parents[2]


def sources(folder: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


# 0. The host is just a party.


def test_no_column_knows_our_side() -> None:
    ours = re.compile(r"(^|_)(host|own|our|ours|us|internal|external|side|primary_partner)($|_)")
    assert [
        str(column) for table in metadata.sorted_tables for column in table.c if ours.search(column.name)
    ] == []


def test_swapping_two_partners_in_a_history_mirrors_its_outcome(database: Database, now: datetime) -> None:
    """The same acts by the other partner's people leave the same record with the partners swapped."""
    play(database, now, "alpha", "clinic", "city")
    play(database, now, "omega", "city", "clinic")
    rows = contents(database)
    for table in ("transition_request", "notice", "waiver", "sign_off", "timer", "partnership"):
        mine = sorted(mirrored(row) for row in rows[table] if "alpha" in row)
        theirs = sorted(plain(row) for row in rows[table] if "omega" in row)
        assert mine == theirs, table


def play(database: Database, now: datetime, id_: str, mine: str, other: str) -> None:
    partners = [organisation("clinic"), organisation("city")]
    registered(
        database,
        now,
        id_=id_,
        stage="maintaining",
        partners=partners,
        proposed_by=mine,
        coordinator=f"{mine}-primary",
    )
    why = "The budget is frozen until April."
    service.transition(database, id_, "suspend", f"{mine}-primary", now, why)
    service.transition(database, id_, "resume", f"{other}-sponsor", now, "It was released.")
    service.transition(database, id_, "begin_evaluation", f"{other}-primary", now)
    service.waive(database, id_, "begin_evaluation", "E1", f"{mine}-sponsor", "We know them.", now)
    service.waive(database, id_, "begin_evaluation", "E1", f"{other}-sponsor", "So do we.", now)
    service.transition(database, id_, "begin_evaluation", f"{other}-primary", now)


_NOT_COMPARED = re.compile(r"[0-9a-f]{32,64}")
"""Random ids of requests, and the hashes that depend on them."""
_SWAPPED = {"clinic": "city", "city": "clinic", "Clinic": "City", "City": "Clinic"}


def plain(row: tuple[Any, ...]) -> str:
    text = json.dumps([in_order(value) for value in row if not isinstance(value, int)])
    return _NOT_COMPARED.sub("#", text).replace("omega", "ID")


def mirrored(row: tuple[Any, ...]) -> str:
    def swap(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: swap(one) for key, one in value.items()}
        if isinstance(value, list):
            return [swap(one) for one in value]
        return re.sub("|".join(_SWAPPED), lambda found: _SWAPPED[found[0]], str(value))

    return plain(tuple(swap(value) for value in row if not isinstance(value, int))).replace("alpha", "ID")


def in_order(value: Any) -> Any:
    """Lists of partners and people are kept by name: the order is not what is compared."""
    if isinstance(value, dict):
        return {key: in_order(one) for key, one in sorted(value.items())}
    if isinstance(value, list):
        return sorted((in_order(one) for one in value), key=repr)
    return str(value)


# 5. Personal data stays outside what is hashed, so that erasure is possible.


def test_names_and_addresses_are_in_one_table(database: Database, now: datetime, tmp_path: Path) -> None:
    from tests.journeys.test_story import Told, until

    story = Told(database, tmp_path)
    story.settings = SETTINGS.model_copy(update={"mailbox": tmp_path / "mailbox"})
    story.flows = InProcess(database, story.settings)
    acts, instant = until("2025-06-20 09:00")
    story.play(acts, instant)
    rows = contents(database)
    people = [(row[4], row[5]) for row in rows.pop("contact")]
    assert len(people) > 20
    stored = json.dumps(rows, default=str)
    assert [email for _, email in people if email in stored] == []
    hashed = json.dumps([rows["audit_event"], rows["timer"], rows["transition_request"]], default=str)
    assert [name for name, _ in people if name in hashed] == []
    with database.read() as connection:
        assert verify_all(connection) == []


# 6. Documents are pinned to their schema version.


def test_a_sign_off_counts_for_its_own_revision_only(database: Database, now: datetime) -> None:
    registered(database, now, stage="starting")
    content = {"purpose_agreed": "Fewer falls at home."}
    documents.put(database, "harbour", "convening", content, "clinic-primary", now)
    documents.sign(database, "harbour", "convening", 1, "city-primary", now)
    documents.put(database, "harbour", "convening", content | {"meetings": []}, "clinic-primary", now)
    with database.read() as connection:
        record, people = changes.find(connection, "harbour"), people_of(connection, "harbour")["harbour"]
        facts = collect(connection, record, people, "agree_to_partner", RequestFact(None, None), now)
    found = facts.document("convening")
    assert found is not None
    assert (found.revision, found.sign_offs) == (2, ())


def test_every_schema_version_that_was_ever_published_is_still_there() -> None:
    for kind, newest in rules.VERSIONS.items():
        for version in range(1, newest + 1):
            assert rules.load_schema(kind, version)["$id"].endswith(f"{kind}/v{version}.json")


# 7. The domain runs without Prefect, and Prefect holds no domain rule.

_WITHOUT_PREFECT = """
import sys
sys.modules["prefect"] = None  # whoever imports it gets an ImportError
from datetime import UTC, datetime, timedelta
from lifecycle.db import Database
from lifecycle.migrations import upgrade
from lifecycle.partnerships import service
from lifecycle.partnerships.correspondence import send_notices
from lifecycle.partnerships.escalations import sweep_escalations
from lifecycle.partnerships.readiness import sweep_readiness
from lifecycle.reviews.service import sweep_reviews
from tests.builders import SETTINGS, registered, reviewed
import lifecycle.cli.app
from pathlib import Path

now, folder = datetime(2026, 3, 2, 9, tzinfo=UTC), Path(sys.argv[1])
database = Database(f"sqlite:///{folder}/x.db")
upgrade(database)
registered(database, now, stage="maintaining")
reviewed(database, "harbour", now)
assert sweep_reviews(database, now + timedelta(days=1)) == (1, 0)
assert sweep_escalations(database, now + timedelta(days=12))
sweep_readiness(database, now + timedelta(days=12))
drained = send_notices(database, SETTINGS.model_copy(update={"mailbox": folder / "mailbox"}), now + timedelta(days=12))
assert drained.sent >= 4, drained
assert service.transition(database, "harbour", "suspend", "city-primary", now + timedelta(days=12), "Frozen.").state == "taken"
"""


def test_the_domain_runs_where_prefect_cannot_be_imported(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", _WITHOUT_PREFECT, str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr


def test_flows_hold_no_sql_and_no_rule() -> None:
    """Flows import use cases and what may fail; never tables, statements, stages or criteria."""
    allowed = re.compile(
        r"sqlalchemy\.exc|lifecycle\.(clock|config|db|errors|gates\.report)$"
        r"|lifecycle$|lifecycle\.partnerships(\.(service|readiness|escalations|correspondence))?$"
        r"|lifecycle\.reviews(\.service)?$|lifecycle\.notices\.\w+$"
    )
    words = set(stages.STAGES) | set(stages.EVENTS)
    wrong = []
    for path, tree in sources("flows"):
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom | ast.Import):
                module = node.module if isinstance(node, ast.ImportFrom) else node.names[0].name
                if str(module).startswith(("sqlalchemy", "lifecycle")) and not allowed.match(str(module)):
                    wrong.append(f"{path} imports {module}")
            if isinstance(node, ast.Constant) and node.value in words:
                wrong.append(f"{path}:{node.lineno} knows “{node.value}”")
    assert wrong == []


# 8. Every transition goes through one service function.


def test_a_stage_is_set_in_one_place() -> None:
    """The attribute is assigned once, in the service; the column is written once, where changes are saved."""
    assigned, written = [], []
    for path, tree in sources("lifecycle"):
        for node in ast.walk(tree):
            for target in targets(node):
                if isinstance(target, ast.Attribute) and target.attr == "stage":
                    assigned.append(path)
            if isinstance(node, ast.keyword) and node.arg == "stage" and isinstance(node.value, ast.Call):
                written.append(path)
    assert assigned == ["lifecycle/partnerships/service.py"]
    assert written == ["lifecycle/partnerships/changes.py"]


def targets(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return [
            part
            for target in node.targets
            for part in (target.elts if isinstance(target, ast.Tuple) else [target])
        ]
    return [node.target] if isinstance(node, ast.AugAssign | ast.AnnAssign) else []


# 10. Bad input changes nothing.


@pytest.mark.parametrize(
    "content",
    [
        {"title": 7},
        {"colour": "red"},
        [],
        None,
        "text",
        {"goals": [{"id": "No Slug"}]},
        {"title": "x" * 10_000},
    ],
)
def test_bad_input_changes_nothing(database: Database, now: datetime, content: Any) -> None:
    from lifecycle.errors import Invalid

    registered(database, now)
    before = contents(database)
    with pytest.raises(Invalid) as raised:
        documents.put(database, "harbour", "need_assessment", content, "clinic-primary", now)
    assert all(fault.rule and fault.mend for fault in raised.value.faults)
    assert contents(database) == before
