"""Transcripts in: WebVTT, SRT, Podcasting 2.0 JSON, captions of X Spaces, and plain text with times.

The form is told by the content, never by the name of the file. Each form has its module, with what it may hold and how
it is read; all fill a Sheet, which holds the limits (size, lines, cues, times) and names what is broken. Text comes
out as text: tags are dropped and what stands between them is kept, entities are decoded once, control characters and
halves of characters (lone surrogates) never get through. It is not HTML, whatever it looks like: who shows it escapes
it.

A broken transcript is refused with its broken cues named. Only when the person has said so is it read again leniently:
then the rest is kept, and a note tells what was left out."""

import codecs
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from archive.cues import Cue
from archive.errors import Unreadable, make_problem
from archive.intake.limits import MAX_TRANSCRIPT_BYTES
from archive.intake.transcripts import captions, podcast, srt, text, vtt
from archive.intake.transcripts.draft import TranscriptDraft
from archive.messages import render

# UTF-32's little mark begins with UTF-16's: it is asked first.
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True)
class Parsed:
    """`notes`: sentences for the person, of what was decided or left out. `language`: a tag, where the file has it."""

    cues: list[Cue]
    notes: list[str]
    language: str | None


def parse(source: Path | bytes, name: str = "", *, lenient: bool = False, began: datetime | None = None) -> Parsed:
    """The cues of a transcript, in order of time. `name` is what the person calls it (a path has its own); `began` is
    when the recording began, for captions whose times are those of the day.

    Raises Unreadable when it is no transcript, has nothing in it, goes beyond a limit, or has broken cues; with
    `lenient` the broken ones are left out, and a note says so."""
    name = name or (source.name if isinstance(source, Path) else "the transcript")
    try:
        sheet = _read(_decoded(source), began)
        if sheet.broken and not (lenient and sheet.cues):
            raise _broken(sheet)
        if not sheet.cues:
            raise Unreadable("transcript.no_lines")
    except Unreadable as error:
        raise Unreadable.of(error.problem, file=name) from error
    if sheet.broken:
        sheet.notes.append(render(make_problem("transcript.left_out", count=sheet.broken, cues=sheet.named())))
    return Parsed(sorted(sheet.cues, key=lambda cue: (cue.start_ms, cue.end_ms)), sheet.notes, sheet.language)


def _decoded(source: Path | bytes) -> str:
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > MAX_TRANSCRIPT_BYTES:
        raise Unreadable("transcript.too_large", limit=MAX_TRANSCRIPT_BYTES)
    data = source.read_bytes() if isinstance(source, Path) else source
    encoding = next((encoding for mark, encoding in MARKS.items() if data.startswith(mark)), "utf-8")
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


def _broken(sheet: TranscriptDraft) -> Unreadable:
    if not sheet.cues:
        return Unreadable("transcript.all_broken", cues=sheet.named())
    return Unreadable("transcript.broken_lines", usable=len(sheet.cues), broken=sheet.broken, cues=sheet.named())
