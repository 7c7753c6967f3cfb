"""Limit the time of searches, and make PostgreSQL read indexes in their order."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg.errors
from django.db import OperationalError, connection, transaction

from archive.errors import Refused

SECONDS = 5.0
LIMIT = "SELECT set_config('statement_timeout', %s, true)"


@contextmanager
def limited_time(seconds: float = SECONDS) -> Iterator[None]:
    """Run each statement of this block for at most `seconds`, in one transaction. Raises Refused when that is too
    short."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            (before,) = cursor.fetchone()
            cursor.execute(LIMIT, [f"{seconds * 1000:.0f}ms"])
            yield
            cursor.execute(LIMIT, [before])  # the caller may continue in this transaction
    except OperationalError as error:
        if isinstance(error.__cause__, psycopg.errors.QueryCanceled):
            raise Refused("search.too_slow") from error
        raise


@contextmanager
def index_order() -> Iterator[None]:
    """Make the statements of this block read an index in its order, and stop after a page. Otherwise, if PostgreSQL
    expects a short range, it reads all of it first, or even the whole table, and then sorts."""
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_bitmapscan = off; SET LOCAL enable_seqscan = off")
        yield  # after an error the transaction is rolled back, and the settings with it
        cursor.execute("SET LOCAL enable_bitmapscan TO DEFAULT; SET LOCAL enable_seqscan TO DEFAULT")
