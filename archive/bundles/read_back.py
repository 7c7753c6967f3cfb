"""Read a finished package back, as a download would, to compute its SHA-256 and to verify every member.

The SHA-256 of the whole can't be known beforehand: it depends on every byte in order, and the store copies the
recording itself. So a ready package is read once. This also compares each member's CRC-32 with the one from intake,
which detects a store that copied wrong bytes.
"""

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterable, Iterator

from archive.bundles.zip64 import LOCAL, U32
from archive.errors import ObjectChanged

LOCAL_HEADER = struct.Struct("<4s5H3I2H")


def read_back(chunks: Iterable[bytes], step: Callable[[int], None] = lambda count: None) -> str:
    """Return the SHA-256 (hex) of the ZIP in `chunks`, checking each member's CRC-32. Calls `step(bytes so far)`.

    Raises ObjectChanged if a member does not match its header, or if this is not a ZIP.
    """
    source = _Source(chunks, step)
    while (begins := source.take(4)) == LOCAL:
        _check(source, LOCAL_HEADER.unpack(begins + source.take(LOCAL_HEADER.size - 4)))
    if not source.members:
        raise ObjectChanged("bundle.not_a_zip")
    return source.rest()


def _check(source: "_Source", header: tuple[int, ...]) -> None:
    crc32, size, name_length, extra_length = header[6], header[8], header[9], header[10]
    name = source.take(name_length).decode(errors="replace")
    extra = source.take(extra_length)
    if size == U32 and extra:
        size = struct.unpack_from("<HHQQ", extra)[3]  # our own ZIP64 field is the only one (zip64.py)
    if source.crc32(size) != crc32:
        raise ObjectChanged("bundle.member_differs", name=name)
    source.members += 1


class _Source:
    """Reads exact byte counts from chunks of any length, and hashes everything with SHA-256."""

    def __init__(self, chunks: Iterable[bytes], step: Callable[[int], None]) -> None:
        self.chunks: Iterator[bytes] = iter(chunks)
        self.step = step
        self.sha256 = hashlib.sha256()
        self.waiting = memoryview(b"")
        self.read = 0
        self.members = 0

    def take(self, count: int) -> bytes:
        """Return exactly `count` bytes, or fewer at the end."""
        return b"".join(self._pieces(count))

    def crc32(self, count: int) -> int:
        checked = 0
        for piece in self._pieces(count):
            checked = zlib.crc32(piece, checked)
        return checked

    def rest(self) -> str:
        while self._next():
            pass
        return self.sha256.hexdigest()

    def _pieces(self, count: int) -> Iterator[memoryview]:
        while count and (self.waiting or self._next()):
            piece, self.waiting = self.waiting[:count], self.waiting[count:]
            count -= len(piece)
            yield piece

    def _next(self) -> bool:
        data = next(self.chunks, b"")
        self.sha256.update(data)
        self.read += len(data)
        self.waiting = memoryview(data)
        self.step(self.read)
        return bool(data)
