"""Whatever is stored about a partnership is exported."""

from datetime import datetime
from hashlib import sha256

from lifecycle import export
from lifecycle.access import tokens
from lifecycle.db import Database
from lifecycle.models import metadata
from lifecycle.subscriptions import service as subscriptions
from tests.builders import SETTINGS, registered


def test_every_table_is_exported_or_left_out_on_purpose() -> None:
    reachable = {
        table.name
        for table in metadata.sorted_tables
        if table.name == "partnership" or {"partnership_id", "timer_id", "notice_id"} & set(table.c.keys())
    }
    assert reachable | export.LEFT_OUT == set(metadata.tables)
    assert set(metadata.tables) > export.LEFT_OUT


def test_no_secret_is_exported(database: Database, now: datetime) -> None:
    registered(database, now)
    token = tokens.create(
        database, "x", "contact", now, 1, partnership_id="harbour", contact_id="clinic-primary"
    )
    _, secret = subscriptions.subscribe(
        database,
        "https://grants.example/hook",
        now,
        SETTINGS,
        partnership_id="harbour",
        resolve=lambda *_: ["198.41.0.4"],
    )
    with database.read() as connection:
        found = str(export.everything(connection, "harbour"))
    assert "clinic-primary@clinic.example" in found
    for word in (token, sha256(token.encode()).hexdigest(), secret):
        assert word not in found
