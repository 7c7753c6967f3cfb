"""Parse transcripts of any program into cues.

`parse` recognizes the format by the content, never by the file name. Each format has a module that fills a
TranscriptDraft, which enforces the limits (size, lines, cues, times), repairs what it can, and lists broken cues. All
formats share the parsing of times (timing.py), markup (payload.py) and speakers (turns.py). Cues have plain text: tags
are dropped but not the text between them, entities are decoded once, control characters and lone surrogates are
removed. The text may look like HTML but is not, so templates must escape it.

A broken transcript is refused with a list of its broken cues. Only if the user agrees is it parsed leniently: broken
cues with a position are kept there, the others are dropped, and notes list both.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from archive.cues import Cue
from archive.error_messages import render
from archive.errors import Problem, Unreadable
from archive.intake.transcripts import captions, segments, substation, subtitles, text, ttml, whisper_tsv
from archive.intake.transcripts.decoding import decode
from archive.intake.transcripts.draft import TranscriptDraft

Reader = Callable[[str], TranscriptDraft]
# Formats that are one document, valid or not as a whole. All others are read line by line.
CHECKS: dict[Reader, Callable[[str], None]] = {segments.read: segments.check, ttml.read: ttml.check}
OVERSHOOT = 10_000  # milliseconds by which the last line may end after the recording


@dataclass(frozen=True)
class Parsed:
    """A parsed transcript. `notes` tells the user what was decided or dropped, and `problems` are its codes; `language`
    is a tag or None."""

    cues: list[Cue]
    notes: list[str]
    language: str | None
    problems: list[Problem] = field(default_factory=list, compare=False)


def parse(
    source: Path | bytes,
    name: str = "",
    *,
    lenient: bool = False,
    began: datetime | None = None,
    duration_ms: int | None = None,
) -> Parsed:
    """Parse a transcript into cues in order of time.

    `name` is the file name for messages (a path has its own). `began` is the start of the recording, for captions with
    times of day. `duration_ms` is the length of the recording, for a note about lines beyond it. Raises Unreadable if
    this is not a transcript, is empty, exceeds a limit, or has broken cues; with `lenient`, broken cues with a position
    are kept, others are dropped, and notes list them.
    """
    name = name or (source.name if isinstance(source, Path) else "the transcript")
    try:
        draft = _read(decode(source), began)
        if draft.broken and not (lenient and (draft.cues or draft.rescued)):
            raise _broken_error(draft)
        if not draft.cues and not draft.rescued:
            raise Unreadable("transcript.no_lines")
    except Unreadable as error:
        raise Unreadable.of(error.problem, file=name) from error
    draft.sort()
    draft.rescue()
    _note_overshoot(draft, duration_ms)
    problems = draft.all_notes()
    return Parsed(draft.cues, [render(problem) for problem in problems], draft.language, problems)


def check_format(data: bytes) -> None:
    """Raise Unreadable, as `parse` does, if this is not a transcript. Fast, since it does not read the lines."""
    content = decode(data)
    read = _find_reader(content)
    if read in CHECKS:
        CHECKS[read](content)


def _read(content: str, began: datetime | None) -> TranscriptDraft:
    read = _find_reader(content)
    return captions.read(content, began) if read is captions.read else read(content)


def _find_reader(content: str) -> Reader:
    """Recognize the format. Raises Unreadable if it is unknown."""
    begins = content.lstrip("\ufeff \t\r\n")[:10]
    if subtitles.is_vtt(content):
        return subtitles.read
    if begins.startswith("{"):
        return captions.read if captions.looks_like(content) else segments.read
    if begins.startswith("[") and begins[1:].lstrip().startswith("{"):
        return segments.read
    if begins.startswith("<") and ttml.looks_like(content):
        return ttml.read
    readers: tuple[tuple[Callable[[str], bool], Reader], ...] = (
        (substation.looks_like, substation.read),
        (whisper_tsv.looks_like, whisper_tsv.read),
        (lambda content: not begins.startswith("[") and subtitles.looks_like(content), subtitles.read),
        (text.looks_like, text.read),
        (text.looks_like_otter, text.read_otter),
    )
    for looks_like, read in readers:
        if looks_like(content):
            return read
    raise Unreadable("transcript.unknown_format")


def _note_overshoot(draft: TranscriptDraft, duration_ms: int | None) -> None:
    """Note lines that begin after the end of the recording, or end long after it."""
    if duration_ms is None:
        return
    late = [cue for cue in draft.cues if cue.start_ms >= duration_ms or cue.end_ms > duration_ms + OVERSHOOT]
    if late:
        end = max(cue.end_ms for cue in late)
        draft.note("transcript.past_end", count=len(late), end=end / 1000, duration=duration_ms / 1000)


def _broken_error(draft: TranscriptDraft) -> Unreadable:
    faults = draft.first_faults()
    if draft.cues:
        return Unreadable("transcript.broken_lines", usable=len(draft.cues), broken=draft.broken, cues=faults)
    return Unreadable("transcript.wrong_ends" if draft.rescued else "transcript.all_broken", cues=faults)
