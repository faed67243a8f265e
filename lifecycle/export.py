"""Everything that is stored about one partnership, as plain data."""

import json
from typing import Any

from sqlalchemy import Connection, Table, select

from lifecycle.models import metadata
from lifecycle.partnerships import changes

LEFT_OUT = frozenset(
    (
        "registry_profile", "api_token", "idempotent_answer", "subscription", "webhook_stream", "review_draft",
        "account", "session", "sign_in_link",
    )
)  # fmt: skip
"""What is derived from the need assessment; who reaches the record by which secret, which is not of the record; and drafts, which
are nobody's but their writer's."""

_BY = {"timer_id": "timer", "notice_id": "notice"}
"""Tables that belong to a partnership through another one."""

FORMAT = "partnership-lifecycle/1"


def everything(connection: Connection, partnership_id: str) -> dict[str, Any]:
    """One partnership whole: its row, and each table's rows about it in the order of their keys.

    Documents and audit payloads are given as data, not as text.

    Raises:
        NotFound: there is no such partnership.
    """
    changes.find(connection, partnership_id)
    tables = [table for table in metadata.sorted_tables if table.name not in LEFT_OUT]
    return {"format": FORMAT} | {
        table.name: rows for table in tables if (rows := _rows(connection, table, partnership_id)) is not None
    }


def _rows(connection: Connection, table: Table, partnership_id: str) -> Any:
    if table.name == "partnership":
        return dict(connection.execute(select(table).where(table.c.id == partnership_id)).one()._mapping)
    statement = select(table).order_by(*table.primary_key.columns)
    if "partnership_id" in table.c:
        statement = statement.where(table.c.partnership_id == partnership_id)
    elif column := next((name for name in _BY if name in table.c), None):
        owner = metadata.tables[_BY[column]]
        statement = statement.join(owner, owner.c.id == table.c[column]).where(
            owner.c.partnership_id == partnership_id
        )
    else:
        return None
    return [_read(dict(row._mapping)) for row in connection.execute(statement)]


def _read(row: dict[str, Any]) -> dict[str, Any]:
    return row | {
        name: json.loads(row[name]) for name in ("content", "payload") if isinstance(row.get(name), str)
    }
