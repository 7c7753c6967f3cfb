"""Which Spaces are served, kept, due or gone, and who may see them: the one definition of each, as SQL.

Conditions compare with the database's clock unless they get a `moment` (an aware datetime or a database expression).
With a `prefix` they apply to rows that refer to a Space: `is_gone(prefix="space__")`. `Space.is_served` and
`Space.is_gone` answer the same for a row in memory; tests/test_space_queries.py checks that they agree.
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


# The deadline applies in each of these: a Space in any of them is deleted when it comes.
KEPT = (SpaceState.RECEIVING, SpaceState.PROCESSING, SpaceState.AVAILABLE, SpaceState.REJECTED)
DELETING = (SpaceState.EXPIRING, SpaceState.DELETED)


def is_served(moment: Any = None, *, prefix: str = "") -> Q:
    """Its content may be served: it is available, and its deadline has not come. On hold it has no deadline."""
    return Q(**{f"{prefix}state": SpaceState.AVAILABLE}) & _before_deadline(moment, prefix)


def is_kept(moment: Any = None, *, prefix: str = "") -> Q:
    """Its deadline has not come, whatever its state before deletion. The opposite of `is_gone`."""
    return Q(**{f"{prefix}state__in": KEPT}) & _before_deadline(moment, prefix)


def is_gone(moment: Any = None, *, prefix: str = "") -> Q:
    """Requests for it get 410: it is deleted, being deleted, or past its deadline."""
    passed = Q(**{f"{prefix}expires_at__lte": _or_now(moment)})
    return Q(**{f"{prefix}state__in": DELETING}) | passed


def is_due(moment: Any = None) -> Q:
    """Its deletion may start: its deadline has come, or its upload was abandoned. Never while it is on hold."""
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
        """Kept at `moment`, but no longer than for `period`."""
        return self.due_until(moment + period, moment)

    def due_until(self, end: Any, moment: Any) -> "SpaceQuerySet":
        """Kept at `moment`, but no longer than until `end`."""
        return self.timed_copies(moment).filter(expires_at__lte=end)

    def timed_copies(self, moment: Any) -> "SpaceQuerySet":
        """Kept at `moment`, with a deadline and copies to delete then: nothing is stored of rejected recordings."""
        return self.timed(moment).exclude(state=SpaceState.REJECTED)

    def timed(self, moment: Any) -> "SpaceQuerySet":
        """Kept at `moment`, with a deadline. Those on hold are the others that are kept."""
        return self.filter(state__in=KEPT, expires_at__gt=moment)

    def overdue(self, moment: datetime) -> "SpaceQuerySet":
        """Past their deadline, and their deletion has not started."""
        return self.filter(state__in=KEPT, expires_at__lte=moment)

    def on_hold(self) -> "SpaceQuerySet":
        """A legal hold keeps them without a deadline."""
        return self.filter(state__in=KEPT, expires_at=None)

    def flagged(self) -> "SpaceQuerySet":
        """With a flag that was not lifted."""
        return self.filter(is_flagged=True)

    def appealed(self) -> "SpaceQuerySet":
        """With an appeal that is not decided."""
        return self.filter(is_appealed=True)

    def gone(self, moment: Any = None) -> "SpaceQuerySet":
        return self.filter(is_gone(moment))

    def due(self, moment: Any = None) -> "SpaceQuerySet":
        return self.filter(is_due(moment))

    def to_review(self) -> "SpaceQuerySet":
        """Served, and no admin has reviewed them."""
        return self.served().filter(reviewed_at=None)

    def reviewed(self, *, flagged: bool) -> "SpaceQuerySet":
        """Served and reviewed: with a flag that stands, or without."""
        return self.served().filter(is_flagged=flagged, reviewed_at__isnull=False)

    def reopen_review(self) -> int:
        """Put Spaces without a flag back among those to review."""
        return self.filter(is_flagged=False).update(reviewed_at=None, reviewed_by=None)

    def visible_to(self, user: "User") -> "SpaceQuerySet":
        """Hosts see their own Spaces; admins and auditors see all of them."""
        return self.all() if sees_all(user) else self.of_host(user.pk)

    def of_host(self, host_id: int) -> "SpaceQuerySet":
        """As `visible_to`, of somebody who does not see all."""
        return self.filter(host=host_id)

    def listed_for(self, user: "User") -> "SpaceQuerySet":
        """As `visible_to`, but without a host's rejected recordings that they took off their list."""
        return self.visible_to(user).without_dismissed(user.pk)

    def without_dismissed(self, host_id: int) -> "SpaceQuerySet":
        """Without the rejected recordings that this host took off their list."""
        return self.exclude(host=host_id, dismissed_at__isnull=False)

    def readable_by(self, user: "User") -> "SpaceQuerySet":
        """Whose content this user may play and read: hosts their own, admins all; auditors none but their own."""
        return self.all() if user.is_admin else self.filter(host=user)


def sees_all(user: "User") -> bool:
    """Whether a user sees the Spaces of every host. For queries that are compiled once for all users."""
    return user.is_admin or user.is_auditor


def count_up_to(limit: int, rows: Mapping[K, models.QuerySet[Any]]) -> dict[K, int]:
    """Count each of these in one query, and stop at `limit`: the cost does not grow with the number of rows."""
    statement, params = counting_statement(limit, list(rows.values()))
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        return dict(zip(rows, cursor.fetchone(), strict=True))


def counting_statement(limit: int, rows: Sequence[models.QuerySet[Any]]) -> tuple[str, list[Any]]:
    """The SQL that counts each of these up to `limit`, and its parameters."""
    counts: list[str] = []
    params: list[Any] = []
    for counted in rows:
        try:
            statement, values = counted.values("pk")[:limit].query.sql_with_params()
        except EmptyResultSet:  # Django knows that no row matches
            counts.append("0")
            continue
        counts.append(f"(SELECT count(*) FROM ({statement}) AS counted)")  # noqa: S608  # Django compiled it
        params += values
    return f"SELECT {', '.join(counts)}", params


def _before_deadline(moment: Any, prefix: str) -> Q:
    return Q(**{f"{prefix}expires_at": None}) | Q(**{f"{prefix}expires_at__gt": _or_now(moment)})


def _or_now(moment: Any) -> Any:
    return Now() if moment is None else moment
