"""Leases on rows: claim a row, do the slow part outside transactions, and let every later write check the fence.

Celery only wakes workers up. It may lose a message, or deliver one twice, even to two workers at once; so PostgreSQL
decides who works. A claim holds for a lease. If a worker dies, its lease expires (soon: archive/lease_renewal.py) and
the next claim gets a higher fence. If the worker was only slow, its next write fails the check of the fence, and the
worker stops (LeaseLost).

`attempt` runs claimed work: it records unexpected errors on the row, releases the claim for a retry after transient
errors, and ends the work after permanent ones. The code that releases a claim also logs the retry
(archive/work_log.py).
"""

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, models, transaction
from django.db.models import F, Q
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Greatest, Now

from archive import lease_renewal, repeated_lines, wakeups, work_log
from archive.errors import (
    AttemptsExhausted,
    DecoderFailed,
    DeletionPaused,
    DeliveryFailed,
    DiskFailed,
    LeaseLost,
    MailUnavailable,
    Problem,
    SpacekeepError,
    StorageError,
    make_problem,
)
from archive.models import Leased

W = TypeVar("W", bound=Leased)

logger = structlog.get_logger()

# Fields that a transition resets when it ends the work.
RESET: dict[str, Any] = {
    "lease_until": None,
    "retry_at": None,
    "attempts": 0,
    "unforeseen": 0,
    "reported_cause": "",
    "reported_at": None,
}

FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(minutes=10)
MAX_UNFORESEEN = 10  # after so many unexpected failures or crashes, work is parked: one attempt a day
PARKED = timedelta(days=1)
SHARE = 0.7  # part of the lease that one run may take; Celery's soft time limit is 0.8 (portal/settings/work.py)
TICK = 1.0  # seconds between two renewals of a lease
# Transient errors: retry later.
RETRIED = (StorageError, DecoderFailed, DiskFailed, MailUnavailable, DeliveryFailed, DeletionPaused)


def lease() -> timedelta:
    """Return the longest time between two signs of progress."""
    return timedelta(seconds=settings.LEASE_SECONDS)


def _end_of_lease() -> CombinedExpression:
    return Now() + lease_renewal.duration()


def claimable() -> Q:
    """Match rows that have no lease, or an expired one, and are not waiting for their next attempt."""
    return (Q(lease_until=None) | Q(lease_until__lte=Now())) & (Q(retry_at=None) | Q(retry_at__lte=Now()))


def claimable_ids(
    model: type[Leased], states: Collection[str], condition: Q | None = None, limit: int = 1000
) -> list[Any]:
    """Return primary keys of rows in one of `states` that can be claimed now, oldest lease first."""
    rows = model._default_manager.filter(claimable(), condition or Q(), Q(state__in=states)).order_by(
        F("lease_until").asc(nulls_first=True)
    )
    return list(rows.values_list("pk", flat=True)[:limit])


