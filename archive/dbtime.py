"""The database's clock, the only clock that deadlines are compared with."""

from datetime import datetime

from django.db import connection


def now() -> datetime:
    """Return the database's time at this statement (aware, UTC)."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        (moment,) = cursor.fetchone()
    assert isinstance(moment, datetime)
    return moment
