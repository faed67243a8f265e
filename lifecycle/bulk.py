"""Inserting rows at the driver's speed: the statement and the columns' types are resolved once per database dialect."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.dialects import postgresql, sqlite

_INSERT: Mapping[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class Inserts:
    """An INSERT of named columns into a table, for hot paths.

    SQLAlchemy 2.0 goes through every row anew and compiles ON CONFLICT at each use: half of a sweep's time and a
    quarter of a transition's (`benchmarks/`).
    """

    def __init__(self, table: Table, columns: Sequence[str], on_conflict: Callable[[Any], Any] = lambda i: i):
        """`on_conflict` adds an ON CONFLICT clause, without parameters of its own, to the statement that it gets."""
        self._table, self._columns, self._on_conflict = table, tuple(columns), on_conflict
        self._prepared = lru_cache(maxsize=8)(self._prepare)

    def __call__(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Insert the rows, each with a value for every column; returns how many were not there before."""
        if not rows:
            return 0
        sql, values_of = self._prepared(connection.dialect)
        return connection.exec_driver_sql(sql, [values_of(row) for row in rows]).rowcount

    def _prepare(self, dialect: Dialect) -> tuple[str, Callable[[Mapping[str, Any]], Any]]:
        statement = self._on_conflict(_INSERT[dialect.name](self._table).inline())
        compiled = statement.compile(dialect=dialect, column_keys=list(self._columns))
        names = compiled.positiontup if compiled.positional else self._columns
        types = [self._table.c[name].type.dialect_impl(dialect) for name in names]
        binds = [
            (position, name, bind)
            for position, (name, kind) in enumerate(zip(names, types, strict=True))
            if (bind := kind.bind_processor(dialect)) is not None
        ]
        in_order = itemgetter(*names)

        def positional(row: Mapping[str, Any]) -> tuple[Any, ...]:
            values = list(in_order(row))
            for position, _, bind in binds:
                values[position] = bind(values[position])
            return tuple(values)

        def named(row: Mapping[str, Any]) -> dict[str, Any]:
            values = dict(row)
            for _, name, bind in binds:
                values[name] = bind(values[name])
            return values

        return str(compiled), positional if compiled.positional else named
