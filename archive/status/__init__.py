"""The present state for operators: work, deletions, the log's checkpoints, the broker's queues.

Metrics and the status page show the result of `read_status`. Each part is a few bounded reads of indexes: rows are
counted up to MAX_COUNTED, so the cost does not grow with the archive. A part that can't be read in time is None, and
the others are still read.
"""

from dataclasses import dataclass
from datetime import datetime

import structlog

from archive import dbtime
from archive.models import TaskRun
from archive.status.broker import BrokerDown, Queues, read_queues
from archive.status.deletions import Deletions, read_deletions
from archive.status.events import RecentEvents, read_events
from archive.status.log import LogStatus, read_log
from archive.status.reading import Reader
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

SECONDS = 3.0  # the longest time of one statement

logger = structlog.get_logger()


@dataclass(frozen=True)
class Status:
    """Parts that could not be read are None, and `unreadable` has their names. `at`: when it was read, by the
    database's clock.

    `task_runs`: when each task that beat starts last finished, by the task's name.
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
    """Read all parts. Does not raise if the database or the broker is down."""
    reader = Reader(SECONDS)
    return Status(
        at=reader.read("at", dbtime.now),
        work=reader.read("work", read_work),
        deletions=reader.read("deletions", read_deletions),
        spaces=reader.read("spaces", read_spaces),
        log=reader.read("log", read_log),
        events=reader.read("events", read_events),
        store=reader.read("store", read_store),
        task_runs=reader.read("task_runs", read_task_runs),
        queues=read_broker(reader.unreadable),
        unreadable=tuple(reader.unreadable),
    )


def read_broker(unreadable: list[str]) -> Queues | None:
    """Return the queues; None, with "queues" added to `unreadable`, when the broker is down."""
    try:
        return read_queues()
    except BrokerDown as error:
        logger.warning("status_unreadable", part="queues", error=str(error))
        unreadable.append("queues")
        return None


def read_task_runs() -> dict[str, datetime]:
    """Return when each task that beat starts last finished."""
    return dict(TaskRun.objects.values_list("task", "finished_at"))
