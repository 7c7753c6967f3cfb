"""The Celery application of the worker that several tests use, one after the other: `celery -A
tests.support.reused_worker worker`.

It is that of portal/celery.py, but its processes forget their state after each task and do not run the thread of
portal/worker_thread.py. After some minutes that thread would record a worker in the database of a later test, and
publish tasks, because it sees no dispatcher. A worker that only one test uses does run it.
"""

from typing import Any

from celery.signals import task_postrun, worker_process_init

from portal.celery import app, start_thread

__all__ = ["app"]

assert worker_process_init.disconnect(start_thread)
app.conf.worker_enable_remote_control = True  # by which the tests pause and resume it (reused_processes.py)


@task_postrun.connect
def forget_test(**kwargs: Any) -> None:
    """Forget the state after portal/celery.py has recorded the end of the task. The next task may be another test's."""
    # Celery sets Django up after it has imported this module, unless the process is a fork of one that has done so.
    from archive import restores, workers

    restores._compared.clear()
    restores._failed.clear()
    workers._noted.clear()
