"""Read whether deletions are on time: what is due now, and the delays of the last hour."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from archive import dbtime, policy, restores
from archive.audit import overview
from archive.log import events
from archive.models import Space
from archive.models.log import LOGGED_DEADLINE
from archive.models.space_queries import count_up_to
from archive.status.work import MAX_COUNTED

LAST = timedelta(hours=1)
DELAYS = f"""
SELECT count(*), max(delay), percentile_disc(0.5) WITHIN GROUP (ORDER BY delay), count(*) FILTER (WHERE delay > %s)
FROM (
    SELECT extract(epoch FROM at - {LOGGED_DEADLINE})::float8 AS delay FROM archive_logentry
    WHERE event = %s AND at >= %s AND at >= {LOGGED_DEADLINE}
    ORDER BY at DESC, id DESC LIMIT %s
) AS deleted
"""  # noqa: S608  (a constant of ours)


@dataclass(frozen=True)
class Deletions:
    """Spaces, counted up to MAX_COUNTED, and delays in seconds after the deadline.

    `due`: past the deadline, and the deletion has not started. `expiring`: it has started. `overdue`: those of both
    that should be deleted by now. `oldest_pending`: the earliest past deadline without a confirmed deletion.
    `is_paused`: nothing is deleted until an operator has confirmed a restore (archive/restores.py).

    In the last hour: `deleted` at their deadline, of which `late` took longer than policy.MAX_DELETION_DELAY; `worst`
    and `median` delay, None without deletions. `late` and `overdue` should be 0.
    """

    due: int
    expiring: int
    overdue: int
    oldest_pending: datetime | None
    on_hold: int
    deleted: int
    late: int
    worst: float | None
    median: float | None
    is_paused: bool


def read_deletions() -> Deletions:
    now = dbtime.now()
    state = overview.compliance([], now)
    expiring = Space.objects.filter(state=Space.State.EXPIRING)
    counts = count_up_to(MAX_COUNTED, {"due": Space.objects.overdue(now), "expiring": expiring})
    limit = policy.MAX_DELETION_DELAY.total_seconds()
    with connection.cursor() as cursor:
        cursor.execute(DELAYS, [limit, events.SPACE_DELETED, now - LAST, MAX_COUNTED])
        deleted, worst, median, late = cursor.fetchone()
    return Deletions(
        due=counts["due"],
        expiring=counts["expiring"],
        overdue=min(state.overdue, MAX_COUNTED),
        oldest_pending=state.oldest_pending,
        on_hold=min(state.on_hold, MAX_COUNTED),
        deleted=deleted,
        late=late,
        worst=worst,
        median=median,
        is_paused=restores.current() is not None,
    )
