"""Searches end in time, whatever is searched for."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg.errors
from django.db import OperationalError, connection, transaction

from archive.errors import Refused

SECONDS = 5.0
LIMIT = "SELECT set_config('statement_timeout', %s, true)"


@contextmanager
def limited_time(seconds: float = SECONDS) -> Iterator[None]:
    """Run each statement of this block for `seconds` at most, in one transaction. Raises Refused when that is not
    enough."""
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
