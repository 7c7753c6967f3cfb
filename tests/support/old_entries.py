"""Add entries with a past time to the retention log, which its triggers allow only to a superuser."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection

from tests import plugin

INSERT = """
INSERT INTO archive_logentry (at, event, premis, space_id, actor_kind, detail) VALUES (%s, %s, '', %s, 'system', %s)
RETURNING id
"""


def add_old_entry(event: str, at: datetime, space_id: UUID | None = None, **detail: Any) -> int:
    """Commit an entry, for tests with the fixture `committed`. Return its number."""
    url = plugin.engines.postgres.superuser_url(str(connection.settings_dict["NAME"]))
    with psycopg.connect(url) as superuser:
        superuser.execute("SET session_replication_role = replica")
        row = superuser.execute(INSERT, [at, event, space_id, json.dumps(detail)]).fetchone()
    assert row is not None
    return int(row[0])
