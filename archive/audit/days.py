"""The log by day (UTC): how much was uploaded, flagged, held and deleted, and how long after its deadline.

The rows of LogDay can't differ from the log. An entry is never changed or removed (triggers refuse it), the database
sets its time, and a day is stored only CLOSED after its end, when every transaction that could have an entry of that
day has ended. Days without a row are computed from the log, so a missing row only costs time.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from math import ceil

from django.db import connection, models

from archive import dbtime, policy
from archive.log import events
from archive.models import LogDay, LogEntry
from archive.models.log import LOGGED_DEADLINE

CLOSED = timedelta(hours=24)  # no transaction takes so long
DAYS_AT_ONCE = 31
LIMIT = int(policy.MAX_DELETION_DELAY.total_seconds())
COUNTED = {
    "uploaded": events.SPACE_RECEIVED,
    "flagged": events.VIOLATION_FLAGGED,
    "held": events.HOLD_PLACED,
    "deleted": events.SPACE_DELETED,
}
DELAYS = f"""
SELECT (at AT TIME ZONE 'UTC')::date AS day,
    ceil(extract(epoch FROM at - {LOGGED_DEADLINE}))::bigint AS delay, count(*)
FROM archive_logentry
WHERE event = %s AND at >= %s AND at < %s AND at >= {LOGGED_DEADLINE}
GROUP BY 1, 2
"""  # noqa: S608  (a constant of ours)


@dataclass
class Delays:
    """The number of deletions by delay after their deadline. Seconds, rounded up, so that no delay looks shorter than
    it was."""

    counts: Counter[int] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        return self.counts.total()

    @property
    def late(self) -> int:
        """Deletions that took longer than MAX_DELETION_DELAY."""
        return sum(count for delay, count in self.counts.items() if delay > LIMIT)

    @property
    def worst(self) -> int | None:
        return max(self.counts, default=None)

    @property
    def median(self) -> int | None:
        """The median; for an even number of deletions the mean of the middle two, rounded up."""
        if not self.total:
            return None
        lower, upper = (self.total + 1) // 2, self.total // 2 + 1
        return ceil((self._ranked(lower) + self._ranked(upper)) / 2)

    @property
    def p99(self) -> int | None:
        """The 99th percentile. None below 100 deletions, where it would be the longest delay."""
        return self.quantile(0.99) if self.total >= 100 else None

    def quantile(self, share: float) -> int | None:
        """Return the smallest delay that at least this share of the deletions did not exceed (nearest rank)."""
        return self._ranked(ceil(share * self.total)) if self.total else None

    def _ranked(self, rank: int) -> int:
        """Return the delay with this rank, 1 for the shortest; `rank` is at most `total`."""
        for delay in sorted(self.counts):
            rank -= self.counts[delay]
            if rank <= 0:
                return delay
        raise ValueError("there are fewer deletions")


@dataclass(frozen=True)
class Day:
    day: date
    uploaded: int
    flagged: int
    held: int
    deleted: int
    delays: Delays


def list_days(first: date, last: date) -> list[Day]:
    """Return each day from `first` to `last`: closed ones from their rows, the others from the log."""
    stored = {row.day: _from_row(row) for row in LogDay.objects.filter(day__range=(first, last))}
    missing = [day for day in _days(first, last) if day not in stored]
    computed = {day.day: day for run in _runs(missing) for day in compute_days(*run)}
    return [stored.get(day) or computed[day] for day in _days(first, last)]


def compute_days(first: date, last: date) -> list[Day]:
    """Compute each day from `first` to `last` from the log. Two statements, each reads a range of an index."""
    since, until = _start(first), _start(last + timedelta(days=1))
    counts: Counter[tuple[date, str]] = Counter()
    rows = LogEntry.objects.filter(event__in=COUNTED.values(), at__gte=since, at__lt=until)
    by_day = rows.annotate(day=models.functions.TruncDate("at", tzinfo=UTC)).values_list("day", "event").order_by()
    for day, event, count in by_day.annotate(count=models.Count("id")):
        counts[day, event] = count
    delays: dict[date, Delays] = {day: Delays() for day in _days(first, last)}
    with connection.cursor() as cursor:
        cursor.execute(DELAYS, [events.SPACE_DELETED, since, until])
        for day, delay, count in cursor.fetchall():
            delays[day].counts[delay] = count
    return [
        Day(day, delays=delays[day], **{name: counts[day, event] for name, event in COUNTED.items()})
        for day in _days(first, last)
    ]


def store_closed_days() -> int:
    """Store the closed days without a row, the oldest first, at most DAYS_AT_ONCE. Returns how many."""
    last = (dbtime.now() - CLOSED).astimezone(UTC).date() - timedelta(days=1)
    newest = LogDay.objects.order_by("-day").values_list("day", flat=True).first()
    if newest is None:
        begins = first_day()
        if begins is None:
            return 0
        first = begins
    else:
        first = newest + timedelta(days=1)
    last = min(last, first + timedelta(days=DAYS_AT_ONCE - 1))
    if first > last:
        return 0
    days = compute_days(first, last)
    LogDay.objects.bulk_create((_as_row(day) for day in days), ignore_conflicts=True)
    return len(days)


def first_day() -> date | None:
    """Return the day (UTC) of the first entry, before which the log has no facts."""
    oldest = LogEntry.objects.order_by("at", "id").values_list("at", flat=True).first()
    return oldest.astimezone(UTC).date() if oldest else None


def all_delays(days: Iterable[Day]) -> Delays:
    total = Delays()
    for day in days:
        total.counts.update(day.delays.counts)
    return total


def _as_row(day: Day) -> LogDay:
    delays = {str(delay): count for delay, count in sorted(day.delays.counts.items())}
    return LogDay(**{**vars(day), "delays": delays})


def _from_row(row: LogDay) -> Day:
    delays = Delays(Counter({int(delay): count for delay, count in row.delays.items()}))
    return Day(row.day, row.uploaded, row.flagged, row.held, row.deleted, delays)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _runs(days: Sequence[date]) -> Iterator[tuple[date, date]]:
    """Yield the first and the last day of each run without a gap, so that stored days are not counted again."""
    for _, run in groupby(enumerate(days), key=lambda pair: pair[1].toordinal() - pair[0]):
        in_run = [day for _, day in run]
        yield in_run[0], in_run[-1]


def _start(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
