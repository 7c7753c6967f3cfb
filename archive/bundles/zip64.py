"""A ZIP file as a list of segments: literal bytes, or a range of an object in the store. All offsets are known
beforehand.

Stored (uncompressed) members, sizes and CRC-32 in the local headers, no data descriptors; UTF-8 names. ZIP64 fields
only where a number does not fit (PKWARE APPNOTE 6.3.10: 4.3.7 local header, 4.3.12 central header, 4.3.14 and
4.3.15 ZIP64 end records, 4.3.16 end record, 4.5.3 ZIP64 extra field).
"""

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import BinaryIO

U16, U32 = 0xFFFF, 0xFFFFFFFF
LOCAL = b"PK\x03\x04"
UTF8_NAME = 1 << 11
PLAIN, ZIP64 = 20, 45  # version needed to extract
UNIX = 3 << 8
MODE = 0o100644 << 16


@dataclass(frozen=True)
class Literal:
    data: bytes

    @property
    def length(self) -> int:
        return len(self.data)


@dataclass(frozen=True)
class Spooled:
    """A literal that is stored in a temporary file, because all of them would not fit into memory. `sha256`: of its
    bytes (hex)."""

    file: BinaryIO
    start: int
    length: int
    sha256: str

    @property
    def data(self) -> bytes:
        self.file.seek(self.start)
        return self.file.read(self.length)


@dataclass(frozen=True)
class Range:
    """`length` bytes of an object from `start`. `etag` identifies the object's content. `crc32`: of these bytes, if
    known."""

    key: str
    etag: str
    start: int
    length: int
    crc32: int | None = None

    def part(self, at: int, length: int) -> "Range":
        """Return `length` bytes of the range, starting at its byte `at`."""
        return Range(self.key, self.etag, self.start + at, length)


Segment = Literal | Spooled | Range


@dataclass(frozen=True)
class Member:
    """A file in the ZIP. `body` has `size` bytes with this `crc32` and `sha256` (hex). `modified`: its time, if that
    differs from the time of the ZIP."""

    name: str
    body: Segment
    crc32: int
    sha256: str
    modified: datetime | None = None

    @property
    def size(self) -> int:
        return self.body.length


def layout(members: Sequence[Member], modified: datetime) -> list[Segment]:
    """Return the ZIP of `members`, in their order. `modified` is the time of members without their own (UTC, 2 s steps,
    1980-2107)."""
    segments: list[Segment] = []
    central: list[bytes] = []
    offset = 0
    for member in members:
        stamp = _dos_time(member.modified or modified)
        header = _local_header(member, stamp)
        central.append(_central_header(member, stamp, offset))
        segments += [Literal(header), member.body]
        offset += len(header) + member.size
    directory = b"".join(central)
    segments.append(Literal(directory + _end(len(central), len(directory), offset)))
    return [segment for segment in segments if segment.length]


def read(segments: Sequence[Segment], fetch: Callable[[Range], bytes]) -> Iterator[bytes]:
    """Yield the bytes of `segments` in order. `fetch` returns those of a range."""
    for segment in segments:
        yield fetch(segment) if isinstance(segment, Range) else segment.data


def _dos_time(moment: datetime) -> tuple[int, int]:
    t = moment.astimezone(UTC)
    year = min(max(t.year, 1980), 2107)
    return t.hour << 11 | t.minute << 5 | t.second // 2, (year - 1980) << 9 | t.month << 5 | t.day


def _local_header(member: Member, stamp: tuple[int, int]) -> bytes:
    name, size = member.name.encode(), member.size
    big = size >= U32
    extra = struct.pack("<HHQQ", 1, 16, size, size) if big else b""
    shown = U32 if big else size
    head = struct.pack(
        "<4s5H3I2H", LOCAL, ZIP64 if big else PLAIN, UTF8_NAME, 0, *stamp, member.crc32, shown, shown,
        len(name), len(extra),
    )  # fmt: skip
    return head + name + extra


def _central_header(member: Member, stamp: tuple[int, int], offset: int) -> bytes:
    name, size = member.name.encode(), member.size
    wide = ((size, size) if size >= U32 else ()) + ((offset,) if offset >= U32 else ())
    extra = struct.pack(f"<HH{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
    version = ZIP64 if wide else PLAIN
    shown = U32 if size >= U32 else size
    head = struct.pack(
        "<4s6H3I5H2I", b"PK\x01\x02", UNIX | version, version, UTF8_NAME, 0, *stamp, member.crc32, shown, shown,
        len(name), len(extra), 0, 0, 0, MODE, min(offset, U32),
    )  # fmt: skip
    return head + name + extra


def _end(count: int, size: int, offset: int) -> bytes:
    big = b""
    if count >= U16 or size >= U32 or offset >= U32:
        record = struct.pack(
            "<4sQ2H2I4Q", b"PK\x06\x06", 44, UNIX | ZIP64, ZIP64, 0, 0, count, count, size, offset
        )  # fmt: skip
        big = record + struct.pack("<4sIQI", b"PK\x06\x07", 0, offset + size, 1)
    shown = min(count, U16)
    return big + struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, shown, shown, min(size, U32), min(offset, U32), 0)


def crc32(data: bytes) -> int:
    return zlib.crc32(data)
