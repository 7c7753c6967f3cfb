"""The Celery application of the worker that several tests use, one after the other: `celery -A
tests.support.reused_worker worker`.

It is portal/celery.py's, but what its processes remember ends with each task, and they have no thread of their own
(portal/worker_thread.py): after some minutes it would note a worker in the database of whichever test runs then, and
publish tasks, because it sees no dispatcher. Each worker that a test has for itself has that thread.
"""

from typing import Any

from celery.signals import task_postrun, worker_process_init

from portal.celery import app, start_thread

__all__ = ["app"]

assert worker_process_init.disconnect(start_thread)


@task_postrun.connect
def forget_test(**kwargs: Any) -> None:
    """After portal/celery.py has noted that the task is done. The next task may be that of another test."""
    # Celery sets Django up after it has imported this module, unless the process was forked from one that has.
    from archive import restores, workers

    restores._compared.clear()
    restores._failed.clear()
    workers._noted.clear()
