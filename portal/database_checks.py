"""Check the database when a process starts: it must have this version's tables, and PostgreSQL must end idle
transactions. A connection pooler may drop the setting for that."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Tags, register
from django.db import DatabaseError, Error, connections

from archive import database_errors, schema

SHOW = "SELECT setting::bigint FROM pg_settings WHERE name = 'idle_in_transaction_session_timeout'"


@register(Tags.database)
def idle_transactions(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn if a process that stops in a transaction could block others for longer than IDLE_TRANSACTION_SECONDS. For
    `manage.py check --database default`, `migrate`, and processes that start (portal/checks.py)."""
    messages: list[CheckMessage] = []
    for alias in databases or ():
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute(SHOW)
                milliseconds = cursor.fetchone()[0]
        except DatabaseError:
            continue  # the command that runs the check reports it
        if not 0 < milliseconds <= settings.IDLE_TRANSACTION_SECONDS * 1000:
            messages.append(_warning(milliseconds))
    return messages


def schema_is_older() -> list[CheckMessage]:
    """Refuse a database that lacks migrations of this version: pages and work would fail in the middle. For processes
    that start. They wait for a PostgreSQL that is down, and check it when it answers."""
    try:
        names = schema.find_unapplied()
    except Error as error:
        if database_errors.is_unreachable(error):
            schema.check_new_connections()
            return []
        message = f"The list of migrations can't be read: {database_errors.describe(error)}."
        hint = "Run `manage.py migrate`, which gives the portal's role its privileges."
        return [checks.Error(message, hint=hint, id="spacekeep.E196")]
    if not names:
        return []
    return [checks.Error(schema.describe_unapplied(names), hint=schema.REMEDY, id="spacekeep.E190")]


def _warning(milliseconds: int) -> CheckMessage:
    actual = f"after {milliseconds / 1000:g} s" if milliseconds else "never"
    limit, role = settings.IDLE_TRANSACTION_SECONDS, settings.DATABASE_ROLE
    message = (
        f"PostgreSQL ends idle transactions {actual}, and not after {limit} s, so a stopped process blocks deletions."
    )
    hint = (
        f"A pooler drops the value that is sent. Set it for the role: "
        f"ALTER ROLE {role} SET idle_in_transaction_session_timeout = '{limit}s'; then have the pooler reconnect."
    )
    return checks.Warning(message, hint=hint, id="spacekeep.W177")