@dataclass(frozen=True)
class Claim(Generic[W]):
    """One attempt at the work of a row. `attempt` counts from 1. `is_counted`: the row's `unforeseen` includes it."""

    row: W
    fence: int
    attempt: int
    states: tuple[str, ...]
    is_counted: bool = True

    @property
    def still_held(self) -> Q:
        """The condition of every write of this attempt: no later claim, and the row is still in one of `states`
        (starting a deletion takes a Space out of every other state)."""
        return Q(fence=self.fence, state__in=self.states)

    @property
    def held(self) -> lease_renewal.HeldLease:
        space_id = work_log.describe(self.row, self.attempt).get("space_id", "")
        return lease_renewal.HeldLease(type(self.row), self.row.pk, self.fence, self.states, space_id)

    def renew(self, **changes: Any) -> None:
        """Extend the lease to its full length from now, and write the progress in `changes`. Raises LeaseLost."""
        model = type(self.row)
        if not self._write(**{"lease_until": _end_of_lease(), **changes}):
            state = model._default_manager.filter(pk=self.row.pk).values_list("state", flat=True).first() or "gone"
            raise LeaseLost("work.lease_lost", model=model.__name__, id=self.row.pk, state=state)
        lease_renewal.hold(self.held)

    def release_for_retry(
        self,
        problem: Problem,
        *,
        cause: Problem | None = None,
        at_once: bool = False,
        pause: timedelta | None = None,
        **changes: Any,
    ) -> bool:
        """End this attempt with `problem`, and write `changes`. The next attempt starts `at_once`, after `pause`, or
        after a pause that doubles each time. Returns False when the lease was lost.

        The process's log gets the problem once, or `cause` instead, if the row stores another problem for its readers.
        An empty problem means that all is well and the work continues in the next run."""
        if pause is not None:
            changes["retry_at"] = Now() + pause
        if self.is_counted:  # `claim` did so in advance, because a crash would not reach this line
            changes["unforeseen"] = Greatest(F("unforeseen") - 1, 0)
        cause = problem if cause is None else cause
        if not cause:  # this run went well, so the next failure is logged even if its cause is an old one
            changes = {"reported_cause": "", "reported_at": None, **changes}
        return self._release(problem, cause, at_once=at_once, **changes)

    def _release(self, problem: Problem, cause: Problem, *, at_once: bool = False, **changes: Any) -> bool:
        lease_renewal.drop(self.held)
        pause = timedelta(0) if at_once else min(FIRST_RETRY * 2 ** min(self.attempt - 1, 10), LAST_RETRY)
        news = work_log.news_of(self.row, cause)
        # The lease ends now and is not set to NULL, as it is also the time of the last progress.
        released = self._write(lease_until=Now(), **{"retry_at": Now() + pause, "problem": problem, **news, **changes})
        if released and news:
            work_log.log_retry(self.row, self.attempt, cause)
        if released and at_once:
            wakeups.wake(type(self.row), self.row.pk)
        return released

    @property
    def is_parked(self) -> bool:
        """Whether so many attempts failed unexpectedly that only one a day is left."""
        return self.row.unforeseen > MAX_UNFORESEEN

    def park(self) -> None:
        """Postpone the next attempt by a day, however this one ends, and say so. The work is never abandoned, since an
        upload may be the only copy, but it does not keep workers busy either."""
        problem = self.row.problem
        if problem.get("code") != "work.parked":
            problem = self._make_parked(problem or make_problem("work.gave_up"))
        logger.error("work_parked", **work_log.describe(self.row, self.attempt), cause=work_log.name_cause(problem))
        self._write(retry_at=Now() + PARKED, problem=problem)

    def _make_parked(self, reason: Problem) -> Problem:
        return make_problem("work.parked", count=self.row.unforeseen - 1, reason=reason)

    @contextmanager
    def report_unexpected(self, *, parks: bool = False) -> Iterator[None]:
        """After an unexpected error, release the claim and store the error's class on the row, so that nobody waits for
        the lease to expire. Store only the class: a message may quote personal data. `parks`: see `park`."""
        try:
            yield
        except (SpacekeepError, GeneratorExit):
            raise
        except BaseException as error:
            with suppress(OperationalError, InterfaceError):  # the database may be down; then the lease has to expire
                problem, later = make_problem("work.unexpected", error=type(error).__name__), dict[str, Any]()
                if parks and self.is_parked:
                    problem, later = self._make_parked(problem), {"retry_at": Now() + PARKED}
                if not work_log.news_of(self.row, problem):
                    repeated_lines.mark_known(error)
                self._release(problem, problem, **later)
            raise
        finally:
            lease_renewal.drop(self.held)

    def budget(self) -> "Budget":
        """Start the time budget of this run now."""
        return Budget(self)

    def _write(self, **changes: Any) -> bool:
        """Write to the row if the lease is still held. Returns whether it was."""
        rows = type(self.row)._default_manager.filter(self.still_held, pk=self.row.pk)
        return bool(rows.update(**changes))


class Budget:
    """The time of one run: a part of the lease, so that the run ends by itself before Celery ends it. The next run
    continues where this one stopped."""

    def __init__(self, claim: Claim[Any]) -> None:
        self.claim = claim
        self._renewed_at = time.monotonic()
        self._until = self._renewed_at + SHARE * lease().total_seconds()

    def is_used_up(self, next_step: float = 0.0) -> bool:
        """Return whether the time is used up, or would be after a step of `next_step` seconds."""
        return time.monotonic() + next_step > self._until

    def seconds_left(self) -> float:
        return self._until - time.monotonic()

    def heartbeat(self, *, at_once: bool = False, **changes: Any) -> None:
        """Renew the lease, and write `changes`: at most once a TICK, or `at_once`. Raises LeaseLost."""
        if at_once or time.monotonic() - self._renewed_at >= TICK:
            self.claim.renew(**changes)
            self._renewed_at = time.monotonic()


def release(claim: Claim[Any], error: SpacekeepError) -> None:
    claim.release_for_retry(error.problem)


def attempt(
    claim: Claim[W] | None,
    run: Callable[[Claim[W]], bool],
    *,
    permanent: tuple[type[SpacekeepError], ...] = (),
    fail: Callable[[Claim[W], SpacekeepError], object] = release,
    retry: Callable[[Claim[W], SpacekeepError], object] = release,
    max_attempts: int | None = None,
    parks: bool = True,
) -> bool:
    """Run claimed work once. Returns what `run` returns, or False when the row was not claimed or the attempt failed.

    - LeaseLost: stop; the row belongs to another worker.
    - An error in `permanent`: `fail` ends the work.
    - An error in RETRIED: `retry` releases the claim, or, at the last of `max_attempts`, `fail` ends the work. Crashed
      attempts count too: when they have used up `max_attempts`, `fail` gets AttemptsExhausted.
    - Any other error: release the claim and raise the error. After MAX_UNFORESEEN of these errors and crashes, there is
      one attempt a day, unless `parks` is False, as for deletions.
    """
    if claim is None:
        return False
    with work_log.bound(claim.row, claim.attempt), _held_until_the_end(claim):
        if max_attempts is not None and claim.attempt > max_attempts:
            _give_up(claim, AttemptsExhausted.of(claim.row.problem or make_problem("work.gave_up")), fail)
            return False
        if parks and claim.is_parked:
            claim.park()
        try:
            with claim.report_unexpected(parks=parks):
                return run(claim)
        except LeaseLost:
            return False
        except permanent as error:
            fail(claim, error)
        except RETRIED as error:
            retry_or_give_up(claim, error, fail=fail, retry=retry, max_attempts=max_attempts)
        return False


