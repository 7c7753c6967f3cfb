"""Read an untrusted ZIP archive as a tree of files.

- No member's name becomes a path: members are unpacked under a sanitized name into a new folder, so there is no path
  traversal.
- One member is unpacked at a time, as a stream, and removed after its ingest. The next process removes the leftovers of
  a killed one: an unlocked folder belongs to a process that has ended.
- A member whose claimed size exceeds `MAX_UPLOAD_BYTES`, or `RATIO` times its packed size, is refused before unpacking.
  A member larger than its claim is harmless, since zipfile stops at the claimed size.
- Symbolic links are not followed.
- Of members with the same name only the last is read, as unzip would leave it; the others are reported.
"""

import fcntl
import os
import shutil
import stat
import tempfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from django.conf import settings

from archive.errors import Problem, Refused, Unreadable, make_problem
from archive.intake.importers.sniff import ZIP_BYTES, is_zip_archive
from archive.intake.importers.tree import Ignored, Tree, base, hidden_part, is_hidden
from archive.intake.importers.zip_names import decode_name

RATIO = 200  # compressed audio hardly shrinks, text by 20, zeros by 1,000
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BLOCK = 1024**2  # bytes
PREFIX = "spacekeep-unpacked-"
UNLOCKED_SECONDS = 60  # the longest time from making a folder to locking it
# Errors of the standard library for a broken archive, when it is opened and when a member is read.
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError)
BROKEN_INDEX = (*BROKEN, NotImplementedError, RuntimeError, ValueError, OverflowError, OSError)


def is_zip(path: Path) -> bool:
    """Return whether the file begins as a ZIP archive that is not a document (.docx). False if it can't be opened."""
    try:
        with path.open("rb") as file:
            return is_zip_archive(file.read(ZIP_BYTES))
    except OSError:
        return False


class ZipTree(Tree):
    """A ZIP archive. Raises Unreadable if it is damaged, when it is opened or when a member is read."""

    def __init__(self, path: Path) -> None:
        try:
            self.zip = zipfile.ZipFile(path)
        except BROKEN_INDEX as error:
            raise Unreadable("import.zip_damaged", file=path.name) from error
        self.members: dict[str, zipfile.ZipInfo] = {}
        self.uncertain_names: set[str] = set()
        ignored: list[Ignored] = []
        for info in self.zip.infolist():
            name, is_certain = decode_name(info)
            if problem := _find_obstacle(info, name):
                ignored.append((hidden_part(name), problem))
            elif not info.is_dir():
                if name in self.members:
                    ignored.append((name, make_problem("import.member_repeated")))
                if not is_certain:
                    self.uncertain_names.add(name)
                self.members[name] = info
        super().__init__(list(self.members), label=path.stem, ignored=ignored)

    def has_certain_name(self, name: str) -> bool:
        return name not in self.uncertain_names

    def size(self, name: str) -> int:
        return self.members[name].file_size

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        info = self.members[name]
        _check(info, base(name))
        try:
            member = self.zip.open(info)
        except BROKEN_INDEX as error:
            raise Unreadable("import.member_damaged", file=base(name)) from error
        with member:
            try:
                yield member
            except BROKEN as error:
                raise Unreadable("import.member_damaged", file=base(name)) from error

    @contextmanager
    def on_disk(self, name: str) -> Iterator[Path]:
        size = self.size(name)
        if shutil.disk_usage(settings.SPOOL_DIR).free < size:
            raise Refused("import.no_disk_space", file=base(name), size=size, folder=settings.SPOOL_DIR)
        with _open_folder() as directory:
            path = directory / _sanitize(base(name))
            try:
                with self.open(name) as member, path.open("wb") as file:
                    shutil.copyfileobj(member, file, BLOCK)
            except OSError as error:
                raise Refused(
                    "import.cannot_unpack", file=base(name), folder=str(directory), error=error.strerror
                ) from error
            yield path


@contextmanager
def _open_folder() -> Iterator[Path]:
    """Yield a new locked folder in SPOOL_DIR, and remove it afterwards. The kernel unlocks it when the process dies."""
    _remove_leftovers()
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=settings.SPOOL_DIR) as directory:
        lock = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield Path(directory)
        finally:
            os.close(lock)


def _remove_leftovers() -> None:
    for directory in Path(settings.SPOOL_DIR).glob(f"{PREFIX}*"):
        try:
            if time.time() - directory.stat().st_mtime < UNLOCKED_SECONDS:
                continue
            lock = os.open(directory, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
        except OSError:  # removed in the meantime, or another user's
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)
        except OSError:
            pass  # in use
        finally:
            os.close(lock)


def _sanitize(name: str) -> str:
    """Make a safe file name that resembles the one in the archive, since messages show it."""
    return "".join(c if c.isalnum() or c in " ().-_" else "_" for c in name[-80:]).lstrip(". ") or "recording"


def _find_obstacle(info: zipfile.ZipInfo, name: str) -> Problem:
    """Return why the member is not read, or {}. The upper half of `external_attr` is the Unix mode, or 0."""
    if info.is_dir():
        return {}
    if ".." in name.split("/"):
        return make_problem("import.member_unsafe")
    if is_hidden(name):
        return make_problem("import.hidden")
    mode = stat.S_IFMT(info.external_attr >> 16)
    if mode == stat.S_IFLNK:
        return make_problem("import.link")
    return {} if mode in (0, stat.S_IFREG) else make_problem("import.not_a_file")


def _check(info: zipfile.ZipInfo, shown: str) -> None:
    """Raise Unreadable if the index shows that the member must not be unpacked."""
    if info.flag_bits & 1:
        raise Unreadable("import.member_encrypted", file=shown)
    if info.compress_type not in METHODS:
        raise Unreadable("import.member_compression", file=shown)
    if info.file_size > settings.MAX_UPLOAD_BYTES:
        raise Unreadable("import.member_too_large", file=shown, size=info.file_size, limit=settings.MAX_UPLOAD_BYTES)
    if info.file_size > max(BLOCK, RATIO * info.compress_size):
        raise Unreadable("import.member_bomb", file=shown, ratio=RATIO)
