"""Sign heads of the tree: every ten minutes with new entries, and daily without. First the tiles are written, then the
checkpoint is signed, then it is written to the store.

A checkpoint is signed only if it extends the last one in the database and in the store. If it does not, the log was
changed, or an older database was restored: nothing is signed any more, and every round raises an alert, until an
operator resolves it (docs/log.md).
"""

from collections.abc import Sequence
from datetime import timedelta
from io import BytesIO

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.db.models.functions import Now

from archive import restores
from archive.errors import ObjectMissing
from archive.leases import Budget, Claim
from archive.log import events
from archive.models import DatabaseRestore, LogCheckpoint, LogSequencer
from archive.storage import Store, keys, store, write
from archive.transparency import copies, second_bucket, tile_store, witnesses
from archive.transparency.keys import has_retired_key, sign_checkpoint
from archive.transparency.verify_log import Checkpoint, Invalid

WITHOUT_NEWS = timedelta(days=1)
# Events that a restored database must not lack (archive/restores.py). They get a checkpoint at once.
AT_ONCE = (events.VIOLATION_FLAGGED, events.HOLD_PLACED)
DECIDED = """
SELECT EXISTS (
    SELECT FROM archive_logleaf JOIN archive_logentry e ON e.id = entry_id WHERE index >= %s AND e.event = ANY(%s)
)
"""
CONTENT_TYPE = "text/plain; charset=utf-8"

logger = structlog.get_logger()


def latest() -> LogCheckpoint | None:
    return LogCheckpoint.objects.order_by("-id").first()


def covering(index: int) -> LogCheckpoint | None:
    """Return the first checkpoint that contains leaf `index`; None if it is not signed yet."""
    return LogCheckpoint.objects.filter(size__gt=index).order_by("size", "id").first()


def publish_due(claim: Claim[LogSequencer], budget: Budget) -> None:
    """Sign a checkpoint if one is due and this process can, and write the newest one to the store. If the time runs out
    before all tiles are written, the next run continues. Raises LeaseLost, or an error of the store."""
    if not settings.LOG_KEY:
        return
    if has_retired_key():
        logger.error("log_key_retired")
        return
    row = LogSequencer.objects.get(pk=claim.row.pk)
    bucket = store()
    if is_due(row) and extends(row, bucket):
        if not tile_store.write_tiles(bucket, row, claim, budget):
            return
        _sign(claim, row)
    _publish(claim, bucket)


def record_key() -> None:
    """Record, once, that this process signs with its key. A retired key is reported when a checkpoint is due."""
    if settings.LOG_KEY:
        has_retired_key()


def is_due(row: LogSequencer) -> bool:
    """Return whether a checkpoint is due, by the database's clock; at once after an event of AT_ONCE."""
    last = latest()
    if last is None:
        return True
    pause = timedelta(seconds=settings.LOG_CHECKPOINT_SECONDS) if row.size > last.size else WITHOUT_NEWS
    if not LogCheckpoint.objects.filter(pk=last.pk, signed_at__gt=Now() - pause).exists():
        return True
    with connection.cursor() as cursor:
        cursor.execute(DECIDED, [last.size, list(AT_ONCE)])
        return bool(cursor.fetchone()[0])


def extends(row: LogSequencer, bucket: Store) -> bool:
    """Return whether the tree of this row extends the last checkpoint in the database, in the store, and in the second
    bucket. Raises an alert if not."""
    last = latest()
    heads = [("the database", Checkpoint.parse(last.note))] if last else []
    try:
        heads.append((restores.STORE, Checkpoint.parse(bucket.get(keys.log_object("checkpoint")).decode())))
    except ObjectMissing:
        pass
    except (Invalid, UnicodeDecodeError):
        logger.error("log_checkpoint_unreadable", place="store")
        return False
    if contradictions := copies.contradictions():
        copies.alert(contradictions)
        return False
    if second_bucket.is_configured():
        heads += _in_second_bucket(second_bucket.try_newest_checkpoints(last.size if last else 0))
    if not _extends_all(row, heads):
        return False
    if tile_store.frontier(row).root() != tile_store.stored_tree(row.size).root():
        logger.error("log_tree_changed", size=row.size)
        return False
    return True


def _in_second_bucket(heads: Sequence[Checkpoint]) -> list[tuple[str, Checkpoint]]:
    return [(second_bucket.place(), head) for head in heads]


def _extends_all(row: LogSequencer, heads: Sequence[tuple[str, Checkpoint]]) -> bool:
    """Return whether the log extends all `heads`: (place, checkpoint). If the database looks restored, record that."""
    for place, head in heads:
        if head.origin != settings.LOG_ORIGIN:
            logger.error("log_origin_changed", before=head.origin, now=settings.LOG_ORIGIN)
            return False
        if not tile_store.is_extended(row.size, head):
            logger.error("log_does_not_extend_checkpoint", checkpoint=head.size, size=row.size, place=place)
            if head.size > row.size and not restores.is_known(head.text):
                restores.open_restore(place, head.size, head.text)
            return False
    return True


def log_extends(heads: Sequence[Checkpoint]) -> bool:
    """Return whether the current log extends all of these, from the second bucket. Raises an alert if not."""
    return _extends_all(LogSequencer.objects.get(), _in_second_bucket(heads))


def _sign(claim: Claim[LogSequencer], row: LogSequencer) -> None:
    checkpoint = sign_checkpoint(row.size, tile_store.stored_tree(row.size).root())
    with transaction.atomic():
        claim.renew()
        LogCheckpoint.objects.create(size=checkpoint.size, note=checkpoint.note)


def restore_missing(claim: Claim[LogSequencer]) -> DatabaseRestore | None:
    """Write the newest checkpoint to the store again, which has lost it. If the store has tiles of a larger tree, an
    older database was restored: write nothing, and return the row of the restore. Raises LeaseLost, StorageError."""
    if found := find_larger_tree() or restores.compare_second_bucket():
        return found
    logger.warning("log_checkpoint_missing", place=restores.STORE)
    _publish(claim, store(), is_missing=True)
    return None


def find_larger_tree() -> DatabaseRestore | None:
    """Detect a restore by the store's tiles when its checkpoint is missing: they have more entries than the database.
    Returns None if an operator has confirmed it. Raises StorageError."""
    row = LogSequencer.objects.get(pk=1)
    size = tile_store.stored_size(store(), row.size)
    confirmed = DatabaseRestore.objects.filter(state=DatabaseRestore.State.CONFIRMED, size__gte=size)
    return None if size <= row.size or confirmed.exists() else restores.open_restore(restores.STORE, size)


def _publish(claim: Claim[LogSequencer], bucket: Store, *, is_missing: bool = False) -> None:
    """Write the newest checkpoint to the store if it is missing there (a killed worker may have signed it), and again
    when a witness has cosigned it. Never overwrites a checkpoint that this database does not know. Raises
    StorageError."""
    last = latest()
    if last is None:
        return
    written = {"published_id": last.pk, "published_cosignatures": last.cosignatures.count()}
    claim.renew()
    if is_missing or not LogSequencer.objects.filter(pk=claim.row.pk, **written).exists():
        if not is_missing and restores.find():  # the store may not have answered before the entries were numbered
            return
        note = witnesses.note_with_cosignatures(last).encode()
        # Not by `put`: a worker that lost its lease could replace a newer checkpoint, by which archive/restores.py
        # detects a restore.
        write(bucket, keys.log_object("checkpoint"), BytesIO(note), CONTENT_TYPE, check=claim.renew)
        claim.renew(**written)
