"""Which workers were seen lately.

A worker notes each task that it takes and finishes, at most every few seconds, and that a long one goes on: that it
renewed its lease with progress. A task that hangs does neither, so a worker that only has such tasks is soon not seen
any more, though its processes and their threads live. Beat sends tasks to each queue (portal/settings/work.py), so an
idle worker is seen as well.
"""

import time
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models.functions import Now

from archive import __version__, lease_renewal
from archive.models import Heartbeat

EVERY = 10.0  # seconds between two notes of a process
FORGET_AFTER = timedelta(days=7)

_noted: dict[tuple[str, str], float] = {}


@dataclass(frozen=True)
class Worker:
    """`process` is Celery's name for it, such as `celery@host`. `queue` is one that it takes tasks from."""

    process: str
    queue: str
    version: str
    seen_at: datetime


def note(process: str, queue: str) -> None:
    """`process` has taken a task from `queue` or finished it. Writes nothing if it noted that a moment ago."""
    now = time.monotonic()
    if now - _noted.get((process, queue), float("-inf")) < EVERY:
        return
    row = Heartbeat(process=process, queue=queue, version=__version__, seen_at=Now())
    Heartbeat.objects.bulk_create(
        [row], update_conflicts=True, unique_fields=["process", "queue"], update_fields=["version", "seen_at"]
    )
    _noted[process, queue] = now


def note_progress() -> None:
    """For a process that is busy with one task for long: note again what it noted before, if its work has made progress
    since then."""
    for (process, queue), noted_at in list(_noted.items()):
        if lease_renewal.progress_at() > noted_at:
            note(process, queue)


def read_workers() -> tuple[Worker, ...]:
    """All that were seen within a week: by queue, the latest first."""
    rows = Heartbeat.objects.order_by("queue", "-seen_at", "process")
    return tuple(Worker(row.process, row.queue, row.version, row.seen_at) for row in rows)


def patience() -> timedelta:
    """A worker that was not seen for longer does not run: it may be busy with one row for the length of a lease."""
    return timedelta(seconds=max(settings.LEASE_SECONDS, 5 * settings.DISPATCH_SECONDS))


def last_seen(workers: Collection[Worker], queue: str) -> datetime | None:
    return max((worker.seen_at for worker in workers if worker.queue == queue), default=None)


def delete_old() -> None:
    """Containers get a new name each time they are made."""
    Heartbeat.objects.filter(seen_at__lt=Now() - FORGET_AFTER).delete()
