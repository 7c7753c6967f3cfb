"""Read how far the log's proof is behind the log."""

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from archive.models import LogQueue, LogSequencer
from archive.status.work import MAX_COUNTED
from archive.transparency import checkpoints

# The queue has no order, but its first rows are about the oldest (archive/transparency/sequence.py).
OLDEST = """
SELECT min(at) FROM archive_logentry WHERE id = ANY(ARRAY(SELECT entry_id FROM archive_logqueue LIMIT 1000))
"""


@dataclass(frozen=True)
class LogStatus:
    """`size`: entries with an index. `waiting`: entries without one, counted up to MAX_COUNTED; the oldest was written
    at `oldest_waiting`.

    The newest checkpoint covers `checkpoint_size` entries and was signed at `checkpoint_at`; None without one.
    `is_published`: it is in the store too. `problem_code`: why the sequencer's last run failed; "" if it did not.
    """

    size: int
    waiting: int
    oldest_waiting: datetime | None
    checkpoint_at: datetime | None
    checkpoint_size: int
    is_published: bool
    problem_code: str


def read_log() -> LogStatus:
    row = LogSequencer.objects.filter(pk=1).first()
    newest = checkpoints.latest()
    with connection.cursor() as cursor:
        cursor.execute(OLDEST)
        (oldest,) = cursor.fetchone()
    return LogStatus(
        size=row.size if row else 0,
        waiting=LogQueue.objects.order_by()[:MAX_COUNTED].count(),
        oldest_waiting=oldest,
        checkpoint_at=newest.signed_at if newest else None,
        checkpoint_size=newest.size if newest else 0,
        is_published=bool(newest and row and row.published_id == newest.pk),
        problem_code=row.problem_code if row else "",
    )
