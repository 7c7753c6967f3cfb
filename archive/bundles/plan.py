"""From segments to the parts of a multipart upload: what S3 allows, with as few bytes through the worker as can be.

S3 takes no part under 5 MiB but the last, and no copy over 5 GiB. So small pieces are joined, and where they are
still too small the first bytes of the following range come along; the rest of a range is copied inside the store.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from archive.bundles.layout import Literal, Range, Segment
from archive.storage import MIN_PART

COPY = 512 * 1024**2  # bytes that the store copies in one call; it is also the step of the progress bar
JOINED = 16 * 1024**2  # literal bytes that are held in memory before they go out


@dataclass(frozen=True)
class Through:
    """A part that goes through the worker: literals, and ranges that it has to read."""

    pieces: tuple[Segment, ...]

    @property
    def length(self) -> int:
        return sum(piece.length for piece in self.pieces)


@dataclass(frozen=True)
class Copied:
    """A part that the store copies by itself."""

    source: Range

    @property
    def length(self) -> int:
        return self.source.length


Part = Through | Copied


def plan(segments: Sequence[Segment], *, least: int = MIN_PART, most: int = COPY) -> list[Part]:
    """The parts, in order. No part but the last is shorter than `least`; no copy is longer than `most` + `least`."""
    parts: list[Part] = []
    waiting: list[Segment] = []

    def size() -> int:
        return sum(piece.length for piece in waiting)

    def flush() -> None:
        if waiting:
            parts.append(Through(tuple(waiting)))
            waiting.clear()

    for segment in segments:
        if isinstance(segment, Literal):
            waiting.append(segment)
            if size() >= JOINED:
                flush()
            continue
        rest = segment
        if waiting and (lacking := least - size()) > 0:
            head, rest = _split(rest, min(lacking, rest.length))
            waiting.append(head)
        if rest.length < least:
            waiting += [rest] if rest.length else []
            continue
        flush()
        parts += [Copied(piece) for piece in _pieces(rest, least, most)]
    flush()
    return parts


def _split(whole: Range, at: int) -> tuple[Range, Range]:
    return replace(whole, length=at), replace(whole, start=whole.start + at, length=whole.length - at)


def _pieces(whole: Range, least: int, most: int) -> list[Range]:
    pieces = []
    while whole.length > most + least:
        piece, whole = _split(whole, most)
        pieces.append(piece)
    return [*pieces, whole]
