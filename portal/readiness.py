"""What the portal needs to answer requests, and whether it is there."""

import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.db import Error, connection
from django.db.migrations.executor import MigrationExecutor

from archive.status.broker import BrokerDown, read_queues

# Without these no page works. Without the broker every page does, and work starts up to a minute late: a load balancer
# that took the portal away would make an outage of it.
NEEDED = ("database", "migrations")

FRESH = 1.0  # seconds; however many ask, the engines are asked once in that time

Facts = dict[str, Any]


@dataclass(frozen=True)
class Found:
    missing: list[str]
    until: float = 0.0


_asking = threading.Lock()
_found = Found([])


def live() -> tuple[HTTPStatus, Facts]:
    """200: the process answers. Asks nobody, so that nothing is restarted because something else is down."""
    return HTTPStatus.OK, {"ok": True}


def check() -> tuple[HTTPStatus, Facts]:
    """200 when PostgreSQL answers, else 503."""
    if _is_database_up():
        return HTTPStatus.OK, {"ok": True}
    return HTTPStatus.SERVICE_UNAVAILABLE, {"ok": False, "database": "unreachable"}


def ready() -> tuple[HTTPStatus, Facts]:
    """200 when requests can be answered, else 503. `missing` names what is not there, of NEEDED and the broker."""
    global _found  # noqa: PLW0603
    with _asking:
        if time.monotonic() >= _found.until:
            _found = Found(find_missing(), time.monotonic() + FRESH)
        missing = _found.missing
    is_ready = not set(missing) & set(NEEDED)
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return status, {"ready": is_ready, "missing": missing}


def find_missing() -> list[str]:
    missing = []
    try:
        if has_unapplied_migrations():
            missing.append("migrations")
    except Error:
        missing.append("database")
    try:
        read_queues()
    except BrokerDown:
        missing.append("broker")
    return missing


def has_unapplied_migrations() -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _is_database_up() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error:
        return False
    return True
