"""WebVTT (w3.org/TR/webvtt1): voice tags are speakers; STYLE, REGION, NOTE, cue settings and other tags are dropped.

Several voices in one cue become several cues with the same times, in the order in which they stand: nobody knows who
spoke when in it. Zoom writes no voice tags but numbers its cues and puts "Ida Bean: " before the words: so names are
looked for in the text where every cue has an identifier and none a voice."""

import html
import re
from collections.abc import Iterator

from archive.cues import plain
from archive.errors import make_problem
from archive.intake.transcripts import markup, names
from archive.intake.transcripts.draft import TranscriptDraft, lines

ARROW = "-->"
# The tag whole; no "<" inside, so that a search from each of a million "<v" ends at the next.
VOICE = re.compile(r"<(/?)v((?=[\s.>])[^<>]*)>")
NOT_SPEECH = re.compile(r"(NOTE|STYLE|REGION)(\s|$)")
LANGUAGE = re.compile(r"Language:\s*([A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8}){0,3})\s*$")

Block = list[tuple[int, str]]


def read(text: str) -> TranscriptDraft:
    sheet = TranscriptDraft()
    voices = identified = cues = 0
    for number, block in enumerate(_blocks(text)):
        if number == 0:
            sheet.language = next((found[1] for _, line in block if (found := LANGUAGE.match(line))), None)
        elif any(ARROW in line for _, line in block[:2]):
            cues += 1
            identified += ARROW not in block[0][1]
            voices += _cue(sheet, block)
        elif not (NOT_SPEECH.match(block[0][1]) or (len(block) == 1 and block[0][1].strip().isdigit())):
            sheet.refuse(block[0][0], make_problem("cue.no_times"))
    if not voices and identified == cues:
        sheet.cues = names.split_speaker(sheet.cues)
    return sheet


def _blocks(text: str) -> Iterator[Block]:
    """The first is the head. A block ends at an empty line, or where a second arrow begins a new one (WebVTT §6.1)."""
    block: Block = []
    in_head = True
    for number, line in lines(text):
        starts = ARROW in line and block and (in_head or len(block) > 1 or ARROW in block[0][1])
        if block and (not line or starts):
            yield block
            block, in_head = [], False
        if line:
            block.append((number, line))
    if block:
        yield block


def _cue(sheet: TranscriptDraft, block: Block) -> int:
    """How many voices it names."""
    at = 0 if ARROW in block[0][1] else 1
    number, timing = block[at]
    if (span := markup.times("vtt", timing)) is None:
        sheet.refuse(number, make_problem("cue.bad_times"))
        return 0
    parts = _voices(" ".join(line for _, line in block[at + 1 :]))
    for speaker, words in parts:
        sheet.add(number, *span, speaker, words)
    return sum(bool(speaker) for speaker, _ in parts)


def _voices(payload: str) -> list[tuple[str, str]]:
    """[(speaker, text)]. Entities are decoded once, after the tags are gone: "&lt;b>" is text."""
    first, *rest = VOICE.split(payload)
    found = [("", first)]
    for closing, note, words in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
        _classes, *speaker = note.split(maxsplit=1) if note.startswith(".") else ("", note)
        found.append(("" if closing else plain(html.unescape("".join(speaker))), words))
    return [(speaker, html.unescape(markup.without_tags(words))) for speaker, words in _joined(found)]


def _joined(parts: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Without what is empty, and with one part where a speaker goes on."""
    joined: list[tuple[str, list[str]]] = []
    for speaker, words in parts:
        if not words.strip():
            continue
        if joined and joined[-1][0] == speaker:
            joined[-1][1].append(words)
        else:
            joined.append((speaker, [words]))
    return [(speaker, "".join(words)) for speaker, words in joined] or [("", "")]
