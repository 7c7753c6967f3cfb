"""Renew the leases of a living process, so that other workers soon get the work of a dead one.

By default a claim lasts LEASE_SECONDS, whatever happens to its process. In a process that called `start`, a claim lasts
DEAD_WORKER_SECONDS, and a thread renews it (portal/worker_thread.py): while the process lives, but at most
LEASE_SECONDS after the last progress, because a process may hang.

Safety does not depend on this: a worker that was only slow and lost its lease finds a higher fence at its next write,
and stops (archive/leases.py).
"""

import threading
import time
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from archive import work_log
from archive.models import Leased

logger = structlog.get_logger()


@dataclass(frozen=True)
class HeldLease:
    """A claim of this process: the fields that its writes check. `space_id` is for the log; "" without a Space."""

    model: type[Leased]
    pk: Any
    fence: int
    states: tuple[str, ...]
    space_id: str = field(default="", compare=False)


class _Held:
    """The claims of this process, each with the time (monotonic clock) at which its renewals end."""

    def __init__(self) -> None:
        self.is_kept_alive = False
        self.progress_at = float("-inf")
        self._until: dict[HeldLease, float] = {}
        self._lock = threading.Lock()

    def add(self, lease: HeldLease) -> None:
        with self._lock:
            self.progress_at = time.monotonic()
            self._until[lease] = self.progress_at + settings.LEASE_SECONDS

    def remove(self, lease: HeldLease) -> None:
        with self._lock:
            self._until.pop(lease, None)

    def renewable(self) -> list[HeldLease]:
        with self._lock:
            now = time.monotonic()
            self._until = {lease: until for lease, until in self._until.items() if until > now}
            return list(self._until)


_held = _Held()


def start() -> None:
    """Make claims of this process short from now on. The caller must have `renew_held` called every `interval`."""
    _held.is_kept_alive = True


def stop() -> None:
    """Give claims of this process their full length again."""
    _held.is_kept_alive = False


def duration() -> timedelta:
    """Return how long a lease lasts that is claimed or renewed now."""
    seconds = settings.LEASE_SECONDS
    return timedelta(seconds=min(settings.DEAD_WORKER_SECONDS, seconds) if _held.is_kept_alive else seconds)


def interval() -> float:
    """Return the seconds between two renewals. Three of them may fail."""
    return duration().total_seconds() / 4


def hold(lease: HeldLease) -> None:
    """Renew this lease from now on. Each call counts as progress."""
    if _held.is_kept_alive:
        _held.add(lease)


def progress_at() -> float:
    """Return when this process last claimed or renewed a lease itself (monotonic clock). The thread's renewals are no
    progress."""
    return _held.progress_at


def drop(lease: HeldLease) -> None:
    """Stop renewing this lease."""
    _held.remove(lease)


def renew_held() -> int:
    """Renew the leases of this process that have not expired. Returns how many were renewed.

    Rows that a transaction has locked wait for the next call: waiting here could deadlock. A lease that has expired or
    was released is not renewed. Raises OperationalError or InterfaceError if the database is down; logs any other
    error with its rows.
    """
    by_condition: dict[tuple[type[Leased], int, tuple[str, ...]], list[HeldLease]] = defaultdict(list)
    for lease in _held.renewable():
        by_condition[lease.model, lease.fence, lease.states].append(lease)
    renewed = 0
    for (model, fence, states), held in by_condition.items():
        condition = Q(fence=fence, state__in=states, lease_until__gt=Now())
        try:
            renewed += _renew(model, condition, [lease.pk for lease in held])
        except (OperationalError, InterfaceError):
            raise  # the database is down, so the others would fail too
        except Exception as error:  # still renew the others
            _log_failure(held, error)
    return renewed


def _log_failure(held: Collection[HeldLease], error: Exception) -> None:
    for lease in held:
        space = {"space_id": lease.space_id} if lease.space_id else {}
        row = {"kind": lease.model.__name__, "row_id": str(lease.pk), **space}
        logger.error("lease_not_renewed", **row, **work_log.describe_error(error))


def _renew(model: type[Leased], condition: Q, pks: Collection[Any]) -> int:
    rows = model._default_manager.filter(condition, pk__in=pks)
    with transaction.atomic():
        free = list(rows.select_for_update(skip_locked=True).values_list("pk", flat=True))
        return model._default_manager.filter(pk__in=free).update(lease_until=Now() + duration())
