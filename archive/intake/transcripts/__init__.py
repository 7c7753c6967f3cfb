"""Parse transcripts: WebVTT, SRT, Podcasting 2.0 JSON, captions of X Spaces, and plain text with times.

`parse` recognizes the format by the content, never by the file name. Each format has a module that fills a
TranscriptDraft, which enforces the limits (size, lines, cues, times) and lists broken cues. Cues hold plain text: tags
are dropped but not the text between them, entities are decoded once, control characters and lone surrogates are
removed. The text is not HTML, whatever it looks like, so templates must escape it.

A broken transcript is refused with a list of its broken cues. Only if the person agrees is it parsed leniently: broken
cues are dropped, and a note lists them.
"""

import codecs
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archive.cues import Cue
from archive.error_messages import render
from archive.errors import Unreadable, make_problem
from archive.intake.limits import MAX_TRANSCRIPT_BYTES
from archive.intake.transcripts import captions, podcast, srt, text, vtt
from archive.intake.transcripts.draft import TranscriptDraft

# Order matters: the byte order mark of UTF-32 LE begins with that of UTF-16 LE.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Parsed:
    """A parsed transcript. `notes` tells the person what was decided or dropped; `language` is a tag or None."""

    cues: list[Cue]
    notes: list[str]
    language: str | None


def parse(source: Path | bytes, name: str = "", *, lenient: bool = False, began: datetime | None = None) -> Parsed:
    """Parse a transcript into cues in order of time.

    `name` is the file name for messages (a path has its own). `began` is when the recording began, for captions whose
    times are times of day. Raises Unreadable if this is no transcript, is empty, exceeds a limit, or has broken cues;
    with `lenient`, broken cues are dropped, and a note lists them.
    """
    name = name or (source.name if isinstance(source, Path) else "the transcript")
    try:
        draft = _read(_decode(source), began)
        if draft.broken and not (lenient and draft.cues):
            raise _broken_error(draft)
        if not draft.cues:
            raise Unreadable("transcript.no_lines")
    except Unreadable as error:
        raise Unreadable.of(error.problem, file=name) from error
    if draft.broken:
        draft.notes.append(render(make_problem("transcript.left_out", count=draft.broken, cues=draft.first_faults())))
    return Parsed(sorted(draft.cues, key=lambda cue: (cue.start_ms, cue.end_ms)), draft.notes, draft.language)


def _decode(source: Path | bytes) -> str:
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > MAX_TRANSCRIPT_BYTES:
        raise Unreadable("transcript.too_large", limit=MAX_TRANSCRIPT_BYTES)
    data = source.read_bytes() if isinstance(source, Path) else source
    encoding = next((encoding for mark, encoding in BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise Unreadable("transcript.not_utf8") from error


def _read(content: str, began: datetime | None) -> TranscriptDraft:
    begins = content.lstrip()[:10]
    if begins.startswith("WEBVTT"):
        return vtt.read(content)
    if begins.startswith("{"):
        return captions.read(content, began) if captions.looks_like(content) else podcast.read(content)
    if not begins.startswith("[") and srt.looks_like(content):
        return srt.read(content)
    if text.looks_like(content):
        return text.read(content)
    raise Unreadable("transcript.unknown_format")


def _broken_error(draft: TranscriptDraft) -> Unreadable:
    if not draft.cues:
        return Unreadable("transcript.all_broken", cues=draft.first_faults())
    return Unreadable("transcript.broken_lines", usable=len(draft.cues), broken=draft.broken, cues=draft.first_faults())
