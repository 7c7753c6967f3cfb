"""Metrics from PostgreSQL and the broker: archive.status.Status, read when scraped.

Labels are fixed names: tasks, phases, error codes, events, queues. No ids, names or titles.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from django.conf import settings
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from archive.status import Deletions, LogStatus, Spaces, Status, StoreStatus, WorkStatus, read_status
from archive.status.work import PHASES

PREFIX = "spacekeep_"
PARTS = ("work", "deletions", "spaces", "log", "events", "store", "task_runs", "queues")

TOO_OLD = 60.0  # seconds, after which a cached text is too old

_reading = threading.Lock()
_last: tuple[bytes, float] | None = None  # the text, and when it was read


class StatusCollector(Collector):
    """The metrics of a status. Those of a part that could not be read are left out."""

    def __init__(self, status: Status) -> None:
        self.status = status

    def collect(self) -> Iterator[Metric]:
        status = self.status
        yield _by("status_readable", "1 if this part could be read in time, else 0.", "part", _readable(status))
        if status.at is None:
            return
        if status.work is not None:
            yield from _work(status.work, status.at)
        if status.deletions is not None:
            yield from _deletions(status.deletions, status.at)
        if status.spaces is not None:
            yield from _spaces(status.spaces)
        if status.log is not None:
            yield from _log(status.log, status.at)
        if status.events is not None:
            yield _by("events_last_day", "Log entries of the last day.", "event", status.events)
        if status.store is not None:
            yield from _store(status.store)
        if status.task_runs is not None:
            runs = {task: at.timestamp() for task, at in status.task_runs.items()}
            yield _by("task_last_run_timestamp_seconds", "When a scheduled task last finished.", "task", runs)
        if status.queues is not None:
            yield _by("queue_messages", "Messages that wait for a worker.", "queue", status.queues)


def scrape() -> bytes | None:
    """Return all metrics as text. During another scrape, return the text of the last one, or None if there is none or
    it is too old. So scrapes use at most one thread and one connection, and the other threads answer health checks."""
    global _last  # noqa: PLW0603
    if not _reading.acquire(blocking=False):
        return _last[0] if _last and time.monotonic() - _last[1] < TOO_OLD else None
    try:
        registry = CollectorRegistry()
        registry.register(StatusCollector(read_status()))
        text = generate_latest(registry)
        _last = text, time.monotonic()
        return text
    finally:
        _reading.release()


def _readable(status: Status) -> dict[str, int]:
    return {part: int(part not in status.unreadable) for part in PARTS}


def _work(work: Iterable[WorkStatus], now: datetime) -> Iterator[Metric]:
    rows = GaugeMetricFamily(f"{PREFIX}work_rows", "Rows of work, counted up to 10,000.", labels=["task", "phase"])
    problems = GaugeMetricFamily(
        f"{PREFIX}work_problem_rows", "Rows of work whose last attempt failed, by error code.", labels=["task", "code"]
    )
    retried = _family("work_retried_rows", "Rows of work that were attempted more than once.", "task")
    oldest = _family("work_oldest_seconds", "Seconds that the oldest row has waited; 0 if there is none.", "task")
    for status in work:
        for phase in PHASES:
            rows.add_metric([status.task, phase], getattr(status, phase))
        for code, count in status.problems.items():
            problems.add_metric([status.task, code], count)
        retried.add_metric([status.task], status.retried)
        oldest.add_metric([status.task], _age(status.oldest_at, now))
    return iter((rows, problems, retried, oldest))


def _deletions(found: Deletions, now: datetime) -> Iterator[Metric]:
    yield _one("spaces_due", "Spaces past their deadline whose deletion has not started.", found.due)
    yield _one("spaces_expiring", "Spaces that are being deleted.", found.expiring)
    yield _one("spaces_overdue", "Spaces that were not deleted 15 minutes after their deadline.", found.overdue)
    yield _one("spaces_on_hold", "Spaces on legal hold.", found.on_hold)
    yield _one("deletion_paused", "1 while an unconfirmed restore pauses all deletion, else 0.", found.is_paused)
    waiting = "Seconds since the earliest deadline whose deletion is not confirmed; 0 if there is none."
    yield _one("deletion_oldest_pending_seconds", waiting, _age(found.oldest_pending, now))
    yield _one("deletions_last_hour", "Spaces deleted at their deadline in the last hour.", found.deleted)
    yield _one("deletions_late_last_hour", "Spaces deleted more than 15 minutes late in the last hour.", found.late)
    yield _one("deletion_delay_worst_seconds", "Longest delay of a deletion in the last hour.", found.worst or 0)
    yield _one("deletion_delay_median_seconds", "Median delay of the deletions of the last hour.", found.median or 0)


def _spaces(found: Spaces) -> Iterator[Metric]:
    estimates = {"kept": found.kept, "deleted": found.deleted}
    known = {state: count for state, count in estimates.items() if count is not None}
    yield _by("spaces_estimated", "Number of Spaces, as PostgreSQL estimates it.", "state", known)
    yield _one("spaces_flagged", "Spaces with an active flag.", found.flagged)
    yield _one("spaces_appealed", "Spaces with an open appeal.", found.appealed)
    yield _one("spaces_to_review", "Spaces that no admin has reviewed.", found.to_review)
    yield _one("uploads_open", "Uploads in progress.", found.open_uploads)


def _log(found: LogStatus, now: datetime) -> Iterator[Metric]:
    yield CounterMetricFamily(f"{PREFIX}log_entries", "Log entries that have an index.", found.size)
    yield _one("log_waiting_entries", "Log entries without an index.", found.waiting)
    waiting = "Seconds that the oldest entry has waited for its index; 0 if there is none."
    yield _one("log_oldest_waiting_seconds", waiting, _age(found.oldest_waiting, now))
    yield _one("log_sequencer_failing", "1 if the sequencer's last run failed, else 0.", bool(found.problem_code))
    pause = "LOG_CHECKPOINT_SECONDS: seconds between two checkpoints while there is news."
    yield _one("log_checkpoint_interval_seconds", pause, settings.LOG_CHECKPOINT_SECONDS)
    if found.checkpoint_at is not None:  # nothing was ever signed
        at = found.checkpoint_at.timestamp()
        yield _one("log_checkpoint_timestamp_seconds", "When the newest checkpoint was signed.", at)
        yield _one("log_checkpoint_entries", "Entries that the newest checkpoint covers.", found.checkpoint_size)
        yield _one("log_checkpoint_published", "1 if the store has the newest checkpoint, else 0.", found.is_published)


def _store(found: StoreStatus) -> Iterator[Metric]:
    times = {"rehearsal": found.rehearsed_at, "recheck": found.rechecked_at}
    done = {check: at.timestamp() for check, at in times.items() if at is not None}
    yield _by("store_check_timestamp_seconds", "When a daily check of the store last finished.", "check", done)
    yield _one("store_faults", "Guarantees that the store lacks, and that have no fallback.", len(found.faults))
    findings = {"orphan": found.orphans, "ghost": found.ghosts}
    yield _by("reconcile_findings", "Unresolved findings of reconcile.", "kind", findings)


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0


def _one(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, text, value)


def _by(name: str, text: str, label: str, values: Mapping[str, float]) -> Metric:
    family = _family(name, text, label)
    for key, value in values.items():
        family.add_metric([key], value)
    return family


def _family(name: str, text: str, label: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, text, labels=[label])
