"""Alembic's environment: runs on the connection it is given, in that connection's transaction."""

from alembic import context

from lifecycle.models import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, transaction_per_migration=False)
context.run_migrations()
