"""The background thread of each worker process: it renews leases, records that the worker is active, and watches the
dispatcher. An error in one step neither ends the thread nor prevents the other steps.

If the dispatcher has not run for some minutes, beat or the deleter is down. Then each minute one of all these threads
reports that, and publishes beat's overdue tasks, so that no deadline waits for beat.
"""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NoReturn

import structlog
from celery import current_app
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from kombu.exceptions import OperationalError as BrokerError

from archive import dispatch_rounds, lease_renewal, rate_limits, repeated_lines, work_log, workers

WATCH_SECONDS = 60.0

logger = structlog.get_logger()


def start() -> None:
    """Start the thread. Call this in the process that does the work, after the fork."""
    lease_renewal.start()
    threading.Thread(target=_run, name="leases", daemon=True).start()


def _run() -> NoReturn:
    started = watched_at = time.monotonic()
    while True:
        time.sleep(lease_renewal.interval())
        steps: list[Callable[[], object]] = [
            connection.close_if_unusable_or_obsolete,
            lease_renewal.renew_held,
            workers.note_progress,
            repeated_lines.flush,
        ]
        if time.monotonic() - watched_at >= WATCH_SECONDS:
            watched_at = time.monotonic()
            steps.append(lambda: watch_dispatcher(time.monotonic() - started))
        run_steps(steps)


def run_steps(steps: list[Callable[[], object]]) -> None:
    """Call all steps, even if one of them raises an error."""
    for step in steps:
        try:
            step()
        except (OperationalError, InterfaceError):
            return  # the database is down: retry in the next round. Leases may expire, which is harmless.
        except Exception as error:  # if the thread ended, this process would lose all its leases
            logger.error("worker_thread_failed", **work_log.describe_error(error))


def watch_dispatcher(seconds_watched: float) -> bool:
    """If the dispatcher has not run, report it, and publish the overdue tasks of beat's schedule. Only one of all
    processes does so, once a minute. Returns whether the dispatcher has not run."""
    silent = dispatch_rounds.seconds_overdue(seconds_watched)
    if silent is None:
        return False
    if rate_limits.take_turn("dispatcher_silent", WATCH_SECONDS):
        logger.error("dispatcher_silent", seconds=round(silent))
        with suppress(BrokerError):
            _publish_overdue()
    return True


def _publish_overdue() -> None:
    schedule: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
    entries = {entry["task"].rpartition(".")[2]: entry for entry in schedule.values()}
    overdue = dispatch_rounds.overdue_tasks({task: entry["schedule"] for task, entry in entries.items()})
    for entry in (entries[task] for task in overdue):
        current_app.send_task(entry["task"], retry=False, **entry.get("options", {}))
