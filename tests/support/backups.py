"""Back up and restore every row and sequence of the test database, without leaving it.

It copies each table with COPY, as pg_dump does, but not the schema. `make drill` tests pg_dump and a new database.
"""

from dataclasses import dataclass
from typing import LiteralString

import psycopg
from django.db import connection
from psycopg import sql

from tests import plugin

TABLES: LiteralString = (
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY relname"
)
SEQUENCES: LiteralString = "SELECT sequencename, coalesce(last_value, 0) FROM pg_sequences WHERE schemaname = 'public'"
SET: LiteralString = "SELECT setval(format('public.%%I', %s::text)::regclass, greatest(%s, 1), %s > 0)"


@dataclass(frozen=True)
class Backup:
    rows: dict[str, bytes]
    sequences: dict[str, int]


def back_up() -> Backup:
    with _superuser() as superuser:
        rows = {}
        for (table,) in superuser.execute(TABLES).fetchall():
            with superuser.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copy:
                rows[table] = b"".join(bytes(block) for block in copy)
        return Backup(rows, dict(superuser.execute(SEQUENCES).fetchall()))


def restore(backup: Backup) -> None:
    with _superuser() as superuser:
        superuser.execute("SET session_replication_role = replica")
        for table, rows in backup.rows.items():
            name = sql.Identifier(table)
            superuser.execute(sql.SQL("DELETE FROM {}").format(name))
            with superuser.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(name)) as copy:
                copy.write(rows)
        for sequence, value in backup.sequences.items():
            superuser.execute(SET, [sequence, value, value])


def _superuser() -> psycopg.Connection:
    return psycopg.connect(plugin.engines.postgres.superuser_url(str(connection.settings_dict["NAME"])))
