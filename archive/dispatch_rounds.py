"""Check that the dispatcher runs (archive/tasks.py). Beat starts it and the deleter runs it, so if it does not run, one
of the two is down."""

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings

from archive import dbtime
from archive.models import TaskRun

ROUNDS_MISSED = 5
AT_LEAST = timedelta(minutes=5)


def patience() -> timedelta:
    """Return how long the dispatcher may be silent."""
    return max(AT_LEAST, ROUNDS_MISSED * timedelta(seconds=settings.DISPATCH_SECONDS))


def seconds_overdue(seconds_watched: float) -> float | None:
    """Return the seconds since the dispatcher's last round ended, by the database's clock, or None if they are within
    `patience`. Before the first round, count `seconds_watched`, the time for which the caller has watched."""
    finished_at = TaskRun.objects.filter(pk="dispatch").values_list("finished_at", flat=True).first()
    seconds = (dbtime.now() - finished_at).total_seconds() if finished_at else seconds_watched
    return seconds if seconds > patience().total_seconds() else None


def overdue_tasks(intervals: Mapping[str, timedelta]) -> list[str]:
    """Return those of beat's tasks that did not finish within their interval, or never."""
    now = dbtime.now()
    done = dict(TaskRun.objects.values_list("task", "finished_at"))
    return [task for task, interval in intervals.items() if task not in done or now - done[task] > interval]
