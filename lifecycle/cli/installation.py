"""Opening this installation's database for a command, and what stands in the way of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from lifecycle.errors import Unavailable

if TYPE_CHECKING:
    from lifecycle.config import Settings
    from lifecycle.db import Database


@contextmanager
def opened(current: bool = True) -> "Iterator[tuple[Database, Settings]]":
    """The database and the settings for one command. A database that goes away meanwhile is one error.

    Args:
        current: refuse a database that `lifecycle init-db` has not brought to this version.

    Raises:
        Unavailable: it cannot be reached, does not exist, or is of another version.
        Usage, Invalid: a setting is malformed.
    """
    from sqlalchemy.exc import DBAPIError

    from lifecycle.config import load_settings
    from lifecycle.db import Database, unreachable

    settings = load_settings()
    database = Database(settings.database_url.get_secret_value())
    try:
        if current:
            _require_file(database)
            database.require_current()
        yield database, settings
    except DBAPIError as error:
        raise unreachable(database, error) from None
    finally:
        database.close()


def _require_file(database: "Database") -> None:
    """SQLite would create an absent file: a mistyped name must not leave an empty database behind."""
    name = database.url.database
    if (
        database.engine.dialect.name != "sqlite"
        or name in {None, "", ":memory:"}
        or str(name).startswith("file:")
    ):
        return
    if not Path(str(name)).exists():
        raise Unavailable(
            f"There is no database {Path(str(name)).absolute()} yet.",
            mend="Run `lifecycle init-db` to create it, or set LIFECYCLE_DATABASE_URL to the one you mean.",
        )
