"""Scan the inboxes of recorders: `inbox/<token prefix>/` in our bucket, `<token prefix>/` in INBOX_FOLDER.

A recorder drops a recording, and then its sidecar, named after the recording with `.json` at the end. So a recording
with a sidecar is complete. A folder shows files while they are written, so both must also be unchanged in two scans
that are SETTLE_SECONDS apart. Only then is the arrival `pending`.

Nothing is dropped silently: a recording without a sidecar, or a sidecar without a recording, is refused after a day,
with an outcome beside it. A rewritten sidecar makes a new arrival, so a refused recording can be corrected.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path

import structlog
from django.conf import settings
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from archive import leases, lifecycle, recorders, wakeups
from archive.errors import Problem, StorageError, make_problem
from archive.intake.arrivals.sources import (
    OUTCOME,
    SIDECAR,
    FileState,
    file_state,
    fresh_name,
    inbox_folder,
    sidecar_version,
    source_prefix,
)
from archive.intake.arrivals.take import PATIENCE
from archive.intake.uploads.sessions import Uploader
from archive.models import Arrival, RecorderToken
from archive.storage import keys, store
from archive.storage.listing import walk
from archive.work_log import hide_name

State = Arrival.State
SETTLE_SECONDS = 10
# Bytes. An outcome has a longer name than its recording, and without room for it the recording could never be settled
# and removed.
LONGEST_PATH = 1024 - len(OUTCOME)  # S3's limit for a key
LONGEST_NAME = 255 - len(fresh_name(OUTCOME))  # file systems' limit for a name
AT_ONCE = 1000  # recordings compared with rows in one query

logger = structlog.get_logger()


@dataclass
class Drop:
    """The files in an inbox under one name. `version` identifies the sidecar; "" without one."""

    path: str
    recording: FileState | None = None
    version: str = ""

    @property
    def is_complete(self) -> bool:
        return self.recording is not None and self.version != ""


@dataclass(frozen=True)
class Inbox:
    recorder: RecorderToken
    source: Arrival.Source
    drops: dict[str, Drop] = field(default_factory=dict)

    def add(self, path: str, seen: FileState, modified: str) -> None:
        """Add a listed file. `modified`: its time."""
        if path.endswith((OUTCOME, "/")):
            return
        if not self._has_room(path.removesuffix(SIDECAR)) or not is_text(path):
            logger.warning("inbox_bad_name", source=self.source.value, **_describe(self.recorder, path))
            return
        if path.endswith(SIDECAR):
            self._drop(path.removesuffix(SIDECAR)).version = sidecar_version(seen.etag, modified)
        else:
            self._drop(path).recording = seen

    def _drop(self, path: str) -> Drop:
        return self.drops.setdefault(path, Drop(path))

    def _has_room(self, path: str) -> bool:
        """Return whether an outcome can be written beside the recording `path`."""
        encoded = path.encode("utf-8", "surrogateescape")
        is_file = self.source == Arrival.Source.FOLDER
        return len(self.prefix) + len(encoded) <= LONGEST_PATH and not (
            is_file and len(encoded.rpartition(b"/")[2]) > LONGEST_NAME
        )

    @property
    def prefix(self) -> str:
        """The part of `Arrival.source_id` before the path, since two recorders may use the same name."""
        return source_prefix(self.source, self.recorder.prefix)

    def rows(self) -> QuerySet[Arrival]:
        return Arrival.objects.filter(source=self.source, recorder=self.recorder)


def is_enabled() -> bool:
    return bool(settings.INBOX_IN_STORE or settings.INBOX_FOLDER)


def scan() -> None:
    """Scan all inboxes of working tokens. If one can't be listed, the next scan tries again."""
    if not is_enabled():
        return
    tokens = recorders.working().filter(scopes__contains=[RecorderToken.Scope.INTAKE]).distinct()
    for token in tokens:
        try:
            for inbox in _inboxes(token):
                _compare(inbox)
        except (StorageError, OSError) as error:
            logger.warning("inbox_not_listed", recorder=token.prefix, error=type(error).__name__)


def _inboxes(token: RecorderToken) -> Iterator[Inbox]:
    if settings.INBOX_IN_STORE:
        yield _list_store(token)
    if settings.INBOX_FOLDER and inbox_folder(token.prefix).is_dir():
        yield _list_folder(token)


def _list_store(token: RecorderToken) -> Inbox:
    inbox = Inbox(token, Arrival.Source.INBOX)
    for one in walk(store(), keys.inbox(token.prefix)):
        inbox.add(one.stored.key, FileState(one.stored.size, one.etag), one.modified.isoformat())
    return inbox


