"""Detect that an older database was restored, and stop all deletion until an operator has confirmed the restore.

A restored database lacks flags and legal holds, and has Spaces that were deleted since. The log detects it: the newest
checkpoint in the store must be one of this database's own. A checkpoint's row is committed before it is written to the
store, so this always holds for a database that lost nothing. If the store lacks the checkpoint although this database
has written one, nothing is deleted until the sequencer has written it again (archive/transparency/checkpoints.py). The
second bucket is checked too, once per process and before each signature; only signed copies count, since others may
write there. A witness that is ahead only raises an alert: otherwise its operator could stop deletions.

A detected restore is a row. While it is open, nothing is deleted, no orphan is removed, and the log is neither numbered
nor signed (docs/decisions/0012-restores.md). Nothing is deleted either while the store does not answer.
`manage.py restore_check` recovers the lost entries (archive/transparency/recovery.py), and ends the pause.
"""

import hashlib
import time

import structlog
from django.conf import settings
from django.db.models.functions import Now

from archive import error_messages, signing_keys
from archive.errors import (
    CheckpointMissing,
    DeletionPaused,
    ObjectMissing,
    Problem,
    StorageError,
    StoreRefused,
    make_problem,
)
from archive.models import DatabaseRestore, LogCheckpoint, LogPublisher, LogSequencer, User
from archive.storage import Store, keys, locked, store

STORE = "the store"
MOST_READ = 100  # copies in the second bucket that are read, starting with the largest
PATIENCE = 300  # seconds for which a second bucket that failed is not asked again
State = DatabaseRestore.State

logger = structlog.get_logger()

# {second bucket: the largest checkpoint of the database when this process last compared them}
_compared: dict[str, int] = {}
_failed: dict[str, float] = {}  # {second bucket: when it failed, by time.monotonic()}


def find_pause() -> Problem:
    """Return why nothing may be deleted now, or {}: an unconfirmed restore, or a store that does not answer."""
    try:
        found = find()
    except CheckpointMissing as error:
        return error.problem
    except StorageError as error:
        return make_problem("restore.unknown", reason=error.problem)
    return describe(found) if found else {}


def require_no_pause() -> None:
    """Raise DeletionPaused if nothing may be deleted now. Call it before changing a row to start a deletion."""
    if pause := find_pause():
        raise DeletionPaused.of(pause)


def find_known() -> DatabaseRestore | None:
    """Return `find`, or the restore that is already known if the store does not answer."""
    try:
        return find()
    except StorageError:
        return current()


def find() -> DatabaseRestore | None:
    """Return the unconfirmed restore, after looking for a new one. Raises StorageError."""
    return current() or _compare_store() or compare_second_bucket()


def current() -> DatabaseRestore | None:
    """Return the known, unconfirmed restore. Sends no request to a store."""
    return DatabaseRestore.objects.filter(state=State.OPEN).first()


def describe_pause() -> str:
    """Return why nothing may be deleted now, for pages; "" without a known, unconfirmed restore. Sends no request to a
    store."""
    found = current()
    return error_messages.render(describe(found)) if found else ""


def describe(found: DatabaseRestore) -> Problem:
    return make_problem("restore.not_confirmed", place=found.place, count=found.size)


def open_restore(place: str, size: int, checkpoint: str = "") -> DatabaseRestore:
    """Record that `place` has a checkpoint of `size` entries that this database does not know. Idempotent."""
    facts = {"place": place, "size": size, "checkpoint": checkpoint}
    found, new = DatabaseRestore.objects.get_or_create(state=State.OPEN, defaults=facts)
    if new:
        logger.error("database_was_restored", place=place, checkpoint=size)
    return found


def dismiss(place: str, size: int, reason: str, by: User) -> None:
    """End the pause about a checkpoint of `size` entries at `place`, because nothing was restored."""
    found = DatabaseRestore.objects.filter(state=State.OPEN, place=place, size=size)
    found.update(state=State.CONFIRMED, confirmed_at=Now(), confirmed_by=by.pk, reason=reason)


def is_known(text: str) -> bool:
    """Return whether this database has signed the checkpoint with this text (without signatures), or an operator has
    confirmed a restore in spite of it."""
    signed = LogCheckpoint.objects.filter(size=size_of(text), note__startswith=f"{text}\n")
    return signed.exists() or DatabaseRestore.objects.filter(state=State.CONFIRMED, checkpoint=text).exists()


def text_of(note: bytes) -> str:
    """Return the signed text of a checkpoint: origin, size and root. Raises ValueError if `note` is no checkpoint."""
    text = note.decode().partition("\n\n")[0] + "\n"
    size_of(text)
    return text


def size_of(text: str) -> int:
    """Return the number of entries in the text of a checkpoint. Raises ValueError."""
    _, size, _ = text.removesuffix("\n").split("\n")
    return int(size)


def compare_second_bucket() -> DatabaseRestore | None:
    """Look for copies with more entries than this database's newest checkpoint: once per process, and again when the
    database has fewer checkpoints than before. A bucket that can't be reached delays a deletion at most once in
    PATIENCE seconds: checkpoints.py checks it as well, before each signature."""
    if not settings.LOG_BUCKET:
        return None
    place = second_bucket_place()
    newest = LogCheckpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0
    if newest >= _compared.get(place, newest + 1):
        _compared[place] = newest
        return None
    if place in _failed and time.monotonic() < _failed[place] + PATIENCE:
        return None
    try:
        found = _find_larger_copy(place, newest)
    except StorageError as error:
        logger.warning("log_bucket_failed", place=place, error=str(error))
        _failed[place] = time.monotonic()
        return None
    _compared[place] = newest
    return found


def second_bucket_place() -> str:
    """Return the name of the second bucket in rows."""
    return f"{settings.LOG_S3_ENDPOINT_URL}/{settings.LOG_BUCKET}"


def _compare_store() -> DatabaseRestore | None:
    key = keys.log_object("checkpoint")
    # Read this before the store: another process may write the first checkpoint there in between.
    was_published = LogSequencer.objects.filter(published_id__isnull=False).exists()
    try:
        text = text_of(store().get(key))
    except ObjectMissing:
        if was_published:
            raise CheckpointMissing("restore.checkpoint_missing", key=key) from None
        return None
    except ValueError:
        raise StoreRefused("restore.checkpoint_unreadable", key=key) from None
    return None if is_known(text) else open_restore(STORE, size_of(text), text)


def _find_larger_copy(place: str, newest: int) -> DatabaseRestore | None:
    """Check the largest copy that one of the log's keys signed and that no operator has acknowledged."""
    bucket = Store("checkpoints")
    larger = locked.versions_after(bucket, keys.CHECKPOINTS, keys.checkpoint_copies_of(newest + 1))
    rows = LogPublisher.objects.values_list("acknowledged", flat=True).first() or []
    acknowledged = {(row["key"], row["sha256"]) for row in rows if row["place"] == place}
    for version in larger[: -MOST_READ - 1 : -1]:
        note = locked.read_version(bucket, version)
        if (version.key, hashlib.sha256(note).hexdigest()) in acknowledged:
            continue
        try:
            text = text_of(note)
            is_signed = signing_keys.is_signed_checkpoint(note.decode())
        except ValueError:
            continue  # not a checkpoint; copies.py raises an alert
        if is_signed:
            return None if is_known(text) else open_restore(place, size_of(text), text)
    return None
