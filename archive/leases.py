"""Work is a row: claim it, do the slow part outside transactions, and let every later write carry the fence.

Celery only wakes workers up. It may lose a message, or deliver one twice, even to two workers at once; so who works is
decided here, by PostgreSQL. A claim holds for a lease. When its holder dies, the lease runs out and the next claim gets
a higher fence; when the holder was only slow, its next write finds the fence moved on, and it stops (LeaseLost).
"""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db import DatabaseError, models, transaction
from django.db.models import F, Q
from django.db.models.functions import Now

from archive.errors import LeaseLost, Problem, SpacekeepError, make_problem
from archive.models import Leased

W = TypeVar("W", bound=Leased)

# What a transition that ends the work sets back.
RESET: dict[str, Any] = {"lease_until": None, "retry_at": None, "attempts": 0}

FIRST_RETRY = timedelta(seconds=5)
LAST_RETRY = timedelta(minutes=10)


def lease() -> timedelta:
    return timedelta(seconds=settings.LEASE_SECONDS)


def claimable() -> Q:
    """Nobody has it (any more), and it is not waiting for its next try."""
    return (Q(lease_until=None) | Q(lease_until__lte=Now())) & (Q(retry_at=None) | Q(retry_at__lte=Now()))


def claimable_ids(
    model: type[Leased], states: Collection[str], condition: Q | None = None, limit: int = 1000
) -> list[Any]:
    """Primary keys of the rows in one of `states` that wait for somebody to claim them, oldest lease first."""
    rows = model._default_manager.filter(claimable(), condition or Q(), Q(state__in=states)).order_by(
        F("lease_until").asc(nulls_first=True)
    )
    return list(rows.values_list("pk", flat=True)[:limit])


@dataclass(frozen=True)
class Claim(Generic[W]):
    """One attempt at a row's work. `attempt` counts from 1."""

    row: W
    fence: int
    attempt: int
    states: tuple[str, ...]

    @property
    def mine(self) -> Q:
        """The condition that every write of this attempt carries: nobody claimed it since, and it is still this work
        (a deletion that begins takes a Space out of every other state)."""
        return Q(fence=self.fence, state__in=self.states)

    def renew(self, **changes: Any) -> None:
        """Hold on for another lease, and write `changes` (progress). Raises LeaseLost."""
        model = type(self.row)
        if not self._write(**{"lease_until": Now() + lease(), **changes}):
            state = model._default_manager.filter(pk=self.row.pk).values_list("state", flat=True).first() or "gone"
            raise LeaseLost("work.lease_lost", model=model.__name__, id=self.row.pk, state=state)

    def release_for_retry(self, problem: Problem, *, at_once: bool = False) -> bool:
        """This attempt failed: say why, and let the next one come after a pause that doubles each time, or
        `at_once`."""
        pause = timedelta(0) if at_once else min(FIRST_RETRY * 2 ** min(self.attempt - 1, 10), LAST_RETRY)
        # The lease ends now, and is not blanked: it is also when there was progress last.
        return self._write(lease_until=Now(), retry_at=Now() + pause, problem=problem)

    @contextmanager
    def report_unexpected(self) -> Iterator[None]:
        """Whatever nobody foresaw ends the attempt at once and leaves its name on the row, instead of a lease that
        runs out in silence. Only the name: a message may quote what people said."""
        try:
            yield
        except (SpacekeepError, GeneratorExit):
            raise
        except BaseException as error:
            with suppress(DatabaseError):  # the database may be what failed; then the lease has to run out
                self.release_for_retry(make_problem("work.unexpected", error=type(error).__name__))
            raise

    def _write(self, **changes: Any) -> bool:
        """False when the lease was lost, and nothing was written."""
        rows = type(self.row)._default_manager.filter(self.mine, pk=self.row.pk)
        return bool(rows.update(**changes))


def still_held(claims: Sequence[Claim[W]]) -> Q:
    """The condition that a write for all of `claims` carries: Claim.mine of each."""
    condition = Q(pk__in=[])
    for states, fence in {(claim.states, claim.fence) for claim in claims}:
        of_it = [claim.row.pk for claim in claims if (claim.states, claim.fence) == (states, fence)]
        condition |= Q(pk__in=of_it, fence=fence, state__in=states)
    return condition


def renew_all(claims: Sequence[Claim[W]]) -> list[Claim[W]]:
    """Hold on to all of them for another lease. Returns those that were not lost."""
    if not claims:
        return []
    rows = type(claims[0].row)._default_manager.filter(still_held(claims))
    if rows.update(lease_until=Now() + lease()) == len(claims):
        return list(claims)
    held = set(rows.values_list("pk", flat=True))
    return [claim for claim in claims if claim.row.pk in held]


def claim_all(model: type[W], pks: Collection[Any], states: Collection[str]) -> list[Claim[W]]:
    """`claim` for many rows, in two statements. Returns the claims of those that could be had."""
    with transaction.atomic():
        rows: models.QuerySet[W] = model._default_manager.select_for_update(skip_locked=True)
        found = list(rows.filter(claimable(), pk__in=pks, state__in=states).order_by("pk"))
        model._default_manager.filter(pk__in=[row.pk for row in found]).update(
            attempts=F("attempts") + 1, fence=F("fence") + 1, lease_until=Now() + lease(), retry_at=None
        )
    for row in found:
        row.attempts += 1
        row.fence += 1
    return [Claim(row, row.fence, row.attempts, tuple(states)) for row in found]


def claim(
    model: type[W], pk: Any, states: Collection[str], *, condition: Q | None = None, **changes: Any
) -> Claim[W] | None:
    """Claim the row, or None when it is not in `states`, not as `only_if` says, not due, or somebody else is at it.
    Commits at once."""
    with transaction.atomic():
        rows: models.QuerySet[W] = model._default_manager.select_for_update(skip_locked=True)
        row = rows.filter(claimable(), condition or Q(), pk=pk, state__in=states).first()
        if row is None:
            return None
        row.attempts += 1
        row.fence += 1
        fields = {"attempts": row.attempts, "fence": row.fence, **changes}
        model._default_manager.filter(pk=pk).update(lease_until=Now() + lease(), retry_at=None, **fields)
    return Claim(row, row.fence, row.attempts, tuple(states))
