"""Check that the database has the tables and columns of this version. A newer schema has them too: a release only adds
columns and tables (docs/how-to/change-a-table.md), so the release before works on it."""

from functools import cache
from typing import Any

from django.db import Error, OperationalError, connection
from django.db.backends.signals import connection_created
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

REMEDY = "Run `manage.py migrate` with this version, then start this again: nothing was changed."


class SchemaIsOlder(OperationalError):
    """To this process the database is as good as down."""


def find_unapplied() -> list[str]:
    """Return the migrations of this version that the database lacks: ["archive.0003_seats"]. Raises django.db.Error if
    the database can't be read."""
    applied = MigrationRecorder(connection).applied_migrations()
    return [f"{app}.{name}" for app, name in our_migrations() if (app, name) not in applied]


@cache
def our_migrations() -> list[tuple[str, str]]:
    """Return (app, name) of the migrations in this code. Cached, since they don't change while a process runs, and
    reading their files takes a tenth of a second."""
    return sorted(MigrationLoader(None).graph.nodes)


def describe_unapplied(names: list[str]) -> str:
    """Return a sentence about these migrations, for people."""
    first = next((name for name in names if name.startswith("archive.")), names[0])
    if len(names) == 1:
        return f"The database lacks a migration of this version: {first}."
    return f"The database lacks {len(names)} migrations of this version, among them {first}."


def check_new_connections() -> None:
    """Check each new connection of this process until one finds all migrations: opening it raises SchemaIsOlder before.
    For a process that starts while PostgreSQL is down, so that pages and tasks go on waiting for it."""
    connection_created.connect(_check, dispatch_uid=__name__)


def _check(**kwargs: Any) -> None:
    try:
        if names := find_unapplied():
            raise SchemaIsOlder(f"{describe_unapplied(names)} Run `manage.py migrate` with this version.")
    except Error:
        connection.close()
        raise
    connection_created.disconnect(dispatch_uid=__name__)
