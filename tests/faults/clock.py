"""PostgreSQL's clock, moved ahead: the one clock that deadlines are compared with.

A function `statement_timestamp` of ours stands before the real one in the search path of this session, and columns that
take the time by default take it from there. All of it is undone with the transaction of the test.
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
    """Within a transaction, before anything else happens in it."""
    assert connection.in_atomic_block
    with connection.cursor() as cursor:
        cursor.execute(SETUP)


def move(by: timedelta) -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE moved.ahead SET by = by + make_interval(secs => %s)", [by.total_seconds()])
