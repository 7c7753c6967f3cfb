"""Which Spaces are served, kept, due or gone, and who may see them. Each is defined once, as SQL.

Conditions compare with the database's clock unless they get a `moment` (an aware datetime or a database expression).
With a `prefix` they apply to rows that refer to a Space: `is_gone(prefix="space__")`. `Space.is_served` and
`Space.is_gone` give the same answer for a row in memory; tests/test_space_queries.py checks that they agree.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from archive import policy

if TYPE_CHECKING:
    from archive.models.space import Space  # noqa: F401  (the type argument below)
    from archive.models.user import User


K = TypeVar("K")


class SpaceState(models.TextChoices):
    RECEIVING = "receiving", _("being received")
    PROCESSING = "processing", _("being checked")
    AVAILABLE = "available", _("available")
    REJECTED = "rejected", _("not accepted")
    EXPIRING = "expiring", _("being deleted")
    DELETED = "deleted", _("deleted")


# The deadline applies in each of these states.
KEPT = (SpaceState.RECEIVING, SpaceState.PROCESSING, SpaceState.AVAILABLE, SpaceState.REJECTED)
DELETING = (SpaceState.EXPIRING, SpaceState.DELETED)


def is_served(moment: Any = None, *, prefix: str = "") -> Q:
    """Match Spaces whose content may be served: available, and before their deadline or on hold."""
    return Q(**{f"{prefix}state": SpaceState.AVAILABLE}) & _before_deadline(moment, prefix)


def is_kept(moment: Any = None, *, prefix: str = "") -> Q:
    """Match Spaces before their deadline, in any state before deletion. The opposite of `is_gone`."""
    return Q(**{f"{prefix}state__in": KEPT}) & _before_deadline(moment, prefix)


def is_gone(moment: Any = None, *, prefix: str = "") -> Q:
    """Match Spaces that get a 410: deleted, being deleted, or past their deadline."""
    passed = Q(**{f"{prefix}expires_at__lte": _or_now(moment)})
    return Q(**{f"{prefix}state__in": DELETING}) | passed


def is_due(moment: Any = None) -> Q:
    """Match Spaces whose deletion may start: past their deadline, or with an abandoned upload, and not on hold."""
    moment = _or_now(moment)
    since = moment - policy.ABANDONED_AFTER
    no_progress = Q(created_at__lt=since) & (Q(lease_until=None) | Q(lease_until__lt=since))
    abandoned = Q(state=SpaceState.RECEIVING) & no_progress
    return Q(state__in=KEPT, expires_at__lte=moment) | (abandoned & Q(expires_at__isnull=False))


class SpaceQuerySet(models.QuerySet["Space"]):
    """Spaces by deadline, and by who may see them."""

    def served(self, moment: Any = None) -> "SpaceQuerySet":
        return self.filter(is_served(moment))

    def kept(self, moment: Any = None) -> "SpaceQuerySet":
        return self.filter(is_kept(moment))

    def due_within(self, period: timedelta, moment: datetime) -> "SpaceQuerySet":
        """Filter Spaces that are kept at `moment`, but whose deadline is within `period`."""
        return self.due_until(moment + period, moment)

    def due_until(self, end: Any, moment: Any) -> "SpaceQuerySet":
        """Filter Spaces that are kept at `moment`, but whose deadline is not after `end`."""
        return self.timed_copies(moment).filter(expires_at__lte=end)

    def timed_copies(self, moment: Any) -> "SpaceQuerySet":
        """Filter Spaces that are kept at `moment` and have a deadline and copies: rejected ones have none stored."""
        return self.timed(moment).exclude(state=SpaceState.REJECTED)

    def timed(self, moment: Any) -> "SpaceQuerySet":
        """Filter Spaces that are kept at `moment` and have a deadline. The other kept ones are on hold."""
        return self.filter(state__in=KEPT, expires_at__gt=moment)

    def overdue(self, moment: datetime) -> "SpaceQuerySet":
        """Filter Spaces past their deadline whose deletion has not started."""
        return self.filter(state__in=KEPT, expires_at__lte=moment)

    def on_hold(self) -> "SpaceQuerySet":
        """Filter Spaces without a deadline because of a legal hold."""
        return self.filter(state__in=KEPT, expires_at=None)

    def flagged(self) -> "SpaceQuerySet":
        """Filter Spaces with a flag that was not lifted."""
        return self.filter(is_flagged=True)

    def appealed(self) -> "SpaceQuerySet":
        """Filter Spaces with an undecided appeal."""
        return self.filter(is_appealed=True)

    def gone(self, moment: Any = None) -> "SpaceQuerySet":
        return self.filter(is_gone(moment))

    def due(self, moment: Any = None) -> "SpaceQuerySet":
        return self.filter(is_due(moment))

    def to_review(self) -> "SpaceQuerySet":
        """Filter served Spaces that no admin has reviewed."""
        return self.served().filter(reviewed_at=None)

    def reviewed(self, *, flagged: bool) -> "SpaceQuerySet":
        """Filter served Spaces that were reviewed, by whether they have an active flag."""
        return self.served().filter(is_flagged=flagged, reviewed_at__isnull=False)

    def reopen_review(self) -> int:
        """Put Spaces without a flag back into the review queue. Returns how many."""
        return self.filter(is_flagged=False).update(reviewed_at=None, reviewed_by=None)

    def visible_to(self, user: "User") -> "SpaceQuerySet":
        """Filter Spaces that the user may see: hosts their own, admins and auditors all."""
        return self.all() if sees_all(user) else self.of_host(user.pk)

    def of_host(self, host_id: int) -> "SpaceQuerySet":
        """Like `visible_to`, for a user who may not see all Spaces."""
        return self.filter(host=host_id)

    def listed_for(self, user: "User") -> "SpaceQuerySet":
        """Like `visible_to`, without rejected recordings that the user dismissed from their list."""
        return self.visible_to(user).without_dismissed(user.pk)

    def without_dismissed(self, host_id: int) -> "SpaceQuerySet":
        """Exclude the rejected recordings that this host dismissed from their list."""
        return self.exclude(host=host_id, dismissed_at__isnull=False)

    def readable_by(self, user: "User") -> "SpaceQuerySet":
        """Filter Spaces whose content this user may play and read: all for admins, their own for everybody else."""
        return self.all() if user.is_admin else self.filter(host=user)


def sees_all(user: "User") -> bool:
    """Return whether a user sees the Spaces of every host. For queries that are compiled once for all users."""
    return user.is_admin or user.is_auditor


def count_up_to(limit: int, rows: Mapping[K, models.QuerySet[Any]]) -> dict[K, int]:
    """Count each QuerySet in one query, and stop at `limit`, so that the cost does not grow with the number of rows."""
    statement, params = counting_statement(limit, list(rows.values()))
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return dict(zip(rows, cursor.fetchone(), strict=True))


def counting_statement(limit: int, rows: Sequence[models.QuerySet[Any]]) -> tuple[str, list[Any]]:
    """Return the SQL that counts each QuerySet up to `limit`, and its parameters."""
    counts: list[str] = []
    params: list[Any] = []
    for counted in rows:
        try:
            statement, values = counted.values("pk")[:limit].query.sql_with_params()
        except EmptyResultSet:  # Django knows that no row can match
            counts.append("0")
            continue
        counts.append(f"(SELECT count(*) FROM ({statement}) AS counted)")  # noqa: S608  # Django compiled it
        params += values
    return f"SELECT {', '.join(counts)}", params


def _before_deadline(moment: Any, prefix: str) -> Q:
    return Q(**{f"{prefix}expires_at": None}) | Q(**{f"{prefix}expires_at__gt": _or_now(moment)})


def _or_now(moment: Any) -> Any:
    return Now() if moment is None else moment
