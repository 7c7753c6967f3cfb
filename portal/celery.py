"""The Celery application: `celery -A portal.celery worker`, `celery -A portal.celery beat`."""

import os
import time
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_ready,
)

from portal import broker, process_metrics

process_metrics.prepare()
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

broker.register()

app = Celery("spacekeep")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["archive"])


@setup_logging.connect
def keep_djangos_logging(**kwargs: Any) -> None:
    """Keep Django's logging: with a receiver of this signal, Celery sets up none."""


@worker_init.connect
@beat_init.connect
def stop_if_wrong(**kwargs: Any) -> None:
    from portal import checks  # noqa: PLC0415  (needs the apps, which Celery sets up first)

    checks.stop_if_wrong()


@worker_init.connect
def load_store_clients(**kwargs: Any) -> None:
    """Load the store's clients before the pool forks: each child would need 0.3 s of CPU. Nothing connects yet."""
    from archive.storage.s3 import backend  # noqa: PLC0415

    for alias in ("default", "public"):
        backend(alias).connection  # noqa: B018


@worker_process_init.connect
def start_thread(**kwargs: Any) -> None:
    from portal import worker_thread  # noqa: PLC0415  (needs the apps)

    worker_thread.start()


@worker_ready.connect
def show_metrics(**kwargs: Any) -> None:
    process_metrics.serve()


@task_prerun.connect
def note_start(task: Any, **kwargs: Any) -> None:
    task.request.started = time.monotonic()


@task_postrun.connect
def observe_task(task: Any, state: str | None = None, **kwargs: Any) -> None:
    from archive.metrics import TASK_SECONDS  # noqa: PLC0415  (after `prepare`, and only where tasks run)

    outcome = "done" if state == "SUCCESS" else "failed"
    TASK_SECONDS.labels(task.name.rpartition(".")[2], outcome).observe(time.monotonic() - task.request.started)
