"""Run migrations as the owner of the tables, then grant the portal's role its privileges."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from django.core.management.base import CommandError, CommandParser
from django.core.management.commands import migrate
from django.db import DatabaseError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from archive import database_errors, database_roles, schema

# ALTER TABLE waits for transactions that read the table, and all later queries wait behind it, so pages hang.
LOCK_SECONDS = 5
HELD = (
    f"A process held a table for more than {LOCK_SECONDS} s, so the migration was given up before pages had to wait "
    "longer. It changed nothing: run migrate again."
)


class Command(migrate.Command):
    """Django's command with the owner's connection. See archive/database_roles.py."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with database_roles.as_owner(options["database"]) as connection, _short_waits(connection):
                if options.pop("json"):
                    self._migrate_quietly(*args, **options)
                else:
                    super().handle(*args, **options)
                if not (options["plan"] or options["check_unapplied"]):
                    database_roles.grant_privileges(connection)
        except OperationalError as error:
            if isinstance(error.__cause__, psycopg.errors.LockNotAvailable):
                raise CommandError(HELD) from error
            if database_errors.is_unreachable(error):
                raise CommandError(database_errors.describe_unreachable(error)) from error
            raise

    def _migrate_quietly(self, *args: Any, **options: Any) -> None:
        before = schema.find_unapplied()
        super().handle(*args, **{**options, "verbosity": 0})
        left = schema.find_unapplied()
        self.stdout.write(json.dumps({"migrated": [name for name in before if name not in left]}))


@contextmanager
def _short_waits(connection: BaseDatabaseWrapper) -> Iterator[None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{LOCK_SECONDS}s'")
    try:
        yield
    finally:
        with suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")
