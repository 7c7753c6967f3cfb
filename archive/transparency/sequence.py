"""The sequencer: gives each committed entry of the log the next index, and its hash a place in the tree.

Entries wait in a queue that a trigger fills in their own transaction, so a transaction that writes to the log waits for
no other one, and what was rolled back was never in the queue. One transaction takes entries from the queue and writes
their leaves: each entry is either waiting or has an index, whatever dies. The order is that of taking: an entry that
commits late gets a later index than others with higher ids.

The row of LogSequencer is locked meanwhile and its fence checked, so two workers never number at once, and a unique
index would stop them if they did.
"""

import structlog
from django.db import connection, transaction

from archive import leases
from archive.errors import SpacekeepError
from archive.leases import Claim
from archive.log.leaf import leaf_data
from archive.models import LogEntry, LogNode, LogQueue, LogSequencer
from archive.transparency import checkpoints, unqueued
from archive.transparency.tile_store import frontier
from archive.transparency.verify_log import leaf_hash

BATCH = 2000  # entries in one transaction
ROUND = 65_536  # entries between two looks at whether a checkpoint is due

logger = structlog.get_logger()

# The oldest entries in the queue. Rows that a transaction has not committed are invisible, so they can't be taken.
TAKE = """
DELETE FROM archive_logqueue WHERE entry_id IN (SELECT entry_id FROM archive_logqueue ORDER BY entry_id LIMIT %s)
RETURNING entry_id
"""
READ = "SELECT * FROM archive_logentry WHERE id = ANY(%s) ORDER BY id"
ADD_LEAVES = """
INSERT INTO archive_logleaf (index, entry_id, hash) SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[])
"""


def run() -> bool:
    """Number the waiting entries, and sign a checkpoint if one is due. Returns False if another worker does it, or on
    an error that a later run will not have."""
    row, _ = LogSequencer.objects.get_or_create(pk=1)
    claim = leases.claim(LogSequencer, row.pk, ["sequencing"])
    return leases.attempt(claim, _run, retry=_retry, parks=False)


def has_backlog() -> bool:
    """Whether more waits than one transaction takes."""
    return LogQueue.objects.order_by()[BATCH:].exists()


def _retry(claim: Claim[LogSequencer], error: SpacekeepError) -> None:
    claim.release_for_retry(error.problem)
    logger.warning("log_sequencer_failed", error=str(error))


def _run(claim: Claim[LogSequencer]) -> bool:
    budget = claim.budget()
    checkpoints.record_key()  # before entries are numbered: the first checkpoint with a new key contains its entry
    while True:
        numbered = 0
        while numbered < ROUND and (count := number_entries(claim)):
            numbered += count
        checkpoints.publish_due(claim, budget)
        if budget.is_used_up():
            return claim.release_for_retry({}, at_once=True)
        if numbered < ROUND:
            break
    unqueued.alert(claim)
    claim.renew(problem={}, **leases.RESET)
    return True


def number_entries(claim: Claim[LogSequencer], limit: int = BATCH) -> int:
    """Give the oldest waiting entries their indices, in one transaction. Returns how many were waiting, at most
    `limit`. Raises LeaseLost."""
    with transaction.atomic():
        claim.renew()  # locks the row until the commit
        ids = _take(limit)
        if not ids:
            return 0
        row = LogSequencer.objects.get(pk=claim.row.pk)
        tree = frontier(row)
        entries = list(LogEntry.objects.raw(READ, [ids]))
        if missing := sorted(set(ids) - {entry.pk for entry in entries}):
            # A trigger refuses that: somebody switched it off. The others get their indices all the same.
            logger.error("log_entries_deleted", entries=missing[:100], count=len(missing))
        hashes, nodes = [], []
        for entry in entries:
            hashes.append(leaf_hash(leaf_data(entry)))
            for level, known in tree.append(hashes[-1]):
                if level:
                    nodes.append(LogNode(level=level, index=(tree.size >> 8 * level), hash=known))
        with connection.cursor() as cursor:
            places = range(row.size, row.size + len(entries))
            cursor.execute(ADD_LEAVES, [list(places), [entry.pk for entry in entries], hashes])
        LogNode.objects.bulk_create(nodes)
        LogSequencer.objects.filter(pk=row.pk).update(size=tree.size, frontier=b"".join(tree.hashes))
    return len(ids)


def _take(limit: int) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(TAKE, [limit])
        return [pk for (pk,) in cursor.fetchall()]
