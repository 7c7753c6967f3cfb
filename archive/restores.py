"""Recognize that an older database was restored, and stop what destroys until an operator has confirmed it.

A restored database lacks flags and legal holds, and has Spaces that were deleted since. It is recognized by the log:
the newest checkpoint in the store must be one of this database's own. Its row is committed before it is written there,
so in a database that lost nothing it always is. The same is asked of the second bucket, once per process and before
each signature. A witness that is ahead only raises an alert: its operator could stop deletions otherwise.

What was found is a row. While it is open, nothing is deleted, no orphan is removed, and the log is neither numbered nor
signed (docs/decisions/0012-restores.md). A store that does not answer proves nothing: nothing is deleted either.
`manage.py restore_check` recovers the lost entries (archive/transparency/recovery.py), and ends the pause.
"""

import structlog
from django.conf import settings
from django.db.models.functions import Now

from archive import error_messages
from archive.errors import DeletionPaused, ObjectMissing, Problem, StorageError, StoreRefused, make_problem
from archive.models import DatabaseRestore, LogCheckpoint, LogPublisher, User
from archive.storage import Store, keys, locked, store

STORE = "the store"
MOST_READ = 10  # copies in the second bucket that are read, from the largest one on
State = DatabaseRestore.State

logger = structlog.get_logger()

# {second bucket: the largest checkpoint of the database when this process last compared them}
_compared: dict[str, int] = {}


def find_pause() -> Problem:
    """Why nothing may be deleted now, or {}: a restore that is not confirmed, or a store that can't be asked."""
    try:
        found = find()
    except StorageError as error:
        return make_problem("restore.unknown", reason=error.problem)
    return describe(found) if found else {}


def require_no_pause() -> None:
    """Raise DeletionPaused if nothing may be deleted now. Call it before the row changes that says what to delete."""
    if pause := find_pause():
        raise DeletionPaused.of(pause)


def find_known() -> DatabaseRestore | None:
    """`find`, or what was known before if the store can't be asked."""
    try:
        return find()
    except StorageError:
        return current()


def find() -> DatabaseRestore | None:
    """The restore that is not confirmed yet, also one that was not known before. Raises StorageError."""
    return current() or _compare_store() or _compare_second_bucket()


def current() -> DatabaseRestore | None:
    """The restore that is known and not confirmed yet. Asks no store."""
    return DatabaseRestore.objects.filter(state=State.OPEN).first()


def describe_pause() -> str:
    """Why nothing may be deleted now, for pages: "" if no restore is known that is not confirmed. Asks no store."""
    found = current()
    return error_messages.render(describe(found)) if found else ""


def describe(found: DatabaseRestore) -> Problem:
    return make_problem("restore.not_confirmed", place=found.place, count=found.size)


def open_restore(place: str, size: int, checkpoint: str = "") -> DatabaseRestore:
    """Record that a checkpoint of `size` entries is at `place` which this database does not know. Idempotent."""
    facts = {"place": place, "size": size, "checkpoint": checkpoint}
    found, new = DatabaseRestore.objects.get_or_create(state=State.OPEN, defaults=facts)
    if new:
        logger.error("database_was_restored", place=place, checkpoint=size)
    return found


def dismiss(place: str, size: int, reason: str, by: User) -> None:
    """End the pause about a checkpoint of `size` entries at `place`: nothing was restored."""
    found = DatabaseRestore.objects.filter(state=State.OPEN, place=place, size=size)
    found.update(state=State.CONFIRMED, confirmed_at=Now(), confirmed_by=by.pk, reason=reason)


def is_known(text: str) -> bool:
    """Whether this database has signed the checkpoint with this text (without signatures), or an operator has confirmed
    a restore in spite of it."""
    signed = LogCheckpoint.objects.filter(size=size_of(text), note__startswith=f"{text}\n")
    return signed.exists() or DatabaseRestore.objects.filter(state=State.CONFIRMED, checkpoint=text).exists()


def text_of(note: bytes) -> str:
    """What is signed of a checkpoint: its origin, size and root. Raises ValueError if that is none."""
    text = note.decode().partition("\n\n")[0] + "\n"
    size_of(text)
    return text


def size_of(text: str) -> int:
    """The number of entries in the text of a checkpoint. Raises ValueError."""
    _, size, _ = text.removesuffix("\n").split("\n")
    return int(size)


def second_bucket_place() -> str:
    """How rows name the second bucket."""
    return f"{settings.LOG_S3_ENDPOINT_URL}/{settings.LOG_BUCKET}"


def _compare_store() -> DatabaseRestore | None:
    key = keys.log_object("checkpoint")
    try:
        text = text_of(store().get(key))
    except ObjectMissing:
        return None
    except ValueError:
        raise StoreRefused("restore.checkpoint_unreadable", key=key) from None
    return None if is_known(text) else open_restore(STORE, size_of(text), text)


def _compare_second_bucket() -> DatabaseRestore | None:
    """Look for copies of more entries than this database has checkpoints of: once per process, and again when the
    database has fewer checkpoints than it had. A bucket that can't be reached delays nothing: before each signature it
    is asked again (checkpoints.py)."""
    if not settings.LOG_BUCKET:
        return None
    place = second_bucket_place()
    newest = LogCheckpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0
    if newest >= _compared.get(place, newest + 1):
        _compared[place] = newest
        return None
    try:
        found = _find_larger_copy(place, newest)
    except StorageError as error:
        logger.warning("log_bucket_failed", place=place, error=str(error))
        return None
    _compared[place] = newest
    return found


def _find_larger_copy(place: str, newest: int) -> DatabaseRestore | None:
    bucket = Store("checkpoints")
    larger = locked.versions_after(bucket, keys.CHECKPOINTS, keys.checkpoint_copies_of(newest + 1))
    rows = LogPublisher.objects.values_list("acknowledged", flat=True).first() or []
    acknowledged = {row["key"] for row in rows if row["place"] == place}
    for version in [one for one in larger if one.key not in acknowledged][: -MOST_READ - 1 : -1]:
        try:
            text = text_of(locked.read_version(bucket, version))
        except ValueError:
            continue  # no checkpoint; copies.py raises an alert
        return None if is_known(text) else open_restore(place, size_of(text), text)
    return None
