"""Chapters of a recording: for pages, and as Podcasting 2.0 JSON."""

import json
from dataclasses import dataclass

from django.utils.translation import gettext as _

from archive import formatting
from archive.display.transcript import format_seconds
from archive.models import Recording


@dataclass(frozen=True)
class ChapterRow:
    """`start` is in seconds, as in `?t=`; `percent` is the position in the recording."""

    start: str
    stamp: str
    title: str
    percent: float


def chapter_rows(recording: Recording | None) -> list[ChapterRow]:
    """Return the chapters in order; none if there is only one, which helps nobody."""
    chapters = recording.chapters if recording else []
    if recording is None or len(chapters) < 2:
        return []
    return [
        ChapterRow(
            format_seconds(chapter["start_ms"]),
            formatting.format_duration(chapter["start_ms"] // 1000),
            chapter["title"] or _("Chapter {number}").format(number=number),
            100 * chapter["start_ms"] / recording.duration_ms,
        )
        for number, chapter in enumerate(chapters, 1)
    ]


def chapters_json(recording: Recording) -> bytes:
    """Return a Podcasting 2.0 chapters file (podcast-namespace, chapters/jsonChapters.md); times in seconds."""
    chapters = [{"startTime": row["start_ms"] / 1000, "title": row["title"]} for row in recording.chapters]
    return (json.dumps({"version": "1.2.0", "chapters": chapters}, ensure_ascii=False, indent=2) + "\n").encode()