def retry_or_give_up(
    claim: Claim[W],
    error: SpacekeepError,
    *,
    fail: Callable[[Claim[W], SpacekeepError], object],
    retry: Callable[[Claim[W], SpacekeepError], object] = release,
    max_attempts: int | None,
) -> None:
    """End an attempt after a transient error: `retry` releases the claim, or, at the last attempt, `fail` ends the
    work."""
    if max_attempts is not None and claim.attempt >= max_attempts:
        _give_up(claim, error, fail)
    else:
        retry(claim, error)


@contextmanager
def _held_until_the_end(claim: Claim[Any]) -> Iterator[None]:
    """Stop renewing the lease when the attempt ends in any way, even if the database fails while the row is being
    parked or failed. `fail` may have renewed the lease."""
    try:
        yield
    finally:
        lease_renewal.drop(claim.held)


def _give_up(claim: Claim[W], error: SpacekeepError, fail: Callable[[Claim[W], SpacekeepError], object]) -> None:
    """Log that the last attempt failed, and end the work."""
    work_log.log_failure(claim.row, claim.attempt, error.problem)
    fail(claim, error)


def still_held(claims: Sequence[Claim[W]]) -> Q:
    """Return the condition of one write for all of `claims`: Claim.still_held of each."""
    condition = Q(pk__in=[])
    for states, fence in {(claim.states, claim.fence) for claim in claims}:
        pks = [claim.row.pk for claim in claims if (claim.states, claim.fence) == (states, fence)]
        condition |= Q(pk__in=pks, fence=fence, state__in=states)
    return condition


def renew_all(claims: Sequence[Claim[W]]) -> list[Claim[W]]:
    """Renew the leases of all. Returns the claims that are still held."""
    if not claims:
        return []
    rows = type(claims[0].row)._default_manager.filter(still_held(claims))
    held = list(claims)
    if rows.update(lease_until=_end_of_lease()) != len(claims):
        pks = set(rows.values_list("pk", flat=True))
        held = [claim for claim in claims if claim.row.pk in pks]
    return _hold(held)


def _hold(claims: list[Claim[W]]) -> list[Claim[W]]:
    for claim in claims:
        lease_renewal.hold(claim.held)
    return claims


def claim_all(model: type[W], pks: Collection[Any], states: Collection[str]) -> list[Claim[W]]:
    """Like `claim`, for many rows in two statements. Returns a claim for each row that could be claimed. A crash is not
    counted as unforeseen, because only one of the rows may have caused it."""
    with transaction.atomic():
        rows: models.QuerySet[W] = model._default_manager.select_for_update(skip_locked=True)
        claimed = list(rows.filter(claimable(), pk__in=pks, state__in=states).order_by("pk"))
        model._default_manager.filter(pk__in=[row.pk for row in claimed]).update(
            attempts=F("attempts") + 1, fence=F("fence") + 1, lease_until=_end_of_lease(), retry_at=None
        )
    for row in claimed:
        row.attempts += 1
        row.fence += 1
    return _hold([Claim(row, row.fence, row.attempts, tuple(states), is_counted=False) for row in claimed])


def claim(
    model: type[W], pk: Any, states: Collection[str], *, condition: Q | None = None, **changes: Any
) -> Claim[W] | None:
    """Claim the row and commit. Returns None when it is not in `states`, does not meet `condition`, has a lease, or
    waits for its next attempt."""
    with transaction.atomic():
        rows: models.QuerySet[W] = model._default_manager.select_for_update(skip_locked=True)
        row = rows.filter(claimable(), condition or Q(), pk=pk, state__in=states).first()
        if row is None:
            return None
        row.attempts += 1
        row.fence += 1
        row.unforeseen += 1  # subtracted again when the attempt ends in an expected way
        fields = {"attempts": row.attempts, "unforeseen": row.unforeseen, "fence": row.fence, **changes}
        model._default_manager.filter(pk=pk).update(lease_until=_end_of_lease(), retry_at=None, **fields)
    return _hold([Claim(row, row.fence, row.attempts, tuple(states))])[0]