def _list_folder(token: RecorderToken) -> Inbox:
    """List a folder. Links are not followed. Names of unfinished files begin with a dot."""
    inbox, top = Inbox(token, Arrival.Source.FOLDER), inbox_folder(token.prefix)
    for folder, names, files in os.walk(top, onerror=_raise):
        names[:] = [name for name in names if not name.startswith(".")]
        for name in (name for name in files if not name.startswith(".")):
            path = Path(folder, name)
            try:
                facts = path.lstat()
            except FileNotFoundError:  # it was moved in the meantime
                continue
            if not stat.S_ISREG(facts.st_mode):
                logger.warning("inbox_not_a_file", **_describe(token, path.relative_to(top).as_posix()))
                continue
            inbox.add(path.relative_to(top).as_posix(), file_state(facts), str(facts.st_mtime_ns))
    return inbox


def _describe(token: RecorderToken, path: str) -> dict[str, object]:
    """Return the fields of a line about a file. Its name may be a person's, so log only its length and digest."""
    return {"recorder": token.prefix, "file": hide_name(path), "bytes": len(os.fsencode(path))}


def _raise(error: OSError) -> None:
    raise error


def is_text(path: str) -> bool:
    """Return whether the database can store the name."""
    return "\x00" not in path and not any("\ud800" <= letter <= "\udfff" for letter in path)


def _compare(inbox: Inbox) -> None:
    drops = iter(inbox.drops.values())
    while batch := list(islice(drops, AT_ONCE)):
        rows: dict[str, list[Arrival]] = {}
        for row in inbox.rows().filter(source_id__in=[inbox.prefix + drop.path for drop in batch]):
            rows.setdefault(row.source_id.removeprefix(inbox.prefix), []).append(row)
        for drop in batch:
            _compare_one(inbox, drop, rows.get(drop.path, []))
    _forget_removed(inbox)


def _compare_one(inbox: Inbox, drop: Drop, rows: list[Arrival]) -> None:
    live = next((row for row in rows if row.state not in Arrival.OVER), None)
    if live is None:
        if not any(row.version == drop.version or not row.settled for row in rows):
            _create(inbox, drop)
    elif live.state == State.WAITING:
        _advance(live, drop)


def _create(inbox: Inbox, drop: Drop) -> None:
    seen = drop.recording
    arrival = Arrival(
        recorder=inbox.recorder,
        source=inbox.source,
        source_id=inbox.prefix + drop.path,
        path=drop.path,
        version=drop.version,
        size=seen.size if seen else None,
        etag=seen.etag if seen else "",
        retry_at=Now() + timedelta(seconds=SETTLE_SECONDS),
    )
    Arrival.objects.bulk_create([arrival], ignore_conflicts=True)  # another scan may have been faster


def _advance(row: Arrival, drop: Drop) -> None:
    """Move a waiting arrival to `pending` if it is complete and unchanged since the last scan, or to `refused` if it
    has been incomplete for a day."""
    by, seen = Uploader(recorder=row.recorder), drop.recording
    is_same = (row.version, row.size, row.etag) == (
        drop.version,
        seen.size if seen else None,
        seen.etag if seen else "",
    )
    if drop.is_complete and is_same:
        if lifecycle.transition(
            row,
            State.WAITING,
            State.PENDING,
            actor=by.actor,
            condition=leases.claimable() & Q(version=drop.version, etag=row.etag),
            detail={"source": row.source, **by.detail},
            **leases.RESET,
        ):
            wakeups.wake(Arrival, row.pk)
    elif not is_same:
        Arrival.objects.filter(pk=row.pk, state=State.WAITING).update(
            version=drop.version,
            size=seen.size if seen else None,
            etag=seen.etag if seen else "",
            retry_at=Now() + timedelta(seconds=SETTLE_SECONDS),
        )
    else:
        reason = make_problem("arrival.sidecar_missing", name=f"{drop.path}{SIDECAR}")
        if drop.version:
            reason = make_problem("arrival.recording_missing", name=drop.path)
        _refuse_incomplete(row, reason)


def _refuse_incomplete(row: Arrival, reason: Problem) -> None:
    by = Uploader(recorder=row.recorder)
    if lifecycle.transition(
        row,
        State.WAITING,
        State.REFUSED,
        actor=by.actor,
        condition=Q(created_at__lt=Now() - PATIENCE),
        detail=by.detail,
        problem=reason,
        **leases.RESET,
    ):
        wakeups.wake(Arrival, row.pk)


def _forget_removed(inbox: Inbox) -> None:
    """Delete the rows of files that their recorder removed: incomplete ones, and refused ones after a day."""
    gone = Q(state=State.WAITING) | Q(state=State.REFUSED, settled=True, created_at__lt=Now() - PATIENCE)
    rows = inbox.rows().filter(gone, created_at__lt=Now() - timedelta(seconds=SETTLE_SECONDS))
    removed = [
        pk for pk, path in rows.values_list("pk", "source_id") if path.removeprefix(inbox.prefix) not in inbox.drops
    ]
    Arrival.objects.filter(gone, pk__in=removed).delete()
