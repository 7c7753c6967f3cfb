"""Plan the parts of a multipart upload from segments: within S3's limits, with few bytes through the worker.

S3 allows no part under 5 MiB but the last, no copy over 5 GiB, and no more than 10,000 parts. So small pieces are
joined, and if they are still too small, the first bytes of the following range are added; the rest of a range is copied
inside the store. If a store can't copy, ranges go through the worker as well, in pieces of a bounded size.

Cloudflare R2 requires all parts but the last to have the same size. There the ZIP is cut at multiples of that size: a
part that lies inside one range is copied, and the others go through the worker, two for each recording.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from archive.bundles.zip64 import Literal, Range, Segment, Spooled
from archive.errors import Refused
from archive.storage import MIN_PART, MOST_PARTS, PART

# Bytes that the store copies in one call: the most that a failed call loses, and the step of the progress bar. Times
# 10,000 parts it exceeds 600 GiB.
COPY = 64 * 1024**2
JOINED = 16 * 1024**2  # literal bytes held in memory before they are sent
EQUAL = 8 * 1024**2  # size of parts where all have the same size: the first and the last go through the worker


@dataclass(frozen=True)
class RelayedPart:
    """A part that goes through the worker: literals, and ranges that the worker reads."""

    pieces: tuple[Segment, ...]

    @property
    def length(self) -> int:
        return sum(piece.length for piece in self.pieces)


@dataclass(frozen=True)
class CopiedPart:
    """A part that the store copies by itself."""

    source: Range

    @property
    def length(self) -> int:
        return self.source.length


Part = RelayedPart | CopiedPart


def plan(
    segments: Sequence[Segment], *, copies: bool = True, one_size: int = 0, least: int = MIN_PART, most: int = COPY
) -> list[Part]:
    """Return the parts, in order. No part but the last is shorter than `least`; no copy is longer than `most` +
    `least`. `copies`: whether the store can copy; if not, every part is a RelayedPart. `one_size`: bytes of every part
    but the last; 0: they may differ. Raises Refused beyond 10,000 parts."""
    if one_size:
        parts = _equal_parts(segments, copies, one_size)
    else:
        parts = _parts(segments if copies else _in_pieces(segments, PART), copies, least, most)
    if len(parts) > MOST_PARTS:
        raise Refused("bundle.too_many_parts", count=len(parts), limit=MOST_PARTS)
    return parts


def digest(parts: Sequence[Part], crc32: int | None = None, checksums: str = "") -> str:
    """Return the SHA-256 (hex) of the source of each part, the CRC-32 of the whole, and the way in which the store
    verifies it. An upload with the same digest can be resumed."""
    sources = [[_told(piece) for piece in pieces_of(part)] for part in parts]
    return hashlib.sha256(json.dumps([sources, crc32, checksums]).encode()).hexdigest()


def pieces_of(part: Part) -> tuple[Segment, ...]:
    return part.pieces if isinstance(part, RelayedPart) else (part.source,)


def _told(piece: Segment) -> list[str | int]:
    if isinstance(piece, Range):
        return [piece.key, piece.etag, piece.start, piece.length]
    return [piece.sha256 if isinstance(piece, Spooled) else hashlib.sha256(piece.data).hexdigest()]


def _parts(segments: Sequence[Segment], copies: bool, least: int, most: int) -> list[Part]:
    parts: list[Part] = []
    waiting: list[Segment] = []
    size = 0  # of `waiting`; a running sum, as a bundle may have a hundred thousand members

    def add(piece: Segment) -> None:
        nonlocal size
        if piece.length:
            waiting.append(piece)
            size += piece.length

    def flush() -> None:
        nonlocal size
        if waiting:
            parts.append(RelayedPart(tuple(waiting)))
            waiting.clear()
            size = 0

    for segment in segments:
        if not isinstance(segment, Range) or not copies:
            add(segment)
            if size >= JOINED:
                flush()
            continue
        rest = segment
        if waiting and size < least:
            head, rest = _split(rest, min(least - size, rest.length))
            add(head)
        if rest.length < least:
            add(rest)
            continue
        flush()
        parts += [CopiedPart(piece) for piece in _pieces(rest, least, most)]
    flush()
    return parts


def common_size(total: int) -> int:
    """Return the part size where all parts have the same: small, but large enough for 10,000 parts."""
    return max(EQUAL, -(-total // MOST_PARTS))


def _equal_parts(segments: Sequence[Segment], copies: bool, size: int) -> list[Part]:
    parts: list[Part] = []
    pieces: list[Segment] = []
    room = size

    def flush() -> None:
        nonlocal room
        only = pieces[0] if len(pieces) == 1 else None
        parts.append(
            CopiedPart(only) if copies and isinstance(only, Range) and room == 0 else RelayedPart(tuple(pieces))
        )
        pieces.clear()
        room = size

    for segment in segments:
        at = 0
        while at < segment.length:
            length = min(room, segment.length - at)
            pieces.append(_cut(segment, at, length))
            at, room = at + length, room - length
            if not room:
                flush()
    if pieces:
        flush()
    return parts


def _cut(segment: Segment, at: int, length: int) -> Segment:
    if isinstance(segment, Range):
        return segment.part(at, length)
    return segment if length == segment.length else Literal(segment.data[at : at + length])


def _in_pieces(segments: Sequence[Segment], step: int) -> list[Segment]:
    """Cut ranges so that none is longer than `step` bytes."""
    return [
        piece
        for segment in segments
        for piece in (
            [segment]
            if not isinstance(segment, Range)
            else [segment.part(at, min(step, segment.length - at)) for at in range(0, segment.length, step)]
        )
    ]


def _split(whole: Range, at: int) -> tuple[Range, Range]:
    return whole.part(0, at), whole.part(at, whole.length - at)


def _pieces(whole: Range, least: int, most: int) -> list[Range]:
    """Cut at multiples of `most` from the beginning of the object: stores keep objects in pieces, mostly of a power of
    two, and copy whole ones with less work than halves."""
    pieces = []
    while whole.length > most + least:
        at = most - whole.start % most
        if at < least:
            at += most
        piece, whole = _split(whole, at if whole.length - at >= least else most)
        pieces.append(piece)
    return [*pieces, whole]
