"""Move PostgreSQL's clock ahead. It is the only clock that deadlines are compared with.

Our own function `statement_timestamp` shadows PostgreSQL's in the search path of this session, and columns whose
default is the current time use it. The rollback at the end of the test undoes all of it.
"""

from datetime import timedelta

from django.db import connection

SETUP = """
CREATE SCHEMA moved;
CREATE TABLE moved.ahead (by interval NOT NULL);
INSERT INTO moved.ahead VALUES ('0');
CREATE FUNCTION moved.statement_timestamp() RETURNS timestamptz LANGUAGE sql STABLE AS
    'SELECT pg_catalog.statement_timestamp() + by FROM moved.ahead';
DO $$ DECLARE found record; BEGIN
    FOR found IN SELECT table_name, column_name FROM information_schema.columns
        WHERE table_schema = 'public' AND column_default LIKE '%statement_timestamp()%' LOOP
        EXECUTE format('ALTER TABLE %I ALTER COLUMN %I SET DEFAULT moved.statement_timestamp()',
            found.table_name, found.column_name);
    END LOOP;
END $$;
SET LOCAL search_path = moved, pg_catalog, public;
"""


def take_over() -> None:
    """Install the clock, as the first thing in a transaction."""
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(SETUP)


def move(by: timedelta) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE moved.ahead SET by = by + make_interval(secs => %s)", [by.total_seconds()])
