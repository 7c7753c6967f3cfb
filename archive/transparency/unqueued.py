"""An alert for entries that got no place in the tree although they are old: not even in the queue.

The trigger that queues entries can't be avoided by the portal's role. So somebody switched it off, or deleted from the
queue. What was looked at once is not looked at again here; a verification of the whole log looks at all.
"""

from datetime import timedelta

import structlog
from django.db import connection

from archive.leases import Claim
from archive.models import LogSequencer

PATIENCE = timedelta(minutes=15)  # within which the sequencer numbers an entry while workers run
MOST = 500_000  # entries that one look compares
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
    """Look at the entries that became old since the last look. Repeats the alert in each round until they have an
    index. Raises LeaseLost."""
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
