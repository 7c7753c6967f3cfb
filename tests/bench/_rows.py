"""Rows for measures of pages: an archive of any size, written in bulk.

Of ten Spaces three are kept and seven are tombstones. Two hosts have many of them: `busy` 2 %, `huge` a sixth, so of
1,000,000 Spaces they keep 6,000 and 50,000. The first 1,000 Spaces are a small archive in which every list already
fills a page. Random values are hashes of numbers, so they are the same in each run.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests import plugin

ROWS = Path(__file__).with_name("rows.sql")
SMALL = 1000
TABLES = (
    *("archive_user", "archive_space", "archive_spaceindex", "archive_participant", "archive_recording"),
    *("archive_transcript", "archive_searchline", "archive_violation", "archive_appeal", "archive_hold"),
    *("archive_notice", "archive_deletioncertificate", "archive_logentry", "archive_invitation"),
)
FIRST_OTHER = 1000  # the number of the first account of another host
SECONDARY = """
SELECT indexdef, indexrelid::regclass::text FROM pg_index JOIN pg_indexes ON indexname = indexrelid::regclass::text
WHERE indrelid = ANY(%s::regclass[]) AND NOT indisunique
"""
# Otherwise triggers and foreign keys would be checked row by row.
SETTINGS = """
SET session_replication_role = replica; SET maintenance_work_mem = '1GB'; SET work_mem = '128MB';
SET max_parallel_maintenance_workers = 2; SET synchronous_commit = off
"""


def superuser(database: str) -> psycopg.Connection:
    url = plugin.engines.postgres.superuser_url(database)
    return psycopg.connect(url, cursor_factory=psycopg.ClientCursor, autocommit=True)


def allow_long_transactions() -> None:
    """Writing gigabytes of rows must not wait for checkpoints: after a crash the data is thrown away."""
    with superuser("postgres") as connection:
        connection.execute("ALTER SYSTEM SET max_wal_size = '32GB'")
        connection.execute("ALTER SYSTEM SET checkpoint_timeout = '1h'")
        connection.execute("SELECT pg_reload_conf()")


def has_database(database: str) -> bool:
    with superuser("postgres") as connection:
        return bool(connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone())


def copy_database(database: str, copy: str) -> None:
    """Copy a database. Nothing may be connected to `database`."""
    with superuser("postgres") as connection:
        names = (sql.Identifier(name) for name in (copy, database))
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))


def fill(database: str, first: int, last: int, *, admin: int, busy: int, huge: int, entries: int) -> None:
    """Write the Spaces number `first` to `last` with everything that belongs to them. `admin`, `busy` and `huge` are
    accounts; each Space has `entries` entries in the log."""
    others = max(50, last // 50)
    before = 0 if first == 1 else max(50, first // 50)
    rows = {"first": first, "last": last, "small": SMALL, "entries": entries, "others": others}
    accounts = {"admin": admin, "busy": busy, "huge": huge, "first_other": FIRST_OTHER}
    values = rows | accounts | {"first_user": FIRST_OTHER + before, "last_user": FIRST_OTHER + others - 1}
    with superuser(database) as connection:
        connection.execute(SETTINGS)
        with connection.transaction(), _without_indexes(connection):
            connection.execute(ROWS.read_bytes(), values)
        connection.execute("VACUUM (ANALYZE, PARALLEL 2)")
        connection.execute("CHECKPOINT")  # not while pages are measured


@contextmanager
def _without_indexes(connection: psycopg.Connection) -> Iterator[None]:
    """Writing 10,000,000 rows and then their indexes is faster than updating the indexes row by row."""
    indexes = connection.execute(SECONDARY, [list(TABLES)]).fetchall()
    for _, name in indexes:
        connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
    yield
    for definition, _ in indexes:
        connection.execute(definition)
