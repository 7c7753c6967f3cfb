"""Comparing the store with the rows, both ways. Without `apply` it only says what it finds, and writes nothing.

An object that no row knows (an orphan) is removed when it was seen twice, `age` apart (24 h), is itself older than
that, and its Space is at rest. A writer makes the object first and its row seconds later, under a lease of minutes, so
none of its objects is that old without a row; and none of a Space with unfinished work is touched at all. Just before
it is removed, the rows are asked once more. The order is always: the store first, the rows second. So a row that is
written meanwhile is seen, and never an object taken for an orphan because its row was looked for too early.

A row whose object is not there (a ghost) is an alarm. It is asked for by its name before anybody is alarmed, told once,
and stays: it is the proof of what was lost.

Parts are of several Spaces and lie beside them; there are few, so they are compared all at once, in the same way.
What the store was tried with (archive/storage/setup.py, abilities.py) takes seconds and has no row; what is left of a
try that died is an orphan from the beginning.

An open upload that no row knows is ended when it is older than `age`. Keys that are not ours are said, never touched.
Of a Space whose deletion has begun or is over nothing is done here: purge.py and relisting.py do.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from typing import Any
from uuid import UUID

from django.db import transaction

from archive import dbtime, log
from archive.errors import ObjectMissing, StorageError
from archive.log import SYSTEM, events
from archive.models import ReconcileFinding
from archive.retention import inventory
from archive.storage import Store, keys, store
from archive.storage.listing import ListedObject, walk, walk_uploads

DAY = timedelta(hours=24)
MOST = 1000  # objects and uploads that one run removes
AT_ONCE = 200  # Spaces that are compared together


@dataclass
class Findings:
    """Keys. `removed` are among `orphans`, `ended` among `uploads`."""

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
    """Compare everything; with `apply`, remember and log what was found, and remove at most `most` things. Raises
    StorageError."""
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
    _export_parts(run)
    _uploads(run)
    if apply:
        _fits_by_now(run)
    return run.found


def _batches(run: Run, at_once: int) -> Iterator[dict[UUID, list[ListedObject]]]:
    """Spaces with what the store has of each, in the order of their ids; the last batch is not full."""
    batch: dict[UUID, list[ListedObject]] = {}
    for space_id, seen in groupby(walk(run.bucket), lambda one: keys.space_of(one.stored.key)):
        if space_id is None:
            _beside(run, seen)
            continue
        batch[space_id] = list(seen)
        if len(batch) == at_once:
            yield batch
            batch = {}
    if batch:
        yield batch


def _beside(run: Run, seen: Iterable[ListedObject]) -> None:
    for one in seen:
        if export_part_id := keys.export_part_of(one.stored.key):
            run.export_parts.setdefault(export_part_id, []).append(one)
        elif keys.is_rehearsal(one.stored.key):
            run.found.orphans.append(one.stored.key)
            if run.apply:
                _orphan(run, None, one, lambda: True)
        else:
            run.found.unknown.append(one.stored.key)


def _compare(run: Run, batch: dict[UUID, list[ListedObject]], after: UUID | None, upto: UUID | None) -> None:
    known, busy = inventory.known_keys(after, upto), inventory.busy(after, upto)
    for space_id, objects in batch.items():
        for one in objects:
            if one.stored.key not in known and space_id not in busy:
                run.found.orphans.append(one.stored.key)
                if run.apply:
                    _orphan(run, space_id, one, partial(_is_nobodys, one.stored.key, space_id))
    there = {one.stored.key for objects in batch.values() for one in objects}
    for key, space_id in sorted(inventory.promised_keys(after, upto).items()):
        if key not in there and _is_gone(run, key, space_id):
            _ghost(run, key, space_id)


def _export_parts(run: Run) -> None:
    known = inventory.known_exports()
    for export_part_id, objects in run.export_parts.items():
        for one in objects:
            if export_part_id not in known:
                run.found.orphans.append(one.stored.key)
                if run.apply:
                    _orphan(run, None, one, partial(_is_unknown_export_part, export_part_id))
    for export_part_id, key in sorted(inventory.promised_exports().items()):
        if (
            export_part_id not in run.export_parts
            and not _is_there(run, key)
            and export_part_id in inventory.promised_exports()
        ):
            _ghost(run, key, None)


def _is_gone(run: Run, key: str, space_id: UUID) -> bool:
    """The store says so by name, and the row still promises it."""
    return not _is_there(run, key) and key in inventory.promised_keys(_before(space_id), space_id)


def _is_there(run: Run, key: str) -> bool:
    try:
        run.bucket.head(key)
    except ObjectMissing:
        return False
    return True


def _is_nobodys(key: str, space_id: UUID) -> bool:
    before = _before(space_id)
    return key not in inventory.known_keys(before, space_id) and space_id not in inventory.busy(before, space_id)


def _is_unknown_export_part(export_part_id: UUID) -> bool:
    return export_part_id not in inventory.known_exports()


def _ghost(run: Run, key: str, space_id: UUID | None) -> None:
    run.found.ghosts.append(key)
    if run.apply and _sight(ReconcileFinding.Kind.GHOST, key, "")[1]:
        with transaction.atomic():
            if told := inventory.record_missing(key, missing=True):
                log.record(events.OBJECT_MISSING, space_id=space_id, actor=SYSTEM, **told)


def _fits_by_now(run: Run) -> None:
    """What was not seen again in this run. A ghost that was not seen again is there, or its Space is over."""
    gone = ReconcileFinding.objects.filter(last_at__lt=run.began)
    for sighting in gone.filter(kind=ReconcileFinding.Kind.GHOST):
        if not _is_there(run, sighting.key):
            continue
        with transaction.atomic():
            if told := inventory.record_missing(sighting.key, missing=False):
                space_id = keys.space_of(sighting.key)
                log.record(events.OBJECT_FOUND, space_id=space_id, actor=SYSTEM, **told)
    gone.delete()


def _orphan(run: Run, space_id: UUID | None, one: ListedObject, is_nobodys: Callable[[], bool]) -> None:
    key, size = one.stored.key, one.stored.size
    sighting, new = _sight(ReconcileFinding.Kind.ORPHAN, key, one.etag)
    if new:
        _record(events.ORPHAN_FOUND, space_id, key=key, size=size)
        return
    if run.full or max(sighting.first_at, one.modified) > run.began - run.age:
        return
    if not is_nobodys():
        return
    if failed := run.bucket.delete((one.stored,)):
        raise StorageError("storage.not_removed", key=key, error=failed[key])
    run.found.removed.append(key)
    with transaction.atomic():
        _record(events.ORPHAN_REMOVED, space_id, key=key, size=size, first_seen_at=log.rfc3339(sighting.first_at))
        sighting.delete()


def _sight(kind: ReconcileFinding.Kind, key: str, etag: str) -> tuple[ReconcileFinding, bool]:
    """The sighting, and whether it is the first of this very thing."""
    sighting, new = ReconcileFinding.objects.get_or_create(kind=kind, key=key, defaults={"etag": etag})
    if not new and sighting.etag != etag:
        sighting.delete()
        return ReconcileFinding.objects.create(kind=kind, key=key, etag=etag), True
    ReconcileFinding.objects.filter(pk=sighting.pk).update(last_at=dbtime.now())
    return sighting, new


def _uploads(run: Run) -> None:
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
                run.bucket.abort(one.key, one.id)
                run.found.ended.append(one.key)
                _record(events.RECONCILE_UPLOAD_ABORTED, space_id, key=one.key, begun_at=log.rfc3339(one.initiated))


def _record(event: str, space_id: UUID | None, **detail: Any) -> None:
    with transaction.atomic():
        log.record(event, space_id=space_id, actor=SYSTEM, **detail)


def _before(space_id: UUID) -> UUID | None:
    """The lower end of a range that holds this id alone."""
    return UUID(int=space_id.int - 1) if space_id.int else None
