"""Alembic migrations, and the one function that brings a database to this engine's version."""

from pathlib import Path

from sqlalchemy.exc import DBAPIError

from lifecycle.db import SCHEMA_HEAD, Database, unreachable


def upgrade(database: Database) -> str | None:
    """Create or upgrade the tables; idempotent. Returns the revision the database was at before, None if new.

    Raises:
        Unavailable: the database cannot be reached, or is of a newer version than this engine.
    """
    from alembic import command
    from alembic.config import Config

    before = database.schema_revision()
    if before == SCHEMA_HEAD:
        return before
    if before is not None and before > SCHEMA_HEAD:
        database.require_current()
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    try:
        with database.write() as connection:
            if connection.dialect.name == "postgresql":
                # Two at once: the second waits, and finds nothing left to do.
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7021987)")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except DBAPIError as error:
        raise unreachable(database, error) from None
    return before
