"""The places of recordings that are not copied yet: another bucket, an inbox in our bucket, or a folder of this
machine.

Addresses, buckets and folders come from the settings, never from an event or a sidecar.
"""

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

from archive.errors import DiskFailed, ObjectChanged, ObjectMissing, StoreDenied
from archive.intake.importers import values
from archive.models import Arrival
from archive.storage import Store, Upload, store, write

LIVEKIT = "livekit"  # the entry of STORAGES for the bucket of LiveKit's recordings
OUTCOME = ".outcome.json"
SIDECAR = ".json"


@dataclass(frozen=True)
class FileState:
    """Size in bytes, and a text that changes with the bytes: an ETag, or the file system's facts about the file."""

    size: int
    etag: str


class Source(ABC):
    """The files of one arrival. Each method raises StorageError, DiskFailed."""

    @abstractmethod
    def look(self) -> FileState:
        """Return the present state of the recording. Raises ObjectMissing."""

    @abstractmethod
    def send(self, upload: Upload, number: int, start: int, length: int, etag: str) -> None:
        """Send `length` bytes from offset `start` as part `number`. Raises ObjectChanged unless the recording has this
        ETag, ObjectMissing."""

    @abstractmethod
    def read_sidecar(self) -> bytes:
        """Return the JSON beside the recording, cut off if it is larger than any real one. Raises ObjectMissing."""

    @abstractmethod
    def write_outcome(self, text: bytes, check: Callable[[], None]) -> None:
        """Write the outcome beside the recording, replacing an older one. `check` raises if this worker lost its lease;
        it runs while the upload is open. If an upload stays open, the next worker aborts it."""

    @abstractmethod
    def remove(self, etag: str, version: str, check: Callable[[], None]) -> None:
        """Remove the recording if it still has this ETag, and then its sidecar if it is still the one of `version`
        (Arrival.version). Idempotent. `check` raises if this worker may not do so: it is called right before each
        removal, after the comparison."""


@dataclass
class StoreSource(Source):
    """An object in `bucket`. LiveKit's bucket has no sidecars, and nothing else in it may be touched."""

    bucket: Store
    key: str

    def look(self) -> FileState:
        info = self.bucket.head(self.key)
        return FileState(info.size, info.etag)

    @cached_property
    def _copies(self) -> bool:
        """Whether our store can copy from the bucket itself: one endpoint, and reliable copies."""
        ours = store()
        return self.bucket.client.meta.endpoint_url == ours.client.meta.endpoint_url and ours.capabilities.copies_parts

    def send(self, upload: Upload, number: int, start: int, length: int, etag: str) -> None:
        if self._copies:
            try:
                upload.copy(number, self.key, etag, start, length, bucket=self.bucket.bucket)
                return
            except StoreDenied:  # our key may not read it, but LiveKit's may
                self.__dict__["_copies"] = False
        upload.put(number, self.bucket.read(self.key, start, length, etag))

    def read_sidecar(self) -> bytes:
        info = self.bucket.head(self.key + SIDECAR)
        length = min(info.size, values.MAX_BYTES + 1)
        return self.bucket.read(info.key, 0, length, info.etag) if length else b""

    def write_outcome(self, text: bytes, check: Callable[[], None]) -> None:
        write(self.bucket, self.key + OUTCOME, BytesIO(text), "application/json", check=check)

    def remove(self, etag: str, version: str, check: Callable[[], None]) -> None:
        removed = self._remove(self.key, lambda found: _same(found, etag), check)
        if removed and self.bucket.alias != LIVEKIT:
            self._remove(self.key + SIDECAR, lambda found: is_version(version, found), check)

    def _remove(self, key: str, is_wanted: Callable[[str], bool], check: Callable[[], None]) -> bool:
        """Remove the object if its ETag is wanted. Returns whether it is gone: another one is not ours to remove."""
        try:
            etag = self.bucket.head(key).etag
        except ObjectMissing:
            return True  # an earlier worker removed it
        if not is_wanted(etag):
            return False
        check()
        return self.bucket.delete_same(key, etag)


