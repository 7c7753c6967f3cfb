"""Copy a stored object into an unnamed temporary file."""

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
    """A file on the disk without a name. `path` (/dev/fd/N) works while the context is open.

    SHA-256 (hex) and CRC-32 (as ZIP uses it) are those of the whole file.
    """

    path: Path
    sha256: str
    crc32: int


@contextmanager
def open_unnamed_file() -> Iterator[Path]:
    """Open an empty file in SPOOL_DIR that disappears with the process, even if it is killed.

    Recordings must not stay behind on a worker's disk.
    """
    with tempfile.TemporaryFile(dir=settings.SPOOL_DIR) as file:
        yield Path(f"/dev/fd/{file.fileno()}")


@contextmanager
def spool_object(
    key: str, size: int, etag: str, step: Callable[[int], None], inspect: Callable[[bytes], None] = lambda data: None
) -> Iterator[SpooledFile]:
    """Download the object with this ETag. Calls `step(bytes so far)`, which may raise to stop, and `inspect` with all
    bytes in order.

    Raises StorageError (ObjectMissing, ObjectChanged, ...), and OSError when the disk is full.
    """
    with tempfile.TemporaryFile(dir=settings.SPOOL_DIR) as file:
        digest, crc32 = hashlib.sha256(), 0
        for start in range(0, size, PART):
            data = store().read(key, start, min(PART, size - start), etag)
            digest.update(data)
            crc32 = zlib.crc32(data, crc32)
            file.write(data)
            inspect(data)
            step(start + len(data))
        file.flush()
        os.lseek(file.fileno(), 0, os.SEEK_SET)
        yield SpooledFile(Path(f"/dev/fd/{file.fileno()}"), digest.hexdigest(), crc32)
