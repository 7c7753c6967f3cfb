"""Wake-ups: code that writes a row of work also requests its wake-up, so that pages, the API and commands behave the
same. A lost wake-up costs a minute at most: the dispatcher publishes each row again (archive/tasks.py).

This module does not import the tasks. archive/apps.py connects the publisher when the apps are loaded.
"""

from collections.abc import Callable, Collection
from contextvars import copy_context
from functools import partial
from typing import Any

from django.db import models, transaction

Publisher = Callable[[type[models.Model], Collection[Any]], None]

_publishers: list[Publisher] = []


def connect(publisher: Publisher) -> None:
    """Have `publisher` called with each model and the primary keys of its rows to work on."""
    _publishers[:] = [publisher]


def wake(model: type[models.Model], *pks: Any) -> None:
    """Have a worker check these rows of `model` soon after the transaction commits."""
    if pks:
        # Keep the caller's context, so that log lines of the work have the id of the request that caused it.
        transaction.on_commit(partial(copy_context().run, _publish, model, pks))


def _publish(model: type[models.Model], pks: Collection[Any]) -> None:
    for publisher in _publishers:
        publisher(model, pks)
