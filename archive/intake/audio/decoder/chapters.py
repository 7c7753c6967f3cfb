"""Read the chapters of a file: ID3 CHAP frames, chapters of MP4, Matroska and Ogg, as FFmpeg reads them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # workers read the limits below, and load no FFmpeg
    from archive.intake.audio.decoder.decode import Source

MAX_CHAPTERS = 200
MAX_TITLE = 120  # characters
MAX_TITLES = 8000  # characters in all: the report of the decoder has a limit (archive/intake/audio/sandbox.py)


def read_chapters(source: "Source") -> list[dict[str, Any]]:
    """Return [{"start_ms", "title"}] in order of time, one for each start; titles may be empty. Returns the first
    MAX_CHAPTERS, and titles up to MAX_TITLES characters in all."""
    # Players count chapters from the start of playback, so an encoder's delay does not move them. But the start of a
    # stream that was cut from a longer one does.
    offset = source.zero if source.zero >= 1 else 0.0
    chapters: dict[int, str] = {}
    room = MAX_TITLES
    for chapter in source.container.chapters()[: 10 * MAX_CHAPTERS]:
        start_ms = round((chapter["start"] * float(chapter["time_base"] or 0) - offset) * 1000)
        title = _clean(chapter["metadata"].get("title", ""))[:room]
        if start_ms >= 0 and start_ms not in chapters:
            chapters[start_ms] = title
            room -= len(title)
    ordered = sorted(chapters.items())[:MAX_CHAPTERS]
    return [{"start_ms": start_ms, "title": title} for start_ms, title in ordered]


def _clean(title: str) -> str:
    """Return one line of printable characters."""
    return " ".join("".join(each if each.isprintable() else " " for each in title).split())[:MAX_TITLE].strip()
