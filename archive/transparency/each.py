"""Run steps that must not stop each other."""

from collections.abc import Callable, Iterable

import structlog
from celery.exceptions import SoftTimeLimitExceeded

from archive.errors import LeaseLost
from archive.work_log import describe_error

# The work has to end: a lost lease, a time limit, or a signal.
ENDS = (LeaseLost, SoftTimeLimitExceeded, KeyboardInterrupt, SystemExit, GeneratorExit)

logger = structlog.get_logger()


def run_each(steps: Iterable[Callable[[], object]]) -> None:
    """Run all steps, and then raise the first error, so that it is reported like any other; further ones are logged.

    Catches BaseException, since a panic in a Rust module is one.
    """
    first: BaseException | None = None
    for step in steps:
        try:
            step()
        except ENDS:
            raise
        except BaseException as error:
            if first is not None:
                logger.error("log_publishing_failed", **describe_error(error))
            first = first or error
    if first is not None:
        raise first
