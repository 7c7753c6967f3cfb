"""Whether deletions were on time, in a period and now."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Case, DateTimeField, DurationField, ExpressionWrapper, F, Q, QuerySet, When
from django.db.models.fields.json import KT
from django.db.models.functions import Cast

from archive import policy
from archive.audit.days import Day, all_delays
from archive.audit.find import MAX_COUNTED
from archive.log import events
from archive.models import LogEntry, Space, SpaceQuerySet
from archive.models.log import LOGGED_TIME
from archive.models.space_queries import count_up_to

MAX_LATE = 100  # late deletions in the list


@dataclass(frozen=True)
class Compliance:
    """Deletions of a period: those at a deadline, of which `late` took longer than MAX_DELETION_DELAY, and `abandoned`
    uploads. Delays are seconds after the deadline; None without deletions.

    The rest is about now, counted up to MAX_COUNTED: `overdue` Spaces have exceeded MAX_DELETION_DELAY;
    `oldest_pending` is the earliest past deadline without a confirmed deletion.
    """

    due: int
    on_time: int
    late: int
    abandoned: int
    median: int | None
    p99: int | None
    worst: int | None
    overdue: int
    oldest_pending: datetime | None
    on_hold: int


@dataclass(frozen=True)
class Deletion:
    """A log entry of a deletion. `deadline` and `delay` (seconds) are None for an abandoned upload."""

    number: int
    space_id: UUID | None
    at: datetime
    deadline: datetime | None
    delay: float | None
    objects: int

    @property
    def is_late(self) -> bool:
        return self.delay is not None and self.delay > policy.MAX_DELETION_DELAY.total_seconds()


def compliance(days: Sequence[Day], now: datetime) -> Compliance:
    delays = all_delays(days)
    oldest = [rows.order_by("expires_at", "id").values_list("expires_at", flat=True).first() for rows in _pending(now)]
    kept, expiring = _pending(now - policy.MAX_DELETION_DELAY)
    rows = {"kept": kept, "expiring": expiring, "on_hold": Space.objects.on_hold()}
    counts = count_up_to(MAX_COUNTED + 1, rows)
    return Compliance(
        due=delays.total,
        on_time=delays.total - delays.late,
        late=delays.late,
        abandoned=sum(day.deleted for day in days) - delays.total,
        median=delays.median,
        p99=delays.p99,
        worst=delays.worst,
        overdue=counts["kept"] + counts["expiring"],
        oldest_pending=min((at for at in oldest if at is not None), default=None),
        on_hold=counts["on_hold"],
    )


def _pending(moment: datetime) -> tuple[SpaceQuerySet, SpaceQuerySet]:
    """Return the Spaces whose deadline had passed at this moment and whose deletion is not confirmed: those whose
    deletion has not started, and the others. They use different indexes."""
    return Space.objects.overdue(moment), Space.objects.filter(state=Space.State.EXPIRING, expires_at__lte=moment)


def describe_deletions(entries: Iterable[LogEntry]) -> list[Deletion]:
    return list(each_deletion(entries))


def each_deletion(entries: Iterable[LogEntry]) -> Iterator[Deletion]:
    return (_deletion(entry) for entry in entries)


def list_late(days: Iterable[Day]) -> list[Deletion]:
    """Return the newest late deletions of these days, MAX_LATE + 1 at most. Skips days before the first late one."""
    late = [day.day for day in days if day.delays.late]
    if not late:
        return []
    since, until = day_bounds(late[0], late[-1])
    rows = _with_delay(LogEntry.objects.filter(event=events.SPACE_DELETED, at__gte=since, at__lt=until))
    rows = rows.filter(Q(delay__gt=policy.MAX_DELETION_DELAY)).order_by("-at", "-id")
    return describe_deletions(rows[: MAX_LATE + 1])


def day_bounds(first: date, last: date) -> tuple[datetime, datetime]:
    """Return the start of the first day (UTC) and the end of the last day."""
    end = last + timedelta(days=1)
    return datetime(first.year, first.month, first.day, tzinfo=UTC), datetime(end.year, end.month, end.day, tzinfo=UTC)


def _with_delay(entries: QuerySet[LogEntry]) -> QuerySet[LogEntry]:
    deadline = Case(When(detail__deadline__regex=LOGGED_TIME, then=Cast(KT("detail__deadline"), DateTimeField())))
    return entries.annotate(delay=ExpressionWrapper(F("at") - deadline, output_field=DurationField()))


def _deletion(entry: LogEntry) -> Deletion:
    deadline = _deadline(entry.detail.get("deadline"))
    removed = entry.detail.get("removed")
    objects = len(removed) if isinstance(removed, list) else 0
    if deadline is None or entry.at < deadline:
        return Deletion(entry.pk, entry.space_id, entry.at, None, None, objects)
    return Deletion(entry.pk, entry.space_id, entry.at, deadline, (entry.at - deadline).total_seconds(), objects)


def _deadline(value: Any) -> datetime | None:
    """Parse a logged deadline. None if the entry has none, or an unexpected value: entries can't be corrected."""
    is_time = isinstance(value, str) and re.fullmatch(LOGGED_TIME, value)
    return datetime.fromisoformat(value) if is_time else None
