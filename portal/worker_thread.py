"""What each process of a worker does beside its task: a thread renews its leases, notes that the process lives, and
watches the dispatcher.

If the dispatcher has not run for some minutes, beat or the deleter is down. Then this thread says so in the logs, and
publishes what beat would have published: no deadline waits for beat.
"""

import threading
import time
from contextlib import suppress
from typing import Any, NoReturn

import structlog
from celery import current_app
from django.conf import settings
from django.db import Error, connection
from kombu.exceptions import OperationalError

from archive import dispatch_rounds, lease_renewal, workers

WATCH_SECONDS = 60.0

logger = structlog.get_logger()


def start() -> None:
    """Start the thread. Call it in the process that does the work, after the fork."""
    lease_renewal.start()
    threading.Thread(target=_run, name="leases", daemon=True).start()


def _run() -> NoReturn:
    started = watched_at = time.monotonic()
    while True:
        time.sleep(lease_renewal.interval())
        with suppress(Error):  # the next round may have more luck; meanwhile leases may expire, which is harmless
            connection.close_if_unusable_or_obsolete()
            lease_renewal.renew_held()
            workers.note_again()
            if time.monotonic() - watched_at >= WATCH_SECONDS:
                watched_at = time.monotonic()
                watch_dispatcher(watched_at - started)


def watch_dispatcher(seconds_watched: float) -> bool:
    """Report a dispatcher that has not run, and publish the tasks of beat's schedule. Returns whether it was so."""
    silent = dispatch_rounds.seconds_overdue(seconds_watched)
    if silent is None:
        return False
    logger.error("dispatcher_silent", seconds=round(silent))
    with suppress(OperationalError):
        schedule: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE
        for entry in schedule.values():
            current_app.send_task(entry["task"], retry=False, **entry["options"])
    return True
