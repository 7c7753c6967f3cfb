"""Compare the object store with the database, both ways. Without `apply` this is read-only.

**Orphans**, objects without a row, are deleted when they are older than `age` (24 h), were seen at least `age` ago and
are seen again, and their Space has no unfinished work. A writer creates the object first and its row seconds later,
under a lease of minutes, so an object of that age without a row is not in progress. The rows are queried once more
right before the deletion. The store is always read before the database, so a row written in between is seen.

**Ghosts**, rows without their object, raise an alert. We confirm with a HEAD request first, alert once, and keep the
row as evidence of the loss.

Export parts belong to several Spaces and lie outside their prefixes. They are few, so all of them are compared at once.
Test objects (archive/storage/rehearsal.py) live for seconds and have no row; if their process was killed,
they are orphans.

An open upload without a row is aborted when it is older than `age`. Unrecognized keys are reported and never deleted.
An inbox belongs to its recorder, so its objects are not compared; archive/intake/arrivals/inbox_clean_up.py removes
those past their deadline. An open upload there that is older than `age` is reported, because it uses space that no
listing of objects shows. Spaces being deleted, or already deleted, are left to purge.py and recheck.py.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction

from archive import dbtime, log, restores
from archive.errors import ObjectMissing, Refused, StorageError
from archive.log import SYSTEM, events
from archive.models import ReconcileFinding
from archive.retention import inventory
from archive.storage import Store, keys, store
from archive.storage.listing import ListedObject, walk, walk_uploads

DAY = timedelta(hours=24)
MOST = 1000  # objects and uploads that one run may remove
AT_ONCE = 200  # Spaces compared per batch


@dataclass
class Findings:
    """Keys by kind. `removed` is a subset of `orphans`, `ended` (aborted) of `uploads`."""

    orphans: list[str] = field(default_factory=list)
    ghosts: list[str] = field(default_factory=list)
    uploads: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    @property
    def facts(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Run:
    apply: bool
    age: timedelta
    most: int
    began: datetime
    bucket: Store
    found: Findings
    export_parts: dict[UUID, list[ListedObject]] = field(default_factory=dict)  # what the store has of each

    @property
    def full(self) -> bool:
        return len(self.found.removed) + len(self.found.ended) >= self.most


def reconcile(*, apply: bool = False, most: int = MOST, age: timedelta = DAY, at_once: int = AT_ONCE) -> Findings:
    """Compare everything. With `apply`, record and log the findings, and remove at most `most` objects and uploads.

    Raises StorageError. With `apply`, raises Refused at the start, or DeletionPaused during the run, while an
    unconfirmed restore pauses deletion (archive/restores.py): uploads since the backup look like orphans.
    """
    if apply and (pause := restores.find_pause()):
        raise Refused.of(pause)
    run = Run(apply, age, most, dbtime.now(), store(), Findings())
    after: UUID | None = None
    for batch in _batches(run, at_once):
        upto = max(batch) if len(batch) == at_once else None
        _compare(run, batch, after, upto)
        after = upto
        if upto is None:
            break
    else:
        _compare(run, {}, after, None)
    _compare_export_parts(run)
    _compare_uploads(run)
    if apply:
        _close_resolved(run)
    return run.found


def _batches(run: Run, at_once: int) -> Iterator[dict[UUID, list[ListedObject]]]:
    """Yield Spaces with their stored objects, in the order of their ids. Only the last batch is smaller."""
    batch: dict[UUID, list[ListedObject]] = {}
    for space_id, seen in groupby(walk(run.bucket), lambda one: keys.space_of(one.stored.key)):
        if space_id is None:
            _sort_other_keys(run, seen)
            continue
        batch[space_id] = list(seen)
        if len(batch) == at_once:
            yield batch
            batch = {}
    if batch:
        yield batch


def _sort_other_keys(run: Run, seen: Iterable[ListedObject]) -> None:
    for one in seen:
        if export_part_id := keys.export_part_of(one.stored.key):
            run.export_parts.setdefault(export_part_id, []).append(one)
        elif keys.is_rehearsal(one.stored.key):
            run.found.orphans.append(one.stored.key)
            if run.apply:
                _handle_orphan(run, None, one, lambda: True)
        elif not keys.is_in_inbox(one.stored.key) and not keys.is_of_log(one.stored.key):
            run.found.unknown.append(one.stored.key)


def _compare(run: Run, batch: dict[UUID, list[ListedObject]], after: UUID | None, upto: UUID | None) -> None:
    known, busy = inventory.known_keys(after, upto), inventory.busy(after, upto)
    for space_id, objects in batch.items():
        for one in objects:
            if one.stored.key not in known and space_id not in busy:
                run.found.orphans.append(one.stored.key)
                if run.apply:
                    _handle_orphan(run, space_id, one, partial(_is_unknown, one.stored.key, space_id))
    stored_keys = {one.stored.key for objects in batch.values() for one in objects}
    for key, space_id in sorted(inventory.promised_keys(after, upto).items()):
        if key not in stored_keys and _is_ghost(run, key, space_id):
            _report_ghost(run, key, space_id)


def _compare_export_parts(run: Run) -> None:
    known = inventory.known_exports()
    for export_part_id, objects in run.export_parts.items():
        for one in objects:
            if export_part_id not in known:
                run.found.orphans.append(one.stored.key)
                if run.apply:
                    _handle_orphan(run, None, one, partial(_is_unknown_export_part, export_part_id))
    for export_part_id, key in sorted(inventory.promised_exports().items()):
        if (
            export_part_id not in run.export_parts
            and not _exists(run, key)
            and export_part_id in inventory.promised_exports()
        ):
            _report_ghost(run, key, None)


def _is_ghost(run: Run, key: str, space_id: UUID) -> bool:
    """Confirm with a HEAD request that the object is missing, and that a row still needs it."""
    return not _exists(run, key) and key in inventory.promised_keys(_before(space_id), space_id)


def _exists(run: Run, key: str) -> bool:
    try:
        run.bucket.head(key)
    except ObjectMissing:
        return False
    return True


def _is_unknown(key: str, space_id: UUID) -> bool:
    before = _before(space_id)
    return key not in inventory.known_keys(before, space_id) and space_id not in inventory.busy(before, space_id)


def _is_unknown_export_part(export_part_id: UUID) -> bool:
    return export_part_id not in inventory.known_exports()


def _report_ghost(run: Run, key: str, space_id: UUID | None) -> None:
    run.found.ghosts.append(key)
    if run.apply and _record_finding(ReconcileFinding.Kind.GHOST, key, "")[1]:
        with transaction.atomic():
            if detail := inventory.record_missing(key, missing=True):
                log.record(events.OBJECT_MISSING, space_id=space_id, actor=SYSTEM, **detail)


def _close_resolved(run: Run) -> None:
    """Delete findings that this run did not see again. Log a ghost whose object is back as found."""
    gone = ReconcileFinding.objects.filter(last_at__lt=run.began)
    for finding in gone.filter(kind=ReconcileFinding.Kind.GHOST):
        if not _exists(run, finding.key):
            continue
        with transaction.atomic():
            if detail := inventory.record_missing(finding.key, missing=False):
                space_id = keys.space_of(finding.key)
                log.record(events.OBJECT_FOUND, space_id=space_id, actor=SYSTEM, **detail)
    gone.delete()


def _handle_orphan(run: Run, space_id: UUID | None, one: ListedObject, is_unknown: Callable[[], bool]) -> None:
    key, size = one.stored.key, one.stored.size
    finding, new = _record_finding(ReconcileFinding.Kind.ORPHAN, key, one.etag)
    if new:
        _record(events.ORPHAN_FOUND, space_id, key=key, size=size)
        return
    if run.full or max(finding.first_at, one.modified) > run.began - run.age:
        return
    if not is_unknown():
        return
    restores.require_no_pause()  # the database may have been replaced since this run began
    if failed := run.bucket.delete((one.stored,)):
        raise StorageError("storage.not_removed", key=key, error=failed[key])
    run.found.removed.append(key)
    with transaction.atomic():
        _record(events.ORPHAN_REMOVED, space_id, key=key, size=size, first_seen_at=log.rfc3339(finding.first_at))
        finding.delete()


def _record_finding(kind: ReconcileFinding.Kind, key: str, etag: str) -> tuple[ReconcileFinding, bool]:
    """Record the finding. Returns it, and whether it is new: another ETag is another object."""
    finding, new = ReconcileFinding.objects.get_or_create(kind=kind, key=key, defaults={"etag": etag})
    if not new and finding.etag != etag:
        finding.delete()
        return ReconcileFinding.objects.create(kind=kind, key=key, etag=etag), True
    ReconcileFinding.objects.filter(pk=finding.pk).update(last_at=dbtime.now())
    return finding, new


def _compare_uploads(run: Run) -> None:
    old = [one for one in walk_uploads(run.bucket) if one.initiated <= run.began - run.age]
    known, worked_on = inventory.uploads(), inventory.worked_on()
    for one in old:
        space_id = keys.space_of(one.key)
        owner = space_id or keys.export_part_of(one.key)
        if owner is None and not keys.is_rehearsal(one.key):
            run.found.unknown.append(one.key)
        elif one.id not in known and owner not in worked_on:
            run.found.uploads.append(one.key)
            if run.apply and not run.full:
                restores.require_no_pause()
                run.bucket.abort(one.key, one.id)
                run.found.ended.append(one.key)
                _record(events.RECONCILE_UPLOAD_ABORTED, space_id, key=one.key, begun_at=log.rfc3339(one.initiated))


def _record(event: str, space_id: UUID | None, **detail: Any) -> None:
    with transaction.atomic():
        log.record(event, space_id=space_id, actor=SYSTEM, **detail)


def _before(space_id: UUID) -> UUID | None:
    """Return the lower bound of an id range that contains only this id."""
    return UUID(int=space_id.int - 1) if space_id.int else None
