"""Read a recording's tags with mutagen, from a few of its bytes.

A date in a tag is never taken as the end of a Space, with a zone or without: it may be the start, or the day of an
edit. It is shown, so the person can judge it.

The bytes are untrusted, so mutagen gets few of them: compressed ID3 may expand a thousandfold, and in an m4a each eight
bytes may become an object.
"""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, Any

import mutagen
from django.utils.translation import gettext
from mutagen.id3 import ID3, TDRC, TIT2, TPE1
from mutagen.mp4 import MP4

from archive.errors import Unreadable
from archive.intake.importers.tree import Tree, base
from archive.intake.importers.values import text

HEAD = 256 * 1024  # bytes
ID3_HEAD = 16 * 1024  # bytes
MAX_BOXES = 2000
# mutagen's constructors have no type hints.
_mp4: Callable[..., Any] = MP4
_id3: Callable[..., Any] = ID3


@dataclass(frozen=True)
class Tags:
    title: str = ""
    artist: str = ""
    date: str = ""

    def notes(self, name: str) -> tuple[str, ...]:
        """Return a note with the date, for the person to judge."""
        if not self.date:
            return ()
        sentence = (
            gettext("{file}: its tags name {artist} and the date {date}, which is not taken as the end of the Space.")
            if self.artist
            else gettext("{file}: its tags have the date {date}, which is not taken as the end of the Space.")
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
        known = {"TIT2": TIT2, "TPE1": TPE1, "TDRC": TDRC}
        return _tags(lambda: _id3(io.BytesIO(_shortened(head)), known_frames=known), "TIT2", "TPE1", "TDRC")
    if head.startswith((b"OggS", b"fLaC")):
        return _tags(lambda: getattr(mutagen.File(io.BytesIO(head)), "tags", None), "title", "artist", "date")
    return Tags()


def _tags(load: Callable[[], Any], *keys: str) -> Tags:
    try:
        tags = load() or {}
        title, artist, date = (text(_first(tags.get(key))) for key in keys)
    except Exception:  # a parser may raise anything on hostile bytes
        return Tags()
    return Tags(title, artist, date)


def _first(value: Any) -> str:
    """Return the first value of a tag: mutagen returns values, lists, and frames that hold lists."""
    value = getattr(value, "text", value)
    return str(value[0]) if isinstance(value, list) and value else str(value or "")


def _shortened(head: bytes) -> bytes:
    """Cut an ID3 tag and correct the size in its header (7 bits per byte)."""
    size = len(head[:ID3_HEAD]) - 10
    return head[:6] + bytes(size >> shift & 127 for shift in (21, 14, 7, 0)) + head[10:ID3_HEAD]


def _only_tags(file: IO[bytes]) -> bytes:
    """Build an m4a that holds only the tags, found by walking over the boxes (ISO 14496-12 §4.2)."""
    end = file.seek(0, io.SEEK_END)
    for kind, start, stop in _boxes(file, 0, end):
        if kind != b"moov":
            continue
        for inner, from_, to in _boxes(file, start, stop):
            if inner == b"udta" and to - from_ <= HEAD:
                file.seek(from_)
                udta = file.read(to - from_)
                size = len(udta) + 8
                moov = (size + 8).to_bytes(4, "big") + b"moov" + size.to_bytes(4, "big") + b"udta" + udta
                return b"\x00\x00\x00\x10ftypM4A \x00\x00\x00\x00" + moov
    return b""


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
