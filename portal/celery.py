"""The Celery application: `celery -A portal.celery worker`, `celery -A portal.celery beat`."""

import importlib
import logging.config
import os
import time
from contextlib import suppress
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    celeryd_init,
    import_modules,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_ready,
)
from django.db import InterfaceError, OperationalError
from structlog.contextvars import bind_contextvars, clear_contextvars

from portal import broker, process_metrics
from portal.log_lines import log_what_escapes, logging_config, write_line

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

broker.register()


@import_modules.connect(weak=False)
def prepare_metrics(**kwargs: Any) -> None:
    """Prepare metrics before Celery's programs import the tasks, which import prometheus_client. This is connected
    before `app` is created, so that it runs first. Commands of manage.py don't need it, and each would create a
    folder."""
    process_metrics.prepare()


app = Celery("spacekeep")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["archive"])


@celeryd_init.connect
@setup_logging.connect
def keep_our_logging(**kwargs: Any) -> None:
    """Log as all processes do, from a worker's first line on. With a receiver of `setup_logging`, Celery sets up
    none."""
    logging.config.dictConfig(logging_config())
    log_what_escapes()


@celeryd_init.connect
def say_in_lines(**kwargs: Any) -> None:
    """What a worker does on a signal ("Warm shutdown", the stacks of SIGUSR1) Celery prints itself, as plain text."""
    worker: Any = importlib.import_module("celery.apps.worker")  # only now it is loaded anyway
    worker.safe_say = lambda text, stream=None: write_line(text.strip(), "celery.apps.worker")


@task_prerun.connect
def bind_message(sender: Any = None, task: Any = None, args: Any = (), **kwargs: Any) -> None:
    """Add the row, and the request that caused the work, to every line until the end of the task, including Celery's
    own."""
    from archive.tasks import describe_message  # noqa: PLC0415  (the tasks need the apps)

    clear_contextvars()
    fields = describe_message(task.name, args)
    if request_id := task.request.get("caused_by"):
        fields["request_id"] = request_id
    bind_contextvars(**fields)
    note_worker(task)


@task_postrun.connect
def release_message(sender: Any = None, task: Any = None, **kwargs: Any) -> None:
    note_worker(task)
    clear_contextvars()


def note_worker(task: Any) -> None:
    """Record that this worker runs, for the status page. A task that is called directly has no queue."""
    from archive import workers  # noqa: PLC0415

    queue = (task.request.delivery_info or {}).get("routing_key")
    if not queue or task.request.is_eager:
        return
    with suppress(OperationalError, InterfaceError):  # then the task itself reports the error
        workers.note(task.request.hostname, queue)


@beat_init.connect
def stop_beat_if_wrong(**kwargs: Any) -> None:
    from portal import checks  # noqa: PLC0415  (needs the apps, which Celery sets up first)

    checks.stop_if_wrong()


@worker_init.connect
def stop_worker_if_wrong(**kwargs: Any) -> None:
    from portal import checks, processes  # noqa: PLC0415  (needs the apps, which Celery sets up first)

    checks.stop_if_wrong(serves_as=[processes.WORKER, processes.DELETER])


@worker_init.connect
def load_store_clients(**kwargs: Any) -> None:
    """Load the store's clients before the pool forks: each child would need 0.3 s of CPU. This opens no connection."""
    from archive.storage.s3 import backend  # noqa: PLC0415

    for alias in ("default", "public"):
        backend(alias).connection  # noqa: B018


@worker_process_init.connect
def start_thread(**kwargs: Any) -> None:
    from portal import worker_thread  # noqa: PLC0415  (needs the apps)

    worker_thread.start()


@worker_ready.connect
def show_metrics(**kwargs: Any) -> None:
    from portal import metrics_server  # noqa: PLC0415  (needs the settings)

    metrics_server.serve()


@task_prerun.connect
def note_start(task: Any, **kwargs: Any) -> None:
    task.request.started = time.monotonic()


@task_postrun.connect
def observe_task(task: Any, state: str | None = None, **kwargs: Any) -> None:
    from archive.metrics import TASK_SECONDS  # noqa: PLC0415  (after `prepare`, and only where tasks run)

    outcome = "done" if state == "SUCCESS" else "failed"
    TASK_SECONDS.labels(task.name.rpartition(".")[2], outcome).observe(time.monotonic() - task.request.started)
