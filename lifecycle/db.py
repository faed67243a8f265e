"""The database: engine, column types, and the unit of work (one `write()` block is one transaction)."""

import select
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson
from sqlalchemy import (
    Connection,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    String,
    TypeDecorator,
    create_engine,
    event,
    inspect,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    DatabaseError,
    DBAPIError,
    DisconnectionError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
)

from lifecycle.errors import Unavailable, Usage

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_N_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

DRIVERS = frozenset({"sqlite", "postgresql+psycopg"})

SCHEMA_HEAD = "0011"
"""The Alembic revision that this version of the engine works with."""


class Instant(TypeDecorator[datetime]):
    """An instant in UTC. Aware in Python; `timestamptz` on PostgreSQL, sortable ISO 8601 text on SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Text on SQLite, which has no type for instants."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(String(32))
        return dialect.type_descriptor(DateTime(timezone=True))

    def bind_processor(self, dialect: Dialect) -> Any:
        """Refuse naive times; microseconds are always written, so that text sorts as time does.

        Overridden whole: `process_bind_param` would go through two more calls for each value of a bulk insert.
        """
        return _to_text if dialect.name == "sqlite" else _to_utc

    def result_processor(self, dialect: Dialect, coltype: Any) -> Any:
        """Always aware, always UTC."""
        return _from_text if dialect.name == "sqlite" else _to_utc


def _to_utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is None:
        raise TypeError("an instant needs a time zone")
    return value.astimezone(UTC)


@lru_cache(maxsize=1024)
def _to_text(value: datetime | None) -> str | None:
    """Cached: a sweep writes the same few instants into thousands of rows."""
    instant = _to_utc(value)
    return None if instant is None else instant.isoformat(timespec="microseconds")


def _from_text(value: str | None) -> datetime | None:
    return None if value is None else datetime.fromisoformat(value)


class Database:
    """One database and the two ways to use it: `read()` and `write()`."""

    def __init__(self, url: str) -> None:
        """Open `url` lazily: nothing is connected before the first block.

        Raises:
            Usage: the URL is malformed or names a database this engine does not know.
        """
        try:
            self.url = make_url(url)
            if self.url.drivername not in DRIVERS:
                raise NoSuchModuleError(self.url.drivername)
            self.engine = _create_engine(self.url.render_as_string(hide_password=False))
        except (ArgumentError, NoSuchModuleError, ValueError) as error:
            raise Usage(
                f"LIFECYCLE_DATABASE_URL is not a database URL that this engine knows ({type(error).__name__}).",
                mend="Use sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME.",
            ) from None

    @property
    def shown(self) -> str:
        """The URL as it may be shown: a password hides in its query as well."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: everything in the block commits together or not at all.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE), so that two writers queue instead of failing.
        """
        with self._connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, seeing one consistent state."""
        with self._connect() as connection, connection.execution_options(lifecycle_reads=True).begin():
            yield connection

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        try:
            connection = self.engine.connect()
        except DBAPIError as error:
            raise unreachable(self, error) from None
        with connection:
            yield connection

    def schema_revision(self) -> str | None:
        """The Alembic revision the database is at, or None if it was never set up."""
        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()

    def require_current(self) -> None:
        """Refuse a database that is of another version than this engine.

        Raises:
            Unavailable: it was never set up, is older, or is newer; the mend names the command.
        """
        found = self.schema_revision()
        if found == SCHEMA_HEAD:
            return
        what = (
            "has not been set up"
            if found is None
            else f"is at version {found}, this engine needs {SCHEMA_HEAD}"
        )
        newer = found is not None and found > SCHEMA_HEAD
        mend = (
            "Install the newer partnership-lifecycle."
            if newer
            else "Run `lifecycle init-db` (it keeps all data)."
        )
        raise Unavailable(f"The database {self.shown} {what}.", mend=mend)

    def close(self) -> None:
        """Close the pooled connections."""
        self.engine.dispose()


def unreachable(database: Database, error: DBAPIError) -> Unavailable:
    """The error for a database that does not do its work, without its password and without the statement's values."""
    reason = str(error.orig).strip().splitlines()[0] if error.orig else type(error).__name__
    if isinstance(error, OperationalError | InterfaceError):
        return Unavailable(
            f"The database {database.shown} cannot be reached: {reason[:200]}.",
            mend="Check LIFECYCLE_DATABASE_URL, that the server runs and is not busy, and that the folder of an SQLite file "
            "exists and can be written.",
        )
    if type(error) is DatabaseError:
        return Unavailable(
            f"The database {database.shown} is damaged, or is none: {reason[:200]}.",
            mend="Check LIFECYCLE_DATABASE_URL; if it names the right file, restore its backup.",
        )
    return Unavailable(
        f"The database {database.shown} refused a statement ({type(error).__name__}: {reason[:200]}).",
        mend="Nothing was changed. Check the rights of its user, and with `lifecycle doctor` that it is whole.",
    )


def _create_engine(url: str) -> Engine:
    engine = create_engine(url, json_serializer=_to_json, hide_parameters=True)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        event.listen(engine, "checkout", _discard_if_closed)
    return engine


_STRICT = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_SUBCLASS
"""What plain JSON does not know is refused, not guessed."""


def _to_json(value: Any) -> str:
    return orjson.dumps(value, option=_STRICT).decode()


def _discard_if_closed(connection: Any, _record: Any, _proxy: Any) -> None:
    """A server that went away has closed its end, which shows without asking it; a ping would cost a round trip."""
    if select.select([connection.fileno()], [], [], 0)[0]:
        raise DisconnectionError


def _configure_sqlite(connection: Any, _record: Any) -> None:
    # The driver's own implicit BEGIN is switched off: transactions start where `_begin_sqlite` says.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout = 30000")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    # 64 MiB instead of 2: a sweep touches pages all over a large file.
    connection.execute("PRAGMA cache_size = -65536")


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("lifecycle_reads")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
