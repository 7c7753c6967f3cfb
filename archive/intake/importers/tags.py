"""Read a recording's tags with mutagen, from a few of its bytes.

A date in a tag is never used as the end of a Space, with a zone or without: it may be the start, or the day of an edit.
It is shown, so that the user can judge it.

The bytes are untrusted, so mutagen gets few of them: compressed ID3 may expand a thousandfold, and in an m4a every
eight bytes may become an object. Of ID3 it gets only the required frames, wherever they are in the tag (id3.py).

A title whose encoding is not certain is not used, but noted: Windows programs wrote cp1251 and others into frames
marked as Latin-1.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import mutagen
import structlog
from django.utils.translation import gettext
from mutagen.id3 import ID3, TDRC, TIT2, TP1, TPE1, TT2, Encoding
from mutagen.mp4 import MP4

from archive import error_messages
from archive.errors import Unreadable, locate, make_problem
from archive.intake.importers.encodings import decode_unstated
from archive.intake.importers.id3 import pick_frames
from archive.intake.importers.tree import Tree, base
from archive.intake.importers.values import text

logger = structlog.get_logger()

HEAD = 256 * 1024  # bytes
MAX_BOXES = 2000
MP4_ITEMS, MAX_ITEM = {b"\xa9nam", b"\xa9ART", b"\xa9day"}, 4096  # bytes
FLAC_BLOCKS = {0, 4}  # STREAMINFO, VORBIS_COMMENT
# mutagen's constructors have no type hints.
_mp4: Callable[..., Any] = MP4
_id3: Callable[..., Any] = ID3


@dataclass(frozen=True)
class Tags:
    title: str = ""
    artist: str = ""
    date: str = ""
    has_unknown_encoding: bool = False

    def notes(self, name: str) -> tuple[str, ...]:
        """Return notes for the user to judge: a date, a title that can't be read."""
        return (*self._note_date(name), *self._note_encoding(name))

    def _note_encoding(self, name: str) -> tuple[str, ...]:
        problem = make_problem("import.title_encoding", file=base(name))
        return (error_messages.render(problem),) if self.has_unknown_encoding else ()

    def _note_date(self, name: str) -> tuple[str, ...]:
        if not self.date:
            return ()
        sentence = (
            gettext("{file}: its tags name {artist} and the date {date}, which is not used as the end of the Space.")
            if self.artist
            else gettext("{file}: its tags have the date {date}, which is not used as the end of the Space.")
        )
        return (sentence.format(file=base(name), artist=self.artist, date=self.date),)


def read(tree: Tree, name: str) -> Tags:
    """Read the tags of a recording. Returns empty tags if they can't be read."""
    try:
        with tree.open(name) as file:
            return _read(file)
    except (Unreadable, OSError):
        return Tags()


def _read(file: IO[bytes]) -> Tags:
    head = file.read(HEAD)
    if head[4:8] == b"ftyp":
        return _tags(lambda: _mp4(io.BytesIO(_only_tags(file))).tags, "\xa9nam", "\xa9ART", "\xa9day")
    if head.startswith(b"ID3"):
        known = {"TIT2": TIT2, "TPE1": TPE1, "TDRC": TDRC, "TT2": TT2, "TP1": TP1}
        file.seek(0)
        return _tags(lambda: _id3(io.BytesIO(pick_frames(file)), known_frames=known), "TIT2", "TPE1", "TDRC")
    if head.startswith((b"OggS", b"fLaC")):
        data = head if head.startswith(b"OggS") else _only_comments(file)
        return _tags(lambda: getattr(mutagen.File(io.BytesIO(data)), "tags", None), "title", "artist", "date")
    return Tags()


def _tags(load: Callable[[], Any], *keys: str) -> Tags:
    try:
        tags = load() or {}
        title, artist, date = (_read_value(tags.get(key)) for key in keys)
    except Exception as error:  # a parser may raise anything on hostile bytes
        if "mutagen/" not in (place := locate(error)):  # a bug of ours, which only costs the title
            logger.error("tags_failed", error=type(error).__name__, at=place)
        return Tags()
    return Tags(title or "", artist or "", date or "", has_unknown_encoding=title is None)


def _read_value(value: Any) -> str | None:
    """Return the first value of a tag, or None if its encoding is not certain."""
    first = _first(value)
    if "\N{REPLACEMENT CHARACTER}" in first:
        return None
    if getattr(value, "encoding", None) == Encoding.LATIN1 and not first.isascii():
        decoded = decode_unstated(first.encode("latin-1"))
        return None if decoded is None else text(decoded)
    return text(first)


def _first(value: Any) -> str:
    """Return the first value of a tag: mutagen returns values, lists, and frames that hold lists."""
    value = getattr(value, "text", value)
    return str(value[0]) if isinstance(value, list) and value else str(value or "")


def _only_tags(file: IO[bytes]) -> bytes:
    """Build an m4a with only the tags, found by walking over the boxes (ISO 14496-12 §4.2).

    Does not read the cover, which may be large.
    """
    items, ranges = b"", [(0, file.seek(0, io.SEEK_END))]
    for kind in (b"moov", b"udta", b"meta", b"ilst"):
        skipped = 4 if kind == b"meta" else 0  # its version and flags
        ranges = [
            (start + skipped, stop)
            for outer in ranges[:1]
            for inner, start, stop in _boxes(file, *outer)
            if inner == kind
        ]
    for outer in ranges[:1]:
        for inner, start, stop in _boxes(file, *outer):
            if inner in MP4_ITEMS and stop - start <= MAX_ITEM:
                file.seek(start)
                items += _box(inner, file.read(stop - start))
    meta = _box(b"meta", bytes(4) + _box(b"ilst", items))
    return _box(b"ftyp", b"M4A \x00\x00\x00\x00") + _box(b"moov", _box(b"udta", meta)) if items else b""


def _box(kind: bytes, content: bytes) -> bytes:
    return (len(content) + 8).to_bytes(4, "big") + kind + content


def _only_comments(file: IO[bytes]) -> bytes:
    """Build a FLAC with only its stream's description and the comments (RFC 9639 §8), without pictures."""
    blocks = []
    file.seek(4)
    for _ in range(MAX_BOXES):
        head = file.read(4)
        size = int.from_bytes(head[1:], "big")
        if len(head) < 4:
            break
        if head[0] & 127 in FLAC_BLOCKS and size <= HEAD:
            blocks.append(bytes([head[0] & 127]) + head[1:] + file.read(size))
        else:
            file.seek(size, io.SEEK_CUR)
        if head[0] & 128:
            break
    blocks[-1:] = [bytes([block[0] | 128]) + block[1:] for block in blocks[-1:]]
    return b"fLaC" + b"".join(blocks)


def _boxes(file: IO[bytes], start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield (kind, start of the content, end) of consecutive boxes."""
    for _ in range(MAX_BOXES):
        file.seek(start)
        head = file.read(16)
        size, begins = int.from_bytes(head[:4], "big"), start + 8
        if size == 1:
            size, begins = int.from_bytes(head[8:16], "big"), start + 16
        elif size == 0:
            size = end - start
        if len(head) < 8 or size < begins - start or start + size > end:
            return
        yield head[4:8], begins, start + size
        start += size
