"""Move PostgreSQL's clock ahead for all processes of the site. Deadlines are compared with this clock only.

tests/faults/clock.py does the same for one transaction. Call `take_over` before any process of the site connects.
"""

from datetime import timedelta

import psycopg
from django.db import connection

from tests import plugin
from tests.faults.clock import SETUP, move


def take_over() -> None:
    database = str(connection.settings_dict["NAME"])
    with psycopg.connect(plugin.engines.postgres.superuser_url(database)) as superuser:
        superuser.execute(SETUP.encode())
        superuser.execute("GRANT USAGE ON SCHEMA moved TO PUBLIC")
        superuser.execute("GRANT SELECT, UPDATE ON moved.ahead TO PUBLIC")
        superuser.execute(f'ALTER DATABASE "{database}" SET search_path = moved, pg_catalog, public'.encode())
    connection.close()  # the next one has the new path


def move_days(days: int) -> None:
    move(timedelta(days=days))
