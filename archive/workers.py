"""Record when each worker was last seen.

A worker notes each task that it starts and finishes, at most every few seconds, and the progress of a long one: that it
renewed its lease. A task that hangs does neither, so a worker with only such tasks soon counts as not seen, even if its
processes and their threads live. Beat sends tasks to each queue (portal/settings/work.py), so an idle worker is seen as
well.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Now

from archive import __version__, lease_renewal
from archive.models import Heartbeat

EVERY = 10.0  # least seconds between two notes of a process
FORGET_AFTER = timedelta(days=7)

_noted: dict[tuple[str, str], float] = {}


@dataclass(frozen=True)
class Worker:
    """`process` is Celery's name, such as `celery@host`. `queue` is a queue from which it takes tasks."""

    process: str
    queue: str
    version: str
    seen_at: datetime


def note(process: str, queue: str) -> None:
    """Note that `process` has started or finished a task of `queue`. Does nothing if it did so moments ago."""
    now = time.monotonic()
    if now - _noted.get((process, queue), float("-inf")) < EVERY:
        return
    row = Heartbeat(process=process, queue=queue, version=__version__, seen_at=Now())
    Heartbeat.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["process", "queue"], update_fields=["version", "seen_at"]
    )
    _noted[process, queue] = now


def note_progress() -> None:
    """Repeat the notes of a process that is busy with one long task, if its work has made progress since."""
    for (process, queue), noted_at in list(_noted.items()):
        if lease_renewal.progress_at() > noted_at:
            note(process, queue)


def read_workers() -> tuple[Worker, ...]:
    """Return all workers seen within a week: by queue, the latest first."""
    rows = Heartbeat.objects.order_by("queue", "-seen_at", "process")
    return tuple(Worker(row.process, row.queue, row.version, row.seen_at) for row in rows)


def patience() -> timedelta:
    """Return how long a running worker can be silent: it may be busy with one row for the length of a lease."""
    return timedelta(seconds=max(settings.LEASE_SECONDS, 5 * settings.DISPATCH_SECONDS))


def last_seen(workers: Collection[Worker], queue: str) -> datetime | None:
    return max((worker.seen_at for worker in workers if worker.queue == queue), default=None)


def delete_old() -> None:
    """Delete the rows of processes not seen for a week: each new container has a new name."""
    Heartbeat.objects.filter(seen_at__lt=Now() - FORGET_AFTER).delete()
