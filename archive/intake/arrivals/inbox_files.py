"""List and remove the files in inboxes, including those of recorders whose token no longer works, and names that a scan
ignores: unfinished files, outcomes.

In INBOX_FOLDER only the folders of recorders are read. Links are neither followed nor removed.
"""

import os
import re
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

import structlog
from django.conf import settings

from archive.errors import ObjectMissing, StorageError
from archive.intake.arrivals.sources import FolderSource, file_state, inbox_folder
from archive.models import Arrival, RecorderToken
from archive.storage import StoredVersion, keys, store
from archive.storage.listing import OpenUpload, walk, walk_uploads

RECORDER = re.compile(r"skr_[0-9a-f]{12}")

logger = structlog.get_logger()


@dataclass(frozen=True)
class InboxFile:
    """`path`: a key, or a path relative to the folder of the recorder. `put_at`: when it was added or changed, by the
    clock of the store or of the file system."""

    path: str
    size: int
    etag: str
    put_at: datetime
    version: str = ""


class InboxFiles(ABC):
    """The files of one recorder in one place. `recorder`: the public prefix of its token."""

    source: Arrival.Source
    recorder: str

    @abstractmethod
    def list(self) -> list[InboxFile]:
        """Return all files. Raises StorageError, OSError."""

    @abstractmethod
    def remove(self, file: InboxFile) -> bool:
        """Remove the file. Returns False if it is gone or was replaced. Raises StorageError, DiskFailed."""


@dataclass(frozen=True)
class StoreInboxFiles(InboxFiles):
    recorder: str
    files: list[InboxFile]
    source = Arrival.Source.INBOX

    def list(self) -> list[InboxFile]:
        return self.files

    def remove(self, file: InboxFile) -> bool:
        if not file.version:
            return self._remove_same(file)
        if failed := store().delete((StoredVersion(file.path, file.version, file.size),)):
            raise StorageError("storage.not_removed", key=file.path, error=failed[file.path])
        return True

    def _remove_same(self, file: InboxFile) -> bool:
        try:
            found = store().head(file.path)
        except ObjectMissing:
            return False
        return found.is_one(file.size, file.etag) and store().delete_same(file.path, found.etag)


@dataclass(frozen=True)
class FolderInboxFiles(InboxFiles):
    recorder: str
    now: datetime
    source = Arrival.Source.FOLDER

    @property
    def top(self) -> Path:
        return inbox_folder(self.recorder).resolve()

    def list(self) -> list[InboxFile]:
        return list(self._walk())

    def _walk(self) -> Iterator[InboxFile]:
        top = self.top
        for folder, _, names, place in os.fwalk(top, onerror=self._report):
            for name in names:
                try:
                    facts = os.stat(name, dir_fd=place, follow_symlinks=False)
                except FileNotFoundError:
                    continue
                put_at = self._put_at(facts)
                if not stat.S_ISREG(facts.st_mode) or put_at is None:
                    continue
                path = Path(folder, name).relative_to(top).as_posix()
                yield InboxFile(path, facts.st_size, file_state(facts).etag, put_at)

    def _put_at(self, facts: os.stat_result) -> datetime | None:
        """Return the time of the last change of the file or its name (ctime). Nobody can set it, whereas a copy may
        keep the original's time (mtime). If a wrong clock put it into the future, return mtime, or None."""
        times = (datetime.fromtimestamp(seconds, UTC) for seconds in (facts.st_ctime, facts.st_mtime))
        return next((moment for moment in times if moment <= self.now), None)

    def _report(self, error: OSError) -> None:
        logger.warning("inbox_not_listed", recorder=self.recorder, error=type(error).__name__)

    def remove(self, file: InboxFile) -> bool:
        try:
            return FolderSource(self.top, file.path).remove_file(lambda state: state == file.etag)
        except ObjectMissing:
            return False


def store_inboxes() -> Iterator[InboxFiles]:
    """Yield all inboxes below `inbox/`, by name. Raises StorageError."""
    for recorder, objects in groupby(walk(store(), keys.INBOX), lambda one: _recorder(one.stored.key)):
        files = [
            InboxFile(
                one.stored.key,
                one.stored.size,
                one.etag,
                one.modified,
                "" if one.stored.version == "null" else one.stored.version,
            )
            for one in objects
        ]
        yield StoreInboxFiles(recorder, files)


def folder_inboxes(now: datetime) -> Iterator[InboxFiles]:
    """Yield the folders of recorders that this archive knows. Raises OSError."""
    if not settings.INBOX_FOLDER:
        return
    names = [entry.name for entry in os.scandir(settings.INBOX_FOLDER) if entry.is_dir()]
    recorders = RecorderToken.objects.filter(prefix__in=[name for name in names if RECORDER.fullmatch(name)])
    for recorder in sorted(recorders.values_list("prefix", flat=True)):
        yield FolderInboxFiles(recorder, now)


def open_uploads() -> list[OpenUpload]:
    """Return multipart uploads below `inbox/` that were never completed. Raises StorageError."""
    return list(walk_uploads(store(), keys.INBOX))


def _recorder(key: str) -> str:
    return key.removeprefix(keys.INBOX).partition("/")[0]
