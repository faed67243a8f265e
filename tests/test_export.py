"""Whatever is stored about a partnership is exported."""

from lifecycle import export
from lifecycle.models import metadata


def test_every_table_is_exported_or_left_out_on_purpose() -> None:
    reachable = {
        table.name
        for table in metadata.sorted_tables
        if table.name == "partnership" or {"partnership_id", "timer_id"} & set(table.c.keys())
    }
    assert reachable == set(metadata.tables)
    assert reachable > export.LEFT_OUT
