"""Empty the test database after a test that committed.

TRUNCATE of every table takes a quarter of a second. Hundreds of tests commit, and most of them write only a few rows,
so only tables with rows are emptied. The connection stays open: a new one would read the catalog of all tables again,
which takes longer than everything else.
"""

import sys
from functools import cache
from typing import Any, LiteralString

import psycopg
from django.db import connection
from psycopg import sql

from archive.storage import keys, store
from tests import plugin

# Tables whose rows were created by migrations.
FROM_MIGRATIONS = ["django_migrations", "django_content_type", "auth_permission", "auth_group", "archive_rule"]
FROM_MIGRATIONS += ["archive_storereport"]  # tests/conftest.py creates its row once

TABLES: LiteralString = """
SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> ALL (%s)
"""
# Mark the tests' keys as known, or the first signature of each test would add an entry to its log.
KNOWN_KEYS: LiteralString = """
INSERT INTO archive_signingkeyevent (kind, change, public, endorsement)
SELECT kind, 'added', decode(public, 'base64'), '' FROM (VALUES
    ('certificate', 'RILERG5IjJWJ11ATJlsK1cMvEfYXqui67R1+RguSLXA='),
    ('log', '5FiY840ezoRaWfLcoCtI4sTOD7Xcjx8ZWUqEuy/XbQY=')) AS known (kind, public) ON CONFLICT DO NOTHING
"""
SESSIONS: LiteralString = """
SELECT usename, application_name, client_port, backend_start, state, state_change, query,
    pg_terminate_backend(pid, 5000)
FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend'
"""
RESTART: LiteralString = """
SELECT setval(s.oid::regclass, 1, false) FROM pg_class s JOIN pg_depend d ON d.objid = s.oid
JOIN pg_class t ON t.oid = d.refobjid AND t.relname <> ALL (%s) WHERE s.relkind = 'S' AND t.relkind = 'r'
"""


def as_superuser(*statements: str) -> None:
    """Run statements that the application's role is not allowed to, without triggers and foreign keys."""
    with psycopg.connect(plugin.engines.postgres.superuser_url(str(connection.settings_dict["NAME"]))) as superuser:
        superuser.execute("SET session_replication_role = replica")
        for statement in statements:
            superuser.execute(statement.encode())


def empty_database() -> None:
    """Delete every row that was not created by a migration, as the superuser, without triggers and foreign keys.

    Also deletes the log's checkpoint in the store, even if a test has deleted its row, because the next log is new.
    """
    remove_checkpoint()
    superuser = _cleaner()
    with superuser.transaction():
        tables = [table for (table,) in superuser.execute(_tables_with_rows()).fetchall()]
        for table in tables:
            superuser.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
        superuser.execute(RESTART, [FROM_MIGRATIONS])
        superuser.execute(KNOWN_KEYS)
    _last_signed[0] = NEVER_SIGNED


def remove_checkpoint() -> None:
    """Delete it from the store. A database without its row looks like a restored older one (archive/restores.py)."""
    store().client.delete_object(Bucket=store().bucket, Key=keys.log_object("checkpoint"))


def remove_rolled_back_checkpoint() -> None:
    """Remove the checkpoint if one was signed since the last call, or since the database was emptied. Its row may have
    been rolled back, but sequences are never rolled back."""
    signed = _cleaner().execute("SELECT last_value, is_called FROM archive_logcheckpoint_id_seq").fetchone()
    if signed != _last_signed[0]:
        remove_checkpoint()
        _last_signed[0] = signed


NEVER_SIGNED = (1, False)  # the checkpoint sequence in an empty database
_last_signed: list[Any] = [NEVER_SIGNED]


def add_known_keys() -> None:
    """Add the keys of tests/plugin.py to a new database."""
    with connection.cursor() as cursor:
        cursor.execute(KNOWN_KEYS)


def end_sessions() -> None:
    """End and print all sessions that still use the test database: a test has left a thread or process behind."""
    url = plugin.engines.postgres.superuser_url("postgres")
    with psycopg.connect(url, autocommit=True) as superuser:
        left = superuser.execute(SESSIONS, [connection.settings_dict["NAME"]]).fetchall()
    for session in left:
        sys.stderr.write(f"A session of the test database was left open: {session}\n")


def close_cleaner() -> None:
    """Close the cleaner's connection, so that the database can be dropped."""
    for cleaner in _open_cleaners:
        cleaner.close()
    _open_cleaners.clear()


def _cleaner() -> psycopg.Connection:
    """Return the superuser's connection, or a new one if a test has restarted PostgreSQL."""
    try:
        _open_cleaners[0].execute("SELECT 1")
    except (IndexError, psycopg.OperationalError):
        close_cleaner()
        url = plugin.engines.postgres.superuser_url(str(connection.settings_dict["NAME"]))
        _open_cleaners.append(psycopg.connect(url, autocommit=True))
        _open_cleaners[0].execute("SET session_replication_role = replica")
    return _open_cleaners[0]


_open_cleaners: list[psycopg.Connection] = []


@cache
def _tables_with_rows() -> sql.Composed:
    with connection.cursor() as cursor:
        cursor.execute(TABLES, [FROM_MIGRATIONS])
        tables = [table for (table,) in cursor.fetchall()]
    select = sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})")
    return sql.SQL(" UNION ALL ").join(select.format(table, sql.Identifier(table)) for table in tables)
