"""Raise an alert for old entries that are neither in the tree nor in the queue.

The portal's role can't avoid the trigger that queues entries. So somebody disabled it, or deleted from the queue. Each
entry is checked only once here; a verification of the whole log checks all.
"""

from datetime import timedelta

import structlog
from django.db import connection

from archive.leases import Claim
from archive.models import LogSequencer

PATIENCE = timedelta(minutes=15)  # by then the sequencer has numbered an entry while workers run
MOST = 500_000  # entries per check
SHOWN = 20

logger = structlog.get_logger()

NEWEST_OLD = """
SELECT id FROM archive_logentry WHERE at < statement_timestamp() - make_interval(secs => %s)
ORDER BY at DESC, id DESC LIMIT 1
"""
FIND = """
SELECT id FROM archive_logentry entry WHERE id > %s AND id <= %s
    AND NOT EXISTS (SELECT FROM archive_logleaf WHERE entry_id = entry.id)
    AND NOT EXISTS (SELECT FROM archive_logqueue WHERE entry_id = entry.id)
ORDER BY id LIMIT %s
"""


def alert(claim: Claim[LogSequencer]) -> None:
    """Check the entries that became old since the last check. Repeats the alert in each round until they have an index.
    Raises LeaseLost."""
    checked = LogSequencer.objects.values_list("checked_id", flat=True).get(pk=claim.row.pk)
    with connection.cursor() as cursor:
        cursor.execute(NEWEST_OLD, [PATIENCE.total_seconds()])
        newest = cursor.fetchone()
        last = min(newest[0], checked + MOST) if newest else checked
        if last <= checked:
            return
        cursor.execute(FIND, [checked, last, SHOWN])
        found = [pk for (pk,) in cursor.fetchall()]
    if found:
        logger.error("log_entries_without_index", entries=found)
        last = found[0] - 1
    claim.renew(checked_id=last)
