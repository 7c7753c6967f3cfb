"""Parse plain text with a time before each line, as `cues.to_text` writes it: "[00:12:34] Nora: Good evening".

Also accepts [12:34], [00:12:34.500], [00:01.000 --> 00:02.500] as Whisper prints it, and LRC: header tags such as
[ti:...] and [offset:...], several times before one line, and times of words (<00:01.20>), which are dropped. A line
[ti:...] and [offset:...], several times before one line, and times of words (<00:01.20>), which are dropped. A line
without a time continues the line before. Plain text has no end times: each line lasts until the next begins, the last
one 5 seconds; lines with the same time share their span. Text without any time is refused, instead of inventing times.

Otter exports the name and the time on a line of their own ("Ida Bean  0:05"), followed by the words.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from archive.cues import plain
from archive.errors import make_problem
from archive.intake.transcripts import turns
from archive.intake.transcripts.draft import LAST, TranscriptDraft, lines
from archive.intake.transcripts.timing import MAX_MS, Span, find_span, parse_clock
from archive.language_tags import is_language_tag

STAMP = re.compile(r"\s*\[((?:\d{1,9}:)?\d{1,4}:\d{1,2}(?:[.,]\d{1,9})?)\]")
RANGE = re.compile(r"\s*\[([^][]{7,60})\]")
LRC_TAG = re.compile(r"\s*\[(ti|ar|al|au|by|id|la|length|lr|offset|re|tool|ve|#)\s*:([^\]]*)\]\s*", re.IGNORECASE)
LRC_WORD = re.compile(r"<\d{1,4}:\d{1,2}(?:[.,]\d{1,9})?>")
OTTER = re.compile(r"(?P<name>\S(?:.{0,58}\S)?)\s+(?P<time>(?:\d{1,3}:)?\d{1,2}:\d{2})\s*")
OTTER_ENDS = re.compile(r"\s*Transcribed by https?://otter\.ai\s*", re.IGNORECASE)


class Line(NamedTuple):
    start_ms: int
    number: int  # of the line
    speaker: str
    texts: list[str]
    end_ms: int | None = None


def looks_like(text: str) -> bool:
    return any(STAMP.match(line) or _range(line) for _, line in lines(text))


def looks_like_otter(text: str) -> bool:
    """Return whether the first non-empty line is a name and a time, and words follow."""
    filled = (line for _, line in lines(text) if line.strip())
    return _otter_header(next(filled, ""), 0) is not None and bool(next(filled, ""))


def read(text: str) -> TranscriptDraft:
    draft = TranscriptDraft()
    parsed = _parse_lines(text, draft)
    assigned = turns.assign([line.texts for line in parsed])
    if assigned.carried:
        draft.note("transcript.speakers_carried")
    _add(draft, parsed, assigned.turns)
    return draft


def read_otter(text: str) -> TranscriptDraft:
    draft = TranscriptDraft()
    parsed: list[Line] = []
    for number, line in lines(text):
        if header := _otter_header(line, parsed[-1].start_ms if parsed else 0):
            start, name = header
            parsed.append(Line(start, number, name, []))
        elif line.strip() and not parsed:
            draft.refuse(number, make_problem("cue.no_times"))
        elif line.strip() and not OTTER_ENDS.fullmatch(line):
            parsed[-1].texts.append(line)
    _add(draft, parsed, [[turns.Turn(line.speaker, " ".join(line.texts))] for line in parsed])
    return draft


def _otter_header(line: str, after_ms: int) -> tuple[int, str] | None:
    """Return (start in milliseconds, name). "We meet at 10:30" has no valid name, or an earlier time: None."""
    match = OTTER.fullmatch(line.lstrip("\ufeff"))
    start = parse_clock(match["time"]) if match else None
    if match is None or start is None or start < after_ms or not turns.is_capitalized(match["name"]):
        return None
    return start, match["name"]


def _add(draft: TranscriptDraft, parsed: list[Line], texts: Sequence[list[turns.Turn]]) -> None:
    if any(line.end_ms is None for line in parsed):
        draft.note("transcript.no_ends")
    until = dict(pairwise(sorted({line.start_ms for line in parsed})))
    for line, parts in zip(parsed, texts, strict=True):
        end = line.end_ms if line.end_ms is not None else until.get(line.start_ms, line.start_ms + LAST)
        for part in parts or [turns.Turn("", "")]:
            draft.add(line.number, line.start_ms, end, part.speaker, part.text)


def _parse_lines(text: str, draft: TranscriptDraft) -> list[Line]:
    parsed: list[Line] = []
    is_lrc = False
    offset = 0
    for number, line in lines(text):
        if stamps := list(_stamps(line)):
            words = plain(LRC_WORD.sub("", line[stamps[-1].end() :]))
            is_lrc |= len(stamps) > 1
            _add_line(parsed, draft, number, stamps, words, offset)
        elif match := _range(line):
            span, place = match
            parsed.append(Line(span.start_ms, number, "", [plain(line[place:])], span.end_ms))
        elif tag := LRC_TAG.fullmatch(line):
            is_lrc = True
            offset = _offset(tag[2]) if tag[1].lower() == "offset" else offset
            if tag[1].lower() == "la" and is_language_tag(tag[2].strip()):
                draft.language = tag[2].strip()
        elif line.strip() and parsed:
            parsed[-1].texts.append(plain(line))
        elif line.strip():
            draft.refuse(number, make_problem("cue.no_times"))
    if is_lrc:  # a refrain is written once, with all of its times
        parsed.sort(key=lambda one: one.start_ms)
    return parsed


def _add_line(
    parsed: list[Line], draft: TranscriptDraft, number: int, stamps: list[re.Match[str]], words: str, offset: int
) -> None:
    """Add the line once for each of its times."""
    for stamp in stamps:
        start = parse_clock(stamp[1])
        if start is None or start >= MAX_MS:
            draft.refuse(number, make_problem("cue.bad_time"))
        else:
            parsed.append(Line(max(start - offset, 0), number, "", [words] if words else []))


def _stamps(line: str) -> Iterator[re.Match[str]]:
    """Yield the times at the beginning of the line."""
    place = 0
    while match := STAMP.match(line, place):
        yield match
        place = match.end()


def _range(line: str) -> tuple[Span, int] | None:
    """Return the times in brackets at the beginning of the line, and where they end."""
    match = RANGE.match(line)
    span = find_span(match[1]) if match else None
    return (span, match.end()) if match and span and not span.text else None


def _offset(value: str) -> int:
    """Return the milliseconds by which LRC's lines are early; a positive value makes them earlier."""
    match = re.fullmatch(r"\s*([+-]?\d{1,9})\s*", value)
    return int(match[1]) if match else 0
