"""Signed heads of the tree: every ten minutes with news, and daily without. First the tiles, then the signature, then
the store's copy.

A checkpoint is signed only if it extends the last one, the one in the database and the one in the store. If it does
not, somebody changed the log, or an older database was restored: nothing is signed any more, and every round raises an
alert, until an operator has looked (docs/log.md).
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
# What a database that is restored from a backup must not lack (archive/restores.py): it is in the store a minute later.
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
    """The first checkpoint that contains leaf `index`; None if it has not been signed yet."""
    return LogCheckpoint.objects.filter(size__gt=index).order_by("size", "id").first()


def publish_due(claim: Claim[LogSequencer], budget: Budget) -> None:
    """Sign a checkpoint if one is due and this process can, and write the newest one to the store. If the time is over
    before all tiles are written, the next run goes on. Raises LeaseLost, or an error of the store."""
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
    """Record, once, that this process signs with its key. A retired one is reported when a checkpoint is due."""
    if settings.LOG_KEY:
        has_retired_key()


def is_due(row: LogSequencer) -> bool:
    """By the database's clock; at once after a decision that keeps a Space for longer (AT_ONCE)."""
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
    """Whether the tree of this row extends the last checkpoint here, the one in the store, and the one in the second
    bucket. If not: an alert."""
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
    """`heads`: each with the place where it is."""
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
    """Whether the log as it is now extends all of these, which are in the second bucket. If not: an alert."""
    return _extends_all(LogSequencer.objects.get(), _in_second_bucket(heads))


def _sign(claim: Claim[LogSequencer], row: LogSequencer) -> None:
    checkpoint = sign_checkpoint(row.size, tile_store.stored_tree(row.size).root())
    with transaction.atomic():
        claim.renew()
        LogCheckpoint.objects.create(size=checkpoint.size, note=checkpoint.note)


def restore_missing(claim: Claim[LogSequencer]) -> DatabaseRestore | None:
    """Write the newest checkpoint to the store again, which has none. If the store has tiles of a larger tree, an older
    database was restored: nothing is written, and its row is returned. Raises LeaseLost, StorageError."""
    if found := find_larger_tree() or restores.compare_second_bucket():
        return found
    logger.warning("log_checkpoint_missing", place=restores.STORE)
    _publish(claim, store(), is_missing=True)
    return None


def find_larger_tree() -> DatabaseRestore | None:
    """The restore that the store's tiles tell of where its checkpoint is missing: they are of more entries than the
    database has indices for. None if an operator has confirmed it. Raises StorageError."""
    row = LogSequencer.objects.get(pk=1)
    size = tile_store.stored_size(store(), row.size)
    confirmed = DatabaseRestore.objects.filter(state=DatabaseRestore.State.CONFIRMED, size__gte=size)
    return None if size <= row.size or confirmed.exists() else restores.open_restore(restores.STORE, size)


def _publish(claim: Claim[LogSequencer], bucket: Store, *, is_missing: bool = False) -> None:
    """Write the newest checkpoint to the store, also one that a killed worker signed and could not write; and again
    when a witness has cosigned it. One that this database does not know is never overwritten. Raises StorageError."""
    last = latest()
    if last is None:
        return
    written = {"published_id": last.pk, "published_cosignatures": last.cosignatures.count()}
    claim.renew()
    if is_missing or not LogSequencer.objects.filter(pk=claim.row.pk, **written).exists():
        if not is_missing and restores.find():  # the store may not have answered before the entries were numbered
            return
        note = witnesses.note_with_cosignatures(last).encode()
        # Not by `put`: that of a worker that lost its lease could replace a newer one, by which a restored database is
        # recognized (archive/restores.py).
        write(bucket, keys.log_object("checkpoint"), BytesIO(note), CONTENT_TYPE, check=claim.renew)
        claim.renew(**written)
