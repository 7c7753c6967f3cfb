"""Read the parts of a status one by one, so that none of them hides the others."""

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
    """`unreadable` has the names of the parts that could not be read. Once the database is down, the others are not
    tried: each would wait for the connection again."""

    def __init__(self, seconds: float) -> None:
        """`seconds` that one statement may take."""
        self.seconds = seconds
        self.unreadable: list[str] = []
        self.is_down = False

    def read(self, name: str, reader: Callable[[], P]) -> P | None:
        """What `reader` returns; None if that was not possible. An error that is not the database's being down is ours,
        and is logged as one."""
        try:
            if not self.is_down:
                with limited_time(self.seconds):
                    return reader()
        except Refused:
            logger.warning("status_too_slow", part=name)
        except (OperationalError, InterfaceError) as error:
            self.is_down = not connection.is_usable()  # or only this statement failed: a lock, a full disk
            logger.warning("status_unreadable", part=name, error=type(error).__name__)
        except Exception as error:
            logger.error("status_failed", part=name, **work_log.describe_error(error))
        self.unreadable.append(name)
        return None
