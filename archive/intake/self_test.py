"""Read a known transcript, and the tags of a known recording, to check that this process can do it."""

from archive.cues import Cue
from archive.intake import importers, transcripts

TRANSCRIPT = b"WEBVTT\n\n00:00.000 --> 00:01.500\n<v Nora>Seeds &amp; beans.\n"
LINES = [Cue(0, 1500, "Nora", "Seeds & beans.")]
TITLE = "Saatgut für alle"


class ReadWrongly(Exception):
    """The known file was read, but with a wrong result."""


def run() -> None:
    """Raise ReadWrongly, or what reading raises."""
    if (read := transcripts.parse(TRANSCRIPT).cues) != LINES:
        raise ReadWrongly(f"a transcript became {read}")
    if (title := importers.inspect({"talk.mp3": _tagged()}).title) != TITLE:
        raise ReadWrongly(f"a title became {title!r}")


def _tagged() -> bytes:
    """Return an ID3v2.4 tag with one frame, the title in UTF-8."""
    text = b"\x03" + TITLE.encode()
    frame = b"TIT2" + len(text).to_bytes(4, "big") + bytes(2) + text
    return b"ID3\x04\x00\x00" + len(frame).to_bytes(4, "big") + frame
