"""Reading a stored recording back, to listen to it."""

import hashlib
import os
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from archive.storage import PART, store


@dataclass(frozen=True)
class SpooledFile:
    """A file that has no name on the disk: `path` reaches it through our own descriptor, for as long as we hold it.
    Checksums of the whole (hex; CRC-32 as ZIP uses it)."""

    path: Path
    sha256: str
    crc32: int


@contextmanager
def open_unnamed_file() -> Iterator[Path]:
    """An empty file in SPOOL_DIR that is gone when this process is, however it ends: what people said must not stay
    behind on a worker's disk."""
    with tempfile.TemporaryFile(dir=settings.SPOOL_DIR) as file:
        yield Path(f"/dev/fd/{file.fileno()}")


@contextmanager
def spool_object(key: str, size: int, etag: str, step: Callable[[int], None]) -> Iterator[SpooledFile]:
    """The object that `etag` names, on the disk. `step(bytes)` is called with what is there so far, and may raise to
    stop. Raises StorageError (Missing, Changed, ...), OSError when the disk is full."""
    with tempfile.TemporaryFile(dir=settings.SPOOL_DIR) as file:
        digest, crc32 = hashlib.sha256(), 0
        for start in range(0, size, PART):
            data = store().read(key, start, min(PART, size - start), etag)
            digest.update(data)
            crc32 = zlib.crc32(data, crc32)
            file.write(data)
            step(start + len(data))
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        yield SpooledFile(Path(f"/dev/fd/{file.fileno()}"), digest.hexdigest(), crc32)
