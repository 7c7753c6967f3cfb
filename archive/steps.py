"""Run independent steps, so that one that fails does not keep the others from running."""

from collections.abc import Callable, Iterable

import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.db import connection

from archive import work_log
from archive.errors import LeaseLost

# The work has to end: a lost lease, a time limit, or a signal.
ENDS = (LeaseLost, SoftTimeLimitExceeded, KeyboardInterrupt, SystemExit, GeneratorExit)

logger = structlog.get_logger()


def run_each(steps: Iterable[Callable[[], object]], *, stop_on: tuple[type[Exception], ...] = ()) -> None:
    """Run all steps, and then raise the first error, so that it is reported like any other; further ones are logged.
    If the next steps would fail too, raise at once: for an error in `stop_on`, and if the database is down.

    Catches BaseException, since a panic in a Rust module is one.
    """
    ends: tuple[type[BaseException], ...] = (*ENDS, *stop_on)
    first: BaseException | None = None
    for step in steps:
        try:
            step()
        except ends:
            raise
        except BaseException as error:
            if not connection.is_usable():
                raise
            if first is not None:
                logger.error("step_failed", **work_log.describe_error(error))
            first = first or error
    if first is not None:
        raise first
