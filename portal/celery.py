"""The Celery application: `celery -A portal.celery worker`, `celery -A portal.celery beat`."""

import os
from typing import Any

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init, worker_process_init

from portal import broker

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
