"""Read the parts of a status separately, so that a failing part does not hide the others."""

from collections.abc import Callable
from typing import TypeVar

import structlog
from django.db import InterfaceError, OperationalError, connection

from archive import work_log
from archive.errors import Refused
from archive.search import limited_time

P = TypeVar("P")

logger = structlog.get_logger()


class Reader:
    """`unreadable` has the names of the parts that could not be read. Once the database is down, the other parts are
    skipped, since each would wait for the connection again."""

    def __init__(self, seconds: float) -> None:
        """`seconds`: the longest time of one statement."""
        self.seconds = seconds
        self.unreadable: list[str] = []
        self.is_down = False

    def read(self, name: str, reader: Callable[[], P]) -> P | None:
        """Return the result of `reader`; None if it failed. An error other than a failing database is a bug of ours,
        and is logged as one."""
        try:
            if not self.is_down:
                with limited_time(self.seconds):
                    return reader()
        except Refused:
            logger.warning("status_too_slow", part=name)
        except (OperationalError, InterfaceError) as error:
            self.is_down = not connection.is_usable()  # otherwise only this statement failed: a lock, a full disk
            logger.warning("status_unreadable", part=name, error=type(error).__name__)
        except Exception as error:
            logger.error("status_failed", part=name, **work_log.describe_error(error))
        self.unreadable.append(name)
        return None
