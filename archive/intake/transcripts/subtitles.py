"""Parse WebVTT (w3.org/TR/webvtt1), SRT and SBV, with one grammar.

SRT has no standard, and WebVTT is often written by hand or by programs that don't follow its own. So one reader accepts
the variants of all: a line with times always begins a cue, and is never text. Neither is the number or identifier
before it. Empty lines may be missing, or be inside a cue: text without times continues the cue before it. In WebVTT,
headers, NOTE, STYLE and REGION blocks are dropped; several files may be joined.

Voice tags are speakers. If a file has none, names are searched in the text (turns.py). Several speakers in one cue
become several cues with the same times, in order, since the file does not say when each of them spoke.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from archive.cues import Cue
from archive.errors import make_problem
from archive.intake.transcripts import turns
from archive.intake.transcripts.draft import MAX_CUES, TranscriptDraft, lines, too_many
from archive.intake.transcripts.payload import Part, clean_lines, has_voices, remove_leading_tags, split_voices
from archive.intake.transcripts.rolling import Block, unroll
from archive.intake.transcripts.timing import SBV_TIMING, Span, find_span, find_start, has_arrow
from archive.language_tags import is_language_tag

INDEX = re.compile(r"\W{0,3}(?:(?:cue|subtitle|caption|line)\W{0,2})?\d{1,9}\W{0,3}", re.IGNORECASE)
HEADER = re.compile(r"WEBVTT(?:[\s-].*)?", re.IGNORECASE | re.DOTALL)
NOT_SPEECH = re.compile(r"(NOTE|STYLE|REGION)(\s|$)")
LANGUAGE = re.compile(r"Language:\s*(\S+)\s*$", re.IGNORECASE)
HEAD = 40  # lines: one of them must have the first times


@dataclass(frozen=True)
class Habits:
    """What a file has before the times: `is_numbered` if numbers also come without an empty line before them,
    `is_spaced` if an empty line comes after them, `has_ids` if most cues have an identifier."""

    is_vtt: bool
    is_numbered: bool
    is_spaced: bool
    has_ids: bool


@dataclass
class _Open:
    """The cue that is being read. `span` is None if its times can't be read; `start_ms` may still be known. `lines`
    has "" for empty lines. `is_cue` is False for text before the first cue."""

    number: int
    span: tuple[int, int] | None
    start_ms: int | None = None
    lines: list[str] = field(default_factory=list)
    is_cue: bool = True


def is_vtt(text: str) -> bool:
    return HEADER.match(text.lstrip("\ufeff \t\r\n")[:10]) is not None


def is_sbv(text: str) -> bool:
    return SBV_TIMING.match(text.lstrip("\ufeff \t\r\n")[:80]) is not None


def looks_like(text: str) -> bool:
    """Return whether one of the first lines has times of a cue, or an arrow where they should be."""
    filled = (line.lstrip("\ufeff") for _, line in lines(text) if line.strip())
    head = [line for line, _ in zip(filled, range(HEAD), strict=False)]
    is_broken = any(has_arrow(line) for line in head[:1]) or (
        len(head) > 1 and has_arrow(head[1]) and INDEX.fullmatch(head[0].strip()) is not None
    )
    return is_broken or any(find_span(line) for line in head)


def read(text: str) -> TranscriptDraft:
    draft = TranscriptDraft()
    if is_sbv(text):
        text = text.replace("[br]", "<br>")
    habits = _find_habits(text)
    blocks = [block for cue in _cues(text, habits, draft) if (block := _close(cue, draft))]
    if any(has_voices(block.lines) for block in blocks):
        _add_voices(draft, blocks)
    else:
        _add_turns(draft, blocks)
    return draft


def _add_voices(draft: TranscriptDraft, blocks: list[Block]) -> None:
    for block in blocks:
        for part in split_voices(block.lines) or [Part(None, [])]:
            draft.add(block.number, block.start_ms, block.end_ms, part.speaker or "", " ".join(part.lines))


def _add_turns(draft: TranscriptDraft, blocks: list[Block]) -> None:
    cleaned = [clean_lines(block.lines) for block in blocks]
    if (unrolled := unroll(blocks, cleaned)) is not None:
        draft.note("transcript.rolling", count=len(blocks), lines=len(unrolled))
        blocks, cleaned = unrolled, [block.lines for block in unrolled]
        draft.noted.pop("transcript.empty_line", None)
    assigned = turns.assign(cleaned)
    if assigned.carried:
        draft.note("transcript.speakers_carried")
    for block, parts in zip(blocks, assigned.turns, strict=True):
        for part in parts or [turns.Turn("", "")]:
            draft.add(block.number, block.start_ms, block.end_ms, part.speaker, part.text)


def _close(cue: _Open, draft: TranscriptDraft) -> Block | None:
    """Return the finished cue, or refuse it."""
    while cue.lines and not cue.lines[-1]:
        cue.lines.pop()
    if cue.span:
        if "" in cue.lines:
            draft.note_cue("transcript.empty_line", cue.number)
        return Block(cue.number, *cue.span, [line for line in cue.lines if line])
    if not cue.is_cue:
        if clean_lines(cue.lines):
            draft.refuse(cue.number, make_problem("cue.no_times"))
        return None
    words = " ".join(clean_lines(cue.lines))
    rest = Cue(cue.start_ms, cue.start_ms, "", words) if cue.start_ms is not None else None
    draft.refuse(cue.number, make_problem("cue.bad_times"), rest)
    return None


def _find_habits(text: str) -> Habits:
    """Detect what precedes the times of each cue: numbers, blank lines, ids."""
    total = numbers = spaced = ids = 0
    is_first_numbered = False
    before, last, filled = "", "", ""
    for _, line in lines(text):
        stripped = remove_leading_tags(line.strip("\ufeff \t"))
        if stripped and find_span(stripped):
            is_index = bool(last) and INDEX.fullmatch(last) is not None
            is_first_numbered |= total == 0 and is_index
            total, numbers = total + 1, numbers + is_index
            spaced += not last and INDEX.fullmatch(filled) is not None
            ids += bool(last) and not before and not is_index
            filled = ""
        filled = stripped or filled
        before, last = last, stripped[:200]
    return Habits(
        is_vtt=is_vtt(text),
        is_numbered=is_first_numbered and 2 * numbers >= total,
        is_spaced=spaced > 0 and spaced == total,
        has_ids=2 * ids >= total > 0,
    )


def _cues(text: str, habits: Habits, draft: TranscriptDraft) -> Iterator[_Open]:
    """Yield the cues, and text before the first one."""
    cue = _Open(1, None, lines=[""], is_cue=False)
    skips = in_header = habits.is_vtt  # skips: in a header, or in a NOTE, STYLE or REGION block
    count = 0
    last = ""
    for number, raw in lines(text):
        line = remove_leading_tags(raw.lstrip("\ufeff"))
        stripped = line.strip() or raw.strip()
        span = find_span(line) if stripped else None
        if span or (not skips and _is_broken(line, last, cue, habits)):
            _drop_identifier(cue.lines, habits)
            yield cue
            cue = _open(number, line, span)
            skips = in_header = False
            count += 1
            if count > MAX_CUES:
                raise too_many(MAX_CUES)
        elif habits.is_vtt and not in_header and _is_header(stripped, last, cue):
            skips = in_header = True
        elif skips:
            if in_header and draft.language is None and (match := LANGUAGE.match(stripped)):
                draft.language = match[1] if is_language_tag(match[1]) else None
            if not stripped and last:
                skips = in_header = False
        elif habits.is_vtt and not last and NOT_SPEECH.match(stripped):
            skips = True
        elif stripped or cue.lines[-1:] != [""]:
            if not (cue.is_cue or any(cue.lines)):
                cue.number = number
            cue.lines.append(raw if stripped else "")
        last = stripped
    if habits.is_numbered and _ends_in_lone_number(cue.lines, count + 1):
        cue.lines.pop()  # it belongs to a missing cue
    yield cue


def _open(number: int, line: str, span: Span | None) -> _Open:
    if span is None:
        return _Open(number, None, find_start(line))
    return _Open(number, (span.start_ms, span.end_ms), lines=[span.text] if span.text.strip() else [])


def _is_broken(line: str, last: str, cue: _Open, habits: Habits) -> bool:
    """Return whether the line has an arrow where times should be. Elsewhere, an arrow is text: "x --> y"."""
    if not has_arrow(line):
        return False
    if last:
        return _is_index(last) and _follows_empty(cue.lines)
    return habits.is_vtt or re.search(r"\d:\d", line) is not None


def _is_header(stripped: str, last: str, cue: _Open) -> bool:
    """Return whether another WebVTT file begins here, because several were joined."""
    return HEADER.fullmatch(stripped) is not None and (not last or (stripped == "WEBVTT" and any(cue.lines)))


def _is_index(line: str) -> bool:
    return INDEX.fullmatch(line.strip("\ufeff \t")) is not None


def _follows_empty(cue_lines: list[str]) -> bool:
    """Return whether the last line follows an empty one."""
    return len(cue_lines) > 1 and bool(cue_lines[-1]) and not cue_lines[-2]


def _ends_in_lone_number(cue_lines: list[str], number: int) -> bool:
    while cue_lines and not cue_lines[-1]:
        cue_lines.pop()
    return _follows_empty(cue_lines) and cue_lines[-1].strip() == str(number)


def _drop_identifier(cue_lines: list[str], habits: Habits) -> None:
    """Drop the number or identifier of the next cue from the end of this one's lines."""
    if not cue_lines:
        return
    if not cue_lines[-1]:
        if habits.is_spaced and len(cue_lines) > 1 and _is_index(cue_lines[-2]):
            del cue_lines[-2:]
        return
    follows_empty = _follows_empty(cue_lines)
    if _is_index(cue_lines[-1]):
        drops = follows_empty or habits.is_numbered
    else:
        drops = habits.is_vtt and follows_empty and (habits.has_ids or not re.search(r"\s", cue_lines[-1].strip()))
    if drops:
        cue_lines.pop()
