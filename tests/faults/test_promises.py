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
import yaml

from lifecycle import stages
from lifecycle.audit.queries import trail, verify_all
from lifecycle.audit.rules import AuditEvent
from lifecycle.db import Database
from lifecycle.demo.story import ENDS_AT, STORY
from lifecycle.documents import rules
from lifecycle.documents import service as documents
from lifecycle.gates.facts import RequestFact
from lifecycle.models import metadata
from lifecycle.partnerships import changes, service
from lifecycle.partnerships.facts import collect
from lifecycle.partnerships.people import people_of
from tests.builders import contents, organisation, registered
from tests.journeys.test_story import Told

ROOT = Path(__file__).parents[2]


def sources(folder: str) -> Iterator[tuple[str, ast.Module]]:
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(encoding="utf-8"))


# 0. The host is just a party.


def test_no_column_knows_our_side() -> None:
    ours = re.compile(
        r"(^|_)(host|hosts|own|owner|our|ours|us|internal|external|side|home|tenant|primary_partner)($|_)"
    )
    named = [
        str(column) for table in metadata.sorted_tables for column in table.c if ours.search(column.name)
    ]
    assert named == ["corrective_action.owner"], "only an action has an owner: the contact who carries it out"


def test_swapping_two_partners_in_a_history_mirrors_its_outcome(database: Database, now: datetime) -> None:
    """The same acts by the other partner's people leave the same record with the partners swapped."""
    play(database, now, "alpha", "clinic", "city")
    play(database, now, "omega", "city", "clinic")
    rows = contents(database)
    for table in ("transition_request", "notice", "waiver", "sign_off", "timer", "partnership"):
        mine = sorted(mirrored(row) for row in rows[table] if "alpha" in row)
        theirs = sorted(plain(row) for row in rows[table] if "omega" in row)
        assert mine == theirs, table
        assert mine or table in ("sign_off", "timer"), f"nothing was compared in {table}"
    with database.read() as connection:
        mine = [mirrored(told(event)) for event in trail(connection, "alpha")]
        theirs = [plain(told(event)) for event in trail(connection, "omega")]
    assert mine == theirs
    assert len(mine) > 6


def told(event: AuditEvent) -> tuple[Any, ...]:
    """What an event says, without its place in the chain."""
    return (event.partnership_id, event.type, event.actor, json.loads(event.payload))


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


def test_names_and_addresses_are_in_one_table(database: Database, tmp_path: Path) -> None:
    """After the whole story, nobody of any example is named anywhere but in the table that erasure empties."""
    Told(database, tmp_path).play(STORY, ENDS_AT)
    rows = contents(database)
    people = {name for row in rows.pop("contact") for name in (row[4], row[5])}
    assert people == set(examples()), "everybody of the examples is in the story"
    for table in ("audit_event", "document", "timer", "transition_request", "notice"):
        assert rows[table], f"nothing was searched in {table}"
    named = re.compile("|".join(map(re.escape, people)), re.IGNORECASE)
    found = {table: set(named.findall("\n".join(texts(rows[table])))) for table in rows}
    assert {table: names for table, names in found.items() if names} == {}
    with database.read() as connection:
        assert verify_all(connection) == []


def examples() -> Iterator[str]:
    """The name and the address of every contact of every example."""
    for path in sorted((ROOT / "lifecycle" / "examples").rglob("*")):
        if path.suffix in (".json", ".yaml", ".yml"):
            for found in dictionaries(yaml.safe_load(path.read_text(encoding="utf-8"))):
                if {"name", "email"} <= found.keys():
                    yield from (found["name"], found["email"])