@dataclass
class FolderSource(Source):
    """A file in a folder of this machine. `path` is relative to `folder`."""

    folder: Path
    path: str

    def look(self) -> FileState:
        with self._open(self.path) as file:
            return file_state(os.fstat(file.fileno()))

    def send(self, upload: Upload, number: int, start: int, length: int, etag: str) -> None:
        with self._open(self.path) as file:
            file.seek(start)
            data = file.read(length)
            if file_state(os.fstat(file.fileno())).etag != etag or len(data) != length:
                raise ObjectChanged("storage.object_differs", key=self.path)
        upload.put(number, data)

    def read_sidecar(self) -> bytes:
        with self._open(self.path + SIDECAR) as file:
            return file.read(values.MAX_BYTES + 1)

    def write_outcome(self, text: bytes, check: Callable[[], None]) -> None:
        """Replace the file atomically, so that a program that watches the folder never reads a part of it.

        The temporary file has a fixed name, and a later worker removes it first. So a worker that lost its lease has no
        file to rename, or `check` detects the loss.
        """
        with self._place() as (place, name):
            target = name + OUTCOME
            fresh = fresh_name(target)
            with suppress(FileNotFoundError):
                os.unlink(fresh, dir_fd=place)
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
            with os.fdopen(os.open(fresh, flags, 0o644, dir_fd=place), "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
                check()
            os.replace(fresh, target, src_dir_fd=place, dst_dir_fd=place)

    def remove(self, etag: str, version: str, check: Callable[[], None]) -> None:
        if not self.remove_file(lambda state: state == etag, check):
            return
        FolderSource(self.folder, self.path + SIDECAR).remove_file(lambda state: is_version(version, state), check)

    def remove_file(self, is_wanted: Callable[[str], bool], check: Callable[[], None] = lambda: None) -> bool:
        """Remove the file at `path` if its state is wanted, and `check` does not raise. Returns whether it is gone."""
        with self._place() as (place, name), suppress(FileNotFoundError):
            if not is_wanted(file_state(os.stat(name, dir_fd=place, follow_symlinks=False)).etag):
                return False
            check()
            os.unlink(name, dir_fd=place)
        return True

    @contextmanager
    def _open(self, path: str) -> Iterator[BinaryIO]:
        """Open a regular file inside the folder."""
        with self._place() as (place, _):
            name = path.rpartition("/")[2]
            try:
                descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=place)
            except FileNotFoundError:
                raise ObjectMissing("arrival.recording_missing", name=path) from None
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise ObjectMissing("arrival.recording_missing", name=path)
                yield file

    @contextmanager
    def _place(self) -> Iterator[tuple[int, str]]:
        """Yield a descriptor of the recording's folder, and the recording's name in it. Raises ObjectMissing.

        Each folder is opened relative to the one above it, without following links. So a recorder can't have other
        files read, overwritten or removed by replacing a folder by a link in the meantime.
        """
        *folders, name = self.path.split("/")
        with self._errors(), ExitStack() as opened:
            place = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
            opened.callback(os.close, place)
            for folder in folders:
                try:
                    place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=place)
                except (FileNotFoundError, NotADirectoryError):  # a link is not a folder either
                    raise ObjectMissing("arrival.recording_missing", name=self.path) from None
                opened.callback(os.close, place)
            yield place, name

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """Translate errors. Only a name that is missing from an existing folder counts as missing. All others are
        transient: a disk that is not mounted, a folder without permissions."""
        try:
            yield
        except OSError as error:
            raise DiskFailed("arrival.folder_fails", folder=str(self.folder), error=error.strerror or "") from error


def fresh_name(name: str) -> str:
    """Return the name of a file while it is written. A scan ignores it."""
    return f".{name}.new"


def sidecar_version(etag: str, modified: str) -> str:
    """Return the identity of a sidecar for Arrival.version. `modified`: its time, which differs for an equal file
    dropped later."""
    return f"{etag[:60]} {modified}"


def is_version(version: str, etag: str) -> bool:
    """Return whether a sidecar with this state is the one of `version`."""
    return _same(version.partition(" ")[0], etag[:60])


def file_state(facts: os.stat_result) -> FileState:
    return FileState(facts.st_size, f"{facts.st_ino:x}-{facts.st_size:x}-{facts.st_mtime_ns:x}")


def inbox_folder(recorder: str) -> Path:
    """Return the inbox of a recorder on this machine. `recorder`: the public prefix of its token."""
    return Path(settings.INBOX_FOLDER) / recorder


def source_prefix(source: Arrival.Source, recorder: str) -> str:
    """Return the part of an arrival's `source_id` before its path. Empty for keys, which name their recorder."""
    return f"{recorder}/" if source == Arrival.Source.FOLDER else ""


def source_of(arrival: Arrival) -> Source:
    if arrival.source == Arrival.Source.LIVEKIT:
        return StoreSource(Store(LIVEKIT), arrival.path)
    if arrival.source == Arrival.Source.INBOX:
        return StoreSource(store(), arrival.path)
    return FolderSource(inbox_folder(arrival.recorder.prefix), arrival.path)


def _same(one: str, other: str) -> bool:
    return one.strip('"') == other.strip('"')
