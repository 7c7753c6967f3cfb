"""Check that the engines that the portal needs are available.

At most one thread waits for the database and one for the broker, regardless of the number of requests and of slow
engines. Other threads return the last result, so that `/livez` always finds a free thread.
"""

import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from django.db import Error

from archive import database_errors, schema
from archive.status.broker import BrokerDown, read_queues

# Without these no page works. Without the broker every page works, and work starts up to a minute late; a load balancer
# that removed the portal would turn that into an outage.
NEEDED = ("database", "migrations", "tables")

FRESH = 1.0  # seconds; each engine is checked at most once in that time
TOO_OLD = 30.0  # seconds without an answer, after which an engine counts as missing. Longer than connecting may take.

Facts = dict[str, Any]

logger = structlog.get_logger()


class Check:
    """Cache the result of `find` (what is missing) for FRESH seconds."""

    def __init__(self, engine: str, find: Callable[[], list[str]]) -> None:
        self._engine, self._find = engine, find
        self._asking = threading.Lock()
        self.forget()

    def forget(self) -> None:
        self._missing: list[str] = [self._engine]
        self._found_at: float | None = None

    def missing(self) -> list[str]:
        if self._age() >= FRESH and self._asking.acquire(blocking=False):
            try:
                self._missing, self._found_at = self._find(), time.monotonic()
            finally:
                self._asking.release()
        return self._missing if self._age() < TOO_OLD else [self._engine]

    def _age(self) -> float:
        return float("inf") if self._found_at is None else time.monotonic() - self._found_at


def find_missing_of_database() -> list[str]:
    """`tables`: PostgreSQL answers, and does not let us read them."""
    try:
        return ["migrations"] if schema.find_unapplied() else []
    except schema.SchemaIsOlder:
        return ["migrations"]
    except Error as error:
        if database_errors.is_unreachable(error):
            return ["database"]
        logger.error("tables_unreadable", reason=database_errors.describe(error))
        return ["tables"]


def find_missing_of_broker() -> list[str]:
    try:
        read_queues()
    except BrokerDown:
        return ["broker"]
    return []


DATABASE = Check("database", find_missing_of_database)
BROKER = Check("broker", find_missing_of_broker)


def live() -> tuple[HTTPStatus, Facts]:
    """Answer 200, since the process runs. Checks no engine, so that processes are not restarted because an engine is
    down."""
    return HTTPStatus.OK, {"ok": True}


def check() -> tuple[HTTPStatus, Facts]:
    """Answer 200 if PostgreSQL answers, else 503."""
    if "database" in DATABASE.missing():
        return HTTPStatus.SERVICE_UNAVAILABLE, {"ok": False, "database": "unreachable"}
    return HTTPStatus.OK, {"ok": True}


def ready() -> tuple[HTTPStatus, Facts]:
    """Answer 200 if requests can be answered, else 503. `missing` lists missing engines, of NEEDED and the broker."""
    missing = DATABASE.missing() + BROKER.missing()
    is_ready = not set(missing) & set(NEEDED)
    status = HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE
    return status, {"ready": is_ready, "missing": missing}
