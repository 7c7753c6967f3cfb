"""A second bucket with each checkpoint under object lock, so that nobody at the archive can change or delete it.

It may be another vendor's, and has its own credentials. An object is written once, under its own key, and locked for
LOG_LOCK_DAYS; the purge of Spaces never touches this bucket. Before the next checkpoint is signed, the newest one here
is compared with the tree, so an older database or a changed log is detected even if our own store was restored with it.
If the bucket can't be reached, nothing stops: it gets the missing checkpoints in a later round.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import groupby

import structlog
from django.conf import settings
from django.db.models.functions import Now

from archive import dbtime, restores
from archive.errors import ObjectChanged, StorageError
from archive.models import CheckpointCopy, LogCheckpoint
from archive.storage import Store, StoredVersion, keys, locked
from archive.transparency import acknowledgements
from archive.transparency.keys import public_keys
from archive.transparency.verify_log import Checkpoint, Invalid

ALIAS = "checkpoints"
AT_ONCE = 50  # checkpoints in one round
OVERDUE = timedelta(days=1)
MAX_SIZE = 64 * 1024  # bytes of a checkpoint

logger = structlog.get_logger()


def is_configured() -> bool:
    return bool(settings.LOG_BUCKET)


def bucket() -> Store:
    return Store(ALIAS)


def place() -> str:
    """Return the name of the bucket in rows."""
    return restores.second_bucket_place()


def newest_checkpoints(about: int) -> list[Checkpoint]:
    """Return the newest checkpoint in the bucket that the log's keys signed, with other versions of it, if it was
    replaced; [] if there is none. Leaves out copies that an operator acknowledged; an unsigned one raises an alert.
    `about`: its probable size. Raises StorageError."""
    store, known = bucket(), acknowledgements.acknowledged_bytes(place())
    newest: list[Checkpoint] = []
    for _, versions in groupby(_newest_first(store, about), key=lambda version: version.key):
        signed = [(version.key, checkpoint) for version in versions if (checkpoint := read(store, version))]
        newest = [one for key, one in signed if (key, acknowledgements.digest(one.note)) not in known]
        if newest:
            break
    return newest


def try_newest_checkpoints(about: int) -> list[Checkpoint]:
    """Return `newest_checkpoints`, or [] if the bucket can't be read: signing does not wait for it."""
    try:
        return newest_checkpoints(about)
    except StorageError as error:
        logger.warning("log_bucket_failed", place=place(), error=str(error))
        return []


def read(store: Store, version: StoredVersion) -> Checkpoint | None:
    """Return a checkpoint that the log's keys signed; None, and an alert, if they did not. Raises StorageError."""
    try:
        note = locked.read_version(store, version).decode() if version.size <= MAX_SIZE else ""
        checkpoint = Checkpoint.parse(note)
        checkpoint.require_signature(public_keys())
    except (Invalid, UnicodeDecodeError):
        logger.error("log_checkpoint_unreadable", place=place(), key=version.key)
        return None
    return checkpoint


def _newest_first(store: Store, about: int) -> Iterator[StoredVersion]:
    """Yield all versions in the bucket, the largest key first. A store lists only upwards, so list from `about` on
    first, and then in steps that double below it: one or two requests, unless the bucket is ahead of us."""
    step, start, end = 0, about, ""
    while True:
        found = locked.versions_after(store, keys.CHECKPOINTS, keys.checkpoint_copies_of(start))
        new = [version for version in found if not end or version.key < end]
        yield from sorted(new, key=lambda version: version.key, reverse=True)
        if start == 0:
            return
        end = min([end or "~", *(version.key for version in new)])
        step = max(1, 2 * step)
        start = max(0, about - step)


def publish(newest: LogCheckpoint, is_extended: Callable[[Sequence[Checkpoint]], bool]) -> None:
    """Write the checkpoints that the bucket lacks, the oldest first, if `is_extended` confirms that our log extends
    those in the bucket; into an empty bucket, only `newest`. Errors of the store are logged, and raise an alert when
    the bucket lacks a checkpoint that is older than a day."""
    if not (missing := _missing(newest)):
        return
    try:
        if is_extended(newest_checkpoints(newest.size)):
            store = bucket()
            lock = _lock(store)
            for row in missing:
                _write(store, row, lock)
    except StorageError as error:
        (logger.error if _is_overdue() else logger.warning)("log_bucket_failed", place=place(), error=str(error))


def _missing(newest: LogCheckpoint) -> Sequence[LogCheckpoint]:
    last = latest_copy()
    if last is None:
        return [newest]
    return list(LogCheckpoint.objects.filter(pk__gt=last.checkpoint_id).order_by("pk")[:AT_ONCE])


def latest_copy() -> CheckpointCopy | None:
    return CheckpointCopy.objects.filter(place=place()).select_related("checkpoint").order_by("-checkpoint_id").first()


def _is_overdue() -> bool:
    """Return whether the bucket has lacked a checkpoint for longer than OVERDUE."""
    last = latest_copy()
    newer = LogCheckpoint.objects.filter(pk__gt=last.checkpoint_id if last else 0)
    return newer.filter(signed_at__lt=Now() - OVERDUE).exists()


def _lock(store: Store) -> locked.Lock | None:
    if not locked.has_lock(store):
        return None
    return locked.Lock(settings.LOG_LOCK_MODE, dbtime.now() + timedelta(days=settings.LOG_LOCK_DAYS))


def _write(store: Store, row: LogCheckpoint, lock: locked.Lock | None) -> None:
    """Write a checkpoint. Idempotent. Raises StorageError, also if the key has other content."""
    key, data = keys.checkpoint_copy(row.size, row.signed_at), row.note.encode()
    version = _find(store, key, data)
    if version is None:
        version = StoredVersion(key, locked.put_once(store, key, data, lock), len(data))
        if locked.read_version(store, version) != data:
            raise ObjectChanged("storage.bytes_differ", key=key)
    CheckpointCopy.objects.get_or_create(
        checkpoint=row, place=place(), defaults={"key": key, "locked_until": locked.locked_until(store, version)}
    )


def _find(store: Store, key: str, data: bytes) -> StoredVersion | None:
    """Return the version at this key that a killed worker wrote; None if there is none."""
    versions = [version for version in locked.versions_after(store, key, "") if version.key == key]
    for version in versions:
        if version.size == len(data) and locked.read_version(store, version) == data:
            return version
    if versions:
        raise ObjectChanged("storage.bytes_differ", key=key)
    return None
