"""Run independent steps, so that one that fails does not keep the others from running."""

from collections.abc import Callable, Iterable

import structlog
from django.db import connection

from archive import work_log

logger = structlog.get_logger()


def run_each(steps: Iterable[Callable[[], object]], *, stop_on: tuple[type[Exception], ...] = ()) -> None:
    """Call all steps, log each error, and raise the first one afterwards. If the others would fail too, raise at once:
    for an error in `stop_on`, and if the database is down."""
    first: Exception | None = None
    for step in steps:
        try:
            step()
        except stop_on:
            raise
        except Exception as error:
            if not connection.is_usable():
                raise
            logger.error("step_failed", **work_log.describe_error(error))
            first = first or error
    if first is not None:
        raise first