def dictionaries(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
    for one in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from dictionaries(one)


def texts(value: Any) -> Iterator[str]:
    """Every text inside, keys too; JSON kept as text is read, since it may escape what is looked for."""
    if isinstance(value, dict):
        yield from texts([*value, *value.values()])
    elif isinstance(value, list | tuple):
        for one in value:
            yield from texts(one)
    elif isinstance(value, str) and value[:1] in ("{", "["):
        yield from texts(json.loads(value))
    else:
        yield str(value)


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
from lifecycle.documents import service as documents
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
later = now + timedelta(days=12)
assert service.transition(database, "harbour", "suspend", "city-primary", later, "Frozen.").state == "taken"
registered(database, now, id_="tram", stage="starting")
put = documents.put(database, "tram", "convening", {"purpose_agreed": "Fewer cars."}, "clinic-primary", now)
documents.sign(database, "tram", "convening", put.revision, "city-primary", now)
assert not service.check(database, "tram", "agree_to_partner", now).open
request = service.request_transition(database, "tram", "agree_to_partner", "city-primary", now)
assert service.decide(database, request, now).state == "refused"
from lifecycle.subscriptions.delivery import deliver
assert deliver(database, SETTINGS, later).delivered == 0
assert not [name for name, module in sys.modules.items() if name.split(".")[0] == "prefect" and module]
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
        r"|lifecycle$|lifecycle\.partnerships(\.(changes|service|readiness|escalations|correspondence|digests))?$"
        r"|lifecycle\.reviews(\.(service|occasions))?$|lifecycle\.(obligations|redress)\.monitor$|lifecycle\.(notices|subscriptions)\.\w+$"
    )
    words = set(stages.STAGES) | set(stages.EVENTS)
    wrong = []
    for path, tree in sources("flows"):
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom | ast.Import):
                for module in imported(node):
                    if module.startswith(("sqlalchemy", "lifecycle")) and not allowed.match(module):
                        wrong.append(f"{path} imports {module}")
            if isinstance(node, ast.Attribute) and node.attr in _EXECUTING:
                wrong.append(f"{path}:{node.lineno} calls {node.attr}")
            if isinstance(node, ast.Constant) and (node.value in words or _SQL.search(str(node.value))):
                wrong.append(f"{path}:{node.lineno} knows “{node.value!r}”")
    assert wrong == []


_EXECUTING = {"execute", "exec_driver_sql", "scalar", "scalars", "begin", "connect"}
_SQL = re.compile(r"\b(SELECT\b.+\bFROM|INSERT\s+INTO|UPDATE\b.+\bSET|DELETE\s+FROM)\b", re.DOTALL)


def imported(node: ast.Import | ast.ImportFrom) -> list[str]:
    """The modules that a statement imports; of a package's own, those it takes out of it."""
    if isinstance(node, ast.Import):
        return [name.name for name in node.names]
    return [str(node.module)]


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


def test_the_column_is_written_in_one_place() -> None:
    """However it is spelt: a statement's values, a statement on the table, a text of SQL, an attribute by name."""
    changed = [
        f"{path}: {writing}"
        for path, tree in sources("lifecycle")
        if "/migrations/" not in path
        for writing in writings(tree)
    ]
    assert sorted(changed) == [
        "lifecycle/partnerships/changes.py: update(partnership)",
        "lifecycle/partnerships/changes.py: values(stage)",
    ]


def writings(tree: ast.Module) -> Iterator[str]:
    """Each place that changes a row of `partnership` or names its stage among the values of a statement."""
    known_as = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).endswith("partnerships.models")
        for name in node.names
        if name.name == "partnership"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _WRITES.search(node.value):
            yield f"“{node.value}”"
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        on = [node.func.value, *node.args] if isinstance(node.func, ast.Attribute) else node.args
        if called == "update" and any(isinstance(one, ast.Name) and one.id in known_as for one in on):
            yield "update(partnership)"
        if called in ("values", "setattr") and "stage" in names_given(node):
            yield f"{called}(stage)"


_WRITES = re.compile(r"\b(UPDATE|REPLACE\s+INTO)\s+\W?partnership\b")


def names_given(call: ast.Call) -> set[str]:
    """The names that a call is given: keywords, the keys of dictionaries, and texts."""
    keys = [key for one in call.args if isinstance(one, ast.Dict) for key in one.keys if key is not None]
    given = [one.value for one in (*call.args, *keys) if isinstance(one, ast.Constant)]
    columns = [one.attr for one in keys if isinstance(one, ast.Attribute)]
    return {str(name) for name in (*given, *columns, *(keyword.arg for keyword in call.keywords))}


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
