"""What operators watch, as it is now: work, deletions, the log's checkpoints, the broker's queues.

`read_status` is what metrics and the status page show. Each part is a few bounded reads of indexes: rows are counted up
to MAX_COUNTED, so the cost does not grow with the archive. A part that can't be read in time is None, and the others
are there.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import structlog
from django.db import Error

from archive import dbtime
from archive.errors import Refused
from archive.models import TaskRun
from archive.search import limited_time
from archive.status.broker import BrokerDown, Queues, read_queues
from archive.status.deletions import Deletions, read_deletions
from archive.status.events import RecentEvents, read_events
from archive.status.log import LogStatus, read_log
from archive.status.spaces import Spaces, read_spaces
from archive.status.store import StoreStatus, read_store
from archive.status.work import MAX_COUNTED, WorkStatus, read_work

__all__ = [
    "MAX_COUNTED",
    "Deletions",
    "LogStatus",
    "Queues",
    "RecentEvents",
    "Spaces",
    "Status",
    "StoreStatus",
    "WorkStatus",
    "read_status",
]

P = TypeVar("P")
SECONDS = 3.0  # that one statement may take

logger = structlog.get_logger()


@dataclass(frozen=True)
class Status:
    """What could not be read is None, and `unreadable` has its name. `at` is when it was read, by the database's clock.

    `task_runs`: when each task that beat starts was last done, by the task's name.
    """

    at: datetime | None
    work: tuple[WorkStatus, ...] | None
    deletions: Deletions | None
    spaces: Spaces | None
    log: LogStatus | None
    events: RecentEvents | None
    store: StoreStatus | None
    task_runs: dict[str, datetime] | None
    queues: Queues | None
    unreadable: tuple[str, ...]


def read_status() -> Status:
    """Read all parts. Never raises because the database or the broker is down."""
    unreadable: list[str] = []
    is_down = False

    def read(name: str, reader: Callable[[], P]) -> P | None:
        nonlocal is_down
        try:
            if not is_down:  # each part would wait for the connection again
                with limited_time(SECONDS):
                    return reader()
        except Refused:
            logger.warning("status_too_slow", part=name)
        except Error as error:
            is_down = True
            logger.warning("status_unreadable", part=name, error=type(error).__name__)
        unreadable.append(name)
        return None

    return Status(
        at=read("at", dbtime.now),
        work=read("work", read_work),
        deletions=read("deletions", read_deletions),
        spaces=read("spaces", read_spaces),
        log=read("log", read_log),
        events=read("events", read_events),
        store=read("store", read_store),
        task_runs=read("task_runs", read_task_runs),
        queues=read_broker(unreadable),
        unreadable=tuple(unreadable),
    )


def read_broker(unreadable: list[str]) -> Queues | None:
    """The queues; None, with "queues" added to `unreadable`, when the broker is down."""
    try:
        return read_queues()
    except BrokerDown as error:
        logger.warning("status_unreadable", part="queues", error=str(error))
        unreadable.append("queues")
        return None


def read_task_runs() -> dict[str, datetime]:
    """When each task that beat starts was last done."""
    return dict(TaskRun.objects.values_list("task", "finished_at"))
