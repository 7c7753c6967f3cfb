"""The two database roles: the owner creates and migrates the tables; the portal's role only reads and writes rows.

`settings.DATABASE_ROLE` is the portal's role. `settings.DATABASE_OWNER` has the connection settings of the owner ({}
if one role does both); only `manage.py migrate` uses them. Two roles make the triggers of the log binding for the
portal's role as well: an owner could disable them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import DatabaseError
from psycopg import sql

# Tables in which the portal's role may only read and insert rows.
APPEND_ONLY = (
    "archive_logentry",
    "archive_logleaf",
    "archive_lognode",
    "archive_logcheckpoint",
    "archive_logcosignature",
    "archive_checkpointcopy",
    "archive_checkpointtimestamp",
    "archive_signingkeyevent",
    "archive_deletioncertificate",
)
READ_ONLY = ("django_migrations",)
# A column that a sequence fills: the portal's role may not choose its value, so nobody can number an entry to look
# older, or leave a gap to fill later.
NUMBERED = ("archive_logentry", "id")

GRANTS = """
REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC;
REVOKE ALL ON SCHEMA {schema} FROM PUBLIC, {role};
GRANT USAGE ON SCHEMA {schema} TO {role};
REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM PUBLIC, {role};
REVOKE ALL ON ALL SEQUENCES IN SCHEMA {schema} FROM PUBLIC, {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role};
ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT USAGE, SELECT ON SEQUENCES TO {role};
"""
OTHER_COLUMNS = """
SELECT attname FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
WHERE relname = %s AND relnamespace = current_schema()::regnamespace AND attnum > 0 AND NOT attisdropped
    AND attname <> %s ORDER BY attnum
"""
PRESENT = "SELECT relname FROM pg_class WHERE relname = ANY(%s) AND relnamespace = current_schema()::regnamespace"
# What the connected role should not be able to do, as text; no row if everything is right.
EXCESS = """
SELECT 'is a superuser' FROM pg_roles WHERE rolname = current_user AND rolsuper
UNION ALL SELECT 'may create tables' WHERE has_schema_privilege(current_schema(), 'CREATE')
UNION ALL SELECT 'owns ' || relname FROM pg_class
    WHERE relname = ANY(%s) AND relnamespace = current_schema()::regnamespace AND pg_has_role(relowner, 'MEMBER')
"""


@contextmanager
def as_owner(alias: str = "default") -> Iterator[BaseDatabaseWrapper]:
    """Connect as the owner of the tables while the context is open. Does nothing if there is one role only, or inside
    another such context.

    Closes the connection at both ends, so open it outside transactions.
    """
    connection = connections[alias]
    before = {name: connection.settings_dict[name] for name in settings.DATABASE_OWNER}
    if before == settings.DATABASE_OWNER:
        yield connection
        return
    connection.close()
    connection.settings_dict.update(settings.DATABASE_OWNER)
    try:
        yield connection
    finally:
        connection.close()
        connection.settings_dict.update(before)


def grant_privileges(connection: BaseDatabaseWrapper) -> None:
    """Grant the portal's role what it needs, and revoke everything else. Connect as the owner.

    Idempotent. Tables that are created later get the privileges by default.
    """
    if settings.DATABASE_OWNER.get("USER", settings.DATABASE_ROLE) == settings.DATABASE_ROLE:
        return
    with transaction.atomic(connection.alias), connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), current_schema()")
        database, schema = cursor.fetchone()
        names = {"database": database, "schema": schema, "role": settings.DATABASE_ROLE}
        identifiers = {name: sql.Identifier(value) for name, value in names.items()}
        cursor.execute(sql.SQL(GRANTS).format(**identifiers))
        for tables, excess in ((APPEND_ONLY, "UPDATE, DELETE"), (READ_ONLY, "INSERT, UPDATE, DELETE")):
            cursor.execute(PRESENT, [list(tables)])
            for (table,) in cursor.fetchall():
                revoke = sql.SQL("REVOKE " + excess + " ON {}.{} FROM {}")
                cursor.execute(revoke.format(identifiers["schema"], sql.Identifier(table), identifiers["role"]))
        _keep_number(cursor, identifiers)


def _keep_number(cursor: Any, identifiers: dict[str, sql.Identifier]) -> None:
    table, number = NUMBERED
    cursor.execute(OTHER_COLUMNS, [table, number])
    if columns := [sql.Identifier(name) for (name,) in cursor.fetchall()]:
        names = {**identifiers, "table": sql.Identifier(table), "columns": sql.SQL(", ").join(columns)}
        statements = (
            "REVOKE INSERT ON {schema}.{table} FROM {role}; GRANT INSERT ({columns}) ON {schema}.{table} TO {role}"
        )
        cursor.execute(sql.SQL(statements).format(**names))


@register(Tags.database)
def role_may_not_change_the_log(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn if the portal's role could disable the triggers of the log (`manage.py check --database default`)."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute(EXCESS, [list(APPEND_ONLY)])
                faults = sorted(fault for (fault,) in cursor.fetchall())
        except DatabaseError:
            continue  # the command that runs the check reports it
        if faults:
            message = f"The role in DATABASE_URL {' and '.join(faults)}, so it could change the retention log."
            hint = 'Use two roles: docs/operations.md, "Database roles".'
            messages.append(checks.Warning(message, hint=hint, id="spacekeep.W103"))
    return messages
