"""Read the structure of containers, as far as it decides whether browsers can seek in them.

FFmpeg does not report it. Only headers are read: content is skipped, and every loop is bounded by the file's size.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

BLOCK = 2**20  # bytes
MAX_BOXES = 100_000
CONTAINER_BOXES = {b"moov", b"trak", b"edts", b"mdia"}

EBML, SEGMENT, CUES, DOC_TYPE = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67", b"\x1c\x53\xbb\x6b", b"\x42\x82"


@dataclass(frozen=True)
class Mp4:
    """The facts in the boxes of an MP4 (ISO/IEC 14496-12)."""

    has_media: bool
    has_index: bool
    is_fragmented: bool
    is_edited: bool  # a track has an edit list that does more than skip its beginning


def read_mp4(file: BinaryIO) -> Mp4:
    """Walk the boxes up to the first fragment, or to the end."""
    names, edited = set(), False
    for kind, start, end in _boxes(file, 0, _size(file)):
        names.add(kind)
        if kind == b"elst":
            edited = edited or _is_edited(_read(file, start, min(end - start, 64)))
        if kind == b"moof":
            break
    return Mp4(bool(names & {b"mdat", b"moof"}), b"moov" in names, b"moof" in names, edited)


def _boxes(file: BinaryIO, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, start of the content, end) of the boxes, and of those inside of CONTAINER_BOXES."""
    ends, position = [end], start
    for _ in range(MAX_BOXES):
        while ends and position + 8 > ends[-1]:
            position = ends.pop() if len(ends) > 1 else position
            if len(ends) <= 1 and position + 8 > ends[-1]:
                return
        header = _read(file, position, 16)
        if len(header) < 8:
            return
        size, kind, content = int.from_bytes(header[:4], "big"), header[4:8], position + 8
        if size == 1:
            size, content = int.from_bytes(header[8:], "big"), position + 16
        after = ends[-1] if size == 0 else position + size
        if after < content or len(ends) > 8:
            return
        yield kind, content, after
        if kind in CONTAINER_BOXES:
            ends.append(min(after, ends[-1]))
            position = content
        else:
            position = after


def _is_edited(elst: bytes) -> bool:
    """Return whether an edit list has several edits, or one at another speed."""
    if len(elst) < 8:
        return False
    entries, width = int.from_bytes(elst[4:8], "big"), 8 if elst[0] == 1 else 4
    rate = elst[8 + 2 * width : 12 + 2 * width]
    return entries > 1 or rate not in (b"\0\1\0\0", b"")


@dataclass(frozen=True)
class Matroska:
    """The facts in the elements of a Matroska file (RFC 9559)."""

    doc_type: bytes
    has_index: bool


def read_matroska(file: BinaryIO) -> Matroska:
    """Walk the top-level elements. A live recording has clusters of unknown size, and no index."""
    size, position, doc_type = _size(file), 0, b""
    for _ in range(MAX_BOXES):
        identifier, length, content = _element(file, position)
        if identifier == EBML:
            doc_type = _doc_type(_read(file, content, min(length or 0, 256)))
        if identifier == CUES:
            return Matroska(doc_type, True)
        if identifier == SEGMENT:
            position = content
        elif not identifier or length is None or content + length >= size:
            break
        else:
            position = content + length
    return Matroska(doc_type, False)


def _element(file: BinaryIO, position: int) -> tuple[bytes, int | None, int]:
    """Return (id, length or None if unknown, start of the content) of an EBML element; id b"" after the end."""
    header = _read(file, position, 12)
    id_width = _vint_width(header)
    rest = header[id_width:]
    width = _vint_width(rest)
    if not id_width or not width or len(rest) < width:
        return b"", None, position
    value = int.from_bytes(rest[:width], "big") & ((1 << 7 * width) - 1)
    length = None if value == (1 << 7 * width) - 1 else value
    return header[:id_width], length, position + id_width + width


def _vint_width(data: bytes) -> int:
    return 9 - data[0].bit_length() if data and data[0] else 0


def _doc_type(head: bytes) -> bytes:
    at = head.find(DOC_TYPE)
    return head[at + 3 : at + 3 + (head[at + 2] & 127)] if 0 <= at < len(head) - 3 else b""


def has_chained_ogg(file: BinaryIO) -> bool:
    """Return whether a logical stream begins after another one has sent data (RFC 3533 §4)."""
    position, tail, seen_data = 0, b"", False
    while block := _read(file, position, BLOCK):
        data = tail + block
        at = data.find(b"OggS\0")
        while 0 <= at < len(data) - 6:
            begins = bool(data[at + 5] & 2)
            if begins and seen_data:
                return True
            if not begins:
                seen_data = True
            # After the first data page only a page that begins a stream matters.
            at = data.find(b"OggS\0\2" if seen_data else b"OggS\0", at + 1)
        tail = data[-6:]
        position += len(block)
    return False


def _read(file: BinaryIO, position: int, count: int) -> bytes:
    return os.pread(file.fileno(), count, position)


def _size(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size
