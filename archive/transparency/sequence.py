"""The sequencer: gives each committed entry of the log the next index, and its hash a place in the tree.

Entries wait in a queue that a trigger fills in their own transaction, so transactions that write to the log don't wait
for each other, and rolled back entries are never in the queue. One transaction takes entries from the queue and writes
their leaves, so after any crash each entry is either queued or has an index. The order is that of leaving the queue: an
entry that commits late gets a later index than others with higher ids.

The row of LogSequencer is locked during that and its fence checked, so two workers never assign indices at once; if
they did, a unique index would stop them.
"""

import structlog
from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper

from archive import leases, restores
from archive.errors import CheckpointMissing, StorageError
from archive.leases import Claim
from archive.log.leaf import COLUMNS, leaf_data_of_row
from archive.models import DatabaseRestore, LogQueue, LogSequencer
from archive.transparency import checkpoints, unqueued
from archive.transparency.tile_store import frontier
from archive.transparency.verify_log import leaf_hash

BATCH = 2000  # entries in one transaction
ROUND = 65_536  # entries between two checks of whether a checkpoint is due

logger = structlog.get_logger()

# Uncommitted rows are invisible, so they can't be taken. The queue has no index, but its first rows are about the
# oldest.
TAKE = """
DELETE FROM archive_logqueue WHERE ctid = ANY(ARRAY(SELECT ctid FROM archive_logqueue LIMIT %s)) RETURNING entry_id
"""
READ = f"SELECT {COLUMNS} FROM archive_logentry WHERE id = ANY(%s) ORDER BY id"  # noqa: S608
NUMBERED = "SELECT entry_id FROM archive_logleaf WHERE entry_id = ANY(%s)"


def run() -> bool:
    """Number the queued entries, and sign a checkpoint if one is due. Returns False if another worker does it, after a
    transient error, and after an unconfirmed restore (archive/restores.py)."""
    row, _ = LogSequencer.objects.get_or_create(pk=1)
    claim = leases.claim(LogSequencer, row.pk, ["sequencing"])
    return leases.attempt(claim, _run, parks=False)


def has_backlog() -> bool:
    """Return whether more entries are queued than one transaction takes."""
    return LogQueue.objects.order_by()[BATCH:].exists()


def _run(claim: Claim[LogSequencer]) -> bool:
    budget = claim.budget()
    if restored := _find_restore(claim):
        size = LogSequencer.objects.get(pk=claim.row.pk).size
        logger.error("log_does_not_extend_checkpoint", checkpoint=restored.size, size=size, place=restored.place)
        claim.renew(problem=restores.describe(restored), **leases.RESET)
        return False
    checkpoints.record_key()  # before numbering, so that the first checkpoint with a new key contains its entry
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


def _find_restore(claim: Claim[LogSequencer]) -> DatabaseRestore | None:
    """Look for a restore. Entries that get an index before the lost ones are recovered would take their indices. If the
    store does not answer, continue: recovery.py can remove indices that no checkpoint covers."""
    try:
        try:
            return restores.find()
        except CheckpointMissing:
            return checkpoints.restore_missing(claim)
    except StorageError:
        return restores.current()


def number_entries(claim: Claim[LogSequencer], limit: int = BATCH) -> int:
    """Give the first queued entries their indices, in one transaction. Returns how many were queued, at most `limit`.
    Raises LeaseLost."""
    with transaction.atomic():
        claim.renew()  # locks the row until the commit
        row = LogSequencer.objects.get(pk=claim.row.pk)
        with connection.cursor() as cursor:
            cursor.execute(TAKE, [limit])
            ids = [pk for (pk,) in cursor.fetchall()]
            if ids:
                append(cursor, row, _read(cursor, ids))
    return len(ids)


def _read(cursor: CursorWrapper, ids: list[int]) -> list[tuple[int, bytes]]:
    """Return (number, leaf hash) of these entries, without those that have an index."""
    cursor.execute(NUMBERED, [ids])
    numbered = {pk for (pk,) in cursor.fetchall()}
    cursor.execute(READ, [ids])
    found = [(entry[0], leaf_hash(leaf_data_of_row(entry))) for entry in cursor if entry[0] not in numbered]
    # Only possible with the triggers disabled. The other entries still get their indices.
    _alert("log_entries_deleted", set(ids) - numbered - {pk for pk, _ in found})
    _alert("log_entries_queued_again", numbered)
    return found


def _alert(event: str, entries: set[int]) -> None:
    if entries:
        logger.error(event, entries=sorted(entries)[:100], count=len(entries))


def append(cursor: CursorWrapper, row: LogSequencer, leaves: list[tuple[int, bytes]]) -> None:
    """Give these (number, leaf hash) the next indices. `row` must be locked."""
    tree = frontier(row)
    nodes: list[tuple[int, int, bytes]] = []
    for _, leaf in leaves:
        nodes += ((level, tree.size >> 8 * level, known) for level, known in tree.append(leaf) if level)
    with cursor.copy("COPY archive_logleaf (index, entry_id, hash) FROM STDIN") as copy:
        for index, (pk, leaf) in enumerate(leaves, row.size):
            copy.write_row((index, pk, leaf))
    if nodes:
        with cursor.copy("COPY archive_lognode (level, index, hash) FROM STDIN") as copy:
            for node in nodes:
                copy.write_row(node)
    LogSequencer.objects.filter(pk=row.pk).update(size=tree.size, frontier=b"".join(tree.hashes))
