"""Whether the dispatcher runs (archive/tasks.py). Beat starts it and the deleter runs it, so a dispatcher that does not
run means that one of them is down."""

from collections.abc import Mapping
from datetime import timedelta

from django.conf import settings

from archive import dbtime
from archive.models import TaskRun

ROUNDS_MISSED = 5
AT_LEAST = timedelta(minutes=5)


def patience() -> timedelta:
    """How long the dispatcher may be silent."""
    return max(AT_LEAST, ROUNDS_MISSED * timedelta(seconds=settings.DISPATCH_SECONDS))


def seconds_overdue(seconds_watched: float) -> float | None:
    """Seconds since the dispatcher's last round ended, by the database's clock, if that is longer than it may be; None
    if all is well. Before the first round: the seconds that the caller has watched."""
    finished_at = TaskRun.objects.filter(pk="dispatch").values_list("finished_at", flat=True).first()
    seconds = (dbtime.now() - finished_at).total_seconds() if finished_at else seconds_watched
    return seconds if seconds > patience().total_seconds() else None


def overdue_tasks(intervals: Mapping[str, timedelta]) -> list[str]:
    """Of these tasks of beat, those that were not done for longer than their interval, or never."""
    now = dbtime.now()
    done = dict(TaskRun.objects.values_list("task", "finished_at"))
    return [task for task, interval in intervals.items() if task not in done or now - done[task] > interval]
